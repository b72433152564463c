"""The building on a real Synapse behind the door: it goes on after a kill, and repairs what was damaged."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.building import PlannedRoom
from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.people import Role
from keyhouse.core.probing import with_probe_rooms
from keyhouse.core.room_state import MARK, create_content, services_in
from keyhouse.settings.house import HouseSettings
from provisioning.answers import House
from provisioning.bootstrap import homeserver_plan, make_accounts, make_house
from provisioning.building import apply_building, building_plan
from provisioning.directory import HouseDirectory
from provisioning.held_accounts import signed_in
from provisioning.matrix import Homeserver, HomeserverRefused, StateEvent
from provisioning.survey import room_mark
from provisioning.team import add_team_member
from tests.support.house_with_door import NO_GUESTS
from tests.support.ports import free_port
from tests.support.synapse import FOR_TESTS, RunningSynapse

KEYHOUSE = Path(sys.executable).parent / "keyhouse"
EXAMPLE = Path(__file__).parents[2] / "config" / "building.yaml"
SERVICES = ("eating_disorders", "early_psychosis")
KILLED_AT_ROOMS = 6
WITHIN_S = 120.0
HALF_MADE = "early_psychosis.carers.psychosis.library"


@dataclass
class Site:
    """A house without its bots, built by an `apply` that was killed and one that went on.

    half_made: a room that was made and never written down.  at_the_kill: rooms written down then, by slug.
    """

    house: House
    owner: Homeserver
    half_made: RoomId
    at_the_kill: dict[str, RoomId] = field(default_factory=dict)
    went_on: list[dict[str, str]] = field(default_factory=list)

    @property
    def planned(self) -> tuple[PlannedRoom, ...]:
        """The rooms of the building file, and the probe's."""
        return with_probe_rooms(self.house.building()).rooms

    def written_down(self) -> dict[str, RoomId]:
        """The rooms that our database knows, by slug."""
        with self.house.store.reading() as tx:
            return {scope.slug: scope.room_id for scope in tx.rooms.all()}

    def room(self, name: str) -> RoomId:
        """A room by its name in the building file."""
        slug = next(room.slug for room in self.planned if room.name == name)
        return self.written_down()[slug]

    def user_id(self, localpart: str) -> UserId:
        """The full id of an account of this house."""
        return UserId(self.house.settings.user_id(localpart))

    async def states(self) -> dict[RoomId, list[StateEvent]]:
        """The whole state of every room that the owner is in."""
        return {room: list(await self.owner.state(room)) for room in await self.owner.joined_rooms()}

    async def plan(self) -> list[tuple[str, str]]:
        """What is to do, as action and room."""
        return [(change.action.value, change.target) for change in await asyncio.to_thread(building_plan, self.house)]

    async def apply(self) -> list[tuple[str, str]]:
        """Do it, and say what was done."""
        changes = await asyncio.to_thread(apply_building, self.house, lambda done, of: None)
        return [(change.action.value, change.target) for change in changes]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    house = a_house(tmp_path_factory.mktemp("site") / "data")
    async with RunningSynapse(replace(homeserver_plan(house), extra=FOR_TESTS)):
        await make_accounts(house)
        file = house.directory.account(ServiceAccount.OWNER)
        async with signed_in(house.settings.homeserver, file) as owner:
            site = Site(house, owner, await half_make(house, owner))
            await kill_an_apply(site)
            site.went_on = (await finished(await command(house, "building", "apply", "--json")))["changes"]
            yield site


def a_house(root: Path) -> House:
    """A house with two services of the example; the whole of it is built by the other journeys."""
    config = root.with_name("config")
    config.mkdir()
    building = yaml.safe_load(EXAMPLE.read_text())
    building["services"] = {slug: building["services"][slug] for slug in SERVICES}
    (config / "building.yaml").write_text(yaml.safe_dump(building, sort_keys=False))
    homeserver = f"http://127.0.0.1:{free_port()}"
    front_door = "http://127.0.0.1:1"
    database = f"sqlite:///{root / 'keyhouse.db'}"
    settings = HouseSettings(
        server_name="keyhouse.test", homeserver=homeserver, front_door=front_door, database=database, config=config
    )
    return make_house(HouseDirectory(root), settings)


async def half_make(house: House, owner: Homeserver) -> RoomId:
    """Leave a room as a power cut would: its mark is there, its state and our row are not. Asked twice, made once."""
    room = next(room for room in house.building().rooms if room.slug == HALF_MADE)
    body = {
        "room_version": "12",
        "creation_content": create_content(room, room_mark(house, room.slug)),
        "initial_state": NO_GUESTS,
    }
    one, other = await asyncio.gather(*(owner.create_room(body, once="half made") for _ in range(2)))
    assert one == other
    return one


async def kill_an_apply(site: Site) -> None:
    """Start to build, and end it as a power cut would when some of the rooms are there."""
    applying = await command(site.house, "building", "apply", "--json")
    await until(lambda: len(site.written_down()) >= KILLED_AT_ROOMS)
    applying.send_signal(signal.SIGKILL)
    await applying.communicate()
    site.at_the_kill = site.written_down()


async def command(house: House, *words: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        KEYHOUSE, "--data", str(house.directory.root), *words, stdout=pipe, stderr=pipe
    )


