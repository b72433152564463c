"""Open a device's encryption store: for one process at a time, sealed with a key of its own."""

import fcntl
import os
import secrets
from pathlib import Path

import peewee  # type: ignore[import-untyped]

from bots.runtime.credentials import BotCredentials, BotFiles
from bots.runtime.errors import MatrixFault, StoreInUse, StoreLost
from bots.runtime.homeserver import Homeserver, path
from bots.runtime.house_store import HouseStore
from bots.runtime.olm import HouseOlm, OlmAddress
from bots.runtime.private_files import read_private, write_private


class StoreLock:
    """The right of this process alone to use a store; the system takes it back when the process ends."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._handle = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._handle)
            raise StoreInUse(
                f"Another process already runs this bot (it holds {directory / 'lock'}). "
                "Stop that one first, for example with `keyhouse down`."
            ) from None

    def release(self) -> None:
        """Let another process have the store."""
        os.close(self._handle)


def open_machine(credentials: BotCredentials, files: BotFiles) -> HouseOlm:
    """Open or make the store of the credentials' device; StoreLost if it is damaged. Hold its StoreLock first."""
    user_id, device_id = credentials.user_id, credentials.device_id
    try:
        pickle_key = _pickle_key(files)
        store = HouseStore(user_id, device_id, str(files.store(device_id)), pickle_key, "crypto.db")
        os.chmod(store.database_path, 0o600)
        if not store.is_whole():
            raise StoreLost(user_id, device_id, "damaged")
        return HouseOlm(user_id, device_id, store)
    except peewee.OperationalError as fault:
        # A full disk, for example: the store itself may be as good as ever.
        raise MatrixFault(
            f"The encryption store in {files.store(device_id)} cannot be opened ({fault}). "
            "Check that the disk has room and that the directory is the bot's own, and start again."
        ) from fault
    except (peewee.DatabaseError, ValueError) as fault:
        raise StoreLost(user_id, device_id, "damaged") from fault


async def published_device(homeserver: Homeserver, own: OlmAddress) -> bool:
    """Whether the homeserver already has this device's keys; StoreLost if it has others under the same name."""
    answer = await homeserver.post(path("keys", "query"), {"device_keys": {own.user_id: [own.device_id]}})
    device = answer.get("device_keys", {}).get(own.user_id, {}).get(own.device_id)
    if device is None:
        return False
    ours = {f"curve25519:{own.device_id}": own.curve25519, f"ed25519:{own.device_id}": own.ed25519}
    if device.get("keys") != ours:
        raise StoreLost(own.user_id, own.device_id, "not the one that the device began with")
    return True


def _pickle_key(files: BotFiles) -> str:
    """Read the key, or draw one where there is none; ValueError if the file holds no key, so that nothing is sealed."""
    kept = read_private(files.pickle_key)
    if kept is None:
        kept = {"pickle_key": secrets.token_urlsafe(32)}
        write_private(files.pickle_key, kept)
    if not (pickle_key := kept.get("pickle_key")):
        raise ValueError(f"{files.pickle_key} holds no key")
    return pickle_key
