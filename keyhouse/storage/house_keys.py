"""The three secrets of a house, in one file outside the database."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from keyhouse.storage.errors import StoreFault

_BYTES = 32
_RESTORE = "restore it from a backup: without it no code fits and nothing sealed can be opened"


@dataclass(frozen=True, slots=True)
class HouseKeys:
    """Each 32 bytes. code_hash: under which codes are hashed.  seal: opens sealed rows.  audit: links the chain."""

    code_hash: bytes = field(repr=False)
    seal: bytes = field(repr=False)
    audit: bytes = field(repr=False)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the keys; raises StoreFault when the file is missing, unreadable or not such a file."""
        try:
            written = json.loads(path.read_text(encoding="ascii"))
            keys = cls(**{name: bytes.fromhex(value) for name, value in written.items()})
        except FileNotFoundError:
            raise StoreFault(f"{path} is missing; {_RESTORE}") from None
        except OSError as error:
            raise StoreFault(f"{path} cannot be read ({error.strerror}); check who owns it") from error
        except (ValueError, TypeError, AttributeError):
            # No cause: the text of the error could show a piece of a key.
            raise StoreFault(f"{path} is not a file of house keys; {_RESTORE}") from None
        if any(len(key) != _BYTES for key in asdict(keys).values()):
            raise StoreFault(f"{path} is not a file of house keys; {_RESTORE}")
        return keys

    @classmethod
    def load_or_create(cls, path: Path) -> Self:
        """Read the keys, or draw new ones for a new house; of two who do so at once both get the same."""
        if not path.exists():
            try:
                _write_once(path, cls(*(secrets.token_bytes(_BYTES) for _ in range(3))))
            except OSError as error:
                raise StoreFault(f"{path} cannot be written ({error.strerror}); check who owns the folder") from error
        return cls.load(path)


def _write_once(path: Path, keys: HouseKeys) -> None:
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    content = json.dumps({name: key.hex() for name, key in asdict(keys).items()})
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        # A link, not a rename: it never replaces keys that somebody else drew a moment ago.
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        part.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
