"""What `keyhouse people pause | resume | close | rename | add` answer, and how they refuse."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from keyhouse.core.cases import Outcome, closed
from keyhouse.core.ids import Condition, EventId, UserId
from keyhouse.core.people import Key, Person, PersonState, Role
from keyhouse.core.ports import Transaction
from keyhouse.core.workflows import booking
from keyhouse.core.workflows.team import reserve
from provisioning.answers import House
from provisioning.bootstrap import make_house
from provisioning.cli import run
from provisioning.directory import HouseDirectory
from tests.support.household import alert
from tests.support.household import case as a_case
from tests.support.paged_house import config_with_pager, settings_of
from tests.support.therapy import DAY, RULES, add, plan

RIVER = UserId("@river:keyhouse.localhost")
DOCTOR = UserId("@ash-k2m4:keyhouse.localhost")
Give = Callable[..., Any]


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A house that is not up, with a patient and somebody of the team."""
    data, now = HouseDirectory(tmp_path / "data"), datetime.now(UTC)
    made = make_house(data, settings_of(data.root, config_with_pager(tmp_path, {}, {}), "http://127.0.0.1:1"))
    with made.store.writing() as tx:
        tx.people.add(Person(RIVER, Role.PATIENT, PersonState.ACTIVE, "river", now))
        tx.people.grant(Key(RIVER, Condition("anorexia"), "test", now))
        reserve(tx, DOCTOR, Role.CLINICIAN, "Dr Ash (team)", "host", now)
    return made


@pytest.fixture
def people(house: House, capsys: pytest.CaptureFixture[str]) -> Give:
    """Gives a command of `keyhouse people`: its document, or the line that says why not."""

    def give(*words: str) -> Any:
        capsys.readouterr()
        run(["--data", str(house.directory.root), "people", *words], as_json=True)
        said = capsys.readouterr()
        return json.loads(said.out) if said.out else said.err.strip()

    return give


def test_a_person_is_paused_let_write_again_and_closed(people: Give) -> None:
    states = [people(act, "river")["state"] for act in ("pause", "pause", "resume", "resume", "close")]

    assert states == ["paused", "paused", "active", "active", "closed"]
    assert people("show", "river")["conditions"] == []


def test_a_renamed_person_keeps_the_account_under_another_name(people: Give) -> None:
    before, after = people("show", "river"), people("rename", "river")

    assert after["name"] != before["name"]
    assert {**after, "name": ""} == {**before, "name": ""}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        pytest.param(["pause", "ash-k2m4"], "Only somebody who lives here can be paused", id="pause the team"),
        pytest.param(["rename", "ash-k2m4"], "Only somebody who lives here can be paused", id="rename the team"),
        pytest.param(["close", "concierge"], "This account is a part of the house itself", id="close the house"),
        pytest.param(["close", "nobody"], "nobody here has the account nobody", id="close nobody"),
    ],
)
def test_what_may_not_be_is_refused_in_one_sentence(people: Give, words: list[str], sentence: str) -> None:
    assert people(*words).startswith(f"error: {sentence}")


@pytest.mark.parametrize("words", [["close"], ["pause"], ["rename"], ["set", "--add-condition", "bulimia"]], ids=str)
def test_what_is_closed_stays_closed(people: Give, words: list[str]) -> None:
    people("close", "river")

    assert people(words[0], "river", *words[1:]).startswith("error: this account is closed for good")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        pytest.param("Dr Ash (team)", "a name holds neither the team's mark", id="with the mark"),
        pytest.param("Тhe Cоncierge", "a name holds neither the team's mark", id="a program, in Cyrillic letters"),
        pytest.param("Dr\tAsh", "A name has 1 to 60 letters", id="a control sign"),
        pytest.param("Dr \u202eAsh", "A name has 1 to 60 letters", id="turned around"),
        pytest.param("", "A name has 1 to 60 letters", id="empty"),
    ],
)
def test_an_unfit_name_of_the_team_is_refused_in_one_sentence(people: Give, name: str, sentence: str) -> None:
    assert people("add", "--role", "clinician", "--name", name).startswith(f"error: {sentence}")


def test_a_fit_name_of_the_team_is_asked_of_the_homeserver(people: Give) -> None:
    # This house was never up, so there is no account yet with which to ask.
    assert "keyhouse.json is missing" in people("add", "--role", "clinician", "--name", "Dr Birch")


def test_who_is_closed_gives_every_session_back_and_who_cannot_be_closed_keeps_them(house: House, people: Give) -> None:
    (number,) = add(house.store, replace(plan(datetime.now(UTC) + 9 * DAY), therapist=DOCTOR), datetime.now(UTC))

    def book(tx: Transaction, event: str) -> None:
        booking.book(tx, RIVER, number, EventId(event), RULES, datetime.now(UTC))

    def states() -> list[str]:
        with house.store.reading() as tx:
            return [one.state.value for one in tx.bookings.listed(limit=9)]

    with house.store.writing() as tx:
        book(tx, "$book")
        case = tx.cases.add(replace(a_case("river", alert("one", "river")), author=RIVER))
    refused, kept = people("close", "river"), states()
    with house.store.writing() as tx:
        tx.cases.update(closed(case, DOCTOR, Outcome.SUPPORT, datetime.now(UTC)))

    people("close", "river")

    assert refused.startswith("error: this person has an open case")
    assert (kept, states()) == (["booked"], ["cancelled"])
