"""`keyhouse people set --override-exclusion`: both halves of a pair for one person, on purpose and never by mistake."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from keyhouse.core.ids import Condition, RoomId, UserId
from keyhouse.core.people import Key, Person, PersonState, Role
from keyhouse.core.rooms import RoomKind, RoomScope
from provisioning.bootstrap import make_house
from provisioning.cli import run
from provisioning.directory import HouseDirectory
from tests.support.paged_house import config_with_pager, settings_of

RIVER = UserId("@river:keyhouse.localhost")
ADD = ("set", "river", "--add-condition", "bulimia")
Give = Callable[..., Any]


@pytest.fixture
def people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Give:
    """A house with one patient and two rooms; gives a command of `keyhouse people` there."""
    data, now = HouseDirectory(tmp_path / "data"), datetime.now(UTC)
    made = make_house(data, settings_of(data.root, config_with_pager(tmp_path, {}, {}), "http://127.0.0.1:1"))
    with made.store.writing() as tx:
        tx.people.add(Person(RIVER, Role.PATIENT, PersonState.ACTIVE, "river", now))
        tx.people.grant(Key(RIVER, Condition("anorexia"), "test", now))
        for name in ("anorexia", "bulimia"):
            opened_by = frozenset({Role.PATIENT}), frozenset({Condition(name)})
            tx.rooms.put(RoomScope(RoomId(f"!{name}"), name, RoomKind.LIVING_ROOM, f"The {name} room", *opened_by))

    def give(*words: str) -> Any:
        capsys.readouterr()
        run(["--data", str(data.root), "people", *words], as_json=True)
        said = capsys.readouterr()
        return json.loads(said.out) if said.out else said.err.strip()

    return give


def test_without_the_word_nothing_changes(people: Give) -> None:
    assert "never held together" in people(*ADD)
    assert people("show", "river")["conditions"] == ["anorexia"]


def test_with_the_word_the_person_holds_both_and_the_opened_rooms_are_said(people: Give) -> None:
    answer = people(*ADD, "--override-exclusion")

    assert answer["conditions"] == ["anorexia", "bulimia"]
    assert sorted(answer["opens"]) == ["!anorexia", "!bulimia"]


def test_one_of_both_is_taken_away_again_without_the_word(people: Give) -> None:
    people(*ADD, "--override-exclusion")

    assert people("set", "river", "--remove-condition", "anorexia")["conditions"] == ["bulimia"]
