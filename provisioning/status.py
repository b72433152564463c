"""`keyhouse status`: each process of the house, as its supervisor and its last sign of life say."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import typer
from rich.console import Console
from rich.table import Table

from keyhouse.core.alarm_sentences import begin_sentence
from keyhouse.core.alarms import Alarm
from keyhouse.core.ports import Heartbeat
from provisioning.alarms import alarm_row
from provisioning.answers import House, answer, open_house
from provisioning.check_alarms import probe_age
from provisioning.house_lock import holder
from provisioning.programs import HOMESERVER, process_names
from provisioning.state import ChildState, ChildStatus, load_state, state_file
from provisioning.waiting import heartbeats, homeserver_answers, is_fresh

app = typer.Typer()

RUNNING, STARTING, SILENT, STOPPED = "running", "starting", "silent", "stopped"
_MAY_START_FOR_S = 60


@dataclass(frozen=True, slots=True)
class Row:
    """One process. state: running, starting, silent (alive without a sign of life), waiting, failed or stopped."""

    name: str
    pid: int | None
    state: str
    last_sync_age_s: float | None
    restarts: int
    age_s: float | None
    sentence: str = ""


@app.command()
def status(ctx: typer.Context) -> None:
    """Show each process of the house, the alarms that stand, and when the house's own test message came through."""
    house = open_house(ctx)
    rows, health = asyncio.run(rows_of(house)), _health(house)
    document = {"processes": [asdict(row) for row in rows], **health.document()}
    answer(document, lambda console: _show(console, rows, health))


@dataclass(frozen=True, slots=True)
class Health:
    """What is said of the house as a whole. probe_age_s: None while no test message has come through."""

    alarms: Sequence[Alarm]
    probe_age_s: float | None

    def document(self) -> dict[str, object]:
        """Return it as `status --json` holds it."""
        return {"alarms": [alarm_row(alarm) for alarm in self.alarms], "probe_age_s": self.probe_age_s}


def _health(house: House) -> Health:
    with house.store.reading() as tx:
        standing = tx.alarms.open()
    age = probe_age(house)
    return Health(standing, round(age.total_seconds(), 1) if age else None)


async def rows_of(house: House) -> list[Row]:
    """Return one row for each process, in the order of their start; a house that is not up has them all stopped."""
    directory = house.directory
    beats = {beat.process: beat for beat in heartbeats(house.store)}
    known = {child.name: child for child in load_state(state_file(directory))}
    is_up = holder(directory.supervisor_pid) is not None
    answers = is_up and await homeserver_answers(house.settings.homeserver)
    return [_row(name, known if is_up else {}, beats.get(name), answers) for name in process_names(house.settings)]


def _row(name: str, known: Mapping[str, ChildStatus], beat: Heartbeat | None, answers: bool) -> Row:
    child = known.get(name)
    if child is None or child.pid is None:
        state = child.state.value if child else ChildState.STOPPED.value
        return Row(name, None, state, None, child.restarts if child else 0, None, child.sentence if child else "")
    now = datetime.now(UTC)
    age_s = _age(child.started_at, now)
    of_this_run = beat if beat and beat.pid == child.pid else None
    lives = answers if name == HOMESERVER else of_this_run is not None and is_fresh(of_this_run)
    state = RUNNING if lives else STARTING if (age_s or 0) < _MAY_START_FOR_S and of_this_run is None else SILENT
    synced_s = _age(of_this_run.last_sync_at, now) if of_this_run else None
    return Row(name, child.pid, state, synced_s, child.restarts, age_s)


def _age(moment: datetime | None, now: datetime) -> float | None:
    return round((now - moment).total_seconds(), 1) if moment else None


def _show(console: Console, rows: list[Row], health: Health) -> None:
    table = Table("process", "state", "pid", "up for", "last sync", "restarts", box=None, header_style="bold")
    for row in rows:
        synced = f"{row.last_sync_age_s:.0f} s ago" if row.last_sync_age_s is not None else "–"
        pid = str(row.pid) if row.pid else "–"
        table.add_row(row.name, row.state, pid, _span(row.age_s), synced, str(row.restarts))
    console.print(table)
    for row in rows:
        if row.sentence:
            console.print(f"{row.name}: {row.sentence}", markup=False)
    for alarm in health.alarms:
        console.print(f"alarm: {begin_sentence(alarm)}", markup=False)
    probe = f"{health.probe_age_s:.0f} s ago" if health.probe_age_s is not None else "not yet"
    console.print(f"The house's own test message last came through {probe}.")


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    hours, minutes = divmod(int(seconds) // 60, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min" if minutes else f"{seconds:.0f} s"
