"""Give a bot another device: when its store is lost, when an administrator renews it, when a house is restored.

Source: decision 0007. The signing identity stays; nothing here can replace it.
"""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import structlog

from bots.runtime.credentials import BotCredentials, BotFiles, new_device_id
from bots.runtime.errors import MatrixAway, MatrixFault
from bots.runtime.homeserver import Homeserver, path
from bots.runtime.private_files import read_private
from bots.runtime.session import stored_session

log = structlog.get_logger()

ASIDE = ".replaced-"


def aside(old: Path, moment: datetime) -> Path:
    """Return where a replaced file or directory is put, beside where it was."""
    return old.with_name(f"{old.name}{ASIDE}{moment:%Y%m%dT%H%M%S%f}")


def give_new_device(files: BotFiles, moment: datetime) -> BotCredentials:
    """Let the bot start the next time on a device that never was; hold the old store's lock meanwhile.

    Done again after a crash in between, it goes on where it stopped. The old store and its key are put aside, never
    used again: the key may be what was damaged.
    """
    old = BotCredentials.load(files.directory)
    set_session_aside(files)
    if files.pickle_key.exists():
        files.pickle_key.rename(aside(files.pickle_key, moment))
    new = replace(old, device_id=new_device_id(old.device_id.rpartition("-")[0]))
    new.save(files.directory)
    if (store := files.store(old.device_id)).exists():
        store.rename(aside(store, moment))
    return new


def set_session_aside(files: BotFiles) -> None:
    """Keep the access token of the bot's device for signing it out, where the next login does not overwrite it."""
    if (session := stored_session(files)) is not None:
        files.replaced_sessions.mkdir(mode=0o700, exist_ok=True)
        files.session.rename(files.replaced_sessions / f"{session.device_id}.json")


async def sign_out_replaced(files: BotFiles, homeserver_url: str) -> None:
    """Sign replaced devices out; what cannot be done now is done at the next start."""
    kept = sorted(files.replaced_sessions.glob("*.json")) if files.replaced_sessions.is_dir() else []
    for file in kept:
        if await _signed_out(file, homeserver_url):
            file.unlink()


async def _signed_out(file: Path, homeserver_url: str) -> bool:
    try:
        token = (read_private(file) or {})["access_token"]
    except (KeyError, ValueError):
        return True
    homeserver = Homeserver(homeserver_url, token)
    try:
        await homeserver.post(path("logout"), {})
    except MatrixAway:
        return False
    except MatrixFault as refused:
        # Mostly the homeserver does not know the token any more; whatever it is, asking again changes nothing.
        log.info("replaced_device_not_signed_out", fault=type(refused).__name__)
    finally:
        await homeserver.close()
    return True
