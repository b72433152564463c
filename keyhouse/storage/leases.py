"""The right of one process at a time to drain."""

from datetime import datetime, timedelta

from sqlalchemy import delete, or_

from keyhouse.core.outgoing import CLOCKS_MAY_DIFFER, Worker
from keyhouse.storage.tables import lease
from keyhouse.storage.work import Work


class SqlLeases:
    """Keeps one row for each worker in the table `lease`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def take(self, worker: Worker, holder: str, now: datetime, lasts: timedelta) -> bool:
        """Take or renew the lease; False while another holder's has not run out.

        One that ends later than anybody can have taken it was taken before the clock was set back, and counts for none.
        """
        values = {"holder": holder, "expires_at": now + lasts}
        insert = self._work.insert(lease).values(worker=worker.value, **values)
        # One statement, so that of two who see the lease run out exactly one gets it.
        taken = insert.on_conflict_do_update(
            index_elements=[lease.c.worker],
            set_=values,
            where=or_(
                lease.c.holder == holder,
                lease.c.expires_at <= now,
                lease.c.expires_at > now + lasts + CLOCKS_MAY_DIFFER,
            ),
        )
        return self._work.change_quietly(taken) == 1

    def seize(self, worker: Worker, holder: str, now: datetime, lasts: timedelta) -> None:
        """Take the lease from whoever holds it."""
        self._work.change_quietly(delete(lease).where(lease.c.worker == worker.value))
        self.take(worker, holder, now, lasts)

    def release(self, worker: Worker, holder: str) -> None:
        """Let the next one take it at once; somebody else's lease stays."""
        self._work.change_quietly(delete(lease).where(lease.c.worker == worker.value, lease.c.holder == holder))
