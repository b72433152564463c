"""Bringing one of the house's own accounts to desks that were made before it."""

from keyhouse.core.memberships import Membership, MembershipState
from keyhouse.core.outgoing import OutgoingKind, Worker
from keyhouse.core.people import Role
from keyhouse.core.ports import Transaction
from keyhouse.core.workflows import sweep
from keyhouse.core.workflows.sweep import bring_to_desks
from keyhouse.storage.memory import MemoryStore
from tests.support.household import A_SECOND, NOW, desk, person, user

BOOKING = user("booking")


def house(desks: int, *, has_account: bool = True) -> MemoryStore:
    """A house with so many desks."""
    store = MemoryStore()
    with store.writing() as tx:
        if has_account:
            tx.people.add(person("booking", Role.SERVICE))
        for number in range(desks):
            tx.people.add(person(f"p{number:03}"))
            tx.rooms.put(desk(f"p{number:03}"))
    return store


def invited_to(tx: Transaction) -> list[object]:
    """Where it is to be invited."""
    rows = tx.outbox.due(Worker.ROOM_GATEKEEPER, NOW, 999)
    return [row.content["room_id"] for row in rows if row.kind is OutgoingKind.INVITATION]


def test_it_is_invited_to_every_desk_that_is_without_it_once() -> None:
    with house(3).writing() as tx:
        tx.memberships.observe([Membership(desk("p001").room_id, BOOKING, MembershipState.JOINED, NOW)])

        decided = [bring_to_desks(tx, BOOKING, NOW), bring_to_desks(tx, BOOKING, NOW + A_SECOND)]

        assert decided == [2, 0]
        assert invited_to(tx) == ["!desk-p000", "!desk-p002"]


def test_what_was_done_and_did_not_last_is_decided_again() -> None:
    with house(1).writing() as tx:
        bring_to_desks(tx, BOOKING, NOW)
        (row,) = tx.outbox.due(Worker.ROOM_GATEKEEPER, NOW, 9)
        tx.outbox.done(row.id, NOW)

        assert bring_to_desks(tx, BOOKING, NOW) == 1


def test_a_house_with_many_desks_is_furnished_in_steps() -> None:
    with house(sweep.DESKS_AT_ONCE + 1).writing() as tx:
        assert bring_to_desks(tx, BOOKING, NOW) == sweep.DESKS_AT_ONCE


def test_an_account_that_the_house_does_not_have_is_brought_nowhere() -> None:
    with house(1, has_account=False).writing() as tx:
        assert bring_to_desks(tx, BOOKING, NOW) == 0
        assert invited_to(tx) == []
