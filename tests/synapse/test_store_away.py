"""When our own database is away: nobody enters, who is inside may speak, and what was cut off is made good."""

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from keyhouse.core.ids import UserId
from keyhouse.core.people import held
from keyhouse.core.sentences import error_code, sentence
from keyhouse.core.verdict import Reason
from tests.support.account_changes import close_in_app
from tests.support.eventually import eventually
from tests.support.house_with_door import CLIENT, WILLOW, House, Paper
from tests.synapse.test_closing import GONE, state_of
from tests.synapse.test_entry import refused
from tests.synapse.test_speaking import obeyed, told

SOON_S = 20.0
EVERYTHING = ("person", "referral", "room", "policy")


@contextmanager
def away(folder: Path, *tables: str) -> Iterator[sqlite3.Connection]:
    """Take tables away from under everybody's hands, and put them back."""
    with _connected(folder) as database:
        database.execute("PRAGMA legacy_alter_table = ON")
        for table in tables:
            database.execute(f"ALTER TABLE {table} RENAME TO {table}_away")
        try:
            yield database
        finally:
            for table in tables:
                database.execute(f"ALTER TABLE {table}_away RENAME TO {table}")


@contextmanager
def _connected(folder: Path) -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(folder / "house.db", isolation_level=None, timeout=10)
    try:
        yield database
    finally:
        database.close()


async def moved_in(house: House, user_id: str) -> None:
    """Wait until the person has the key of the referral."""
    deadline = time.monotonic() + SOON_S
    while held(house.read(lambda tx: tx.people.keys(UserId(user_id))), datetime.now(UTC)) != {WILLOW}:
        assert time.monotonic() < deadline, "the referral was not redeemed"
        await asyncio.sleep(0.05)


def _redeemed_at(house: House, paper: Paper) -> datetime | None:
    referral = house.read(lambda tx: tx.referrals.get(paper.referral.id))
    assert referral is not None
    return referral.redeemed_at


async def test_without_the_store_nobody_enters_and_everybody_may_speak(house: House, door_folder: Path) -> None:
    person, guest = await house.person(WILLOW), await house.person(WILLOW)
    room, next_room = await house.room_with(person), await house.room(WILLOW)
    assert (await house.say(person, room)).status == 200

    with away(door_folder, *EVERYTHING):
        entering = await house.join(person, next_room)
        inviting = await house.invite(guest, room)
        changing = await house.send_state(house.concierge, room, "m.room.name", {"name": "The Fern room"})
        speaking = await house.say(person, room)
        leaving = await house.synapse.request("POST", f"{CLIENT}/rooms/{room}/leave", person.access_token, {})

    for answer in (entering, inviting, changing):
        assert refused(answer, Reason.STORE_AWAY)
    assert (speaking.status, leaving.status) == (200, 200)
    assert (await house.invite(person, next_room)).status == 200


async def test_without_the_store_what_was_known_last_stays_in_force_and_is_told_at_the_desk_later(
    house: House, door_folder: Path
) -> None:
    person = await house.person(WILLOW, agrees=False)
    room = await house.room_with(person)
    desk = await house.moved_into(await house.desk(person), person)
    assert refused(await house.say(person, room), Reason.RULES_NOT_AGREED)
    assert (await house.say(person, desk)).status == 200

    with away(door_folder, *EVERYTHING, "outgoing"):
        assert refused(await house.say(person, room), Reason.RULES_NOT_AGREED)
        assert refused(await house.send(person, desk, "m.sticker", {"body": "x"}), Reason.NOT_CARRIED)
        assert (await house.say(person, desk)).status == 200

    assert set(await told(house, person, 2)) == {"rules_not_agreed", "not_carried"}


