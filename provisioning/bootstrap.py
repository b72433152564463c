"""Make what a house needs and does not have yet: keys, tables, settings, reserved names, accounts."""

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from datetime import UTC, datetime

from keyhouse.core.accounts import DISPLAY_NAMES, ServiceAccount
from keyhouse.core.ids import UserId
from keyhouse.core.people import Role
from keyhouse.core.ports import Store
from keyhouse.core.workflows.team import reserve
from keyhouse.settings.house import HouseSettings, save_house
from keyhouse.storage.errors import StoreOlder
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.store import open_store
from provisioning.answers import House
from provisioning.bot_accounts import ensure_bots
from provisioning.directory import HouseDirectory
from provisioning.held_accounts import HeldAccount, signed_in
from provisioning.homeserver import HomeserverPlan, write_homeserver
from provisioning.matrix import Homeserver
from provisioning.preflight import port_of
from provisioning.second_watcher import sign_out_second_watcher

HELD = (ServiceAccount.OWNER, ServiceAccount.CARETAKER)
DEMO_CLINICIAN, DEMO_CLINICIAN_NAME = "sam-demo", "Sam (team)"
HOST = "host"


def make_house(directory: HouseDirectory, settings: HouseSettings) -> House:
    """Make keys, tables and settings, or bring them up to date; the settings come last and say that all is there."""
    for private in (directory.root, directory.house_keys.parent, directory.logs):
        private.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys = HouseKeys.load_or_create(directory.house_keys)
    house = House(directory, settings, _current_store(settings.database, keys), keys)
    _reserve(house)
    write_homeserver(homeserver_plan(house))
    save_house(directory.root, settings)
    return house


def homeserver_plan(house: House) -> HomeserverPlan:
    """Return how this house's homeserver is written and started."""
    door = {
        "database": house.settings.database,
        "house_keys": str(house.directory.house_keys),
        "service_localparts": [account.value for account in ServiceAccount],
        "limited": not house.settings.demo,
    }
    return HomeserverPlan(
        directory=house.directory.homeserver,
        server_name=house.settings.server_name,
        port=port_of(house.settings.homeserver),
        modules=[{"module": "synapse_module.door.Door", "config": door}],
        demo=house.settings.demo,
    )


async def make_accounts(house: House) -> None:
    """Make the accounts of the house that Synapse does not have yet. An `up` that was killed half way can go on."""
    secret = homeserver_plan(house).shared_secret_file.read_text().strip()
    async with Homeserver(house.settings.homeserver) as homeserver, asyncio.TaskGroup() as group:
        for localpart, password, name in _passwords(house):
            admin = localpart == ServiceAccount.CARETAKER
            group.create_task(homeserver.ensure_account(localpart, password, secret, admin=admin, name=name))
    file = house.directory.account(ServiceAccount.CARETAKER)
    async with signed_in(house.settings.homeserver, file) as caretaker:
        await ensure_bots(house, caretaker, secret)
        await sign_out_second_watcher(house, caretaker)
        await _lift_limits(house, caretaker)


async def _lift_limits(house: House, caretaker: Homeserver) -> None:
    # The door lifts what Synapse asks it about; new rooms and messages are not among that.
    async with asyncio.TaskGroup() as group:
        for account in ServiceAccount:
            group.create_task(caretaker.lift_limits(UserId(house.settings.user_id(account))))


def demo_clinician(house: House) -> HeldAccount:
    """Return the demonstration's clinician with the password, which is drawn at the first call."""
    user_id = UserId(house.settings.user_id(DEMO_CLINICIAN))
    return HeldAccount.load_or_draw(house.directory.account(DEMO_CLINICIAN), user_id)


def _current_store(database: str, keys: HouseKeys) -> Store:
    with contextlib.suppress(StoreOlder):
        return open_store(database, keys)
    # Imported for a new or an older house alone: it takes half a second and thirty megabytes.
    from keyhouse.storage.migrating import migrate

    # Alembic tells its progress to whoever configured logging; here that would be the person's terminal.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    migrate(database)
    return open_store(database, keys)


def _reserve(house: House) -> None:
    now = datetime.now(UTC)
    with house.store.writing() as tx:
        for account in ServiceAccount:
            user_id = UserId(house.settings.user_id(account))
            reserve(tx, user_id, Role.SERVICE, DISPLAY_NAMES[account], HOST, now)
        if house.settings.demo:
            user_id = UserId(house.settings.user_id(DEMO_CLINICIAN))
            reserve(tx, user_id, Role.CLINICIAN, DEMO_CLINICIAN_NAME, HOST, now)


def _passwords(house: House) -> Iterable[tuple[str, str, str]]:
    """Yield localpart, password and name of every account but the bots', drawing what is missing."""
    for account in HELD:
        user_id = UserId(house.settings.user_id(account))
        held = HeldAccount.load_or_draw(house.directory.account(account), user_id)
        yield account.value, held.password, DISPLAY_NAMES[account]
    if house.settings.demo:
        yield DEMO_CLINICIAN, demo_clinician(house).password, DEMO_CLINICIAN_NAME
