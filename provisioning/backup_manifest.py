"""manifest.json: what a backup holds, so that a damaged or incomplete one is never restored."""

from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from provisioning.answers import Failure
from provisioning.whole_folder import put, put_bytes, sum_of

FILE = "manifest.json"
_USE_ANOTHER = "use another backup"


class KeptFile(BaseModel):
    """One file of a backup. path: below the backup's folder, with slashes.  size: in bytes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=0)]

    @field_validator("path")
    @classmethod
    def _stays_below(cls, path: str) -> str:
        parts = PurePosixPath(path)
        if parts.is_absolute() or not parts.parts or ".." in parts.parts or str(parts) != path:
            raise ValueError("leads out of the backup")
        return path

    @classmethod
    def of(cls, folder: Path, path: str) -> Self:
        """Describe a file that lies in a backup's folder."""
        digest, size = sum_of(folder / path)
        return cls(path=path, sha256=digest, size=size)

    def put_back(self, folder: Path, target: Path) -> None:
        """Copy the file out of a backup; raises Failure when it is not the one that was put in."""
        source = folder / self.path
        try:
            found = put(source, target)
        except FileNotFoundError:
            raise Failure(f"{source} is missing, so this backup is incomplete; {_USE_ANOTHER}") from None
        if found != (self.sha256, self.size):
            raise Failure(f"{source} is not what was backed up, so this backup is damaged; {_USE_ANOTHER}")


class Manifest(BaseModel):
    """A whole backup. tables: the version of our database's tables.  postgres: whether that database is a dump."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    made_at: AwareDatetime
    keyhouse: str
    synapse: str
    tables: str
    server_name: str
    postgres: bool
    files: tuple[KeptFile, ...]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the manifest of a backup; raises Failure for a folder that is none, or not a whole one."""
        file = folder / FILE
        try:
            return cls.model_validate_json(file.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            raise Failure(f"{folder} is no backup, or one that was not finished; name a folder with {FILE}") from None
        except ValidationError:
            raise Failure(f"{file} is damaged, or of a newer version of keyhouse; {_USE_ANOTHER}") from None
        except OSError as error:
            raise Failure(f"{file} cannot be read ({error.strerror}); check who owns it") from error

    @property
    def paths(self) -> frozenset[str]:
        """Where each file lies below the backup's folder."""
        return frozenset(file.path for file in self.files)

    @property
    def size(self) -> int:
        """How many bytes all files have."""
        return sum(file.size for file in self.files)

    def save(self, folder: Path) -> None:
        """Write the manifest, last of all: whoever finds it finds everything else."""
        put_bytes(self.model_dump_json(indent=1).encode(), folder / FILE)
