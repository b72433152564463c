"""What the workflows need from outside: a store that keeps, inside transactions.

Every method belongs to the transaction it was reached through. In a writing transaction `get…` of one row holds that
row until the end, so that what was read is still so when it is written.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from keyhouse.core.alarms import Alarm, AlarmKind
from keyhouse.core.alerts import Alert
from keyhouse.core.audit import AuditFinding
from keyhouse.core.booking_ports import Bookings, CalendarFeeds, Slots, WaitingList
from keyhouse.core.cases import Case
from keyhouse.core.ids import CaseNumber, Condition, EventId, OutgoingId, ReferralId, RoomId, RoomNumber, UserId
from keyhouse.core.incoming import Incoming, NewIncoming
from keyhouse.core.memberships import Membership
from keyhouse.core.outgoing import NewOutgoing, Outgoing, Worker
from keyhouse.core.people import Key, Person, Role
from keyhouse.core.referrals import Referral
from keyhouse.core.rooms import RoomScope
from keyhouse.core.speaking import PolicyChange


class People(Protocol):
    """Persons and their keys."""

    def get(self, user_id: UserId) -> Person | None: ...
    def add(self, person: Person, /) -> None: ...
    def update(self, person: Person, /) -> None: ...
    def all(self) -> Sequence[Person]: ...
    def has_name(self, localpart: str, /) -> bool:
        """Say whether the house has reserved an account of this localpart, made or not."""
        ...

    def with_role(self, role: Role) -> Sequence[Person]: ...
    def agreed_before(self, version: int, limit: int, after: str = "") -> Sequence[UserId]:
        """Who was referred, is not closed and agreed to an older version of the rules; by user id, from `after` on.

        Who has agreed to none is not among them, nor is the team, which is not asked.
        """
        ...

    def names(self, user_ids: Iterable[UserId]) -> Mapping[UserId, str]:
        """What others see of these persons, in one query; unknown ones are left out."""
        ...

    def keys(self, user_id: UserId) -> Sequence[Key]:
        """All unrevoked keys of the person; empty means none."""
        ...

    def grant(self, key: Key) -> None:
        """Keep a key; one that is still good stays as it is, one that has run out is replaced."""
        ...

    def revoke(self, user_id: UserId, condition: Condition, now: datetime) -> None: ...


class Referrals(Protocol):
    """Permissions to register."""

    def get(self, referral_id: ReferralId) -> Referral | None: ...
    def by_code_hash(self, code_hash: str) -> Referral | None: ...
    def by_pseudonym(self, pseudonym: str) -> Referral | None: ...
    def add(self, referral: Referral, /, reference: str | None = None) -> None:
        """Keep a new referral. reference: the service's local record number, sealed and never part of a Referral."""
        ...

    def reference_of(self, referral_id: ReferralId) -> str | None:
        """Open the local record number by which the service knows the person; None: issued without one, or unknown."""
        ...

    def forget_reference(self, user_id: UserId) -> None:
        """Destroy the local record number of the referral that this account redeemed; nobody is found by it again."""
        ...

    def update(self, referral: Referral, /) -> None: ...
    def all(self) -> Sequence[Referral]: ...


class Rooms(Protocol):
    """Rooms and what opens them."""

    def get(self, room_id: RoomId) -> RoomScope | None: ...
    def among(self, room_ids: Collection[RoomId]) -> Sequence[RoomScope]:
        """Those of these rooms that the house knows, in as many queries for many as for one."""
        ...

    def by_slug(self, slug: str) -> RoomScope | None: ...
    def put(self, scope: RoomScope) -> None:
        """Keep a scope; one of the same room id is replaced."""
        ...

    def all(self) -> Sequence[RoomScope]: ...
    def opened_by(self, role: Role, conditions: frozenset[Condition], user_id: UserId) -> Sequence[RoomScope]:
        """Rooms that could open to this role with these conditions, or that name this person. A superset is fine."""
        ...

    def desk_of(self, user_id: UserId) -> RoomScope | None: ...
    def care_room(self, service: str) -> RoomScope | None: ...
    def any_care_room(self) -> RoomScope | None: ...
    def number_of(self, room_id: RoomId) -> RoomNumber | None:
        """The small number by which alarms name the room outside the house; given when it is first kept, for ever."""
        ...

    def numbers(self) -> Mapping[RoomId, RoomNumber]:
        """The number of every room that the house has or ever had, in one query."""
        ...


