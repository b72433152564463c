"""How far the encryption store of each device of our bots had got, in memory."""

from datetime import datetime

from keyhouse.core.outgoing import Worker
from keyhouse.storage.memory.shelves import Shelves


class MemoryDevices:
    """One generation for each device."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    def generation(self, device_id: str) -> int | None:
        """How far the device's store had got; None for a device that was never seen here."""
        return self._shelves.devices.get(device_id)

    def reached(self, worker: Worker, device_id: str, generation: int, now: datetime) -> None:
        """Keep the generation; a lower one than the kept one changes nothing."""
        self._shelves.devices[device_id] = max(generation, self._shelves.devices.get(device_id, generation))
