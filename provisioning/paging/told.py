"""DIR/run/told: what `up` has told while the caretaker could not, so that the same is not told twice.

One small file for each. Whoever takes the file away tells the end: `up` when it is over before the caretaker is back,
the caretaker when it has made an alarm of it.
"""

import hashlib
import json
from datetime import datetime
from pathlib import Path

from keyhouse.core.alarms import Alarm, AlarmKey, AlarmKind


class Told:
    """What was told, and when; kept on the disk, because the database may be what is away."""

    def __init__(self, run: Path) -> None:
        self._directory = run / "told"

    def keep(self, alarm: Alarm, at: datetime) -> None:
        """Keep that somebody was told of this alarm."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self._file(alarm.key)
        part = file.with_suffix(".part")
        kept = {"kind": alarm.kind.value, "subject": alarm.subject, "since": alarm.raised_at, "at": at}
        part.write_text(json.dumps(kept, default=datetime.isoformat))
        part.replace(file)

    def all(self) -> dict[AlarmKey, Alarm]:
        """Return what was told, each with its moment as paged_at; a file that cannot be read counts for nothing."""
        found = {}
        for file in self._directory.glob("*.json"):
            try:
                kept = json.loads(file.read_text())
                since, at = (datetime.fromisoformat(kept[name]) for name in ("since", "at"))
                alarm = Alarm(AlarmKind(kept["kind"]), kept["subject"], since, at)
            except (OSError, ValueError, KeyError, TypeError):
                continue
            found[alarm.key] = alarm
        return found

    def take(self, key: AlarmKey) -> bool:
        """Take this over; False when somebody else did so before."""
        try:
            self._file(key).unlink()
        except FileNotFoundError:
            return False
        return True

    def _file(self, key: AlarmKey) -> Path:
        # A subject may be no file name.
        name = hashlib.sha256(f"{key[0].value} {key[1]}".encode()).hexdigest()[:16]
        return self._directory / f"{name}.json"