class Policy(Protocol):
    """Who may write where, read by processes that keep it in memory."""

    def changed_since(self, version: int, limit: int) -> PolicyChange:
        """Return people and rooms that were added or changed after this version; 0 means from the beginning.

        At most so many of each, and more only where one transaction changed more; oldest change first. When the
        returned version is not the newest one there is more. A version never skips a change, also when transactions
        end in another order than they began. What this very transaction has changed has no version yet.
        """
        ...

    def newest(self) -> int:
        """Return the version of the last kept change, by one cheap look-up."""
        ...


class Memberships(Protocol):
    """Who is where, as observed."""

    def of(self, user_id: UserId) -> Sequence[Membership]: ...
    def observe(self, memberships: Iterable[Membership]) -> None:
        """Keep what was seen; a newer sight replaces an older one of the same room and person."""
        ...

    def observe_whole(self, joined: Mapping[RoomId, Collection[UserId]], now: datetime) -> None:
        """Keep that in these rooms exactly these people are joined now.

        Whoever was kept as joined and is not there is kept as removed: how they left was not seen.
        """
        ...

    def astray(self, now: datetime, limit: int, after: str = "") -> Sequence[UserId]:
        """Return whom the keys want elsewhere, or who does not answer an invitation; by user id, from `after` on.

        Somebody who left by choice is where they want to be. The house's own accounts are never astray; an account
        that the house does not know is, wherever it stands. A superset is fine.
        """
        ...

    def desks_without(self, service: UserId, now: datetime, limit: int) -> Sequence[RoomId]:
        """Return desks of people who live here in which one of the house's own accounts is not, by room id.

        An invitation that was not answered in its time counts as not being there.
        """
        ...


class Cases(Protocol):
    """Cases with their alerts, newest alert last."""

    def get(self, number: CaseNumber) -> Case | None: ...
    def by_card(self, card: EventId) -> Case | None: ...
    def by_event(self, event_id: EventId) -> Case | None:
        """Find the case in which this event is an alert, open or closed."""
        ...

    def open_of(self, author: UserId) -> Sequence[Case]: ...
    def listed(self, *, only_open: bool, limit: int) -> Sequence[Case]:
        """Newest first."""
        ...

    def has_alert(self, event_id: EventId) -> bool: ...
    def add(self, case: Case) -> Case:
        """Keep a new case with its alerts; its number is given here (the argument's is ignored)."""
        ...

    def update(self, case: Case) -> None:
        """Keep the case as it is now; alerts that are new are added."""
        ...

    def correct(self, alert: Alert) -> None:
        """Keep of a known alert what is known now: urgency, category and rules."""
        ...


class Outbox(Protocol):
    """Decisions to be done."""

    def add(self, outgoing: NewOutgoing, /, now: datetime) -> bool:
        """Keep a decision; False when an equal one (same `once`) is there already, done or not."""
        ...

    def add_all(self, decisions: Sequence[NewOutgoing], /, now: datetime) -> int:
        """Keep many decisions at once; return how many had no equal one."""
        ...

    def add_again(self, outgoing: NewOutgoing, /, now: datetime) -> bool:
        """Keep a decision also when an equal one is done, in its place; False while an equal one is to be done."""
        ...

    def due(self, worker: Worker, now: datetime, limit: int) -> Sequence[Outgoing]:
        """Undone decisions whose time has come, oldest first."""
        ...

    def ready(self, worker: Worker, now: datetime, limit: int) -> Sequence[Outgoing]:
        """Of each lane the oldest due decision, the most urgent first, then the longest due.

        A lane that is held up by an older decision has none.
        """
        ...

    def next_due_at(self, worker: Worker) -> datetime | None: ...
    def done(self, outgoing_id: OutgoingId, now: datetime) -> None:
        """Mark as done and wipe the content."""
        ...

    def postpone(
        self,
        outgoing_id: OutgoingId,
        until: datetime,
        fault: str,
        *,
        holds_up: bool = False,
        failed_at: datetime | None = None,
    ) -> None:
        """Try again later. fault: a listed word (an error class or code), never text from outside.

        holds_up: whether the later decisions of its lane wait for it.  failed_at: None when it only waits for a person.
        """
        ...

    def failing_since(self, worker: Worker) -> datetime | None:
        """Since when the undone decision that has failed for the longest fails; None when none does.

        Such a one is always due soon, so `next_due_at` does not show it.
        """
        ...

    def hasten(self, once: str, now: datetime) -> None:
        """Make a waiting decision due now, its tries counted anew, because what it waited for has happened."""
        ...

    def undone(self, worker: Worker, now: datetime) -> int:
        """How many decisions are due and not done."""
        ...

    def trying(self, outgoing_id: OutgoingId, device_id: str) -> str | None:
        """Keep which device is about to try; return the device that tried before, None when nobody has.

        Once two devices have tried, each is told that it was another one.
        """
        ...

    def known(self, once: str) -> bool:
        """Say whether a decision under this key is there, done or not."""
        ...

    def forget(self, worker: Worker, before: datetime, limit: int) -> int:
        """Delete up to so many that were done before this moment, and return how many; what is decided once stays."""
        ...


