"""Raise a house: every step in its order, side by side where that is possible."""

import asyncio
from datetime import UTC, datetime

from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.ids import UserId
from keyhouse.core.outgoing import Worker
from keyhouse.core.workflows.team import welcome
from keyhouse.settings.house import HouseSettings
from provisioning.answers import House
from provisioning.bootstrap import demo_clinician, homeserver_plan, make_accounts, make_house
from provisioning.bot_accounts import may_start
from provisioning.demonstration import fresh_code
from provisioning.directory import HouseDirectory
from provisioning.logs import log_file
from provisioning.programs import CARETAKER, HOMESERVER, bot_workers, homeserver_child, program_children, program_names
from provisioning.progress import Progress
from provisioning.ready import Demonstration, Ready
from provisioning.supervisor import Child, Supervisor
from provisioning.waiting import Wait, all_beat, homeserver_answers, nothing_waits

_HOMESERVER_WITHIN_S = 90
_PROGRAMS_WITHIN_S = 90
_ROOMS_WITHIN_S = 90


async def raise_house(
    directory: HouseDirectory, settings: HouseSettings, supervisor: Supervisor, progress: Progress
) -> Ready:
    """Start everything and return when all of it is ready; raises a failure with one sentence when it cannot be."""
    wait = Wait(supervisor, directory.logs)
    progress.step("Opening the house's database")
    house = await asyncio.to_thread(make_house, directory, settings)
    supervisor.start(homeserver_child(homeserver_plan(house)))
    later = _start_what_can_wait(house, supervisor)
    await _wait_for_homeserver(house, wait, progress)
    progress.step("Making the house's accounts")
    await make_accounts(house)
    for child in later:
        supervisor.start(child)
    await _build(house, progress)
    await _wait_for_all(house, supervisor, wait, progress)
    return await asyncio.to_thread(_ready, house)


def _start_what_can_wait(house: House, supervisor: Supervisor) -> list[Child]:
    """Start what waits for the homeserver by itself, and return the rest: programs that have no account yet."""
    without = {name for name in bot_workers(house.settings) if not may_start(house, name)}
    if not house.directory.account(ServiceAccount.CARETAKER).exists():
        without.add(CARETAKER)
    children = program_children(house.directory, house.settings)
    for child in children:
        if child.name not in without:
            supervisor.start(child)
    return [child for child in children if child.name in without]


async def _wait_for_homeserver(house: House, wait: Wait, progress: Progress) -> None:
    progress.step("Starting the homeserver")
    url = house.settings.homeserver
    late = f"the homeserver does not answer; {log_file(house.directory.logs, HOMESERVER)} says why"
    await wait.until(lambda: homeserver_answers(url), _HOMESERVER_WITHIN_S, late)


async def _build(house: House, progress: Progress) -> None:
    # Imported here, while the programs start: it takes a moment that nobody has to wait for.
    from provisioning.building import apply_building

    progress.step("Looking at the rooms")
    loop = asyncio.get_running_loop()

    def told(done: int, of: int) -> None:
        if done in (0, of) or done % 10 == 0:
            loop.call_soon_threadsafe(progress.step, f"Building the rooms: {done} of {of}")

    await asyncio.to_thread(apply_building, house, told)
    if house.settings.demo:
        await asyncio.to_thread(_welcome_clinician, house)


def _welcome_clinician(house: House) -> None:
    with house.store.writing() as tx:
        person = tx.people.get(demo_clinician(house).user_id)
        assert person is not None, "the demonstration's clinician was reserved before Synapse started"
        welcome(tx, person, datetime.now(UTC))


async def _wait_for_all(house: House, supervisor: Supervisor, wait: Wait, progress: Progress) -> None:
    progress.step("Waiting for the programs")
    programs = program_names(house.settings)
    late = f"not every program is ready; the logs in {house.directory.logs} say why"
    await wait.until(lambda: all_beat(house.store, supervisor, programs), _PROGRAMS_WITHIN_S, late)
    progress.step("Waiting until everybody is in their rooms")
    undone = f"not every invitation was sent; {log_file(house.directory.logs, Worker.ROOM_GATEKEEPER)} says why"
    await wait.until(lambda: nothing_waits(house.store, Worker.ROOM_GATEKEEPER), _ROOMS_WITHIN_S, undone)


def _ready(house: House) -> Ready:
    slugs = {room.slug for room in house.building().rooms}
    with house.store.reading() as tx:
        rooms = tuple(room for room in tx.rooms.all() if room.slug in slugs)
    return Ready(house.settings, rooms, _demonstration(house) if house.settings.demo else None)


def _demonstration(house: House) -> Demonstration:
    clinician, code = demo_clinician(house), fresh_code(house)
    return Demonstration(UserId(clinician.user_id), clinician.password, code.code, code.link)
