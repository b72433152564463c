"""What `keyhouse slots` and `keyhouse bookings` answer, and how they refuse."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from keyhouse.core.booking import Booking
from keyhouse.core.ids import Condition, EventId, RoomId, SlotNumber, UserId
from keyhouse.core.outgoing import OutgoingKind
from keyhouse.core.people import Key, Person, PersonState, Role
from keyhouse.core.workflows import booking
from keyhouse.settings.house import HouseSettings
from provisioning.answers import House
from provisioning.bootstrap import make_house
from provisioning.cli import run
from provisioning.directory import HouseDirectory
from tests.support.therapy import LONDON, RULES, leaving

CONFIG = Path(__file__).parents[3] / "config"
DR, RIVER = UserId("@dr-a:keyhouse.test"), UserId("@river:keyhouse.test")
NOW = datetime.now(UTC)
# A Wednesday in a summer to come, far from both changes of the clocks.
DAY = datetime(NOW.year + 1, 7, 1).date()
WEDNESDAY = DAY + timedelta(days=(2 - DAY.weekday()) % 7)
Command = Callable[..., Any]


class Refused(AssertionError):
    """A command ended badly; the message is what it said on stderr."""


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A house with a therapist and a patient."""
    root = tmp_path / "data"
    settings = HouseSettings(
        server_name="keyhouse.test",
        homeserver="http://127.0.0.1:1",
        front_door="http://127.0.0.1:8090",
        database=f"sqlite:///{root / 'keyhouse.db'}",
        config=CONFIG,
    )
    house = make_house(HouseDirectory(root), settings)
    with house.store.writing() as tx:
        for place, room in enumerate(house.building().rooms):
            tx.rooms.put(room.scope(RoomId(f"!{place}")))
        tx.people.add(Person(DR, Role.CLINICIAN, PersonState.ACTIVE, "Dr A (team)", NOW))
        tx.people.add(Person(RIVER, Role.PATIENT, PersonState.ACTIVE, "river", NOW))
        tx.people.grant(Key(RIVER, Condition("anorexia"), "test", NOW))
    return house


@pytest.fixture
def keyhouse(house: House, capsys: pytest.CaptureFixture[str]) -> Command:
    """Gives a command with --json: its document, or Refused."""

    def give(*words: str) -> Any:
        capsys.readouterr()
        status = run(["--data", str(house.directory.root), *words], as_json=True)
        said = capsys.readouterr()
        if status:
            raise Refused(f"{status} {said.err}")
        return json.loads(said.out)

    return give


def add(keyhouse: Command, *more: str, at: str = f"{WEDNESDAY} 10:00", therapist: str = DR) -> Any:
    """Add slots of fifty minutes."""
    return keyhouse("slots", "add", "--therapist", therapist, "--at", at, "--minutes", "50", *more)["slots"]


def book(house: House, number: int) -> Booking:
    """Book as the patient does."""
    with house.store.writing() as tx:
        booked = booking.book(tx, RIVER, SlotNumber(number), EventId(f"${number}"), RULES, NOW)
    assert isinstance(booked, Booking)
    return booked


def test_a_slot_is_added_and_listed_with_what_scripts_rely_on(keyhouse: Command) -> None:
    (added,) = add(keyhouse, "--condition", "anorexia", "--condition", "bulimia", "--in-person")

    starts_at = datetime(WEDNESDAY.year, WEDNESDAY.month, WEDNESDAY.day, 10, tzinfo=LONDON).astimezone(UTC)
    assert added == {
        "number": added["number"],
        "therapist": DR,
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(minutes=50)).isoformat(),
        "conditions": ["anorexia", "bulimia"],
        "mode": "in_person",
        "state": "open",
    }
    assert keyhouse("slots", "list") == {"slots": [added]}


def test_a_therapist_may_be_named_without_the_server_and_no_condition_means_every_one(
    house: House, keyhouse: Command
) -> None:
    (added,) = add(keyhouse, therapist="dr-a")

    assert added["therapist"] == DR
    assert added["conditions"] == sorted(house.building().conditions)


def test_a_weekly_series_is_added_whole_and_leaves_days_out(keyhouse: Command) -> None:
    until, left_out = WEDNESDAY + timedelta(days=21), WEDNESDAY + timedelta(days=7)

    series = add(keyhouse, "--weekly", "--until", str(until), "--except", str(left_out), "--before", "10")

    days = [datetime.fromisoformat(one["starts_at"]).date() - WEDNESDAY for one in series]
    assert [day.days for day in days] == [0, 14, 21]


def test_every_conflict_of_a_series_is_told_and_nothing_is_added(keyhouse: Command) -> None:
    until = str(WEDNESDAY + timedelta(days=14))
    add(keyhouse, "--weekly", "--until", until)

    with pytest.raises(Refused) as refused:
        add(keyhouse, "--weekly", "--until", until, at=f"{WEDNESDAY} 10:30")

    lines = str(refused.value).splitlines()
    assert [f"slot {number}," in line for number, line in enumerate(lines[:3], 1)] == [True] * 3
    assert "nothing was added" in lines[3]
    assert len(keyhouse("slots", "list")["slots"]) == 3


