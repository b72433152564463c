"""How far each device's encryption store has got, told to the house's database: an older copy is noticed by it.

Source: decision 0007. The store counts first and the database after, so an honest store is never behind.
"""

from typing import Protocol

from bots.runtime.ledger import Ledger


class Generations(Protocol):
    """Where the generations of encryption stores are known beside the stores themselves."""

    async def known(self, device_id: str) -> int | None:
        """How far this device's store had got when it was last told; None if it never was."""
        ...

    async def reached(self, device_id: str, generation: int) -> None:
        """Keep how far this device's store has got; a lower number than the kept one changes nothing."""
        ...


class LedgerGenerations:
    """The generations in the house's database."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def known(self, device_id: str) -> int | None:
        """How far this device's store had got when it was last told; None if it never was."""
        return await self._ledger.read(lambda tx: tx.devices.generation(device_id))

    async def reached(self, device_id: str, generation: int) -> None:
        """Keep how far this device's store has got."""
        worker, now = self._ledger.worker, self._ledger.clock()
        await self._ledger.write(lambda tx: tx.devices.reached(worker, device_id, generation, now))
