"""What `keyhouse bookings utilisation` answers."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from keyhouse.core.booking import BookingState as State
from keyhouse.core.booking import settled
from keyhouse.core.ids import SlotNumber
from keyhouse.core.verdict import Refused
from keyhouse.settings.house import HouseSettings
from provisioning.answers import House
from provisioning.bootstrap import make_house
from provisioning.cli import run
from provisioning.directory import HouseDirectory
from tests.support.household import user
from tests.support.therapy import DR, HOUR, LONDON, add, book, cancel, furnish, plan

CONFIG = Path(__file__).parents[3] / "config"
MONDAY = datetime(2027, 3, 22, tzinfo=UTC)
BEFORE = MONDAY - timedelta(days=1)
NAMES = ("river", "clover", "fern", "moss", "birch")
Command = Callable[..., Any]


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A house with two therapists and five patients."""
    root = tmp_path / "data"
    settings = HouseSettings(
        server_name="keyhouse.test",
        homeserver="http://127.0.0.1:1",
        front_door="http://127.0.0.1:8090",
        database=f"sqlite:///{root / 'keyhouse.db'}",
        config=CONFIG,
    )
    house = make_house(HouseDirectory(root), settings)
    furnish(house.store, *NAMES)
    return house


@pytest.fixture
def keyhouse(house: House, capsys: pytest.CaptureFixture[str]) -> Command:
    """Gives a command: its status, its document or else its words, and what it said on stderr."""

    def give(*words: str, as_json: bool = True) -> tuple[int, Any, str]:
        capsys.readouterr()
        status = run(["--data", str(house.directory.root), *words], as_json=as_json)
        said = capsys.readouterr()
        return status, json.loads(said.out) if as_json and not status else said.out, said.err

    return give


def fill(house: House) -> None:
    """Let five people book a slot each of dr-a's, and one of them one of dr-b's, and say what became of each."""
    add(house.store, plan(*[MONDAY + hour * HOUR for hour in range(9, 17)]), BEFORE)
    add(house.store, plan(MONDAY + 19 * HOUR, therapist="dr-b"), BEFORE)
    for number, name in enumerate(NAMES, start=1):
        assert not isinstance(book(house.store, name, number, now=BEFORE), Refused)
    book(house.store, "river", 9, now=BEFORE)
    cancel(house.store, "birch", 5, now=BEFORE + 20 * HOUR)
    with house.store.writing() as tx:
        for number, state in ((1, State.KEPT), (2, State.KEPT), (3, State.KEPT), (4, State.MISSED), (9, State.MISSED)):
            kept = tx.bookings.of_slot(SlotNumber(number))
            assert kept is not None
            tx.bookings.keep([settled(kept, state, MONDAY + 20 * HOUR)])


def row(*figures: int | None) -> dict[str, int | None]:
    """A row of figures under their names."""
    return dict(zip(("offered", "booked", "kept", "missed", "cancelled_late"), figures, strict=True))


@pytest.mark.parametrize(
    "words", [("--week", "2027-03-22"), ("--week", "2027-03-28"), ("2027-03-25",), ("2027-03-25", "--week")], ids=str
)
def test_a_weeks_slots_are_counted_by_therapist_and_what_one_person_did_is_hidden(
    house: House, keyhouse: Command, words: tuple[str, ...]
) -> None:
    fill(house)

    status, document, _ = keyhouse("bookings", "utilisation", *words)

    assert status == 0
    assert document == {
        "week_begins": "2027-03-22",
        "therapists": [
            {"therapist": DR, **row(8, 4, 3, 1, 1)},
            {"therapist": user("dr-b"), **row(1, 1, None, None, None)},
        ],
        "total": row(9, 5, None, None, None),
    }


def test_people_read_a_table(house: House, keyhouse: Command) -> None:
    fill(house)

    _, said, _ = keyhouse("bookings", "utilisation", "2027-03-22", as_json=False)

    lines = [line.split() for line in said.splitlines()]
    assert said.startswith("Slots of the week from 22 March 2027\n")
    assert ["dr-a", "8", "4", "3", "1", "1"] in lines
    assert ["dr-b", "1", "1", *["under", "5", "people"] * 3] in lines


def test_without_a_day_it_is_this_week(keyhouse: Command) -> None:
    today = datetime.now(LONDON).date()

    _, document, _ = keyhouse("bookings", "utilisation", "--week")

    begins = datetime.fromisoformat(document["week_begins"]).date()
    assert begins.weekday() == 0
    assert timedelta(0) <= today - begins <= timedelta(days=7)
    assert (document["therapists"], document["total"]) == ([], row(0, 0, 0, 0, 0))


def test_a_week_begins_at_midnight_in_london_also_when_the_clocks_change_in_it(house: House, keyhouse: Command) -> None:
    # Half past midnight on Monday 29 March is still Sunday in UTC.
    add(house.store, plan(datetime(2027, 3, 28, 23, 30, tzinfo=UTC)), BEFORE)

    weeks = [keyhouse("bookings", "utilisation", day)[1]["total"]["offered"] for day in ("2027-03-28", "2027-03-29")]

    assert weeks == [0, 1]


@pytest.mark.parametrize("day", ["soon", "2027-13-01", "9999-12-31", "0001-01-01"])
def test_what_is_no_day_is_refused_in_one_line(keyhouse: Command, day: str) -> None:
    status, _, said = keyhouse("bookings", "utilisation", "--week", day)

    assert status == 1
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    assert "2027-03-29" in said
