"""Accounts that are renamed and closed in a test: what is still to do, and what the others and Synapse know of them."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from keyhouse.core.alerts import Alert
from keyhouse.core.ids import EventId, RoomId, UserId
from keyhouse.core.outgoing import Outgoing, OutgoingKind, Worker
from keyhouse.core.rooms import RoomKind, RoomScope
from keyhouse.core.urgency import Urgency
from keyhouse.core.workflows.alerting import raise_alert
from tests.support.eventually import eventually
from tests.support.fresh import fresh_name
from tests.support.house_with_door import CLIENT, PASSWORD, WILLOW, House
from tests.support.synapse import Account, Answer


@asynccontextmanager
async def redacting_concierge(house: House) -> AsyncIterator[None]:
    """Redact what is decided to be redacted, as the concierge does, until the end of the block; a fault fails there."""
    task = asyncio.create_task(_redact(house))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _redact(house: House) -> None:
    while True:
        # By lanes, as the concierge looks: tests before this one left thousands of older rows that nobody does.
        rows = house.read(lambda tx: tx.outbox.ready(Worker.ROOM_GATEKEEPER, datetime.now(UTC), 100_000))
        for row in rows:
            if row.kind is OutgoingKind.REDACTION:
                path = f"{CLIENT}/rooms/{row.content['room_id']}/redact/{row.content['event_id']}/{row.txn_id}"
                await house.synapse.ask("PUT", path, house.concierge.access_token, {})
                house.write(lambda tx, row=row: tx.outbox.done(row.id, datetime.now(UTC)))
        await asyncio.sleep(0.1)


async def said(house: House, by: Account, room: RoomId) -> str:
    """Have somebody say something; the event's id."""
    answer = await house.say(by, room, "my own words")
    assert answer.status == 200, answer
    return str(answer.body["event_id"])


async def may_say_much(house: House, person: Account) -> None:
    """Let somebody write as fast as a test can; people here may send forty messages at once."""
    path = f"/_synapse/admin/v1/users/{person.user_id}/override_ratelimit"
    unlimited = {"messages_per_second": 0, "burst_count": 0}
    await house.synapse.ask("POST", path, house.caretaker.access_token, unlimited)


async def alerted(house: House) -> tuple[Account, RoomId, str]:
    """Have somebody write what makes an open case; who, where, and the event."""
    person = await house.person(WILLOW)
    room = await house.room_with(person)
    event = await said(house, person, room)
    care = RoomScope(RoomId(f"!{fresh_name('care')}"), fresh_name("care"), RoomKind.CARE, "Care", service="willow")
    alert = Alert(EventId(event), room, UserId(person.user_id), Urgency.CONCERN, "suicide", ("r",), datetime.now(UTC))
    house.write(lambda tx: tx.rooms.put(care))
    house.write(lambda tx: raise_alert(tx, alert, "words", datetime.now(UTC)))
    return person, room, event


async def done(house: House, kind: OutgoingKind, person: Account) -> None:
    """Wait until the caretaker has done what was decided about an account."""

    async def is_done() -> bool:
        return not to_do(house, kind, person)

    await eventually(is_done)


async def waits(house: House, kind: OutgoingKind, person: Account) -> None:
    """Wait until the caretaker has looked at what was decided about an account, and will look again much later."""

    async def is_put_off() -> bool:
        return any(row.due_at > datetime.now(UTC) + timedelta(minutes=5) for row in to_do(house, kind, person))

    await eventually(is_put_off)


def to_do(house: House, kind: OutgoingKind, person: Account) -> list[Outgoing]:
    """What was decided about an account and is still to do."""
    rows = house.read(lambda tx: tx.outbox.due(Worker.CARETAKER, datetime.max.replace(tzinfo=UTC), 1000))
    return [row for row in rows if row.kind is kind and row.content["person"] == person.user_id]


async def try_to_log_in(house: House, person: Account) -> Answer:
    """Try to log in by the account's password."""
    identifier = {"type": "m.id.user", "user": person.user_id}
    body = {"type": "m.login.password", "identifier": identifier, "password": PASSWORD}
    return await house.synapse.request("POST", f"{CLIENT}/login", body=body)


async def close_in_app(house: House, person: Account) -> Answer:
    """Try to close one's own account, as any app offers it."""
    identifier = {"type": "m.id.user", "user": person.user_id}
    auth = {"type": "m.login.password", "identifier": identifier, "password": PASSWORD}
    at = f"{CLIENT}/account/deactivate"
    begun = await house.synapse.request("POST", at, person.access_token, {})
    body = {"auth": {**auth, "session": begun.body["session"]}, "erase": False}
    return await house.synapse.request("POST", at, person.access_token, body)


async def name_in(house: House, room: RoomId, person: Account) -> Any:
    """Under which name somebody stands in a room, as the concierge sees it."""
    path = f"{CLIENT}/rooms/{room}/state/m.room.member/{person.user_id}"
    return (await house.synapse.request("GET", path, house.concierge.access_token)).body.get("displayname")


def name_of(house: House, person: Account) -> str:
    """Under which name the house keeps somebody."""
    known = house.read(lambda tx: tx.people.get(UserId(person.user_id)))
    assert known is not None
    return known.name


async def is_taken_back(house: House, room: RoomId, event_id: str) -> bool:
    """Whether nothing is left of what an event said."""
    return not await house.kept_content(room, event_id)


def stands_in_chain(door_folder: Path, person: Account) -> bool:
    """Whether the audit chain leads to somebody."""
    with closing(sqlite3.connect(door_folder / "house.db")) as database:
        keys = database.execute("SELECT 1 FROM audit_person_key WHERE person = ?", (person.user_id,))
        return keys.fetchone() is not None
