"""A drill takes a part away, and gives it back whatever becomes of the drill."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keyhouse.core.alarms import MANY_ROOMS, Alarm, AlarmKind
from keyhouse.settings.house import HouseSettings
from keyhouse.settings.pager import PagerSettings
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.memory import MemoryStore
from provisioning.answers import Failure, House
from provisioning.directory import HouseDirectory
from provisioning.drill import refuse_unless_well
from provisioning.drill_mark import Drill, Part, marked, running_drill
from provisioning.drill_parts import held_still
from provisioning.house_lock import HouseLock
from provisioning.paging.pager import Page, Pager
from provisioning.paging.sent import SentPage, keep_sent, sent_since
from provisioning.processes import Started, started, wait_until

NOW = datetime(2027, 3, 29, 10, 0, tzinfo=UTC)
A_MINUTE = timedelta(minutes=1)
WITHIN_S = 20.0
STOPPED, WAITS = "T", "S"


@pytest.fixture
def part() -> Iterator[Started]:
    """A process that leads a group, as every part of a house does."""
    process = subprocess.Popen(["sleep", "300"], start_new_session=True)
    seen = started(process.pid)
    assert seen is not None
    yield seen
    process.kill()
    process.wait()


def is_in(state: str, process: Started) -> bool:
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == state


def becomes(state: str, process: Started) -> bool:
    return wait_until(lambda: is_in(state, process), WITHIN_S, every_s=0.02)


def holder(part: Started, within_s: float) -> "subprocess.Popen[str]":
    """The process that holds a part still, as a drill starts it."""
    command = [sys.executable, "-P", "-m", "provisioning.drill_holder", str(within_s), f"{part.pid}:{part.ticks}"]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True, cwd=ROOT
    )


ROOT = Path(__file__).parents[3]


def test_a_part_stands_still_during_the_block_and_goes_on_after_it(part: Started) -> None:
    with held_still([part], A_MINUTE):
        assert becomes(STOPPED, part)

    assert becomes(WAITS, part)


def test_a_part_goes_on_when_the_drill_fails(part: Started) -> None:
    with pytest.raises(KeyboardInterrupt), held_still([part], A_MINUTE):
        raise KeyboardInterrupt

    assert becomes(WAITS, part)


def test_a_part_goes_on_when_the_drill_is_killed(part: Started) -> None:
    code = (
        "import sys, time; from datetime import timedelta\n"
        "from provisioning.drill_parts import held_still; from provisioning.processes import Started\n"
        f"with held_still([Started({part.pid}, {part.ticks})], timedelta(minutes=1)):\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT) as drill:
        assert drill.stdout is not None
        assert drill.stdout.readline().strip() == "held"
        was_still = becomes(STOPPED, part)
        drill.send_signal(signal.SIGKILL)

    assert was_still
    assert becomes(WAITS, part)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_part_goes_on_when_its_holder_is_told_to_end(part: Started, number: signal.Signals) -> None:
    with holder(part, 60) as holding:
        was_still = becomes(STOPPED, part)
        holding.send_signal(number)

    assert was_still
    assert becomes(WAITS, part)


def test_a_part_goes_on_when_its_holder_is_killed_and_the_drill_is_not(part: Started) -> None:
    with held_still([part], A_MINUTE):
        assert becomes(STOPPED, part)
        (holding,) = children()
        os.kill(holding, signal.SIGKILL)

    assert becomes(WAITS, part)


def test_a_part_goes_on_when_its_time_is_over(part: Started) -> None:
    with holder(part, 0.2) as holding:
        assert holding.stdout is not None
        assert holding.stdout.readline().strip() == "held"
        assert becomes(WAITS, part)


def test_a_process_that_only_has_the_number_of_the_part_is_left_alone(part: Started) -> None:
    other = Started(part.pid, part.ticks + 1)
    with holder(other, 60) as holding:
        assert holding.stdout is not None
        assert holding.stdout.readline().strip() == "held"
        assert is_in(WAITS, part)
        assert holding.stdin is not None
        holding.stdin.close()


def children() -> list[int]:
    """The processes that this one has started and that hold a part still."""
    own = f"/proc/{os.getpid()}/task/{os.getpid()}/children"
    found = [int(pid) for pid in Path(own).read_text().split()]
    return [pid for pid in found if b"provisioning.drill_holder" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_a_drill_is_marked_while_it_goes_on_and_no_longer(tmp_path: Path) -> None:
    drill = Drill(Part.WATCHER, NOW + A_MINUTE)

    with marked(tmp_path, drill, NOW):
        during = running_drill(tmp_path, NOW)

    assert during == drill
    assert running_drill(tmp_path, NOW) is None


def test_a_drill_that_was_killed_counts_for_nothing_once_its_time_is_over(tmp_path: Path) -> None:
    (tmp_path / "drill.json").write_text(json.dumps({"part": "watcher", "until": (NOW + A_MINUTE).isoformat()}))

    assert running_drill(tmp_path, NOW) is not None
    assert running_drill(tmp_path, NOW + A_MINUTE) is None


def test_while_a_drill_goes_on_no_second_one_begins(tmp_path: Path) -> None:
    with (
        marked(tmp_path, Drill(Part.WATCHER, NOW + A_MINUTE), NOW),
        pytest.raises(Failure, match="a drill of the watcher goes on until 10:01 UTC"),
        marked(tmp_path, Drill(Part.CARD, NOW + A_MINUTE), NOW),
    ):
        pass


COVERED = {
    Part.WATCHER: {("process_stopped", "risk_monitor"), ("process_stopped", "risk_monitor_2"),
                   ("watcher_lags", "risk_monitor"), ("outbox_late", "risk_monitor"), ("probe_late", "")},
    Part.HOMESERVER: {("homeserver_away", ""), ("watcher_lags", "risk_monitor"), ("outbox_late", "risk_monitor"),
                      ("outbox_late", "room_gatekeeper"), ("outbox_late", "booking"), ("probe_late", "")},
    Part.CONCIERGE: {("process_stopped", "room_gatekeeper"), ("outbox_late", "room_gatekeeper")},
    Part.CARD: {("outbox_late", "risk_monitor"), ("probe_late", "")},
}  # fmt: skip
SUBJECTS = {"", "risk_monitor", "risk_monitor_2", "room_gatekeeper", "booking", "front_door", "caretaker", "room 12"}
POSSIBLE = {
    AlarmKind.HOMESERVER_AWAY: {""}, AlarmKind.PROBE_LATE: {""}, AlarmKind.STORE_AWAY: {""},
    AlarmKind.OUTBOX_LATE: {"risk_monitor", "room_gatekeeper", "booking", "caretaker"},
    AlarmKind.WATCHER_LAGS: {"risk_monitor"},
}  # fmt: skip


@pytest.mark.parametrize("drilled", Part)
def test_only_what_the_drill_itself_explains_is_called_a_drill(drilled: Part) -> None:
    drill = Drill(drilled, NOW)

    covered = {
        (kind.value, subject)
        for kind in AlarmKind
        for subject in POSSIBLE.get(kind, SUBJECTS)
        if drill.covers(kind, subject)
    }

    assert covered == COVERED[drilled]


class Telephone:
    """A channel that takes every page."""

    name = "on-call"

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def send(self, page: Page) -> None:
        """Take it."""
        self.texts.append(page.text)


async def test_a_page_of_a_drill_says_so_and_every_other_page_does_not(tmp_path: Path) -> None:
    telephone, now = Telephone(), datetime.now(UTC)
    pager = Pager([telephone], "keyhouse.test", tmp_path)
    of_drill = Page("1", "risk_monitor has stopped", "process_stopped", "risk_monitor", "keyhouse.test", now)
    of_something_else = Page("2", "front_door has stopped", "process_stopped", "front_door", "keyhouse.test", now)

    with marked(tmp_path, Drill(Part.WATCHER, now + A_MINUTE), now):
        await pager.send(of_drill)
        await pager.send(of_something_else)
    await pager.send(of_drill)

    assert telephone.texts == [f"DRILL: {of_drill.text}", of_something_else.text, of_drill.text]
    assert [sent.text for sent in sent_since(tmp_path, now)] == telephone.texts


def test_what_a_channel_took_is_kept_with_its_moment(tmp_path: Path) -> None:
    page = SentPage("on-call", NOW, "process_stopped", "risk_monitor", "DRILL: risk_monitor has stopped")

    keep_sent(tmp_path / "run", page)

    assert sent_since(tmp_path / "run", NOW) == [page]
    assert sent_since(tmp_path / "run", NOW + A_MINUTE) == []


def test_what_was_sent_is_kept_in_a_small_place(tmp_path: Path) -> None:
    page = SentPage("on-call", NOW, "process_stopped", "risk_monitor", "x" * 1000)

    for _ in range(600):
        keep_sent(tmp_path, page)

    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 300_000
    assert len(sent_since(tmp_path, NOW - timedelta(days=9999))) > 100


CHANNELS = PagerSettings.model_validate({"channels": [{"name": "on-call", "webhook": {"url_file": "url"}}]})


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A house that keeps nothing on the disk but its lock and that it is ready."""
    settings = HouseSettings(
        server_name="k.h", homeserver="http://h", front_door="http://f", database="sqlite://", config=tmp_path
    )
    return House(HouseDirectory(tmp_path), settings, MemoryStore(), HouseKeys.load_or_create(tmp_path / "keys"))