@pytest.mark.parametrize(
    ("more", "at", "sentence"),
    [
        ((), "2020-03-29 10:00", "This time is past"),
        ((), f"{NOW.year + 4}-03-01 10:00", "more than two years away"),
        ((), "soon", "is not a time; write it like 2027-03-29 10:00"),
        ((), "2026-03-29 01:30", "does not exist"),
        (("--weekly",), f"{WEDNESDAY} 10:00", "needs an end; say until which day with --until"),
        (("--weekly", "--until", "9999-12-31"), f"{WEDNESDAY} 10:00", "At most 200 slots are added at once"),
        (("--weekly", "--until", "2020-01-01"), f"{WEDNESDAY} 10:00", "There is no slot before this end"),
        (("--weekly", "--until", "autumn"), f"{WEDNESDAY} 10:00", "is not a day"),
        (("--until", "2030-01-01"), f"{WEDNESDAY} 10:00", "belong to --weekly"),
        (("--condition", "gout"), f"{WEDNESDAY} 10:00", "No such condition"),
        (("--minutes", "2"), f"{WEDNESDAY} 10:00", "from 5 minutes to 8 hours"),
    ],
    ids=["past", "far", "words", "the gap", "endless", "to the end of time", "empty", "no day", "until", "gout", "two"],
)
def test_what_cannot_be_meant_is_one_plain_sentence(
    keyhouse: Command, more: tuple[str, ...], at: str, sentence: str
) -> None:
    with pytest.raises(Refused) as refused:
        add(keyhouse, *more, at=at)

    assert sentence in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1
    assert keyhouse("slots", "list") == {"slots": []}


@pytest.mark.parametrize("therapist", [RIVER, "nobody"], ids=["a patient", "nobody"])
def test_slots_belong_to_a_clinician(keyhouse: Command, therapist: str) -> None:
    with pytest.raises(Refused, match="Slots belong to an active clinician's account"):
        add(keyhouse, therapist=therapist)


def test_bookings_are_listed_by_slot_and_person(house: House, keyhouse: Command) -> None:
    (added,) = add(keyhouse)
    booked = book(house, added["number"])

    assert keyhouse("bookings", "list")["bookings"] == [
        {
            "number": booked.number,
            "slot": added["number"],
            "person": RIVER,
            "state": "booked",
            "starts_at": added["starts_at"],
            "ends_at": added["ends_at"],
            "late": False,
        }
    ]
    assert [slot["state"] for slot in keyhouse("slots", "list")["slots"]] == ["booked"]


def test_a_booked_slot_is_withdrawn_only_when_that_is_meant(house: House, keyhouse: Command) -> None:
    (added,) = add(keyhouse)
    number = added["number"]
    book(house, number)

    with pytest.raises(Refused) as refused:
        keyhouse("slots", "withdraw", str(number))
    before = keyhouse("slots", "list")["slots"][0]["state"]
    done = keyhouse("slots", "withdraw", str(number), "--cancel-bookings")

    assert RIVER in str(refused.value)
    assert "give --cancel-bookings" in str(refused.value)
    assert before == "booked"
    assert ([slot["state"] for slot in done["slots"]], [one["person"] for one in done["cancelled"]]) == (
        ["withdrawn"],
        [RIVER],
    )
    assert keyhouse("bookings", "list")["bookings"][0]["state"] == "cancelled"
    with house.store.reading() as tx:
        assert len(leaving(tx, OutgoingKind.BOOKING_NOTICE)) == 1


@pytest.mark.parametrize("number", ["9", "99999999999999999999"], ids=["unknown", "absurd"])
def test_a_number_that_is_no_slots_is_said(keyhouse: Command, number: str) -> None:
    (added,) = add(keyhouse)

    with pytest.raises(Refused, match=r"no slot's; nothing was changed|Invalid value"):
        keyhouse("slots", "withdraw", str(added["number"]), number)

    assert keyhouse("slots", "list")["slots"] == [added]


def test_slots_are_listed_for_one_therapist_and_page(keyhouse: Command) -> None:
    add(keyhouse, "--weekly", "--until", str(WEDNESDAY + timedelta(days=14)))

    assert len(keyhouse("slots", "list", "--therapist", "dr-a")["slots"]) == 3
    assert keyhouse("slots", "list", "--therapist", "dr-b") == {"slots": []}
    assert len(keyhouse("slots", "list", "--limit", "2")["slots"]) == 2
    assert len(keyhouse("slots", "list", "--past")["slots"]) == 3


@pytest.mark.parametrize("what", ["slots", "bookings"])
def test_without_json_people_read_a_table_in_london_time(
    house: House, keyhouse: Command, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    (added,) = add(keyhouse)
    book(house, added["number"])

    assert run(["--data", str(house.directory.root), what, "list"], as_json=False) == 0

    assert f"{WEDNESDAY:%b %Y}, 10:00" in capsys.readouterr().out
