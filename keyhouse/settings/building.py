"""config/building.yaml → a Building; every fault at once, with its place."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from keyhouse.core.building import Building, PlannedRoom, Service, meetings_that_must_not_be, said_aloud
from keyhouse.core.house_rules import HouseRules
from keyhouse.core.ids import Condition
from keyhouse.core.people import Exclusions, Role
from keyhouse.core.rooms import RoomKind
from keyhouse.settings.faults import SettingsFault, faults_of, file_label, read_yaml

Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
Words = Annotated[str, Field(min_length=1, max_length=120)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Names(_Strict):
    """The neutral names under which the rooms of a condition are known; absent: no such rooms."""

    patients: Words | None = None
    carers: Words | None = None


class _Service(_Strict):
    name: Words
    care_room: Words
    conditions: dict[Slug, _Names] = Field(min_length=1)


class _Staff(_Strict):
    quiet_room: Words


class _Rules(_Strict):
    version: int = Field(ge=1, strict=True)
    sentences: list[Annotated[str, Field(min_length=1, max_length=300)]] = Field(min_length=1, max_length=20)


class _House(_Strict):
    name: Words
    team_space: Words
    notice: Annotated[str, Field(min_length=1, max_length=400)]
    care_notice: Annotated[str, Field(min_length=1, max_length=400)]
    rules: _Rules


class _BuildingFile(_Strict):
    house: _House
    exclusions: list[Annotated[list[Slug], Field(min_length=2, max_length=2)]] = []
    services: dict[Slug, _Service] = Field(min_length=1)
    staff: _Staff | None = None


_AUDIENCES: dict[str, frozenset[Role]] = {
    "patients": frozenset({Role.PATIENT, Role.PEER, Role.CLINICIAN}),
    "carers": frozenset({Role.CARER, Role.CLINICIAN}),
}
_KINDS_INSIDE = {RoomKind.LIVING_ROOM: "living room", RoomKind.LIBRARY: "library"}


def load_building(path: Path) -> Building:
    """Read and check the building file; raises SettingsFault with every fault."""
    label = file_label(path)
    try:
        file = _BuildingFile.model_validate(read_yaml(path))
    except ValidationError as error:
        raise SettingsFault(faults_of(label, error)) from error
    building = _building(file)
    faults = [*_faults_of_names(file), *meetings_that_must_not_be(building.rooms, building.exclusions)]
    faults += said_aloud(building.rooms, building.conditions)
    if faults:
        raise SettingsFault(f"{label}: {fault}" for fault in faults)
    return building


def _building(file: _BuildingFile) -> Building:
    conditions = frozenset(Condition(slug) for service in file.services.values() for slug in service.conditions)
    exclusions: Exclusions = frozenset(frozenset(Condition(slug) for slug in pair) for pair in file.exclusions)
    services = tuple(Service(slug, service.name) for slug, service in file.services.items())
    rules = HouseRules(file.house.rules.version, tuple(file.house.rules.sentences))
    return Building(file.house.name, file.house.notice, conditions, exclusions, services, tuple(_rooms(file)), rules)


def _rooms(file: _BuildingFile) -> list[PlannedRoom]:
    team = frozenset({Role.CLINICIAN})
    none: frozenset[Condition] = frozenset()
    rooms = [
        PlannedRoom("team", RoomKind.TEAM_SPACE, file.house.team_space, file.house.care_notice, team, none),
    ]
    for slug, service in file.services.items():
        care = f"{slug}.care"
        rooms.append(
            PlannedRoom(care, RoomKind.CARE, service.care_room, file.house.care_notice, team, none, slug, "team")
        )
        for condition, names in service.conditions.items():
            for audience, roles in _AUDIENCES.items():
                name = getattr(names, audience)
                rooms += _house(file, slug, Condition(condition), audience, roles, name) if name else []
    if file.staff is not None:
        staff = frozenset({Role.STAFF})
        rooms.append(PlannedRoom("staff.quiet", RoomKind.QUIET, file.staff.quiet_room, "A quiet room.", staff, none))
    return rooms


def _house(
    file: _BuildingFile, service: str, condition: Condition, audience: str, roles: frozenset[Role], name: str
) -> list[PlannedRoom]:
    """Plan the space of one audience with one condition, and the rooms inside it."""
    prefix = f"{service}.{audience}.{condition}"
    only = frozenset({condition})
    space = f"{prefix}.space"
    rooms = [PlannedRoom(space, RoomKind.SPACE, f"{name} house", file.house.notice, roles, only, service)]
    for kind, words in _KINDS_INSIDE.items():
        room_name = f"The {name} {words}"
        rooms.append(PlannedRoom(f"{prefix}.{kind}", kind, room_name, file.house.notice, roles, only, service, space))
    return rooms


def _faults_of_names(file: _BuildingFile) -> list[str]:
    known = {slug for service in file.services.values() for slug in service.conditions}
    faults = [
        f"exclusions[{place}]: {slug!r} is not a condition of any service; correct it or add it"
        for place, pair in enumerate(file.exclusions)
        for slug in pair
        if slug not in known
    ]
    taken: dict[str, str] = {}
    for where, name in _named(file):
        if name.lower() in taken:
            faults.append(f"{where}: the name {name!r} is taken by {taken[name.lower()]}; choose another")
        taken.setdefault(name.lower(), where)
    return faults


def _named(file: _BuildingFile) -> list[tuple[str, str]]:
    return [
        (f"services.{slug}.conditions.{condition}.{audience}", name)
        for slug, service in file.services.items()
        for condition, names in service.conditions.items()
        for audience in _AUDIENCES
        if (name := getattr(names, audience))
    ]
