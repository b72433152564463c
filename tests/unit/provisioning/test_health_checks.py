"""What `doctor`, `status` and `alarms list` say of the house's own health."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from keyhouse.core.alarms import Alarm, AlarmKind
from keyhouse.core.ids import UserId
from keyhouse.core.outgoing import NewOutgoing, OutgoingKind, Worker, has_failed
from keyhouse.core.people import Role
from keyhouse.core.ports import Heartbeat
from keyhouse.core.workflows.team import reserve
from keyhouse.settings.house import save_house
from provisioning.answers import House
from provisioning.backup import keep_last_backup
from provisioning.bootstrap import make_house
from provisioning.check_alarms import PROBE_YOUNG, alarms_check, pager_check, probe_check, unread_check
from provisioning.check_names import names_check
from provisioning.check_rooms import what_stands_unread
from provisioning.check_store import BACKUP_YOUNG, FIRST_DAY, backups_check, outbox_check, seal_check
from provisioning.checks import Check, State
from provisioning.cli import run
from provisioning.directory import HouseDirectory
from tests.support.paged_house import config_with_pager, settings_of

A_SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A house that is not up, with a pager.yaml of its own that names nobody."""
    data = HouseDirectory(tmp_path / "data")
    return make_house(data, settings_of(data.root, config_with_pager(tmp_path, {}, {}), "http://127.0.0.1:1"))


def checked(check: Callable[[House, str], Awaitable[Check]], house: House) -> Check:
    """Run one check."""

    async def ask() -> Check:
        return await check(house, "it")

    return asyncio.run(ask())


def beats(house: House, process: str, age: timedelta, **counters: int) -> None:
    now = datetime.now(UTC)
    with house.store.writing() as tx:
        tx.heartbeats.beat(Heartbeat(process, 1, now, now - age, None, counters))


def raised(house: House, *alarms: Alarm) -> None:
    with house.store.writing() as tx:
        for alarm in alarms:
            tx.alarms.put(alarm)


def test_an_alarm_that_stands_fails_the_doctor_in_its_own_sentence_and_one_that_ended_does_not(house: House) -> None:
    at = datetime(2027, 3, 29, 3, 12, tzinfo=UTC)
    raised(house, Alarm(AlarmKind.ROOM_WITHOUT_WATCHER, "room 12", at))
    standing = checked(alarms_check, house)
    with house.store.writing() as tx:
        tx.alarms.end(AlarmKind.ROOM_WITHOUT_WATCHER, "room 12", at + MINUTE)

    assert standing.state is State.FAIL
    assert standing.detail.startswith("the watcher cannot see room 12 (since 03:12 UTC); docs/operating.md")
    assert checked(alarms_check, house) == Check("it", State.OK, "none stands")


