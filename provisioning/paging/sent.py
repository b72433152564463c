"""DIR/run/pages.jsonl: which pages were taken, when and by which channel; so that a drill can say who was told."""

import contextlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

_LARGEST = 128 * 1024


@dataclass(frozen=True, slots=True)
class SentPage:
    """One page that a channel took. text holds no content of any message, as pages never do."""

    channel: str
    at: datetime
    kind: str
    subject: str
    text: str


def keep_sent(run: Path, sent: SentPage) -> None:
    """Keep that a channel took a page. A full disk is no reason not to have told."""
    with contextlib.suppress(OSError):
        run.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = _file(run)
        if file.exists() and file.stat().st_size > _LARGEST:
            file.replace(file.with_suffix(".old"))
        with file.open("a", encoding="utf-8") as stream:
            # One write of one line: the caretaker and `up` may both tell at once.
            stream.write(json.dumps(asdict(sent), default=datetime.isoformat) + "\n")


def sent_since(run: Path, moment: datetime) -> list[SentPage]:
    """Return the pages that were taken from this moment on, oldest first; a line that cannot be read is passed over."""
    found = []
    for file in (_file(run).with_suffix(".old"), _file(run)):
        with contextlib.suppress(OSError):
            found += [sent for line in file.read_text(encoding="utf-8").splitlines() if (sent := _read(line))]
    return [sent for sent in found if sent.at >= moment]


def _file(run: Path) -> Path:
    return run / "pages.jsonl"


def _read(line: str) -> SentPage | None:
    try:
        kept: dict[str, Any] = json.loads(line)
        return SentPage(**{**kept, "at": datetime.fromisoformat(kept["at"])})
    except (ValueError, KeyError, TypeError):
        return None
