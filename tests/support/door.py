"""A Synapse with the door: our own database migrated, house keys drawn, the module loaded, service accounts made."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from keyhouse.core.ids import UserId
from keyhouse.core.people import Role
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.migrating import migrate
from keyhouse.storage.store import open_store
from tests.support.house_with_door import PASSWORD, House, reserve_account
from tests.support.ports import free_port
from tests.support.synapse import Account, RunningSynapse, plan_for_tests

SERVICES = ("concierge", "owner", "caretaker")


@pytest.fixture(scope="session")
def door_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of the house with the door: Synapse's files, our database, the keys, the logs."""
    return tmp_path_factory.mktemp("door")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(door_folder: Path) -> AsyncIterator[House]:
    """A house with the door, shared by the whole run: new people and rooms in every test."""
    async with running_house(door_folder) as running:
        await lift_limits(running)
        yield running


@asynccontextmanager
async def running_house(folder: Path, limited: bool = False, **more: Any) -> AsyncIterator[House]:
    """Make a house in this folder and run it; limited: visitors are counted; more: fields of the homeserver's plan."""
    url = database_url(folder)
    plan = plan_for_tests(folder / "synapse", free_port(), modules=[door_module(folder, url, limited)], **more)
    async with house_around(RunningSynapse(plan), folder, url) as house:
        yield house


@asynccontextmanager
async def house_around(
    synapse: RunningSynapse, folder: Path, url: str, kind: type[House] = House
) -> AsyncIterator[House]:
    """Run a homeserver with the door, and the house around it; url: of our own database, which is empty yet."""
    keys = HouseKeys.load_or_create(folder / "house_keys.json")
    migrate(url)
    store = open_store(url, keys)
    for name in SERVICES:
        reserve_account(store, UserId(f"@{name}:{synapse.server_name}"), Role.SERVICE)
    async with synapse:
        concierge, owner, caretaker = [await _service(synapse, name) for name in SERVICES]
        yield kind(synapse, store, keys.code_hash, concierge, owner, caretaker)
    store.close()


def database_url(folder: Path) -> str:
    """Where our own database of this folder lies."""
    return f"sqlite:///{folder / 'house.db'}"


def door_module(folder: Path, url: str | None = None, limited: bool = False) -> dict[str, Any]:
    """What homeserver.yaml says of the door; url: of our own database, if it is not the file in the folder."""
    config = {
        "database": url or database_url(folder),
        "house_keys": str(folder / "house_keys.json"),
        "service_localparts": list(SERVICES),
        "limited": limited,
    }
    return {"module": "synapse_module.door.Door", "config": config}


async def _service(synapse: RunningSynapse, name: str) -> Account:
    return await synapse.register(name, PASSWORD, admin=name == "caretaker")


async def lift_limits(house: House) -> None:
    """Let the house's own accounts write as fast as a test can."""
    # Messages and new rooms are limited where no module is asked; the house has its own accounts taken out of it.
    for account in (house.concierge, house.owner, house.caretaker):
        path = f"/_synapse/admin/v1/users/{account.user_id}/override_ratelimit"
        await house.synapse.ask(
            "POST", path, house.caretaker.access_token, {"messages_per_second": 0, "burst_count": 0}
        )
