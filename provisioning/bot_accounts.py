"""The accounts that the house's bots use, and what each logs in with."""

import asyncio
import secrets
from dataclasses import replace

from bots.runtime.credentials import BotCredentials, BotFiles, new_device_id
from keyhouse.core.accounts import DISPLAY_NAMES
from keyhouse.core.ids import UserId
from keyhouse.core.outgoing import Worker
from provisioning.answers import House
from provisioning.matrix import Homeserver
from provisioning.programs import BOTS


def kept_credentials(house: House, worker: Worker) -> BotCredentials | None:
    """Return what this bot logs in with, at the address that the homeserver has now; None when there is nothing.

    Raises CredentialsMissing when its file cannot be read.
    """
    directory, homeserver = house.directory.bot(worker), house.settings.homeserver
    if not BotFiles(directory).credentials.exists():
        return None
    credentials = BotCredentials.load(directory)
    if credentials.homeserver != homeserver:
        credentials = replace(credentials, homeserver=homeserver)
        credentials.save(directory)
    return credentials


async def ensure_bot(house: House, worker: Worker, caretaker: Homeserver, shared_secret: str) -> None:
    """Make the bot's account; one that is there, and whose credentials are gone, gets a new password and a new device.

    caretaker: signed in as the server's administrator.
    """
    account = BOTS[worker]
    kept = await asyncio.to_thread(kept_credentials, house, worker)
    credentials = kept or _drawn(house, worker)
    made = await caretaker.ensure_account(
        account.value, credentials.password, shared_secret, name=DISPLAY_NAMES[account]
    )
    if kept is None:
        if not made:
            await caretaker.set_password(UserId(credentials.user_id), credentials.password)
        # Kept last: whoever is killed before this does all of it again, and a bot never finds a password too early.
        await asyncio.to_thread(credentials.save, house.directory.bot(worker))


def _drawn(house: House, worker: Worker) -> BotCredentials:
    account = BOTS[worker]
    user_id = house.settings.user_id(account)
    return BotCredentials(house.settings.homeserver, user_id, secrets.token_urlsafe(32), new_device_id(account))
