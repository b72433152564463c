"""A sealed copy of the room keys beside the store, for the device that comes after this one: DIR/bots/NAME."""

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import structlog
from nio.crypto import InboundGroupSession  # type: ignore[import-untyped]

from bots.runtime.kept_room_keys import export_of, exported_room_key
from bots.runtime.olm import HouseOlm
from bots.runtime.private_files import write_private_bytes
from keyhouse.storage.errors import SealBroken
from keyhouse.storage.sealing import Seal

log = structlog.get_logger()

WRITTEN_EVERY = timedelta(minutes=2)
KEYS_AT_MOST = 100_000

_VERSION = "keyhouse room keys 1"


class RoomKeyExport:
    """One file, written anew as a whole. Sealed with the house's key and bound to the bot's account."""

    def __init__(self, file: Path, seal: Seal, user_id: str) -> None:
        self._file, self._seal, self._user_id = file, seal, user_id
        self._one_at_a_time = asyncio.Lock()

    def exists(self) -> bool:
        """Whether there is a copy."""
        return self._file.exists()

    async def write(self, olm: HouseOlm) -> None:
        """Write all room keys that the device holds, in a thread. Raises OSError."""
        async with self._one_at_a_time:
            await asyncio.to_thread(self._write, olm.kept.all()[:KEYS_AT_MOST])

    async def read_into(self, olm: HouseOlm) -> int:
        """Give a new device the room keys of those before it, and say how many; 0 if there is no such file.

        A file that does not open, or is damaged, is put aside and told in the log: old messages stay unreadable then.
        """
        sessions = await asyncio.to_thread(self._read)
        with olm.one_transaction():
            for session in sessions:
                olm.kept.keep(session)
        return len(sessions)

    def reseal(self) -> bool:
        """Put the copy under the house's newest seal; False when it is already, or opens under none of the house's.

        For a house that is down. Raises OSError.
        """
        try:
            key_id, keys = self._opened()
        except (SealBroken, ValueError):
            return False
        if key_id == self._seal.key_id:
            return False
        self._put(keys)
        return True

    def _write(self, sessions: Sequence[InboundGroupSession]) -> None:
        keys = [[export_of(each), each.ed25519, each.forwarding_chain] for each in sessions]
        self._put(json.dumps(keys).encode())

    def _read(self) -> list[InboundGroupSession]:
        try:
            _, keys = self._opened()
            return [exported_room_key(*key) for key in json.loads(keys)]
        except FileNotFoundError:
            return []
        except (SealBroken, KeyError, TypeError, ValueError) as fault:
            log.error("room_key_export_not_readable", fault=type(fault).__name__)
            # The next one will hold the new device's keys alone: whoever finds the right key can still use this one.
            self._file.rename(self._file.with_name(f"{self._file.name}.unreadable"))
            return []

    def _opened(self) -> tuple[str, bytes]:
        """Return under which key the copy is sealed, and the room keys."""
        version, key_id, sealed = self._file.read_bytes().split(b"\n", 2)
        if version.decode() != _VERSION:
            raise ValueError("another version")
        return key_id.decode(), self._seal.open(sealed, _VERSION, self._user_id, key_id.decode())

    def _put(self, keys: bytes) -> None:
        sealed = self._seal.close(keys, _VERSION, self._user_id)
        write_private_bytes(self._file, f"{_VERSION}\n{self._seal.key_id}\n".encode() + sealed)
