"""What `up` tells by itself when the caretaker cannot."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keyhouse.core.alarms import Alarm, AlarmKey, AlarmKind, AlarmLimits
from provisioning.caretaker.lookout import first_starts
from provisioning.paging.pager import Page, PageNotTaken, Pager
from provisioning.paging.told import Told
from provisioning.standby import CARETAKER_DOWN, LIVES_WITHIN, Standby, find_down
from provisioning.state import SETTLED_AFTER, ChildState, ChildStatus, load_state, save_state, unwell_since

NOW = datetime.now(UTC).replace(microsecond=0)
LIMITS = AlarmLimits()
A_SECOND, A_MINUTE = timedelta(seconds=1), timedelta(minutes=1)
WATCHER_DOWN: AlarmKey = (AlarmKind.PROCESS_STOPPED, "risk_monitor")


def runs(name: str, started_at: datetime = NOW - 60 * A_MINUTE) -> ChildStatus:
    return ChildStatus(name, ChildState.RUNNING, pid=1, ticks=1, started_at=started_at)


def ended(name: str, since: datetime, state: ChildState = ChildState.WAITING) -> ChildStatus:
    return ChildStatus(name, state, unwell_since=since)


class Telephone:
    """A channel that can be dead."""

    name = "telephone"

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.ids: list[str] = []
        self.is_dead = False

    async def send(self, page: Page) -> None:
        if self.is_dead:
            raise PageNotTaken("it is dead")
        self.heard.append(page.text)
        self.ids.append(page.id)


class Machine:
    """The processes of a house, as its supervisor knows them, and who hears of them."""

    def __init__(self, run: Path) -> None:
        self.children = {name: runs(name) for name in ("synapse", "risk_monitor", "front_door", "caretaker")}
        self.telephone = Telephone()
        self.told = Told(run)
        self.looked = run / "caretaker.looked"
        self.looked.touch()
        pager = Pager([self.telephone], "keyhouse.test")
        self.standby = Standby(lambda: list(self.children.values()), pager, LIMITS, self.told, self.looked)

    def becomes(self, status: ChildStatus) -> None:
        self.children[status.name] = status

    async def looks(self, now: datetime, *, caretaker_looks: bool = True) -> list[str]:
        """Look once, and return what is heard on the telephone because of it."""
        if caretaker_looks:
            os.utime(self.looked, (now.timestamp(), now.timestamp()))
        before = len(self.telephone.heard)
        await self.standby.look(now)
        return self.telephone.heard[before:]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


async def test_while_the_caretaker_lives_it_tells_of_a_stopped_watcher_and_not_up(machine: Machine) -> None:
    machine.becomes(ended("risk_monitor", NOW - 60 * A_MINUTE))

    assert await machine.looks(NOW) == []


@pytest.mark.parametrize(("down_for_s", "is_told"), [(59, False), (60, True)])
async def test_a_caretaker_that_is_down_for_a_minute_is_told_once(
    machine: Machine, down_for_s: int, is_told: bool
) -> None:
    machine.becomes(ended("caretaker", NOW - timedelta(seconds=down_for_s)))

    first = await machine.looks(NOW)
    second = await machine.looks(NOW + A_SECOND) if is_told else []

    assert [text.partition(" (")[0] for text in first] == (["caretaker has stopped"] if is_told else [])
    assert second == []


async def test_what_is_down_beside_the_caretaker_is_told_by_up_and_the_front_door_waits(machine: Machine) -> None:
    for name in machine.children:
        machine.becomes(ended(name, NOW - A_MINUTE))

    told = await machine.looks(NOW)

    assert [text.partition(" (")[0] for text in told] == [
        "the homeserver does not answer",
        "risk_monitor has stopped",
        "caretaker has stopped",
    ]


async def test_a_caretaker_that_is_not_started_again_is_told_at_once(machine: Machine) -> None:
    machine.becomes(ended("caretaker", NOW, ChildState.FAILED))

    assert len(await machine.looks(NOW)) == 1


async def test_a_caretaker_that_runs_and_no_longer_looks_is_told_after_a_minute(machine: Machine) -> None:
    await machine.looks(NOW)

    early = await machine.looks(NOW + 59 * A_SECOND, caretaker_looks=False)
    late = await machine.looks(NOW + A_MINUTE, caretaker_looks=False)
    over = await machine.looks(NOW + 2 * A_MINUTE)

    assert (len(early), len(late)) == (0, 1)
    assert over == ["well again: caretaker runs (after 2 minutes)"]


async def test_a_page_that_nobody_took_is_tried_at_the_next_look(machine: Machine) -> None:
    machine.becomes(ended("caretaker", NOW - A_MINUTE))
    machine.telephone.is_dead = True
    nobody = await machine.looks(NOW)
    machine.telephone.is_dead = False

    assert nobody == []
    assert len(await machine.looks(NOW + A_SECOND)) == 1


async def test_what_stands_is_told_again_after_half_an_hour_as_a_page_of_its_own(machine: Machine) -> None:
    machine.becomes(ended("caretaker", NOW - A_MINUTE))
    await machine.looks(NOW)

    early = await machine.looks(NOW + 30 * A_MINUTE - A_SECOND)
    late = await machine.looks(NOW + 30 * A_MINUTE)

    assert early == []
    assert [text.partition(" (")[0] for text in late] == ["still: caretaker has stopped"]
    assert len(set(machine.telephone.ids)) == 2


async def test_what_the_caretaker_has_taken_over_is_not_ended_by_up(machine: Machine) -> None:
    machine.becomes(ended("caretaker", NOW - A_MINUTE))
    machine.becomes(ended("risk_monitor", NOW - A_MINUTE))
    await machine.looks(NOW)

    machine.becomes(runs("caretaker"))
    taken = machine.told.take(WATCHER_DOWN)
    machine.becomes(runs("risk_monitor"))
    over = await machine.looks(NOW + A_MINUTE)

    assert taken
    assert over == ["well again: caretaker runs (after 2 minutes)"]
    assert machine.told.all() == {}


async def test_an_end_that_nobody_heard_is_told_at_the_next_look(machine: Machine) -> None:
    machine.becomes(ended("caretaker", NOW - A_MINUTE))
    await machine.looks(NOW)
    machine.becomes(runs("caretaker"))
    machine.telephone.is_dead = True
    nobody = await machine.looks(NOW + A_SECOND)
    machine.telephone.is_dead = False

    assert nobody == []
    assert len(await machine.looks(NOW + 2 * A_SECOND)) == 1


async def test_a_house_that_cannot_be_started_is_told_once_and_once_when_it_stands(machine: Machine) -> None:
    await machine.standby.house_is_down()
    await machine.standby.house_is_down()
    await machine.looks(datetime.now(UTC))
    await machine.standby.house_is_up()
    await machine.standby.house_is_up()

    assert [text.partition(" (")[0] for text in machine.telephone.heard] == [
        "the house has stopped",
        "well again: the house runs",
    ]


def test_a_caretaker_that_has_just_been_started_is_given_time_to_look() -> None:
    young = runs("caretaker", NOW - LIMITS.starts_within + A_SECOND)

    assert find_down([young], None, LIMITS, NOW) == {}
    assert find_down([young], None, LIMITS, NOW + A_SECOND) == {CARETAKER_DOWN: young.started_at}


def test_a_caretaker_that_was_started_again_is_given_less() -> None:
    young = replace(runs("caretaker", NOW - LIVES_WITHIN + A_SECOND), restarts=1)

    assert find_down([young], None, LIMITS, NOW) == {}
    assert find_down([young], None, LIMITS, NOW + A_SECOND) == {CARETAKER_DOWN: young.started_at}


STARTS: dict[str, tuple[dict[str, ChildStatus], dict[str, datetime | None]]] = {
    "its turn is still to come": ({"caretaker": runs("caretaker")}, {"risk_monitor": None}),
    "it was started once": ({"risk_monitor": runs("risk_monitor", NOW)}, {"risk_monitor": NOW}),
    "it was started again": ({"risk_monitor": replace(runs("risk_monitor"), restarts=1)}, {}),
    "it has ended": ({"risk_monitor": ended("risk_monitor", NOW)}, {}),
    "up wrote nothing down": ({}, {}),
}


@pytest.mark.parametrize(("children", "expected"), STARTS.values(), ids=STARTS)
def test_a_first_start_is_told_from_every_other(
    children: dict[str, ChildStatus], expected: dict[str, datetime | None]
) -> None:
    assert first_starts(("risk_monitor",), children) == expected


SETTLED: dict[str, tuple[ChildStatus, bool]] = {
    "one that never ended": (runs("a", NOW), True),
    "one that was stopped": (ended("a", NOW - A_MINUTE, ChildState.STOPPED), True),
    "one that waits": (ended("a", NOW - A_MINUTE), False),
    "one that failed": (ended("a", NOW - A_MINUTE, ChildState.FAILED), False),
    "one that runs again for a second less": (
        replace(runs("a", NOW - SETTLED_AFTER + A_SECOND), unwell_since=NOW - A_MINUTE),
        False,
    ),
    "one that runs again for long enough": (
        replace(runs("a", NOW - SETTLED_AFTER), unwell_since=NOW - A_MINUTE),
        True,
    ),
}


@pytest.mark.parametrize(("status", "is_well"), SETTLED.values(), ids=SETTLED)
def test_a_process_is_well_again_when_it_has_run_for_a_while(
    status: ChildStatus, is_well: bool, tmp_path: Path
) -> None:
    save_state(tmp_path / "state.json", [status])

    assert (unwell_since(status, SETTLED_AFTER, NOW) is None) is is_well
    assert load_state(tmp_path / "state.json") == [status]


def test_what_was_told_survives_and_a_broken_file_counts_for_nothing(tmp_path: Path) -> None:
    alarm = Alarm(*WATCHER_DOWN, NOW)
    Told(tmp_path).keep(alarm, NOW + A_SECOND)
    (tmp_path / "told" / "broken.json").write_text("{")

    kept = Told(tmp_path)

    assert kept.all() == {WATCHER_DOWN: replace(alarm, paged_at=NOW + A_SECOND)}
    assert kept.take(WATCHER_DOWN)
    assert not kept.take(WATCHER_DOWN)
