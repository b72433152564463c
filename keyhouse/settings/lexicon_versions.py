"""Which lexicon a house has accepted: copies of its files, by whom and when.

DIR/lexicon/accepted.json names the accepted versions, newest last; DIR/lexicon/accepted/FINGERPRINT/ holds the files
of each. What lies in the house's config folder is a proposal until somebody accepts it.
"""

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from keyhouse.settings.faults import SettingsFault

CAME_ALONG = "came along with keyhouse"
"""Who accepted the first version of a house: nobody did."""

_KEPT = 20
_LETTERS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One accepted version. fingerprint: of all its files.  by: the name that was given.  at: aware, UTC."""

    fingerprint: str
    by: str
    at: datetime

    @property
    def name(self) -> str:
        """The fingerprint as far as people read it."""
        return self.fingerprint[:_LETTERS_SHOWN]


def fingerprint_of(directory: Path) -> str:
    """Return what changes when any lexicon file of a folder changes, comes or goes."""
    total = hashlib.sha256()
    for path in sorted(directory.glob("*.yaml")):
        content = _content(path)
        total.update(f"{path.name}\0{len(content)}\0".encode())
        total.update(content)
    return total.hexdigest()


def accepted_versions(data: Path) -> tuple[Acceptance, ...]:
    """Return every version that is kept, the one in force last; empty when the house has accepted none."""
    try:
        rows = json.loads(_register(data).read_text(encoding="utf-8"))["accepted"]
        return tuple(Acceptance(row["fingerprint"], row["by"], datetime.fromisoformat(row["at"])) for row in rows)
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsFault(
            [f"lexicon/accepted.json: cannot be read; put it back from a backup, or remove {data / 'lexicon'} and "
             "accept a lexicon again with `keyhouse lexicon accept`"]
        ) from error  # fmt: skip


def folder_of(data: Path, acceptance: Acceptance) -> Path:
    """Return where the files of an accepted version lie."""
    return data / "lexicon" / "accepted" / acceptance.fingerprint


def accept(data: Path, directory: Path, fingerprint: str, by: str, now: datetime) -> Acceptance:
    """Keep a folder's files as the version in force.

    fingerprint: what the files had when somebody saw that they can be read; SettingsFault if they have another by now.
    """
    earlier = accepted_versions(data)
    copy = _copied(data, directory)
    if copy.name != fingerprint:
        raise SettingsFault(["lexicons: the files changed while they were checked; run the command again"])
    acceptance = Acceptance(copy.name, by, now)
    others = [each for each in earlier if each.fingerprint != acceptance.fingerprint]
    versions = [*others, acceptance][-_KEPT:]
    rows = [{**asdict(each), "at": each.at.isoformat()} for each in versions]
    _write(_register(data), json.dumps({"accepted": rows}, indent=1))
    kept = {each.fingerprint for each in versions}
    for old in earlier:
        if old.fingerprint not in kept:
            shutil.rmtree(folder_of(data, old), ignore_errors=True)
    return acceptance


def _copied(data: Path, directory: Path) -> Path:
    """Copy a folder's files beside the others; a reader sees all of them or none."""
    home = data / "lexicon" / "accepted"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix="part-", dir=home))
    try:
        for path in sorted(directory.glob("*.yaml")):
            (part / path.name).write_bytes(_content(path))
        # Of the copy and not of the folder, in which somebody may be writing just now.
        whole = home / fingerprint_of(part)
        if not whole.exists():
            os.replace(part, whole)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return whole


def _register(data: Path) -> Path:
    return data / "lexicon" / "accepted.json"


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsFault(
            [f"lexicons/{path.name}: cannot be read ({error.strerror}); check that it exists"]
        ) from error


def _write(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
