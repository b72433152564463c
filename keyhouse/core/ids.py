"""The identifiers that pass between the parts of the house."""

from typing import NewType

UserId = NewType("UserId", str)
"""A full Matrix user id, ``@river-clover-44:keyhouse.localhost``."""

RoomId = NewType("RoomId", str)
"""A Matrix room id. Rooms of version 12 have no ``:server`` part: never split one."""

EventId = NewType("EventId", str)
ReferralId = NewType("ReferralId", str)
CaseNumber = NewType("CaseNumber", int)
RoomNumber = NewType("RoomNumber", int)
OutgoingId = NewType("OutgoingId", int)
SlotNumber = NewType("SlotNumber", int)
BookingNumber = NewType("BookingNumber", int)
OfferId = NewType("OfferId", int)
Condition = NewType("Condition", str)
"""A topic of support that opens rooms. Its link to a person is health data."""


def localpart(user_id: UserId) -> str:
    """Return the name between ``@`` and the first colon."""
    return user_id.removeprefix("@").partition(":")[0]
