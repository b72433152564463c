"""Give a bot that lost its password, its device or its store new ones; its signing identity stays."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from bots.runtime.credentials import BotCredentials, BotFiles
from bots.runtime.crypto_store import StoreLock
from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.outgoing import Worker
from provisioning.answers import House, now
from provisioning.bootstrap import homeserver_plan
from provisioning.bot_accounts import ensure_bot
from provisioning.held_accounts import signed_in
from provisioning.house_lock import HouseLock, holder
from provisioning.programs import BOTS

_ASIDE = ".replaced-"


async def renew_bot(house: House, worker: Worker) -> str | None:
    """Renew a bot and return the id of its new device.

    None while the house is down: then only the old is put aside, and the next `up` makes the new. (A bot that cannot
    start ends an `up`, so whoever needs this mostly has no homeserver.) Raises StoreInUse while the bot runs, and
    HomeserverAway, with nothing changed, when the house is up and its homeserver does not answer.
    """
    directory = house.directory
    with _all_stores(BotFiles(directory.bot(worker))):
        if holder(directory.supervisor_pid) is None:
            with HouseLock(directory.supervisor_pid):
                _put_aside(house, worker)
            return None
        async with signed_in(house.settings.homeserver, directory.account(ServiceAccount.CARETAKER)) as caretaker:
            await asyncio.to_thread(_put_aside, house, worker)
            await ensure_bot(house, worker, caretaker, homeserver_plan(house).shared_secret_file.read_text().strip())
    return BotCredentials.load(directory.bot(worker)).device_id


@contextmanager
def _all_stores(files: BotFiles) -> Iterator[None]:
    """Hold every store: without credentials nobody knows which one a running bot would use."""
    with ExitStack() as held:
        for store in _stores(files):
            held.callback(StoreLock(store).release)
        yield


def _stores(files: BotFiles) -> list[Path]:
    found = files.stores.iterdir() if files.stores.is_dir() else ()
    return [store for store in found if store.is_dir() and _ASIDE not in store.name]


def _put_aside(house: House, worker: Worker) -> None:
    """Rename what the bot used so far, and write down that somebody did; done again it goes on where it stopped."""
    files, moment = BotFiles(house.directory.bot(worker)), now()
    for old in (*_stores(files), files.credentials):
        if old.exists():
            old.rename(_aside(old, moment))
    with house.store.writing() as tx:
        user_id = house.settings.user_id(BOTS[worker])
        tx.audit.append("bot.renewed", actor="host", subject=user_id, detail={"bot": worker.value}, now=moment)


def _aside(old: Path, moment: datetime) -> Path:
    return old.with_name(f"{old.name}{_ASIDE}{moment:%Y%m%dT%H%M%S%f}")