def test_alarms_that_stand_and_that_ended_are_listed(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    at = datetime(2027, 3, 29, 3, 12, tzinfo=UTC)
    raised(house, Alarm(AlarmKind.HOMESERVER_AWAY, "", at), Alarm(AlarmKind.PROCESS_STOPPED, "risk_monitor", at))
    with house.store.writing() as tx:
        tx.alarms.end(AlarmKind.HOMESERVER_AWAY, "", at + MINUTE)

    status = run(["--data", str(house.directory.root), "alarms", "list"], as_json=False)

    said = capsys.readouterr().out
    assert status == 0
    assert "1 alarm stands." in said
    assert "risk_monitor has stopped" in said
    assert "29 Mar 03:13" in said


def test_a_house_without_alarms_says_so(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    run(["--data", str(house.directory.root), "alarms", "list"], as_json=False)

    assert capsys.readouterr().out == "No alarm stands.\n"


def test_a_probe_that_never_came_through_warns_and_an_old_one_fails(house: House) -> None:
    never = checked(probe_check, house)
    beats(house, "probe", PROBE_YOUNG - 30 * A_SECOND, took_ms=420)
    young = checked(probe_check, house)
    beats(house, "probe", PROBE_YOUNG + A_SECOND, took_ms=420)
    old = checked(probe_check, house)

    assert (never.state, young.state, old.state) == (State.WARN, State.OK, State.FAIL)
    assert "in 420 ms" in young.detail


@pytest.mark.parametrize(
    ("counters", "state", "said"),
    [
        ({"new": 4}, State.OK, "4 new, 0 unread, 0 set aside"),
        ({"unread": 1}, State.WARN, "0 new, 1 unread, 0 set aside"),
        ({"quarantined": 2}, State.WARN, "0 new, 0 unread, 2 set aside"),
    ],
)
def test_what_a_bot_could_not_read_or_handle_is_said(
    house: House, counters: dict[str, int], state: State, said: str
) -> None:
    beats(house, "risk_monitor", A_SECOND, **counters)

    found = checked(unread_check(Worker.RISK_MONITOR), house)

    assert found.state is state
    assert found.detail.startswith(said)


def test_only_of_the_watcher_it_is_said_that_unread_messages_have_a_case(house: House) -> None:
    for bot in (Worker.RISK_MONITOR, Worker.ROOM_GATEKEEPER):
        beats(house, bot, A_SECOND, unread=1)

    watcher, concierge = (
        checked(unread_check(bot), house).detail for bot in (Worker.RISK_MONITOR, Worker.ROOM_GATEKEEPER)
    )

    assert "every message among them has a case" in watcher
    assert "case" not in concierge
    assert "it answered none of them" in concierge


@pytest.mark.parametrize(
    ("counters", "state", "said"),
    [
        ({"unread": 0, "events": 9, "undecryptable": 8}, State.OK, "nothing that it heard stands unread"),
        ({"unread": 8, "events": 9, "undecryptable": 8}, State.WARN, "8 cannot be read now and 0 were set aside"),
        ({"quarantined": 1, "events": 9}, State.WARN, "0 cannot be read now and 1 were set aside"),
    ],
    ids=["all_read_meanwhile", "unread", "set_aside"],
)
def test_what_the_watcher_heard_is_told_as_it_stands_now_and_not_since_the_start(
    house: House, counters: dict[str, int], state: State, said: str
) -> None:
    beats(house, "risk_monitor", A_SECOND, **counters)

    found = what_stands_unread(house, "it", 21)

    assert found.state is state
    assert found.detail.startswith("the watcher is in all 21")
    assert said in found.detail


def test_a_house_that_tells_nobody_warns_and_one_that_tells_somebody_and_an_outside_service_does_not(
    house: House,
) -> None:
    url = house.directory.root / "url"
    url.write_text("https://pager.example.org/house")
    channel = {"name": "on-call", "webhook": {"url_file": str(url)}}

    def with_pager(content: dict[str, object]) -> Check:
        (house.settings.config / "pager.yaml").write_text(yaml.safe_dump(content))
        return checked(pager_check, house)

    nobody = with_pager({})
    no_dead_man = with_pager({"channels": [channel]})
    both = with_pager({"channels": [channel], "dead_man": {"url_file": str(url)}})

    assert (nobody.state, no_dead_man.state, both.state) == (State.WARN, State.WARN, State.OK)
    assert nobody.detail.startswith("nobody is told outside of Matrix")
    assert "a dead machine tells nobody" in no_dead_man.detail


@pytest.mark.parametrize(
    ("fault", "failing_for", "state"),
    [("M_FORBIDDEN", MINUTE, State.FAIL), ("M_FORBIDDEN", MINUTE / 2, State.OK), ("device", MINUTE, State.OK)],
)
def test_a_decision_that_fails_at_every_try_fails_the_doctor_though_it_is_never_late(
    house: House, fault: str, failing_for: timedelta, state: State
) -> None:
    now = datetime.now(UTC)
    with house.store.writing() as tx:
        tx.outbox.add(NewOutgoing(OutgoingKind.GREETING, Worker.ROOM_GATEKEEPER, "once", {}, now), now)
        row = tx.outbox.due(Worker.ROOM_GATEKEEPER, now, 1)[0]
        failed_at = now - failing_for if has_failed(fault) else None
        tx.outbox.postpone(row.id, now + MINUTE, fault, failed_at=failed_at)

    assert checked(outbox_check(Worker.ROOM_GATEKEEPER), house).state is state


def test_a_house_in_its_first_day_may_be_without_a_backup_and_later_not(house: House) -> None:
    first_day = checked(backups_check, house)
    long_ago = (datetime.now(UTC) - FIRST_DAY - MINUTE).timestamp()
    os.utime(house.directory.house_keys, (long_ago, long_ago))
    later = checked(backups_check, house)

    assert (first_day.state, later.state) == (State.WARN, State.FAIL)
    assert "run `keyhouse backup` every day" in later.detail


def test_a_backup_of_today_is_well_and_one_of_the_day_before_yesterday_is_not(house: House) -> None:
    keep_last_backup(house.directory, datetime.now(UTC) - BACKUP_YOUNG + MINUTE)
    young = checked(backups_check, house)
    keep_last_backup(house.directory, datetime.now(UTC) - BACKUP_YOUNG - MINUTE)
    old = checked(backups_check, house)

    assert (young.state, old.state) == (State.OK, State.FAIL)
    assert "26 h old" in young.detail


def test_a_demonstration_is_told_of_backups_and_not_failed_for_them(house: House) -> None:
    keep_last_backup(house.directory, datetime.now(UTC) - 3 * BACKUP_YOUNG)
    demo = house.settings.model_copy(update={"demo": True})
    save_house(house.directory.root, demo)

    assert checked(backups_check, House(house.directory, demo, house.store, house.keys)).state is State.WARN


def test_a_team_account_of_an_older_house_is_named_until_it_bears_the_mark(house: House) -> None:
    doctor = UserId("@ash-k2m4:keyhouse.localhost")
    with house.store.writing() as tx:
        reserve(tx, doctor, Role.CLINICIAN, "Dr Ash", "host", datetime.now(UTC))
    before = checked(names_check, house)

    status = run(["--data", str(house.directory.root), "people", "rename", doctor], as_json=True)

    assert before.state is State.WARN
    assert doctor in before.detail
    assert status == 0
    assert checked(names_check, house).state is State.OK


def test_a_rotation_that_was_left_half_done_fails_the_doctor_until_it_is_finished(house: House) -> None:
    half_done = replace(house, keys=house.keys.rotating())

    found = checked(seal_check, half_done)

    assert (found.state, "keys rotate" in found.detail) == (State.FAIL, True)
    assert checked(seal_check, replace(house, keys=half_done.keys.rotated())).state is State.OK
    assert checked(seal_check, house).state is State.OK
