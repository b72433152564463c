"""Open a device's encryption store: for one process at a time, sealed with a key of its own."""

import fcntl
import os
import secrets
from pathlib import Path

from nio.store import SqliteStore  # type: ignore[import-untyped]

from bots.runtime.credentials import BotCredentials, BotFiles
from bots.runtime.errors import StoreInUse, StoreLost
from bots.runtime.homeserver import Homeserver, path
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
    """Open or make the store of the credentials' device. Hold its StoreLock first."""
    store = SqliteStore(
        credentials.user_id,
        credentials.device_id,
        str(files.store(credentials.device_id)),
        _pickle_key(files),
        "crypto.db",
    )
    os.chmod(store.database_path, 0o600)
    return HouseOlm(credentials.user_id, credentials.device_id, store)


async def published_device(homeserver: Homeserver, own: OlmAddress, files: BotFiles) -> bool:
    """Whether the homeserver already has this device's keys; StoreLost if it has others under the same name."""
    answer = await homeserver.post(path("keys", "query"), {"device_keys": {own.user_id: [own.device_id]}})
    device = answer.get("device_keys", {}).get(own.user_id, {}).get(own.device_id)
    if device is None:
        return False
    ours = {f"curve25519:{own.device_id}": own.curve25519, f"ed25519:{own.device_id}": own.ed25519}
    if device.get("keys") != ours:
        raise StoreLost(
            f"The encryption store of {own.user_id} is not the one its device {own.device_id} began with, "
            f"so messages to it cannot be read. Give it a new device with {files.renewal}."
        )
    return True


def _pickle_key(files: BotFiles) -> str:
    kept = read_private(files.pickle_key)
    if kept is None:
        kept = {"pickle_key": secrets.token_urlsafe(32)}
        write_private(files.pickle_key, kept)
    return kept["pickle_key"]
