"""Whoever has not left yet is not let in; the invitation waits, and is not lost."""

from datetime import UTC, datetime

from keyhouse.core.ids import UserId
from keyhouse.core.outgoing import OutgoingKind, Worker
from keyhouse.core.workflows.moves import invitation, removal
from tests.support.concierge import RunningConcierge
from tests.support.eventually import eventually
from tests.support.fresh import fresh_name
from tests.support.house_with_door import ROWAN, WILLOW, House
from tests.support.synapse import Account


async def test_an_invitation_into_the_new_room_waits_until_the_person_is_out_of_the_old_one(
    concierge: RunningConcierge,
) -> None:
    house = concierge.house
    person = await house.person(WILLOW)
    old, new = await house.room_with(person), await house.room(ROWAN)
    user_id, now, cause = UserId(person.user_id), datetime.now(UTC), fresh_name("cause")
    house.revoke_key(person, WILLOW)
    house.grant_key(person, ROWAN)

    house.write(lambda tx: tx.outbox.add(invitation(user_id, new, cause, now), now))
    await eventually(lambda: _was_refused(house, person))
    before = await house.membership(new, person)
    house.write(lambda tx: tx.outbox.add(removal(user_id, old, cause, now), now))

    await house.left(old, person)
    await house.joined(new, person)
    assert before is None


async def _was_refused(house: House, person: Account) -> bool:
    later = datetime.max.replace(tzinfo=UTC)
    undone = house.read(lambda tx: tx.outbox.due(Worker.ROOM_GATEKEEPER, later, 1000))
    invitations = [row for row in undone if row.kind is OutgoingKind.INVITATION]
    return any(row.tries > 0 for row in invitations if row.content["person"] == person.user_id)