def test_a_house_that_is_well_can_be_drilled(house: House) -> None:
    house.directory.ready.touch()

    with HouseLock(house.directory.supervisor_pid):
        refuse_unless_well(house, CHANNELS, Part)


def test_a_house_that_is_not_up_is_not_drilled(house: House) -> None:
    house.directory.ready.touch()

    with pytest.raises(Failure, match="the house is not up"):
        refuse_unless_well(house, CHANNELS, Part)


def test_a_house_that_is_not_ready_yet_is_not_drilled(house: House) -> None:
    with HouseLock(house.directory.supervisor_pid), pytest.raises(Failure, match="the house is not up"):
        refuse_unless_well(house, CHANNELS, Part)


def test_a_house_that_can_tell_nobody_is_not_drilled(house: House) -> None:
    house.directory.ready.touch()

    with HouseLock(house.directory.supervisor_pid), pytest.raises(Failure, match="nobody would be told"):
        refuse_unless_well(house, PagerSettings(), Part)


def raised(house: House, kind: AlarmKind, subject: str) -> None:
    house.directory.ready.touch()
    with house.store.writing() as tx:
        tx.alarms.put(Alarm(kind, subject, NOW))


@pytest.mark.parametrize(
    ("part", "kind", "subject", "said"),
    [
        (Part.WATCHER, AlarmKind.PROBE_LATE, "", "the house's test message did not come through"),
        (Part.CONCIERGE, AlarmKind.HOMESERVER_AWAY, "", "the homeserver does not answer"),
        (Part.WATCHER, AlarmKind.PROCESS_STOPPED, "risk_monitor_2", "risk_monitor_2 has stopped"),
        (Part.CONCIERGE, AlarmKind.OUTBOX_LATE, "room_gatekeeper", "what room_gatekeeper has to send is late"),
        (Part.CARD, AlarmKind.ROOM_UNREADABLE, MANY_ROOMS, "the watcher cannot read many rooms"),
        (Part.WATCHER, AlarmKind.PAGER_FAILED, "", "nobody can be told outside of Matrix"),
        (Part.WATCHER, AlarmKind.PROCESS_STOPPED, "caretaker", "caretaker has stopped"),
    ],
)
def test_a_house_that_is_blind_already_is_not_drilled_and_says_why(
    house: House, part: Part, kind: AlarmKind, subject: str, said: str
) -> None:
    raised(house, kind, subject)

    with HouseLock(house.directory.supervisor_pid), pytest.raises(Failure, match=said):
        refuse_unless_well(house, CHANNELS, [part])


@pytest.mark.parametrize(
    ("part", "kind", "subject"),
    [
        (Part.WATCHER, AlarmKind.ROOM_UNREADABLE, "room 21"),
        (Part.WATCHER, AlarmKind.ROOM_WITHOUT_WATCHER, "room 21"),
        (Part.WATCHER, AlarmKind.EVENTS_SET_ASIDE, "risk_monitor"),
        (Part.WATCHER, AlarmKind.PROCESS_STOPPED, "room_gatekeeper"),
        (Part.CONCIERGE, AlarmKind.PAGER_FAILED, "mail"),
    ],
)
def test_an_alarm_of_one_room_or_of_another_part_does_not_hold_a_drill_up(
    house: House, part: Part, kind: AlarmKind, subject: str
) -> None:
    raised(house, kind, subject)

    with HouseLock(house.directory.supervisor_pid):
        refuse_unless_well(house, CHANNELS, [part])
