"""The concierge's sweep against a real Synapse."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bots.room_gatekeeper.doing import Doing
from bots.room_gatekeeper.sweeping import Sweep
from bots.runtime.errors import MatrixRefused
from bots.runtime.ledger import Ledger
from bots.runtime.received import MemberChanged
from bots.runtime.surroundings import Surroundings
from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.memberships import ANSWERED_WITHIN, Membership, MembershipState
from keyhouse.core.outgoing import Worker
from keyhouse.core.people import Key, Person, PersonState, Role
from keyhouse.core.ports import Transaction
from keyhouse.core.rooms import RoomKind, RoomScope
from keyhouse.core.signposting import Signposting
from keyhouse.core.workflows.housekeeping import observe_change
from keyhouse.settings.house import HouseSettings
from keyhouse.storage.memory import MemoryStore
from tests.bots.conftest import People
from tests.bots.living import LivingBot
from tests.support.fresh import fresh_name
from tests.support.household import ANOREXIA, NOW
from tests.support.synapse import RunningSynapse

INVITED = MembershipState.INVITED


class SweptHouse:
    """A house kept in memory, around a bot that runs."""

    def __init__(self, bot: LivingBot) -> None:
        self.bot = bot
        self.ledger = Ledger(MemoryStore(), Worker.ROOM_GATEKEEPER)
        settings = HouseSettings(
            server_name=bot.user_id.partition(":")[2],
            homeserver="http://127.0.0.1:1",
            front_door="http://127.0.0.1:1",
            database="sqlite:///nowhere.db",
            config=Path(),
        )
        around = Surroundings(settings, self.ledger, bot.client.sending, UserId(bot.user_id), lambda: NOW)
        self.sweep = Sweep(around)
        self._doing = Doing(around, Signposting((), NOW.date(), NOW.date()), "")

    async def living_room_for(self, user_id: UserId) -> RoomId:
        """Make a living room that the person's key opens, and invite the person."""
        room_id = RoomId(await self.bot.client.sending.create_room({"preset": "private_chat"}, "room"))
        scope = RoomScope(
            room_id, "willow", RoomKind.LIVING_ROOM, "Willow", frozenset({Role.PATIENT}), frozenset({ANOREXIA})
        )

        def keep(tx: Transaction) -> None:
            tx.rooms.put(scope)
            tx.people.add(Person(user_id, Role.PATIENT, PersonState.ACTIVE, "river", NOW))
            tx.people.grant(Key(user_id, ANOREXIA, "test", NOW))
            tx.rooms.put(RoomScope(RoomId("!desk"), "desk", RoomKind.DESK, "Desk", members=frozenset({user_id})))
            tx.memberships.observe([Membership(RoomId("!desk"), user_id, MembershipState.JOINED, NOW)])
            tx.memberships.observe([Membership(room_id, user_id, INVITED, NOW - ANSWERED_WITHIN)])

        await self.ledger.write(keep)
        await self.bot.client.sending.invite(room_id, user_id)
        return room_id

    async def do_all(self) -> int:
        """Do everything that was decided; return how much it was."""
        rows = await self.ledger.read(lambda tx: tx.outbox.due(Worker.ROOM_GATEKEEPER, NOW, 9))
        for row in rows:
            await self._doing.do(row)
        return len(rows)

    async def hear_of(self, user_id: UserId, room_id: RoomId) -> None:
        """Take in the last that the stream told of this person's membership, as the concierge does."""
        changes = [event for event in self.bot.seen.events if isinstance(event, MemberChanged)]
        last = [each for each in changes if (each.user_id, each.room_id) == (user_id, room_id)][-1]
        sender, membership = UserId(last.sender), last.membership
        await self.ledger.write(lambda tx: observe_change(tx, room_id, user_id, sender, membership, NOW))

    def seen_of(self, user_id: UserId, room_id: RoomId) -> list[str]:
        """What happened to this person's membership, as the stream told it."""
        changes = [event for event in self.bot.seen.events if isinstance(event, MemberChanged)]
        return [each.membership for each in changes if (each.user_id, each.room_id) == (user_id, room_id)]


@pytest_asyncio.fixture(loop_scope="session")
async def house(bot: LivingBot) -> AsyncIterator[SweptHouse]:
    """A house of which this bot is the concierge."""
    house = SweptHouse(bot)
    yield house
    house.ledger.close()


