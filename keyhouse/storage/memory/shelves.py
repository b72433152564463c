"""Everything the memory store keeps, in dictionaries of frozen things."""

from dataclasses import dataclass, field, fields
from datetime import datetime

from keyhouse.core.alarms import Alarm
from keyhouse.core.alerts import Alert
from keyhouse.core.audit import AuditEntry
from keyhouse.core.booking import Booking
from keyhouse.core.cases import Case
from keyhouse.core.ids import (
    BookingNumber,
    CaseNumber,
    EventId,
    OfferId,
    OutgoingId,
    ReferralId,
    RoomId,
    RoomNumber,
    SlotNumber,
    UserId,
)
from keyhouse.core.incoming import Incoming
from keyhouse.core.memberships import Membership
from keyhouse.core.outgoing import Outgoing, OutgoingKind, Worker
from keyhouse.core.people import Key, Person
from keyhouse.core.ports import Heartbeat
from keyhouse.core.referrals import Referral
from keyhouse.core.rooms import RoomScope
from keyhouse.core.slots import Slot
from keyhouse.core.waiting_list import Offer, Waiting
from keyhouse.storage.errors import StoreConflict


@dataclass(frozen=True)
class Received:
    """An event in the inbox with what became of it."""

    worker: Worker
    event: Incoming
    room_key: str | None = None
    alarmed_at: datetime | None = None
    quarantined_at: datetime | None = None
    done_at: datetime | None = None

    @property
    def flows(self) -> bool:
        """Whether it is still to be handled."""
        return self.done_at is None and self.quarantined_at is None

    @property
    def is_new(self) -> bool:
        """Whether nobody has found out yet if it can be read."""
        return self.flows and self.event.unread_since is None

    @property
    def is_unread(self) -> bool:
        """Whether it is known that it cannot be read yet."""
        return self.flows and self.event.unread_since is not None

    def ended_before(self, moment: datetime) -> bool:
        """Whether it was done before this moment, or received before it and never read."""
        return (self.is_unread and self.event.received_at < moment) or (
            self.done_at is not None and self.done_at < moment
        )


@dataclass(frozen=True)
class Done:
    """What stays of a decision that was done, beside its `once`."""

    kind: OutgoingKind
    worker: Worker
    done_at: datetime


@dataclass
class Shelves:
    """One dictionary for each noun. Undoing is putting back a copy."""

    people: dict[UserId, Person] = field(default_factory=dict)
    keys: dict[int, Key] = field(default_factory=dict)
    referrals: dict[ReferralId, Referral] = field(default_factory=dict)
    references: dict[ReferralId, str] = field(default_factory=dict)
    rooms: dict[RoomId, RoomScope] = field(default_factory=dict)
    room_numbers: dict[RoomId, RoomNumber] = field(default_factory=dict)
    person_versions: dict[UserId, int] = field(default_factory=dict)
    room_versions: dict[RoomId, int] = field(default_factory=dict)
    memberships: dict[tuple[UserId, RoomId], Membership] = field(default_factory=dict)
    cases: dict[CaseNumber, Case] = field(default_factory=dict)
    alerts: dict[EventId, Alert] = field(default_factory=dict)
    slots: dict[SlotNumber, Slot] = field(default_factory=dict)
    bookings: dict[BookingNumber, Booking] = field(default_factory=dict)
    booking_events: dict[EventId, BookingNumber] = field(default_factory=dict)
    waiting: dict[UserId, Waiting] = field(default_factory=dict)
    priorities: dict[UserId, int] = field(default_factory=dict)
    offers: dict[OfferId, Offer] = field(default_factory=dict)
    calendar_secrets: dict[UserId, str] = field(default_factory=dict)
    outgoing: dict[OutgoingId, Outgoing] = field(default_factory=dict)
    once: dict[str, OutgoingId] = field(default_factory=dict)
    done: dict[str, Done] = field(default_factory=dict)
    failing_since: dict[OutgoingId, datetime] = field(default_factory=dict)
    holding_up: dict[OutgoingId, bool] = field(default_factory=dict)
    tried_by: dict[OutgoingId, str] = field(default_factory=dict)
    incoming: dict[tuple[Worker, EventId], Received] = field(default_factory=dict)
    devices: dict[str, int] = field(default_factory=dict)
    alarms: dict[int, Alarm] = field(default_factory=dict)
    leases: dict[Worker, tuple[str, datetime]] = field(default_factory=dict)
    audit: dict[int, AuditEntry] = field(default_factory=dict)
    audit_keys: dict[str, bytes] = field(default_factory=dict)
    heartbeats: dict[str, Heartbeat] = field(default_factory=dict)

    def copied(self) -> "Shelves":
        """Return a copy whose dictionaries are its own."""
        return Shelves(**{shelf.name: dict(getattr(self, shelf.name)) for shelf in fields(self)})


def only_once(taken: bool) -> None:
    """Refuse what a unique index of the database would refuse."""
    if taken:
        raise StoreConflict("something that there may be only once is there already; nothing was kept")
