"""The accounts that the house's bots use, and what each process logs in with."""

import asyncio
import secrets
from dataclasses import replace

from bots.runtime.credentials import BotCredentials, BotFiles, new_device_id
from keyhouse.core.accounts import DISPLAY_NAMES, ServiceAccount
from keyhouse.core.ids import UserId
from provisioning.answers import House
from provisioning.matrix import Homeserver
from provisioning.programs import SECOND_WATCHER, bot_workers, device_accounts
from provisioning.second_watcher import ensure_second_watcher, seeds_are_settled


def kept_credentials(house: House, name: str) -> BotCredentials | None:
    """Return what this bot logs in with, at the address that the homeserver has now; None when there is nothing.

    Raises CredentialsMissing when its file cannot be read.
    """
    directory, homeserver = house.directory.bot(name), house.settings.homeserver
    if not BotFiles(directory).credentials.exists():
        return None
    credentials = BotCredentials.load(directory)
    if credentials.homeserver != homeserver:
        credentials = replace(credentials, homeserver=homeserver)
        credentials.save(directory)
    return credentials


def may_start(house: House, name: str) -> bool:
    """Say whether this bot has all that it needs, before anything is asked of the homeserver."""
    return kept_credentials(house, name) is not None and seeds_are_settled(house, name)


async def ensure_bots(house: House, caretaker: Homeserver, shared_secret: str) -> None:
    """Make what is missing of every bot. caretaker: signed in as the server's administrator."""
    async with asyncio.TaskGroup() as group:
        for name, account in device_accounts(house.settings).items():
            if name != SECOND_WATCHER:
                group.create_task(_ensure_account(house, name, account, caretaker, shared_secret))
    if SECOND_WATCHER in bot_workers(house.settings):
        await ensure_second_watcher(house, caretaker)


async def _ensure_account(
    house: House, name: str, account: ServiceAccount, caretaker: Homeserver, shared_secret: str
) -> None:
    """Make the bot's account; one that is there, and whose credentials are gone, gets a new password and a new device.

    The second watcher has the account of the first.
    """
    kept = await asyncio.to_thread(kept_credentials, house, name)
    credentials = kept or _drawn(house, account)
    made = await caretaker.ensure_account(
        account.value, credentials.password, shared_secret, name=DISPLAY_NAMES[account]
    )
    if kept is None:
        if not made:
            await caretaker.set_password(UserId(credentials.user_id), credentials.password)
        # Kept last: whoever is killed before this does all of it again, and a bot never finds a password too early.
        await asyncio.to_thread(credentials.save, house.directory.bot(name))


def _drawn(house: House, account: ServiceAccount) -> BotCredentials:
    user_id = house.settings.user_id(account)
    return BotCredentials(house.settings.homeserver, user_id, secrets.token_urlsafe(32), new_device_id(account))
