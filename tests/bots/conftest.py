"""Bots of the runtime alone, without any bot's rules."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bots.runtime.credentials import BotCredentials
from tests.bots.breakable import Breakable, breakable
from tests.bots.living import LivingBot, enrolled, living
from tests.support.client import Client, Clients
from tests.support.fresh import fresh_name
from tests.support.synapse import Account, RunningSynapse

People = Callable[..., Awaitable[Client]]
Unlimited = Callable[[Client], Awaitable[Client]]


@pytest_asyncio.fixture(loop_scope="session")
async def directory(synapse: RunningSynapse, tmp_path: Path) -> Path:
    """The directory of a bot that has credentials and has never run."""
    directory = tmp_path / "bot"
    await enrolled(synapse, directory)
    return directory


@pytest_asyncio.fixture(loop_scope="session")
async def door(synapse: RunningSynapse, directory: Path) -> AsyncIterator[Breakable]:
    """What stands between the bot of the directory and the homeserver, and can be broken."""
    async with breakable(synapse.url) as door:
        replace(BotCredentials.load(directory), homeserver=door.url).save(directory)
        yield door


@pytest_asyncio.fixture(loop_scope="session")
async def bot(directory: Path) -> AsyncIterator[LivingBot]:
    """A running bot."""
    async with living(directory) as running:
        yield running


@pytest.fixture
def person(synapse: RunningSynapse, clients: Clients) -> People:
    """Makes people with a strict, cross-signed client each; bootstrap=False leaves the device unsigned."""

    async def make(**more: Any) -> Client:
        return await clients.register(synapse.url, synapse.shared_secret, **more)

    return make


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def admin(synapse: RunningSynapse) -> Account:
    """A server admin, for what only one may change."""
    return await synapse.register(fresh_name("admin"), "a long password", admin=True)


@pytest.fixture
def unlimited(synapse: RunningSynapse, admin: Account) -> Unlimited:
    """Lets a person send as fast as a test can."""

    async def lift(client: Client) -> Client:
        at = f"/_synapse/admin/v1/users/{client.user_id}/override_ratelimit"
        await synapse.ask("POST", at, admin.access_token, {"messages_per_second": 0, "burst_count": 0})
        return client

    return lift
