"""DIR/run/supervisor.json: how each process is. Written by `up`, read by `status` and by the next `up`."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from provisioning.directory import HouseDirectory
from provisioning.processes import Started

SETTLED_AFTER = timedelta(seconds=30)
"""A process that has run for so long after it ended counts as well; one that ends sooner still has the same trouble."""


class ChildState(StrEnum):
    """running; waiting: ended, and is started again soon; failed: somebody must decide; stopped: on purpose."""

    RUNNING = "running"
    WAITING = "waiting"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class ChildStatus:
    """One process. pid and ticks: None while it does not run.  sentence: why it failed or waits.

    unwell_since: when it first ended since it last ran for SETTLED_AFTER; None while it never did.
    """

    name: str
    state: ChildState
    pid: int | None = None
    ticks: int | None = None
    restarts: int = 0
    started_at: datetime | None = None
    sentence: str = ""
    unwell_since: datetime | None = None

    @property
    def process(self) -> Started | None:
        """Return the process as it was at its start; None while there is none."""
        return Started(self.pid, self.ticks) if self.pid is not None and self.ticks is not None else None


def unwell_since(status: ChildStatus, settled_after: timedelta, now: datetime) -> datetime | None:
    """Say since when a process is down, or ends again and again; None while it is well or was stopped on purpose."""
    match status.state:
        case ChildState.STOPPED:
            return None
        case ChildState.WAITING | ChildState.FAILED:
            return status.unwell_since
        case ChildState.RUNNING:
            has_settled = status.started_at is not None and now - status.started_at >= settled_after
            return None if has_settled else status.unwell_since


def state_file(directory: HouseDirectory) -> Path:
    """Return where the state of this house's processes is kept."""
    return directory.root / "run" / "supervisor.json"


def looked_file(directory: HouseDirectory) -> Path:
    """Return the file whose age says when the caretaker last looked; `up` sees it without any database."""
    return state_file(directory).with_name("caretaker.looked")


def save_state(file: Path, statuses: Iterable[ChildStatus]) -> None:
    """Write how all processes are, so that a reader sees the old or the new state, never half of it."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.part")
    document = {"processes": [asdict(status) for status in statuses]}
    part.write_text(json.dumps(document, default=datetime.isoformat))
    os.replace(part, file)


def load_state(file: Path) -> list[ChildStatus]:
    """Read how the processes were last; empty when nothing is known, or nothing readable."""
    try:
        rows = json.loads(file.read_text())["processes"]
        return [_status(row) for row in rows]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return []


def _status(row: dict[str, object]) -> ChildStatus:
    moments = {name: _moment(row.get(name)) for name in ("started_at", "unwell_since")}
    return ChildStatus(**{**row, **moments, "state": ChildState(str(row["state"]))})  # type: ignore[arg-type]


def _moment(written: object) -> datetime | None:
    return datetime.fromisoformat(written) if isinstance(written, str) else None
