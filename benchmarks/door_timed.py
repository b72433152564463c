"""The door as Synapse loads it for a benchmark: it says how long it took to decide about each message."""

import json
import time
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from synapse.module_api import EventBase, ModuleApi, StateMap

from synapse_module.door import Door, DoorSettings

FILE = "door_timings.jsonl"

Checked = tuple[bool, dict[str, Any] | None]
Check = Callable[[EventBase, StateMap[EventBase]], Awaitable[Checked]]


@dataclass(frozen=True)
class Timings:
    """What the door took for each message, in milliseconds, and how many decisions had to wait for something."""

    decided_ms: list[float] = field(default_factory=list)
    waited: int = 0


def read_timings(file: Path) -> Timings:
    """Read what the door wrote down by now."""
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    return Timings([ms for ms, _ in lines], sum(waited for _, waited in lines))


class TimedDoor(Door):
    """The door, with a watch held beside its last word about messages."""

    def __init__(self, config: DoorSettings, api: ModuleApi) -> None:
        # Loaded by Synapse, whose directory is the present one.
        super().__init__(config, _TimedApi(api, Path(FILE).absolute()))  # type: ignore[arg-type]


class _TimedApi:
    """Synapse's interface for modules, which hands the watch on with the callback."""

    def __init__(self, api: ModuleApi, file: Path) -> None:
        self._api, self._file = api, file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._api, name)

    def register_third_party_rules_callbacks(self, *, check_event_allowed: Check, **more: Any) -> None:
        async def timed(event: EventBase, state: StateMap[EventBase]) -> Checked:
            if event.is_state():
                return await check_event_allowed(event, state)
            began, watched = time.perf_counter(), _Watched(check_event_allowed(event, state))
            answer: Checked = await watched
            taken_ms = (time.perf_counter() - began) * 1000
            with self._file.open("a") as file:
                file.write(json.dumps([taken_ms, watched.waited]) + "\n")
            return answer

        self._api.register_third_party_rules_callbacks(check_event_allowed=timed, **more)


class _Watched:
    """Awaits something and notices whether it had to wait."""

    def __init__(self, watched: Awaitable[Checked]) -> None:
        self._watched = watched
        self.waited = False

    def __await__(self) -> Generator[Any, Any, Checked]:
        steps = self._watched.__await__()
        try:
            given = next(steps)
        except StopIteration as done:
            answer: Checked = done.value
            return answer
        self.waited = True
        while True:
            try:
                given = steps.send((yield given))
            except StopIteration as done:
                answer = done.value
                return answer