async def somebody_who_does_not_answer(synapse: RunningSynapse) -> UserId:
    """Make an account that is locked: Synapse accepts no invitation for it."""
    admin = await synapse.register(fresh_name("admin"), "password", admin=True)
    river = await synapse.register(fresh_name("river"), "password")
    await synapse.ask("PUT", f"/_synapse/admin/v2/users/{river.user_id}", admin.access_token, {"locked": True})
    return UserId(river.user_id)


async def test_an_invitation_that_nobody_answered_is_withdrawn_and_sent_anew(
    house: SweptHouse, synapse: RunningSynapse
) -> None:
    river = await somebody_who_does_not_answer(synapse)
    room_id = await house.living_room_for(river)

    await house.sweep.once()
    done = await house.do_all()

    assert (done, house.sweep.counters["sweep_invitations"], house.sweep.counters["sweep_removals"]) == (1, 1, 0)
    await house.bot.seen.until(lambda: house.seen_of(river, room_id) == ["invite", "leave", "invite"])


async def test_who_has_come_in_meanwhile_is_left_alone(house: SweptHouse, person: People) -> None:
    river = await person()
    room_id = await house.living_room_for(UserId(river.user_id))
    await house.sweep.once()
    await river.join(room_id)

    done = await house.do_all()

    assert done == 1
    now = await house.bot.client.sending.get_state(room_id, "m.room.member", river.user_id)
    assert now is not None
    assert now["membership"] == "join"
    await house.bot.seen.until(lambda: house.seen_of(UserId(river.user_id), room_id) == ["invite", "join"])


async def test_who_came_in_and_has_no_key_any_more_is_out_as_soon_as_it_is_heard(
    house: SweptHouse, person: People
) -> None:
    # This homeserver has no door: it stands for one whose door was asked a moment before the key was taken.
    river = await person()
    user_id = UserId(river.user_id)
    room_id = await house.living_room_for(user_id)
    await river.join(room_id)
    await house.bot.seen.until(lambda: house.seen_of(user_id, room_id) == ["invite", "join"])
    await house.ledger.write(lambda tx: tx.people.revoke(user_id, ANOREXIA, NOW))

    await house.hear_of(user_id, room_id)
    done = await house.do_all()

    assert (done, house.sweep.counters["sweeps"]) == (1, 0)
    await house.bot.seen.until(lambda: house.seen_of(user_id, room_id) == ["invite", "join", "leave"])


async def test_who_came_in_by_a_key_is_left_alone_when_it_is_heard(house: SweptHouse, person: People) -> None:
    river = await person()
    user_id = UserId(river.user_id)
    room_id = await house.living_room_for(user_id)
    await river.join(room_id)
    await house.bot.seen.until(lambda: house.seen_of(user_id, room_id) == ["invite", "join"])

    await house.hear_of(user_id, room_id)

    assert await house.do_all() == 0


async def test_a_removal_that_the_homeserver_refuses_for_who_is_inside_is_tried_again(
    house: SweptHouse, person: People
) -> None:
    river = await person()
    user_id = UserId(river.user_id)
    room_id = await house.living_room_for(user_id)
    await river.join(room_id)
    await house.bot.seen.until(lambda: house.seen_of(user_id, room_id) == ["invite", "join"])
    await house.ledger.write(lambda tx: tx.people.revoke(user_id, ANOREXIA, NOW))
    await house.hear_of(user_id, room_id)
    await house.bot.client.sending.leave(room_id)

    with pytest.raises(MatrixRefused, match="M_FORBIDDEN"):
        await house.do_all()


async def test_a_removal_of_who_is_out_already_is_done(house: SweptHouse, person: People) -> None:
    river = await person()
    user_id = UserId(river.user_id)
    room_id = await house.living_room_for(user_id)
    await river.join(room_id)
    await house.bot.seen.until(lambda: house.seen_of(user_id, room_id) == ["invite", "join"])
    await house.ledger.write(lambda tx: tx.people.revoke(user_id, ANOREXIA, NOW))
    await house.hear_of(user_id, room_id)
    await river.leave(room_id)

    assert await house.do_all() == 1
