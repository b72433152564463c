"""The secrets of a house, in one file outside the database."""

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Self

from keyhouse.storage.errors import StoreFault

_BYTES = 32
_RESTORE = "restore it from a backup: without it no code fits and nothing sealed can be opened"


@dataclass(frozen=True, slots=True)
class HouseKeys:
    """Each 32 bytes. code_hash: under which codes are hashed.  seal: seals and opens rows.  audit: links the chain.

    fingerprint: by which sealed words are found again; None while it follows from the first seal.
    retiring: the seal before, while some rows are still under it.
    """

    code_hash: bytes = field(repr=False)
    seal: bytes = field(repr=False)
    audit: bytes = field(repr=False)
    fingerprint: bytes | None = field(default=None, repr=False)
    retiring: bytes | None = field(default=None, repr=False)

    @property
    def fingerprint_key(self) -> bytes:
        """What never changes with the seal: a decision that was done would be found no more, and be done again."""
        return self.fingerprint or fingerprint_key_of(self.seal)

    def rotating(self) -> Self:
        """Return the keys with a new seal and the old one beside it; those that have both already stay as they are."""
        if self.retiring is not None:
            return self
        new = secrets.token_bytes(_BYTES)
        return replace(self, seal=new, fingerprint=self.fingerprint_key, retiring=self.seal)

    def rotated(self) -> Self:
        """Return the keys without the seal before."""
        return replace(self, retiring=None)

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
        if any(len(key) != _BYTES for key in _named(keys).values()):
            raise StoreFault(f"{path} is not a file of house keys; {_RESTORE}")
        return keys

    @classmethod
    def load_or_create(cls, path: Path) -> Self:
        """Read the keys, or draw new ones for a new house; of two who do so at once both get the same."""
        if not path.exists():
            with _plainly(path):
                _write_once(path, cls(*(secrets.token_bytes(_BYTES) for _ in range(3))))
        return cls.load(path)

    def put_in_place_of(self, path: Path) -> None:
        """Write these keys over those in the file: whoever reads it sees the old ones or the new ones, whole."""
        with _plainly(path):
            for left in path.parent.glob(f"{path.name}.*.part"):
                # A write that was killed; keys that were retired since would live on in it.
                left.unlink()
            made = path.stat().st_mtime
            part = _written_beside(path, self)
            # The file's time is the age of the house.
            os.utime(part, (made, made))
            part.replace(path)
            _sync_folder(path.parent)


def fingerprint_key_of(seal: bytes) -> bytes:
    """Return what finds sealed words again in a house whose seal was never rotated."""
    return hmac.new(seal, b"keyhouse fingerprint", hashlib.sha256).digest()


def _named(keys: HouseKeys) -> dict[str, bytes]:
    return {name: key for name, key in asdict(keys).items() if key is not None}


@contextmanager
def _plainly(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreFault(f"{path} cannot be written ({error.strerror}); check who owns the folder") from error


def _write_once(path: Path, keys: HouseKeys) -> None:
    part = _written_beside(path, keys)
    try:
        # A link, not a rename: it never replaces keys that somebody else drew a moment ago.
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        part.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _written_beside(path: Path, keys: HouseKeys) -> Path:
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    content = json.dumps({name: key.hex() for name, key in _named(keys).items()})
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return part


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
