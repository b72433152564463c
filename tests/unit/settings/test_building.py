"""The building file: what it plans, and what it refuses."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from keyhouse.core.building import PlannedRoom, meetings_that_must_not_be
from keyhouse.core.ids import Condition
from keyhouse.core.people import Role
from keyhouse.core.rooms import ROOM_KINDS, RoomKind
from keyhouse.settings.building import load_building
from keyhouse.settings.faults import SettingsFault

EXAMPLE = Path(__file__).parents[3] / "config" / "building.yaml"


def written(tmp_path: Path, **changes: Any) -> Path:
    """The example with some of its top-level keys replaced."""
    path = tmp_path / "building.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(EXAMPLE.read_text()), **changes}))
    return path


def faults_of(path: Path) -> tuple[str, ...]:
    """What is said about a building file that is not loaded."""
    with pytest.raises(SettingsFault) as refused:
        load_building(path)
    return refused.value.faults


def test_the_example_has_a_space_a_living_room_and_a_library_for_every_audience_of_every_condition() -> None:
    rooms = load_building(EXAMPLE).rooms

    inside = {(room.parent, room.kind) for room in rooms if room.parent and room.kind is not RoomKind.CARE}
    spaces = [room for room in rooms if room.kind is RoomKind.SPACE]

    assert len(spaces) == 14
    assert inside == {(space.slug, kind) for space in spaces for kind in (RoomKind.LIVING_ROOM, RoomKind.LIBRARY)}


def test_every_service_of_the_example_has_one_care_room_for_the_team_alone() -> None:
    building = load_building(EXAMPLE)
    care = [room for room in building.rooms if room.kind is RoomKind.CARE]

    assert sorted(room.service or "" for room in care) == sorted(service.slug for service in building.services)
    assert all(room.roles == {Role.CLINICIAN} for room in care)


def test_in_the_example_nobody_meets_who_must_not() -> None:
    building = load_building(EXAMPLE)

    assert meetings_that_must_not_be(building.rooms, building.exclusions) == []
    assert frozenset({Condition("anorexia"), Condition("bulimia")}) in building.exclusions


FOR_THE_TEAM = [kind for kind, rules in ROOM_KINDS.items() if not rules.by_condition and not rules.personal]


@pytest.mark.parametrize("kind", [kind for kind in RoomKind if kind not in FOR_THE_TEAM])
def test_a_building_in_which_people_would_meet_who_must_not_is_refused(kind: RoomKind) -> None:
    anorexia, bulimia, low_mood = Condition("anorexia"), Condition("bulimia"), Condition("low_mood")
    pair = frozenset({frozenset({anorexia, bulimia})})

    def room(roles: set[Role], *conditions: Condition) -> PlannedRoom:
        return PlannedRoom("here", kind, "A room", "", frozenset(roles), frozenset(conditions))

    assert len(meetings_that_must_not_be([room({Role.PATIENT}, anorexia, bulimia)], pair)) == 1
    assert len(meetings_that_must_not_be([room({Role.PATIENT, Role.CARER}, anorexia)], pair)) == 1
    assert meetings_that_must_not_be([room({Role.PATIENT, Role.PEER}, anorexia, low_mood)], pair) == []


@pytest.mark.parametrize("kind", FOR_THE_TEAM)
def test_a_room_that_asks_for_no_key_is_for_the_team_and_never_for_people(kind: RoomKind) -> None:
    of_people = PlannedRoom("here", kind, "A room", "", frozenset({Role.PEER}), frozenset())
    of_the_team = PlannedRoom("here", kind, "A room", "", frozenset({Role.CLINICIAN, Role.STAFF}), frozenset())

    assert len(meetings_that_must_not_be([of_people], frozenset())) == 1
    assert meetings_that_must_not_be([of_the_team], frozenset()) == []


def test_a_name_that_says_a_condition_is_refused_with_its_place(tmp_path: Path) -> None:
    service = {"name": "A", "care_room": "Care", "conditions": {"low_mood": {"patients": "The low mood"}}}

    faults = faults_of(written(tmp_path, services={"one": service}, exclusions=[]))

    assert any("one.patients.low_mood.living_room" in fault and "low_mood" in fault for fault in faults)


def test_all_faults_are_told_at_once_each_with_its_path(tmp_path: Path) -> None:
    service = {"name": "A", "care_rom": "Care", "conditions": {}}

    faults = faults_of(written(tmp_path, services={"one": service}, exclusions=[["anorexia"]]))

    assert len(faults) == 4
    for place in ("services.one.care_room", "services.one.care_rom", "services.one.conditions", "exclusions[0]"):
        assert any(place in fault for fault in faults), place


def test_a_name_that_stands_on_two_doors_is_refused(tmp_path: Path) -> None:
    conditions = {"low_mood": {"patients": "Birch"}, "perinatal": {"carers": "birch"}}

    faults = faults_of(
        written(
            tmp_path,
            services={"one": {"name": "A", "care_room": "Care", "conditions": conditions}},
            exclusions=[["low_mood", "psychosis"]],
        )
    )

    assert any("taken by services.one.conditions.low_mood.patients" in fault for fault in faults)
    assert any("'psychosis' is not a condition of any service" in fault for fault in faults)


def test_the_rules_of_the_example_have_a_version_and_sentences() -> None:
    rules = load_building(EXAMPLE).rules

    assert rules.version >= 1
    assert "The house is not a crisis service." in rules.sentences


@pytest.mark.parametrize(
    ("rules", "place"),
    [
        (None, "house.rules: is missing"),
        ({"sentences": ["Be kind."]}, "house.rules.version"),
        ({"version": 0, "sentences": ["Be kind."]}, "house.rules.version"),
        ({"version": "1", "sentences": ["Be kind."]}, "house.rules.version"),
        ({"version": True, "sentences": ["Be kind."]}, "house.rules.version"),
        ({"version": 1, "sentences": []}, "house.rules.sentences"),
        ({"version": 1, "sentences": ["Be kind.", ""]}, "house.rules.sentences[1]"),
    ],
)
def test_rules_without_a_whole_version_or_without_sentences_are_refused_with_their_place(
    tmp_path: Path, rules: dict[str, Any] | None, place: str
) -> None:
    house = yaml.safe_load(EXAMPLE.read_text())["house"]
    named = {**house, "rules": rules} if rules else {name: house[name] for name in house if name != "rules"}

    (fault,) = faults_of(written(tmp_path, house=named))

    assert place in fault
