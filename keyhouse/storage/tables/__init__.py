"""The tables. Rows never leave `keyhouse.storage`.

Every index is there for a query: see the test that asks SQLite for the plan of each.
"""

from keyhouse.storage.tables.audit import audit_anchor, audit_entry, audit_person_key
from keyhouse.storage.tables.booking import (
    booking,
    booking_event,
    calendar_feed,
    slot,
    slot_condition,
    slot_offer,
    waiting,
)
from keyhouse.storage.tables.cases import alert, care_case
from keyhouse.storage.tables.inbox import bot_device, incoming
from keyhouse.storage.tables.names import metadata
from keyhouse.storage.tables.people import person, person_key, referral
from keyhouse.storage.tables.policy import policy
from keyhouse.storage.tables.rooms import membership, room, room_condition, room_member, room_number, room_role
from keyhouse.storage.tables.work import alarm, heartbeat, lease, outgoing

__all__ = [
    "alarm",
    "alert",
    "audit_anchor",
    "audit_entry",
    "audit_person_key",
    "booking",
    "booking_event",
    "bot_device",
    "calendar_feed",
    "care_case",
    "heartbeat",
    "incoming",
    "lease",
    "membership",
    "metadata",
    "outgoing",
    "person",
    "person_key",
    "policy",
    "referral",
    "room",
    "room_condition",
    "room_member",
    "room_number",
    "room_role",
    "slot",
    "slot_condition",
    "slot_offer",
    "waiting",
]
