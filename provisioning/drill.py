"""`keyhouse drill`: take a part away on purpose, and see who is told, how, and how soon."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from keyhouse.core.alarm_sentences import begin_sentence
from keyhouse.core.alarms import AlarmLimits
from keyhouse.core.outgoing import Worker
from keyhouse.core.ports import Heartbeat
from keyhouse.core.probing import PROCESS
from keyhouse.settings.pager import PagerSettings, load_pager
from provisioning.answers import Failure, House, answer, invocation, now, open_house, say
from provisioning.drill_mark import Drill, Part, marked, spoils
from provisioning.drill_parts import taken_away
from provisioning.house_lock import holder
from provisioning.paging.sent import SentPage, sent_since
from provisioning.processes import wait_until
from provisioning.state import state_file
from provisioning.waiting import heartbeats

app = typer.Typer()

TOLD_LATE = timedelta(minutes=2)
"""After its limit in pager.yaml an alarm has so long to reach somebody."""

WELL_WITHIN = timedelta(minutes=5)
_LOOKS_EVERY_S = 0.5


class Wanted(StrEnum):
    """What the command line names: one part, or all of them one after the other."""

    WATCHER = Part.WATCHER.value
    HOMESERVER = Part.HOMESERVER.value
    CONCIERGE = Part.CONCIERGE.value
    CARD = Part.CARD.value
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Report:
    """What one drill showed. well_after_s: from when the part went on again; None when it was not well in time."""

    part: Part
    began: datetime
    told: tuple[SentPage, ...]
    away_s: float
    well_after_s: float | None

    def document(self) -> dict[str, object]:
        """Return it as the command's document has it."""
        told = [{"channel": page.channel, "after_s": self.after_s(page), "text": page.text} for page in self.told]
        times = {"away_s": self.away_s, "well_after_s": self.well_after_s}
        return {"part": self.part.value, "began_at": self.began, "told": told, **times}

    def after_s(self, page: SentPage) -> float:
        """Return how many seconds after the beginning somebody got this page."""
        return _seconds(page.at - self.began)


