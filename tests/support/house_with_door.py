"""A house in small for tests: a Synapse with our door, our own database beside it, and whoever a test needs."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from keyhouse.core.codes import hash_code, make_code, read_code
from keyhouse.core.ids import Condition, ReferralId, RoomId, UserId, localpart
from keyhouse.core.outgoing import OutgoingKind, Worker
from keyhouse.core.people import Key, PersonState, Role
from keyhouse.core.ports import Store, Transaction
from keyhouse.core.referrals import Referral
from keyhouse.core.rooms import RoomKind, RoomScope
from keyhouse.core.workflows.agreeing import agree
from keyhouse.core.workflows.registration import Draws, ReferralRequest, issue
from keyhouse.core.workflows.team import reserve
from tests.support.fresh import fresh_name
from tests.support.synapse import Account, Answer, RunningSynapse

CLIENT = "/_matrix/client/v3"
WILLOW = Condition("willow")
ROWAN = Condition("rowan")
PASSWORD = "correct horse battery staple"
NO_GUESTS = [{"type": "m.room.guest_access", "content": {"guest_access": "forbidden"}}]
SEEN_WITHIN_S = 20.0

T = TypeVar("T")


@dataclass(frozen=True)
class Paper:
    """What the team hands out: the code, and what the house keeps of it."""

    code: str
    referral: Referral

    @property
    def pseudonym(self) -> str:
        """The name that the account will have."""
        return self.referral.pseudonym


@dataclass(frozen=True)
class House:
    """The running house. concierge and owner are service accounts; caretaker is one that is server admin as well."""

    synapse: RunningSynapse
    store: Store
    code_key: bytes
    concierge: Account
    owner: Account
    caretaker: Account

    # Papers and accounts

    def issue(self, *conditions: Condition, role: Role = Role.PATIENT, lasts: timedelta = timedelta(days=7)) -> Paper:
        """Issue a referral; without conditions it is for WILLOW."""
        code = make_code(secrets.token_bytes(17))
        symbols = read_code(code)
        assert symbols is not None
        draws = Draws(ReferralId(secrets.token_hex(8)), fresh_name("fern"), hash_code(symbols, self.code_key))
        now = datetime.now(UTC)
        held = frozenset(conditions or {WILLOW})
        request = ReferralRequest(role, held, now + lasts, "host", "R 17")
        referral = self.write(lambda tx: issue(tx, request, draws, frozenset({WILLOW, ROWAN}), frozenset(), now))
        assert isinstance(referral, Referral)
        return Paper(code, referral)

    async def session(self, **more: Any) -> str:
        """Begin a registration; more: fields of its first request."""
        begun = await self.synapse.request("POST", f"{CLIENT}/register", body={"password": PASSWORD, **more})
        assert begun.status == 401, begun
        return str(begun.body["session"])

    async def present(self, session: str, code: object, **more: Any) -> Answer:
        """Present a code in a registration that was begun."""
        auth = {"type": "m.login.registration_token", "token": code, "session": session}
        return await self.synapse.request(
            "POST", f"{CLIENT}/register", body={"password": PASSWORD, **more, "auth": auth}
        )

    async def finish(self, session: str, **more: Any) -> Answer:
        """Take the last step of a registration, after the code."""
        auth = {"type": "m.login.dummy", "session": session}
        return await self.synapse.request(
            "POST", f"{CLIENT}/register", body={"password": PASSWORD, **more, "auth": auth}
        )

    async def register(self, code: object, **more: Any) -> Answer:
        """Register as any client does; the answer of the first step that was refused, or of the last one."""
        session = await self.session(**more)
        presented = await self.present(session, code, **more)
        return presented if presented.errcode else await self.finish(session, **more)

    async def person(self, *conditions: Condition, role: Role = Role.PATIENT, agrees: bool = True) -> Account:
        """Let somebody in by a code; without conditions with a key for WILLOW. agrees: to the rules of the house."""
        answer = await self.register(self.issue(*conditions, role=role).code)
        assert answer.status == 200, answer
        if agrees:
            self.agree(answer.body["user_id"])
        return Account(answer.body["user_id"], answer.body["device_id"], answer.body["access_token"], PASSWORD)

    async def make_server_admin(self, account: Account) -> None:
        """Make somebody server admin, as a careless operator would."""
        path = f"/_synapse/admin/v1/users/{account.user_id}/admin"
        await self.synapse.ask("PUT", path, self.caretaker.access_token, {"admin": True})

    async def colleague(self, role: Role) -> Account:
        """Make a reserved account of the team."""
        name = fresh_name("colleague")
        self.reserve(name, role)
        return await self.synapse.register(name, PASSWORD)

    # Rooms

    async def unscoped_room(self, *invited: Account, **more: Any) -> RoomId:
        """Have the concierge make a room that the house does not know."""
        invites = [one.user_id for one in invited]
        body = {"preset": "private_chat", "initial_state": NO_GUESTS, "invite": invites, **more}
        made = await self.synapse.ask("POST", f"{CLIENT}/createRoom", self.concierge.access_token, body)
        return RoomId(made["room_id"])

    async def room(self, *conditions: Condition, kind: RoomKind = RoomKind.LIVING_ROOM, **more: Any) -> RoomId:
        """Have the concierge make a room for patients of these conditions; without any it is for WILLOW."""
        room = await self.unscoped_room(**more)
        opened_by = frozenset({Role.PATIENT}), frozenset(conditions or {WILLOW})
        scope = RoomScope(room, fresh_name("room"), kind, "The Fern room", *opened_by)
        self.write(lambda tx: tx.rooms.put(scope))
        return room

    async def desk(self, person: Account) -> RoomId:
        """Have the concierge make somebody's desk room."""
        return await self.personal(RoomKind.DESK, person)

    async def personal(self, kind: RoomKind, *people: Account) -> RoomId:
        """Have the concierge make a room of a kind that is opened by being named."""
        room = await self.unscoped_room()
        members = frozenset(UserId(one.user_id) for one in people)
        scope = RoomScope(room, fresh_name(kind), kind, "The Moss room", members=members)
        self.write(lambda tx: tx.rooms.put(scope))
        return room

    def admit(self, room: RoomId, role: Role) -> None:
        """Open a room to one more role."""
        with self.store.writing() as tx:
            scope = tx.rooms.get(room)
            assert scope is not None
            tx.rooms.put(replace(scope, roles=scope.roles | {role}))

    def open_like(self, room: RoomId, other: RoomId) -> None:
        """Open a room to whom another is open."""
        with self.store.writing() as tx:
            scope = tx.rooms.get(other)
            assert scope is not None
            tx.rooms.put(replace(scope, room_id=room, slug=fresh_name("room")))

    async def room_with(self, *people: Account) -> RoomId:
        """Make a WILLOW room in which these people are."""
        return await self.moved_into(await self.room(), *people)

    async def moved_into(self, room: RoomId, *people: Account) -> RoomId:
        """Have these people in a room, and give it back."""
        for one in people:
            await self.invite(one, room)
        await self.joined(room, *people)
        return room

    async def invite(self, guest: Account, room: RoomId, by: Account | None = None) -> Answer:
        """Invite somebody, as the concierge if nobody else is named."""
        by = by or self.concierge
        return await self.synapse.request(
            "POST", f"{CLIENT}/rooms/{room}/invite", by.access_token, {"user_id": guest.user_id}
        )

    async def join(self, person: Account, room: RoomId) -> Answer:
        """Try to join by the room's id."""
        return await self.synapse.request("POST", f"{CLIENT}/join/{room}", person.access_token, {})

    async def send_state(self, by: Account, room: RoomId, type: str, content: dict[str, Any], key: str = "") -> Answer:
        """Try to change the room."""
        return await self.synapse.request("PUT", f"{CLIENT}/rooms/{room}/state/{type}/{key}", by.access_token, content)

    async def say(self, by: Account, room: RoomId, words: str = "hello") -> Answer:
        """Try to say something."""
        return await self.send(by, room, "m.room.message", {"msgtype": "m.text", "body": words})

    async def send(self, by: Account, room: RoomId, type: str, content: Mapping[str, Any]) -> Answer:
        """Try to send an event that changes no state."""
        path = f"{CLIENT}/rooms/{room}/send/{type}/{fresh_name('txn')}"
        return await self.synapse.request("PUT", path, by.access_token, content)

    async def kept_content(self, room: RoomId, event_id: str) -> dict[str, Any]:
        """What Synapse keeps of an event's content, as the concierge sees it."""
        path = f"{CLIENT}/rooms/{room}/event/{event_id}"
        kept: dict[str, Any] = (await self.synapse.ask("GET", path, self.concierge.access_token))["content"]
        return kept

    async def membership(self, room: RoomId, person: Account) -> str | None:
        """What the concierge sees of somebody's membership; None if there never was one."""
        path = f"{CLIENT}/rooms/{room}/state/m.room.member/{person.user_id}"
        return (await self.synapse.request("GET", path, self.concierge.access_token)).body.get("membership")

    async def joined(self, room: RoomId, *people: Account) -> None:
        """Wait until all of these people are in the room, by the concierge's own sync."""
        await self._seen(room, "join", *people)

    async def left(self, room: RoomId, *people: Account) -> None:
        """Wait until none of these people is in the room any more."""
        await self._seen(room, "leave", *people)

    async def _seen(self, room: RoomId, membership: str, *people: Account) -> None:
        missing = {one.user_id for one in people}
        filtered = f'{{"room":{{"rooms":["{room}"],"timeline":{{"limit":200}}}}}}'
        since = ""
        async with asyncio.timeout(SEEN_WITHIN_S):
            while missing:
                path = f"{CLIENT}/sync?timeout=5000&filter={filtered}{since}"
                seen = await self.synapse.ask("GET", path, self.concierge.access_token)
                since = f"&since={seen['next_batch']}"
                missing -= _with_membership(seen.get("rooms", {}).get("join", {}).get(room, {}), membership)

    async def lift_limits_of(self, account: Account) -> None:
        """Let an account write as fast as a test can."""
        path = f"/_synapse/admin/v1/users/{account.user_id}/override_ratelimit"
        limits = {"messages_per_second": 0, "burst_count": 0}
        await self.synapse.ask("POST", path, self.caretaker.access_token, limits)

    # The store, as another process of the house uses it

    def write(self, act: Callable[[Transaction], T]) -> T:
        """Do something in our own database."""
        with self.store.writing() as tx:
            return act(tx)

    def read(self, ask: Callable[[Transaction], T]) -> T:
        """Look something up in our own database."""
        with self.store.reading() as tx:
            return ask(tx)

    def agree(self, user_id: str) -> None:
        """Have somebody agree to the rules of the house."""
        self.write(lambda tx: agree(tx, UserId(user_id), 1, datetime.now(UTC)))

    def put_state(self, person: Account, state: PersonState) -> None:
        """Pause somebody, or the like."""
        with self.store.writing() as tx:
            known = tx.people.get(UserId(person.user_id))
            assert known is not None
            tx.people.update(replace(known, state=state))

    def told_unsent(self, person: Account) -> list[str]:
        """For which reasons the concierge is to tell somebody that a message did not go out, oldest first."""
        due = self.read(lambda tx: tx.outbox.due(Worker.ROOM_GATEKEEPER, datetime.now(UTC), 100_000))
        unsent = [row.content for row in due if row.kind is OutgoingKind.UNSENT]
        return [str(told["reason"]) for told in unsent if told["person"] == person.user_id]

    def revoke_key(self, person: Account, condition: Condition = WILLOW) -> None:
        """Take somebody's key away, as the command line does."""
        self.write(lambda tx: tx.people.revoke(UserId(person.user_id), condition, datetime.now(UTC)))

    def grant_key(self, person: Account, condition: Condition, expires_at: datetime | None = None) -> None:
        """Give somebody a key."""
        key = Key(UserId(person.user_id), condition, "test", datetime.now(UTC), expires_at)
        self.write(lambda tx: tx.people.grant(key))

    def reserve(self, name: str, role: Role) -> None:
        """Reserve an account of the team or the house."""
        reserve_account(self.store, UserId(f"@{name}:{self.synapse.server_name}"), role)

    def withdraw(self, paper: Paper) -> None:
        """Revoke a referral."""
        self.write(lambda tx: tx.referrals.update(replace(paper.referral, revoked_at=datetime.now(UTC))))


def reserve_account(store: Store, user_id: UserId, role: Role) -> None:
    """Reserve an account before it is made, under its own localpart."""
    with store.writing() as tx:
        reserve(tx, user_id, role, localpart(user_id), "host", datetime.now(UTC))


def _with_membership(room: dict[str, Any], membership: str) -> set[str]:
    events = [*room.get("state", {}).get("events", []), *room.get("timeline", {}).get("events", [])]
    return {
        event["state_key"]
        for event in events
        if event["type"] == "m.room.member" and event["content"]["membership"] == membership
    }