class Inbox(Protocol):
    """Events received and not yet dealt with, sealed, by worker; shared by all devices of one account.

    The content is wiped when the event is done; its id stays for a while, so that nothing is decided twice.
    """

    def receive(self, worker: Worker, events: Sequence[NewIncoming], now: datetime) -> Sequence[EventId]:
        """Keep the events that were never received; return those of all of them that are still to be handled, in order.

        These are neither done nor quarantined. An event that another device of the worker received is kept once and
        is returned here too while it is to be handled.
        """
        ...

    def left_over(self, worker: Worker, limit: int, after: int = 0) -> Sequence[Incoming]:
        """What an earlier process received and did not finish, oldest first, one more try counted on each.

        Neither unread nor quarantined ones. after: the `place` of the last one of the page before.
        """
        ...

    def take(self, worker: Worker, event_id: EventId, now: datetime) -> bool:
        """Make the event done, and say whether that was still to do: who gets True decides, in this transaction.

        Of two devices that take at once exactly one gets True. An event that was never received gives True.
        """
        ...

    def handled(self, worker: Worker, event_ids: Iterable[EventId], now: datetime) -> None:
        """Make events done about which there was nothing to decide."""
        ...

    def unread(self, worker: Worker, event_id: EventId, room_key: str, reason: str, now: datetime) -> None:
        """Keep that an event cannot be read yet; the first time counts.

        room_key: room and session id, kept as a fingerprint.  reason: a listed word.
        """
        ...

    def readable_by(self, worker: Worker, room_keys: Iterable[str], limit: int, after: int = 0) -> Sequence[Incoming]:
        """Unread events whose room key is one of these, also those with an alarm, oldest first; after: as above."""
        ...

    def still_unread(self, worker: Worker, limit: int, after: int = 0) -> Sequence[Incoming]:
        """Unread events, also those with an alarm, oldest first; after: as in `left_over`.

        For a start: a key may have been kept just before the process ended, and nobody looked who waited for it.
        """
        ...

    def unread_one(self, worker: Worker, event_id: EventId) -> Incoming | None:
        """Return this event if it is kept and cannot be read yet."""
        ...

    def unread_since(self, worker: Worker, before: datetime, limit: int) -> Sequence[Incoming]:
        """Events that have been unread from before this moment on and about which no alarm was raised yet."""
        ...

    def alarmed(self, worker: Worker, event_id: EventId, now: datetime) -> bool:
        """Keep that an alarm was raised about an unread event; False when that was so before, or it has been read."""
        ...

    def quarantine(self, worker: Worker, event_id: EventId, fault: str, now: datetime) -> None:
        """Set an event aside that cannot be handled; its content stays, sealed. fault: an error class."""
        ...

    def set_aside(self, worker: Worker, event_ids: Sequence[EventId]) -> frozenset[EventId]:
        """Return those of these events that were set aside."""
        ...

    def unread_rooms(self, worker: Worker, now: datetime, within: timedelta) -> Mapping[RoomId, int]:
        """How many events of the last while are unread, by room."""
        ...

    def standing(self, worker: Worker) -> Mapping[str, int]:
        """How many events are new, unread and quarantined, under these names."""
        ...

    def newest_at(self, worker: Worker) -> datetime | None:
        """When the newest event was received; None when there is none. For a new device that has to look back."""
        ...

    def forget(self, worker: Worker, before: datetime, limit: int) -> int:
        """Delete up to so many events that were done before this moment, and unread ones received before it.

        The newest of the worker stays, whatever it is, for `newest_at`.
        """
        ...