@app.command()
def drill(
    ctx: typer.Context,
    part: Annotated[Wanted, typer.Argument(help="What to take away.")] = Wanted.WATCHER,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take a part of the running house away, and see who is told; exit status 1 when nobody is."""
    house = open_house(ctx)
    pager = load_pager(house.settings.config, house.directory.root)
    parts = list(Part) if part is Wanted.ALL else [Part(part.value)]
    refuse_unless_well(house, pager, parts)
    if not yes:
        _ask(parts, as_json=invocation(ctx).as_json)
    reports = [hold_drill(house, each, pager.when.limits()) for each in parts]
    failed = [report for report in reports if not report.told or report.well_after_s is None]
    document = {"ok": not failed, "drills": [report.document() for report in reports]}
    answer(document, lambda console: _show(console, reports))
    if failed:
        raise Failure(_what_to_do(failed[0]))


def hold_drill(house: House, part: Part, limits: AlarmLimits) -> Report:
    """Take one part away until somebody has been told of it, and give it back; raises Failure when it cannot begin."""
    run, began, told_within = state_file(house.directory).parent, now(), _told_within(part, limits)
    covering = Drill(part, began + told_within + WELL_WITHIN)

    def told() -> list[SentPage]:
        return [page for page in sent_since(run, began) if covering.covers(page.kind, page.subject)]

    with marked(run, covering, began), _audited(house, part):
        say(f"The {part.words} is taken away. Waiting until somebody is told; it goes on again in any case.")
        with taken_away(house, part, told_within):
            wait_until(lambda: bool(told()), told_within.total_seconds(), _LOOKS_EVERY_S)
        given_back = now()
        say(f"The {part.words} goes on again. Waiting until all is well.")
        well_at = _well_again(house, part, given_back)
        wait_until(lambda: not _stands(house, covering), WELL_WITHIN.total_seconds(), _LOOKS_EVERY_S)
        # The page that it is over is on its way when the alarm has ended.
        wait_until(lambda: len(told()) > 1, limits.well_after.total_seconds(), _LOOKS_EVERY_S)
    well_after_s = _seconds(well_at - given_back) if well_at else None
    return Report(part, began, tuple(told()), _seconds(given_back - began), well_after_s)


def _told_within(part: Part, limits: AlarmLimits) -> timedelta:
    """Return how long a drill waits for a page: the alarm's own limit, and a margin."""
    alarm_after = {
        Part.WATCHER: limits.stopped_after,
        Part.CONCIERGE: limits.stopped_after,
        Part.HOMESERVER: limits.homeserver_after,
        Part.CARD: min(limits.outbox_after, limits.probe_after),
    }
    return alarm_after[part] + TOLD_LATE


def refuse_unless_well(house: House, pager: PagerSettings, parts: Iterable[Part]) -> None:
    """Raise Failure when a drill would show nothing: the house is not up, is blind already, or can tell nobody."""
    directory = house.directory
    if holder(directory.supervisor_pid) is None or not directory.ready.exists():
        raise Failure("the house is not up, so there is nothing to take away; start it with `keyhouse up`")
    if not pager.channels:
        raise Failure("nobody would be told: pager.yaml names no channel; write one, then try `keyhouse pager test`")
    with house.store.reading() as tx:
        standing = [alarm for alarm in tx.alarms.open() if spoils(alarm, parts)]
    if standing:
        said = "; ".join(map(begin_sentence, standing))
        raise Failure(f"a drill would show nothing now: {said}; `keyhouse doctor` says what to do first")


def _ask(parts: Iterable[Part], *, as_json: bool) -> None:
    if as_json:
        raise Failure("a drill takes a part of the house away for some minutes; add --yes to say that it may")
    what = ", then the ".join(part.words for part in parts)
    say(f"This takes the {what} away for a minute or more each. Messages are kept, and heard late. People are paged.")
    typer.confirm("Go on?", abort=True, err=True)


@contextmanager
def _audited(house: House, part: Part) -> Iterator[None]:
    _write_down(house, "drill.begun", part)
    try:
        yield
    finally:
        _write_down(house, "drill.ended", part)


def _write_down(house: House, action: str, part: Part) -> None:
    with house.store.writing() as tx:
        tx.audit.append(action, actor="host", detail={"part": part.value}, now=now())


def _well_again(house: House, part: Part, since: datetime) -> datetime | None:
    """Wait until the part works, as it shows itself; None when it does not in time."""
    worker = Worker.ROOM_GATEKEEPER.value if part is Part.CONCIERGE else PROCESS

    def heard() -> bool:
        beats = {beat.process: beat for beat in heartbeats(house.store)}
        return worker in beats and _is_of(beats[worker], since)

    return now() if wait_until(heard, WELL_WITHIN.total_seconds(), _LOOKS_EVERY_S) else None


def _is_of(beat: Heartbeat, since: datetime) -> bool:
    return beat.beat_at > since and beat.last_sync_at is not None and beat.last_sync_at > since


def _stands(house: House, covering: Drill) -> bool:
    with house.store.reading() as tx:
        return any(covering.covers(alarm.kind, alarm.subject) for alarm in tx.alarms.open())


def _what_to_do(report: Report) -> str:
    if not report.told:
        return (
            f"nobody was told within {report.away_s:.0f} s that the {report.part.words} was away; "
            "look at `keyhouse doctor` and logs/caretaker.log, try `keyhouse pager test`, then drill again"
        )
    return f"the {report.part.words} is not well again; look at `keyhouse status` and its log"


def _show(console: Console, reports: Iterable[Report]) -> None:
    for report in reports:
        console.print(f"[bold]The {report.part.words}[/bold] was away for {report.away_s:.0f} s.")
        for page in report.told:
            console.print(f"  after {report.after_s(page):.0f} s, by {page.channel}: {page.text}", markup=False)
        if not report.told:
            console.print("  Nobody was told.")
        if report.well_after_s is not None:
            console.print(f"  It worked again {report.well_after_s:.0f} s after it was given back.")


def _seconds(span: timedelta) -> float:
    return round(span.total_seconds(), 1)