async def finished(running: asyncio.subprocess.Process) -> dict[str, Any]:
    said, complained = await asyncio.wait_for(running.communicate(), WITHIN_S)
    assert running.returncode == 0, complained.decode()
    document: dict[str, Any] = json.loads(said)
    return document


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        # Another process makes it so, and tells nobody.
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_an_apply_that_was_killed_goes_on_without_a_doubled_room(site: Site) -> None:
    rooms = site.written_down()
    marks = [await site.owner.get_state(room, "m.room.create") for room in await site.owner.joined_rooms()]

    assert KILLED_AT_ROOMS <= len(site.at_the_kill) < len(site.planned)
    assert rooms.keys() == {room.slug for room in site.planned}
    assert site.at_the_kill.items() <= rooms.items()
    assert set(rooms.values()) == set(await site.owner.joined_rooms())
    assert len({str((mark or {})[MARK]) for mark in marks}) == len(site.planned)


async def test_a_room_that_was_made_and_not_written_down_is_found_again_and_finished(site: Site) -> None:
    done = {change["action"] for change in site.went_on if change["target"] == "The Martin library"}

    assert site.written_down()[HALF_MADE] == site.half_made
    assert {"keep_scope", "set_power", "set_name", "set_topic", "set_child", "invite_service"} <= done


async def test_a_second_apply_finds_nothing_to_do(site: Site) -> None:
    assert await site.plan() == []
    assert (await finished(await command(site.house, "building", "apply", "--json")))["changes"] == []
    assert (await finished(await command(site.house, "building", "plan", "--json")))["changes"] == []


async def test_the_bots_are_in_exactly_the_rooms_that_are_theirs(site: Site) -> None:
    rooms = site.written_down()

    for room in site.planned:
        house = {site.user_id(account) for account in (ServiceAccount.OWNER, *services_in(room.kind))}
        assert await site.owner.joined_members(rooms[room.slug]) == house, room.slug


async def test_damage_is_named_exactly_and_repaired(site: Site) -> None:
    living_room, library = site.room("The Willow living room"), site.room("The Willow library")
    watcher = site.user_id(ServiceAccount.WATCHER)
    power = await site.owner.get_state(library, "m.room.power_levels") or {}
    await site.owner.put_state(library, "m.room.name", {"name": "Free beer"})
    await site.owner.put_state(library, "m.room.power_levels", {**power, "users_default": 100})
    await site.owner.put_state(living_room, "m.room.topic", {"topic": "All about the beer"})
    await site.owner.put_state(site.room("Willow house"), "m.space.child", {}, library)
    await site.owner.kick(living_room, watcher)
    damage = [
        ("set_topic", "The Willow living room"),
        ("invite_service", "The Willow living room"),
        ("set_power", "The Willow library"),
        ("set_name", "The Willow library"),
        ("set_child", "The Willow library"),
    ]

    planned, done = await site.plan(), await site.apply()

    assert planned == done == damage
    assert await site.plan() == []
    assert watcher in await site.owner.joined_members(living_room)


async def test_the_owner_itself_opens_no_room(site: Site) -> None:
    with pytest.raises(HomeserverRefused, match="never open to strangers"):
        await site.owner.put_state(site.room("The Willow living room"), "m.room.join_rules", {"join_rule": "public"})

    assert await site.plan() == []


async def test_no_room_of_the_house_says_a_condition_anywhere_in_its_state(site: Site) -> None:
    conditions = {word for each in site.house.building().conditions for word in (each, each.replace("_", " "))}
    states = await site.states()

    said = json.dumps([[vars_of(event) for event in events] for events in states.values()]).lower()

    assert "willow" in said
    assert [condition for condition in conditions if condition in said] == []


async def test_no_room_can_be_entered_or_read_uninvited(site: Site) -> None:
    for room, events in (await site.states()).items():
        state = {event.type: event.content for event in events if event.state_key == ""}
        encrypted = "m.room.encryption" in state

        assert state["m.room.create"]["room_version"] == "12", room
        assert state["m.room.create"]["m.federate"] is False, room
        assert state["m.room.join_rules"]["join_rule"] == "invite", room
        assert state["m.room.guest_access"]["guest_access"] == "forbidden", room
        assert state["m.room.history_visibility"]["history_visibility"] == ("joined" if encrypted else "shared"), room


async def test_a_new_clinician_moderates_the_teams_rooms_and_the_building_stands_as_before(site: Site) -> None:
    user_id, password = await asyncio.to_thread(add_team_member, site.house, Role.CLINICIAN, "Máire Ní Bhriain")

    async with Homeserver(site.house.settings.homeserver) as client:
        await client.log_in(user_id, password, "A-PHONE", "a phone")
        whoami = await client.whoami()
    willow = await site.owner.get_state(site.room("The Willow living room"), "m.room.power_levels") or {}
    cedar = await site.owner.get_state(site.room("The Cedar quiet room"), "m.room.power_levels") or {}
    with site.house.store.reading() as tx:
        person = tx.people.get(user_id)

    assert whoami == user_id
    assert user_id.startswith("@maire-ni-bhriain-")
    assert person is not None
    assert person.name == "Máire Ní Bhriain (team)"
    assert willow["users"][user_id] == 50
    assert user_id not in cedar["users"]
    assert await site.plan() == []


async def test_the_homeserver_refuses_in_one_family_of_exceptions(site: Site) -> None:
    with pytest.raises(HomeserverRefused) as refused:
        await site.owner.invite(site.room("Willow house"), UserId("@nobody-we-know:keyhouse.test"))

    assert refused.value.errcode == "UK.KEYHOUSE.UNKNOWN_PERSON"


def vars_of(event: StateEvent) -> dict[str, Any]:
    return {"type": event.type, "state_key": event.state_key, "content": dict(event.content)}
