"""The second watcher: the account and the signing identity of the first, on a device of its own."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bots.runtime.credentials import BotCredentials, BotFiles, new_device_id
from bots.runtime.private_files import read_private, write_private
from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.ids import UserId
from keyhouse.core.outgoing import Worker
from provisioning.answers import House
from provisioning.matrix import Homeserver
from provisioning.programs import SECOND_WATCHER, bot_workers

_WATCHERS = (Worker.RISK_MONITOR.value, SECOND_WATCHER)


def seeds_are_settled(house: House, name: str) -> bool:
    """Say whether a bot may start without making an identity that the other watcher would not have."""
    if name not in _WATCHERS or SECOND_WATCHER not in bot_workers(house.settings):
        return True
    return BotFiles(house.directory.bot(name)).signing_seeds.exists()


async def ensure_second_watcher(house: House, caretaker: Homeserver) -> None:
    """Give the second watcher what the first logs in with, but for the device, and both the same signing seeds."""
    first, second = (BotFiles(house.directory.bot(name)) for name in _WATCHERS)
    credentials = BotCredentials.load(first.directory)
    if not _share_seeds(first, second) and not await _has_identity(caretaker, credentials.user_id):
        await asyncio.to_thread(_make_seeds, first.signing_seeds)
        _share_seeds(first, second)
    _share_login(credentials, second)


async def sign_out_second_watcher(house: House, caretaker: Homeserver) -> None:
    """Sign out the device of a second watcher that the house no longer has; without credentials nothing is left of it.

    The signing seeds stay, and so does the store: a second watcher that comes back gets another device.
    """
    files = BotFiles(house.directory.bot(SECOND_WATCHER))
    if SECOND_WATCHER in bot_workers(house.settings) or not files.credentials.exists():
        return
    device = BotCredentials.load(files.directory)
    await caretaker.sign_out(UserId(device.user_id), device.device_id)
    # Last of all: whoever is stopped before this does it again.
    files.session.unlink(missing_ok=True)
    files.credentials.unlink()


def _share_seeds(first: BotFiles, second: BotFiles) -> bool:
    """Copy the seeds to the watcher that lacks them; False when neither has any. Seeds that are there stay."""
    for of, to in ((first, second), (second, first)):
        if of.signing_seeds.exists() and not to.signing_seeds.exists():
            write_private(to.signing_seeds, read_private(of.signing_seeds) or {})
    return first.signing_seeds.exists()


def _share_login(credentials: BotCredentials, second: BotFiles) -> None:
    # Also when the second has credentials: the first may have been given another password meanwhile.
    there = second.credentials.exists()
    device_id = BotCredentials.load(second.directory).device_id if there else new_device_id(ServiceAccount.WATCHER)
    wanted = replace(credentials, device_id=device_id)
    if not there or BotCredentials.load(second.directory) != wanted:
        wanted.save(second.directory)


def seeds_files(house: House, name: str) -> BotFiles:
    """Return the files with a bot's seeds: the other watcher's, which will be copied, where its own are missing."""
    own = BotFiles(house.directory.bot(name))
    if own.signing_seeds.exists() or name not in _WATCHERS or SECOND_WATCHER not in bot_workers(house.settings):
        return own
    (other,) = (BotFiles(house.directory.bot(each)) for each in _WATCHERS if each != name)
    return other if other.signing_seeds.exists() else own


async def published_keys(caretaker: Homeserver, user_id: str) -> Mapping[str, Any]:
    """Return the raw /keys/query answer about one account."""
    everything: list[str] = []
    asked = {"device_keys": {user_id: everything}}
    return await caretaker.request("POST", "/_matrix/client/v3/keys/query", asked)


async def _has_identity(caretaker: Homeserver, user_id: str) -> bool:
    return user_id in (await published_keys(caretaker, user_id)).get("master_keys", {})


def _make_seeds(file: Path) -> None:
    # Imported here: it brings the whole encryption library with it.
    from bots.runtime.cross_signing import SigningSeeds

    SigningSeeds.make(file)
