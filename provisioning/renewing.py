"""Give a bot that lost its password, its device or its store new ones; its signing identity stays."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bots.runtime.credentials import BotCredentials, BotFiles
from bots.runtime.cross_signing import kept_identity, lost_identity
from bots.runtime.crypto_store import StoreLock
from bots.runtime.new_device import ASIDE, aside, set_session_aside
from keyhouse.core.accounts import ServiceAccount
from provisioning.answers import House, now
from provisioning.bootstrap import homeserver_plan
from provisioning.bot_accounts import ensure_bots
from provisioning.held_accounts import signed_in
from provisioning.house_lock import HouseLock, holder
from provisioning.programs import device_accounts
from provisioning.second_watcher import published_keys, seeds_files
from provisioning.waiting import heartbeats


async def renew_bot(house: House, name: str) -> str | None:
    """Renew the bot of this process name and return the id of its new device.

    None while the house is down: then only the old is put aside, and the next `up` makes the new. (A bot that cannot
    start ends an `up`, so whoever needs this mostly has no homeserver.) With nothing changed it raises StoreInUse while
    the bot runs, HomeserverAway when the house is up and its homeserver does not answer, and IdentityLost when a new
    device could not be signed.
    """
    directory = house.directory
    user_id, seeds = house.settings.user_id(device_accounts(house.settings)[name]), seeds_files(house, name)
    with _all_stores(BotFiles(directory.bot(name))):
        if holder(directory.supervisor_pid) is None:
            with HouseLock(directory.supervisor_pid):
                if kept_identity({}, user_id, seeds) is None and _was_in_touch(house, name):
                    raise lost_identity(user_id, seeds)
                _put_aside(house, name)
            return None
        async with signed_in(house.settings.homeserver, directory.account(ServiceAccount.CARETAKER)) as caretaker:
            kept_identity(await published_keys(caretaker, user_id), user_id, seeds)
            await asyncio.to_thread(_put_aside, house, name)
            await ensure_bots(house, caretaker, homeserver_plan(house).shared_secret_file.read_text().strip())
    return BotCredentials.load(directory.bot(name)).device_id


@contextmanager
def _all_stores(files: BotFiles) -> Iterator[None]:
    """Hold every store: without credentials nobody knows which one a running bot would use."""
    with ExitStack() as held:
        for store in _stores(files):
            held.callback(StoreLock(store).release)
        yield


def _stores(files: BotFiles) -> list[Path]:
    found = files.stores.iterdir() if files.stores.is_dir() else ()
    return [store for store in found if store.is_dir() and ASIDE not in store.name]


def _was_in_touch(house: House, name: str) -> bool:
    """Say whether this bot has ever worked: it gives no sign of life before its account has an identity."""
    return any(beat.process == name for beat in heartbeats(house.store))


def _put_aside(house: House, name: str) -> None:
    """Rename what the bot used so far, and write down that somebody did; done again it goes on where it stopped."""
    files, moment = BotFiles(house.directory.bot(name)), now()
    # The new device signs the old one out when it starts.
    set_session_aside(files)
    for old in (*_stores(files), files.pickle_key, files.credentials):
        if old.exists():
            old.rename(aside(old, moment))
    with house.store.writing() as tx:
        user_id = house.settings.user_id(device_accounts(house.settings)[name])
        tx.audit.append("bot.renewed", actor="host", subject=user_id, detail={"bot": name}, now=moment)