class Devices(Protocol):
    """How far the encryption store of each device of our bots had got: an older copy of it is noticed by this."""

    def generation(self, device_id: str) -> int | None: ...
    def reached(self, worker: Worker, device_id: str, generation: int, now: datetime) -> None:
        """Keep the generation; a lower one than the kept one changes nothing."""
        ...


class Alarms(Protocol):
    """What is wrong with the house itself."""

    def open(self) -> Sequence[Alarm]:
        """Alarms that stand, oldest first."""
        ...

    def latest(self, limit: int) -> Sequence[Alarm]:
        """Newest first, also those that ended."""
        ...

    def put(self, alarm: Alarm) -> bool:
        """Keep an open alarm; False when one of the same kind and subject was there already.

        Of that one a new `paged_at` is kept, nothing else: finding the same fault again starts no new alarm.
        """
        ...

    def end(self, kind: AlarmKind, subject: str, now: datetime) -> bool:
        """End the open alarm of this kind and subject; False when there is none."""
        ...

    def forget(self, before: datetime, limit: int) -> int:
        """Delete up to so many that ended before this moment, and return how many."""
        ...


class Leases(Protocol):
    """The right of one process at a time to drain."""

    def take(self, worker: Worker, holder: str, now: datetime, lasts: timedelta) -> bool:
        """Take or renew the lease; False while another holder's has not run out."""
        ...

    def release(self, worker: Worker, holder: str) -> None: ...
    def seize(self, worker: Worker, holder: str, now: datetime, lasts: timedelta) -> None:
        """Take the lease from whoever holds it, who then sends nothing until it has run out. For drills alone."""
        ...


class AuditTrail(Protocol):
    """The tamper-evident chain."""

    def append(
        self,
        action: str,
        *,
        actor: str,
        subject: str = "",
        detail: Mapping[str, str | int] | None = None,
        now: datetime,
    ) -> None:
        """Add an act. actor and subject: user ids, or a word such as "host"; kept as HMACs.

        One transaction at a time gets past this line, so a workflow does it last.
        """
        ...

    def verify(self) -> AuditFinding: ...
    def forget(self, person: str) -> None:
        """Destroy the key under which a person stands in the chain; the links still hold and lead to nobody."""
        ...


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a process last said of itself. counters: what it did, by name."""

    process: str
    pid: int
    started_at: datetime
    beat_at: datetime
    last_sync_at: datetime | None
    counters: Mapping[str, int]


class Heartbeats(Protocol):
    """Signs of life of the processes."""

    def beat(self, heartbeat: Heartbeat, /) -> None: ...
    def all(self) -> Sequence[Heartbeat]: ...


class Transaction(Protocol):
    """Everything that is kept, seen at one moment."""

    @property
    def people(self) -> People: ...
    @property
    def referrals(self) -> Referrals: ...
    @property
    def rooms(self) -> Rooms: ...
    @property
    def policy(self) -> Policy: ...
    @property
    def memberships(self) -> Memberships: ...
    @property
    def cases(self) -> Cases: ...
    @property
    def slots(self) -> Slots: ...
    @property
    def bookings(self) -> Bookings: ...
    @property
    def waiting_list(self) -> WaitingList: ...
    @property
    def calendar_feeds(self) -> CalendarFeeds: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def inbox(self) -> Inbox: ...
    @property
    def devices(self) -> Devices: ...
    @property
    def alarms(self) -> Alarms: ...
    @property
    def leases(self) -> Leases: ...
    @property
    def audit(self) -> AuditTrail: ...
    @property
    def heartbeats(self) -> Heartbeats: ...


class Store(Protocol):
    """Opens transactions. A writing one is kept when its block ends well and undone when it raises."""

    def reading(self) -> AbstractContextManager[Transaction]: ...
    def writing(self) -> AbstractContextManager[Transaction]: ...
