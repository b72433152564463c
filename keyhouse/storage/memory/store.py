"""Transactions over dictionaries: one at a time, undone when they raise."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from keyhouse.core.ports import Transaction
from keyhouse.storage.memory.alarms import MemoryAlarms
from keyhouse.storage.memory.booking import MemoryBookings, MemorySlots, MemoryWaitingList
from keyhouse.storage.memory.calendars import MemoryCalendarFeeds
from keyhouse.storage.memory.devices import MemoryDevices
from keyhouse.storage.memory.house import MemoryMemberships, MemoryPeople, MemoryReferrals, MemoryRooms
from keyhouse.storage.memory.inbox import MemoryInbox
from keyhouse.storage.memory.policy import MemoryPolicy
from keyhouse.storage.memory.shelves import Shelves
from keyhouse.storage.memory.work import MemoryAudit, MemoryCases, MemoryHeartbeats, MemoryLeases, MemoryOutbox


class MemoryTransaction:
    """Everything that is kept, seen at one moment."""

    def __init__(self, shelves: Shelves) -> None:
        self.people = MemoryPeople(shelves)
        self.referrals = MemoryReferrals(shelves)
        self.rooms = MemoryRooms(shelves)
        self.policy = MemoryPolicy(shelves)
        self.memberships = MemoryMemberships(shelves)
        self.cases = MemoryCases(shelves)
        self.slots = MemorySlots(shelves)
        self.bookings = MemoryBookings(shelves)
        self.waiting_list = MemoryWaitingList(shelves)
        self.calendar_feeds = MemoryCalendarFeeds(shelves)
        self.outbox = MemoryOutbox(shelves)
        self.inbox = MemoryInbox(shelves)
        self.devices = MemoryDevices(shelves)
        self.alarms = MemoryAlarms(shelves)
        self.leases = MemoryLeases(shelves)
        self.audit = MemoryAudit(shelves)
        self.heartbeats = MemoryHeartbeats(shelves)


class MemoryStore:
    """Keeps everything as long as it lives."""

    def __init__(self) -> None:
        self._shelves = Shelves()
        self._one_at_a_time = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Open a transaction on a copy: what it changes is lost."""
        with self._one_at_a_time:
            yield MemoryTransaction(self._shelves.copied())

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """Open a transaction that is kept when its block ends well and lost when it raises."""
        with self._one_at_a_time:
            changed = self._shelves.copied()
            transaction = MemoryTransaction(changed)
            yield transaction
            transaction.policy.number_changes()
            self._shelves = changed
