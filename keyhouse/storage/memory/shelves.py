"""Everything the memory store keeps, in dictionaries of frozen things."""

from dataclasses import dataclass, field, fields
from datetime import datetime

from keyhouse.core.alerts import Alert
from keyhouse.core.audit import AuditEntry
from keyhouse.core.cases import Case
from keyhouse.core.ids import CaseNumber, EventId, OutgoingId, ReferralId, RoomId, UserId
from keyhouse.core.memberships import Membership
from keyhouse.core.outgoing import Outgoing, Worker
from keyhouse.core.people import Key, Person
from keyhouse.core.ports import Heartbeat
from keyhouse.core.referrals import Referral
from keyhouse.core.rooms import RoomScope
from keyhouse.storage.errors import StoreConflict


@dataclass
class Shelves:
    """One dictionary for each noun. Undoing is putting back a copy."""

    people: dict[UserId, Person] = field(default_factory=dict)
    keys: dict[int, Key] = field(default_factory=dict)
    referrals: dict[ReferralId, Referral] = field(default_factory=dict)
    rooms: dict[RoomId, RoomScope] = field(default_factory=dict)
    memberships: dict[tuple[UserId, RoomId], Membership] = field(default_factory=dict)
    cases: dict[CaseNumber, Case] = field(default_factory=dict)
    alerts: dict[EventId, Alert] = field(default_factory=dict)
    outgoing: dict[OutgoingId, Outgoing] = field(default_factory=dict)
    once: dict[str, OutgoingId] = field(default_factory=dict)
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
