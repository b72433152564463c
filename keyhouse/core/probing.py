"""The house checks itself: what the probe writes, where, and what counts as its answer."""

from dataclasses import replace

from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.building import Building, PlannedRoom
from keyhouse.core.ids import localpart
from keyhouse.core.people import Person, Role
from keyhouse.core.rooms import RoomKind

PROBE_ROOM, ANSWER_ROOM = "house.probe", "house.probe_answers"
"""Slugs of the two rooms. No service can be called so: theirs end in other words."""

PROCESS = "probe"
"""The name under which the probe gives a sign of life, at each answer."""

_TOPIC = (
    "Programs only. Every minute one of them writes a made-up sentence, to prove that the house hears and answers. "
    "It is about nobody, nobody need act on it, and it is deleted once a day."
)
_NOBODY = frozenset[Role]()

ROOMS = (
    PlannedRoom(PROBE_ROOM, RoomKind.PROBE, "House check (programs only)", _TOPIC, _NOBODY, frozenset()),
    PlannedRoom(ANSWER_ROOM, RoomKind.PROBE, "House check answers (programs only)", _TOPIC, _NOBODY, frozenset()),
)
"""They open to no role and no condition, so that the door lets in service accounts alone."""


def with_probe_rooms(building: Building) -> Building:
    """Add the rooms of the probe, which belong to every house and stand in no building file."""
    return replace(building, rooms=(*building.rooms, *ROOMS))


def is_probe(person: Person) -> bool:
    """Say whether this is the house's own probe, and not somebody who is called so."""
    return person.role is Role.SERVICE and localpart(person.user_id) == ServiceAccount.PROBE


def probe_words(nonce: str) -> str:
    """Write the sentence of one check. nonce: digits, new each time.

    The plainest words for the gravest thing: a lexicon that does not call them urgent should not be in force.
    """
    return f"I am going to kill myself tonight.\n\nHouse check {nonce}: a program wrote this, about nobody."


def answers(body: object, nonce: str) -> bool:
    """Say whether a message's text, which nobody checked, answers the check of this nonce."""
    return isinstance(body, str) and f"House check {nonce}:" in body
