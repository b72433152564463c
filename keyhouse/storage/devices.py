"""How far the encryption store of each device of our bots had got."""

from datetime import datetime

from sqlalchemy import select

from keyhouse.core.outgoing import Worker
from keyhouse.storage.tables import bot_device
from keyhouse.storage.work import Work


class SqlDevices:
    """Keeps one row for each device in the table `bot_device`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def generation(self, device_id: str) -> int | None:
        """How far the device's store had got; None for a device that was never seen here."""
        generation: int | None = self._work.scalar(
            select(bot_device.c.generation).where(bot_device.c.device_id == device_id)
        )
        return generation

    def reached(self, worker: Worker, device_id: str, generation: int, now: datetime) -> None:
        """Keep the generation; a lower one than the kept one changes nothing."""
        values = {"worker": worker.value, "generation": generation, "reached_at": now}
        insert = self._work.insert(bot_device).values(device_id=device_id, **values)
        newer = insert.on_conflict_do_update(
            index_elements=[bot_device.c.device_id], set_=values, where=bot_device.c.generation < generation
        )
        self._work.change_quietly(newer)