async def test_a_synapse_that_has_never_seen_the_store_lets_words_through_and_nobody_in(
    house: House, door_folder: Path
) -> None:
    person = await house.person(WILLOW, agrees=False)
    room, next_room = await house.room_with(person), await house.room(WILLOW)

    with away(door_folder, *EVERYTHING):
        await house.synapse.kill()
        await house.synapse.start()
        assert (await house.say(person, room)).status == 200
        assert (await house.say(house.concierge, room)).status == 200
        assert refused(await house.send(person, room, "m.sticker", {"body": "x"}), Reason.NOT_CARRIED)
        assert refused(await house.join(person, next_room), Reason.STORE_AWAY)

    await obeyed(house, person, room)
    assert refused(await house.say(person, room), Reason.RULES_NOT_AGREED)


async def test_without_the_store_a_code_is_not_called_unknown(house: House, door_folder: Path) -> None:
    paper = house.issue(WILLOW)
    before_code, after_code = await house.session(), await house.session()
    assert (await house.present(after_code, paper.code)).errcode is None

    with away(door_folder, "person", "referral"):
        presented = await house.present(before_code, paper.code)
        finished = await house.finish(after_code)

    assert (presented.status, presented.errcode) == (401, error_code(Reason.STORE_AWAY))
    assert presented.body["error"] == sentence(Reason.STORE_AWAY)
    assert refused(finished, Reason.STORE_AWAY)
    assert (await house.finish(after_code)).status == 200


async def test_a_redemption_that_could_not_be_kept_is_kept_when_the_store_is_back_although_the_code_has_run_out(
    house: House, door_folder: Path
) -> None:
    paper = house.issue(WILLOW)

    with away(door_folder, "person") as database:
        answer = await house.register(paper.code)
        assert answer.status == 200, answer
        assert _redeemed_at(house, paper) is None
        run_out = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"
        database.execute("UPDATE referral SET expires_at = ? WHERE id = ?", [run_out, paper.referral.id])

    await moved_in(house, answer.body["user_id"])


async def test_a_redemption_that_died_with_synapse_is_kept_when_synapse_starts_again(
    house: House, door_folder: Path
) -> None:
    paper = house.issue(WILLOW)

    with away(door_folder, "person"):
        answer = await house.register(paper.code)
        assert answer.status == 200, answer
        assert _redeemed_at(house, paper) is None
        await house.synapse.kill()
    await house.synapse.start()

    await moved_in(house, answer.body["user_id"])


async def test_a_code_whose_account_was_made_but_not_redeemed_yet_counts_as_used(
    house: House, door_folder: Path
) -> None:
    paper = house.issue(WILLOW)
    slow = await house.session()
    assert (await house.present(slow, paper.code)).errcode is None

    with away(door_folder, "person"):
        assert (await house.register(paper.code)).status == 200
        again = await house.finish(slow)

    assert refused(again, Reason.CODE_USED)


async def test_somebody_without_keys_gets_those_of_the_referral_at_the_next_login(
    house: House, door_folder: Path
) -> None:
    person = await house.person(WILLOW)
    with _connected(door_folder) as database:
        name = person.user_id[1:].split(":")[0]
        database.execute("DELETE FROM person_key WHERE person = ?", [person.user_id])
        database.execute("DELETE FROM person WHERE user_id = ?", [person.user_id])
        database.execute("DELETE FROM outgoing WHERE sealed IS NOT NULL")
        database.execute("UPDATE referral SET redeemed_at = NULL, redeemed_by = NULL WHERE pseudonym = ?", [name])
    room = await house.room(WILLOW)
    assert refused(await house.join(person, room), Reason.UNKNOWN_PERSON)

    await house.synapse.log_in(person.user_id, person.password)

    await moved_in(house, person.user_id)
    assert (await house.invite(person, room)).status == 200


async def test_an_account_that_is_closed_while_the_store_is_away_is_closed_when_it_is_back(
    house: House, door_folder: Path
) -> None:
    leaver = await house.person(WILLOW)

    with away(door_folder, "person"):
        assert (await close_in_app(house, leaver)).status == 200

    async def is_gone() -> bool:
        return state_of(house, leaver) == GONE

    await eventually(is_gone)
