"""Opens the database, and transactions in it."""

from collections.abc import Iterator
from contextlib import contextmanager

from keyhouse.core.ports import Transaction
from keyhouse.storage.alarms import SqlAlarms
from keyhouse.storage.audit import SqlAudit
from keyhouse.storage.bookings import SqlBookings
from keyhouse.storage.calendars import SqlCalendarFeeds
from keyhouse.storage.cases import SqlCases
from keyhouse.storage.devices import SqlDevices
from keyhouse.storage.engine import Engines, open_engines, plain_faults
from keyhouse.storage.heartbeats import SqlHeartbeats
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.inbox import SqlInbox
from keyhouse.storage.leases import SqlLeases
from keyhouse.storage.memberships import SqlMemberships
from keyhouse.storage.outbox import SqlOutbox
from keyhouse.storage.people import SqlPeople
from keyhouse.storage.policy import SqlPolicy
from keyhouse.storage.policy_changes import PolicyChanges
from keyhouse.storage.referrals import SqlReferrals
from keyhouse.storage.rooms import SqlRooms
from keyhouse.storage.sealing import Seal
from keyhouse.storage.slots import SqlSlots
from keyhouse.storage.versions import require_current
from keyhouse.storage.waiting_list import SqlWaitingList
from keyhouse.storage.work import Work


class SqlTransaction:
    """Everything that is kept, seen at one moment."""

    def __init__(self, work: Work, keys: HouseKeys, seal: Seal) -> None:
        self._changes = PolicyChanges(work)
        self.people = SqlPeople(work, self._changes)
        self.referrals = SqlReferrals(work, seal)
        self.rooms = SqlRooms(work, self._changes)
        self.policy = SqlPolicy(work)
        self.memberships = SqlMemberships(work)
        self.cases = SqlCases(work)
        self.slots = SqlSlots(work)
        self.bookings = SqlBookings(work)
        self.waiting_list = SqlWaitingList(work)
        self.calendar_feeds = SqlCalendarFeeds(work, seal)
        self.outbox = SqlOutbox(work, seal)
        self.inbox = SqlInbox(work, seal)
        self.devices = SqlDevices(work)
        self.alarms = SqlAlarms(work)
        self.leases = SqlLeases(work)
        self.audit = SqlAudit(work, keys.audit, seal)
        self.heartbeats = SqlHeartbeats(work)

    def number_changes(self) -> None:
        """Give what was changed its place in the order of changes; nothing may be changed after this."""
        self._changes.number()


class SqlStore:
    """Opens transactions; safe to share between threads. A transaction belongs to the thread that opened it."""

    def __init__(self, engines: Engines, keys: HouseKeys) -> None:
        self._engines = engines
        self._keys = keys
        self._seal = Seal.of(keys)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Open a transaction that sees one moment and changes nothing."""
        with plain_faults(), self._engines.reading.connect() as connection:
            yield SqlTransaction(Work(connection, writing=False), self._keys, self._seal)

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """Open a transaction that is kept when its block ends well and undone when it raises."""
        with plain_faults(), self._engines.writing.begin() as connection:
            work = Work(connection, writing=True)
            transaction = SqlTransaction(work, self._keys, self._seal)
            yield transaction
            transaction.number_changes()
            work.tell_others()

    def close(self) -> None:
        """Give every connection back."""
        self._engines.dispose()


def open_store(url: str, keys: HouseKeys) -> SqlStore:
    """Open the database at this SQLAlchemy address.

    Raises StoreAway when it cannot be reached, StoreOlder when `migrate` has to run first, StoreNewer when a newer
    version of keyhouse has written it.
    """
    engines = open_engines(url)
    try:
        require_current(url, engines.reading)
    except BaseException:
        engines.dispose()
        raise
    return SqlStore(engines, keys)
