"""A real caretaker renames and closes real accounts: what the others see, and what the homeserver still knows."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from keyhouse.core.booking import Booking
from keyhouse.core.cases import Outcome
from keyhouse.core.ids import EventId, UserId, localpart
from keyhouse.core.outgoing import OutgoingKind
from keyhouse.core.people import Role
from keyhouse.core.slots import Mode, SlotPlan
from keyhouse.core.verdict import Reason, Refused
from keyhouse.core.workflows import casework
from keyhouse.core.workflows.booking import book
from keyhouse.core.workflows.booking_slots import Added, add_slots
from keyhouse.core.workflows.naming import is_free
from keyhouse.core.workflows.registration import may_register
from provisioning.caretaker.administrator import PAGE
from tests.provisioning.conftest import People
from tests.support.account_changes import (
    alerted,
    close_in_app,
    done,
    is_taken_back,
    may_say_much,
    name_in,
    name_of,
    redacting_concierge,
    said,
    stands_in_chain,
    try_to_log_in,
    waits,
)
from tests.support.caretaker_beside import caretaker_beside
from tests.support.eventually import eventually
from tests.support.fresh import fresh_name
from tests.support.house_with_door import CLIENT, WILLOW, House
from tests.support.paged_house import CaretakerProcess
from tests.support.therapy import DAY, RULES, span


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def caretaker(
    house: House, door_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[CaretakerProcess]:
    """A caretaker that runs beside the house, and a concierge that redacts."""
    beside = caretaker_beside(house, door_folder, tmp_path_factory.mktemp("caretaker"))
    async with redacting_concierge(house), beside as running:
        yield running


async def test_an_unlucky_name_is_given_away_and_the_new_one_stands_in_every_room(
    house: House, caretaker: CaretakerProcess, people: People
) -> None:
    person, other = await house.person(WILLOW), await house.person(WILLOW)
    rooms = [await house.room_with(person, other), await house.room_with(person)]

    complained = people(caretaker, "rename", person.user_id)
    await done(house, OutgoingKind.RENAME, person)

    new = name_of(house, person)
    profile = await house.synapse.ask("GET", f"{CLIENT}/profile/{person.user_id}", other.access_token)
    assert complained == ""
    assert new != localpart(UserId(person.user_id))
    assert [await name_in(house, room, person) for room in rooms] == [new, new]
    assert await name_in(house, rooms[0], other) == localpart(UserId(other.user_id))
    assert profile["displayname"] == new
    assert not house.read(lambda tx: is_free(tx, new))
    assert (await try_to_log_in(house, person)).status == 200


@pytest.mark.parametrize("wanted", ["Dr Ash (team)", "Jane Smith", "Concierge (a program)"])
async def test_nobody_takes_another_name_than_the_drawn_one(
    house: House, caretaker: CaretakerProcess, people: People, wanted: str
) -> None:
    person = await house.person(WILLOW)
    room = await house.room_with(person)
    people(caretaker, "rename", person.user_id)
    await done(house, OutgoingKind.RENAME, person)

    profile = f"{CLIENT}/profile/{person.user_id}/displayname"
    everywhere = await house.synapse.request("PUT", profile, person.access_token, {"displayname": wanted})
    content = {"membership": "join", "displayname": wanted}
    await house.send_state(person, room, "m.room.member", content, person.user_id)

    assert everywhere.status == 403
    assert await name_in(house, room, person) == name_of(house, person)


async def test_a_closed_account_is_gone_with_its_words_and_its_neighbour_stays(
    house: House, door_folder: Path, caretaker: CaretakerProcess, people: People
) -> None:
    leaver, neighbour = await house.person(WILLOW), await house.person(WILLOW)
    room, left = await house.room_with(leaver, neighbour), await house.room_with(leaver)
    await may_say_much(house, leaver)
    words = [(where, await said(house, leaver, where)) for where in (*[room] * (PAGE + 1), left)]
    kept = await said(house, neighbour, room)
    kicked = {"user_id": leaver.user_id}
    await house.synapse.ask("POST", f"{CLIENT}/rooms/{left}/kick", house.concierge.access_token, kicked)

    complained = people(caretaker, "close", localpart(UserId(leaver.user_id)))
    await done(house, OutgoingKind.ACCOUNT_CLOSING, leaver)
    await house.left(room, leaver)

    assert complained == ""
    assert [await is_taken_back(house, where, event) for where, event in words] == [True] * len(words)
    assert not await is_taken_back(house, room, kept)
    assert [(await try_to_log_in(house, one)).status for one in (leaver, neighbour)] == [403, 200]
    assert (await house.join(leaver, room)).status == 401
    assert [stands_in_chain(door_folder, one) for one in (leaver, neighbour)] == [False, True]
    assert house.read(lambda tx: tx.audit.verify()).ok


async def test_who_closes_the_account_in_an_app_is_gone_with_all_words(
    house: House, door_folder: Path, caretaker: CaretakerProcess, people: People
) -> None:
    leaver, neighbour = await house.person(WILLOW), await house.person(WILLOW)
    room = await house.room_with(leaver, neighbour)
    words, kept = await said(house, leaver, room), await said(house, neighbour, room)

    closed = await close_in_app(house, leaver)
    await done(house, OutgoingKind.ACCOUNT_CLOSING, leaver)
    await house.left(room, leaver)

    assert closed.status == 200
    assert [await is_taken_back(house, room, event) for event in (words, kept)] == [True, False]
    assert [stands_in_chain(door_folder, one) for one in (leaver, neighbour)] == [False, True]
    assert "closed for good" in people(caretaker, "close", leaver.user_id)


async def test_what_somebody_of_the_team_said_and_did_stays_when_the_account_is_closed(
    house: House, door_folder: Path, caretaker: CaretakerProcess, people: People
) -> None:
    doctor, patient = await house.colleague(Role.CLINICIAN), await house.person(WILLOW)
    room = await house.room_with(patient)
    house.admit(room, Role.CLINICIAN)
    await house.moved_into(room, doctor)
    advice = await said(house, doctor, room)

    people(caretaker, "close", doctor.user_id)
    await done(house, OutgoingKind.ACCOUNT_CLOSING, doctor)
    await house.left(room, doctor)

    assert (await try_to_log_in(house, doctor)).status == 403
    assert not await is_taken_back(house, room, advice)
    assert stands_in_chain(door_folder, doctor)


async def test_a_closed_persons_names_are_given_to_nobody(
    house: House, caretaker: CaretakerProcess, people: People
) -> None:
    leaver = await house.person(WILLOW)
    people(caretaker, "rename", leaver.user_id)
    names = (localpart(UserId(leaver.user_id)), name_of(house, leaver))

    people(caretaker, "close", leaver.user_id)
    await done(house, OutgoingKind.ACCOUNT_CLOSING, leaver)

    now = datetime.now(UTC)
    assert not any(house.read(lambda tx, name=name: is_free(tx, name)) for name in names)
    assert house.read(lambda tx: is_free(tx, fresh_name("fern")))
    assert house.read(lambda tx: may_register(tx, names[0], now)) == Refused(Reason.CODE_USED)
    assert "closed for good" in people(caretaker, "close", leaver.user_id)
    assert "closed for good" in people(caretaker, "resume", leaver.user_id)


async def test_words_that_an_open_case_is_about_stay_until_it_is_closed(
    house: House, caretaker: CaretakerProcess, people: People
) -> None:
    person, room, event = await alerted(house)
    doctor = UserId((await house.colleague(Role.CLINICIAN)).user_id)

    refused = people(caretaker, "close", person.user_id)
    closed_anyway = people(caretaker, "close", person.user_id, "--even-with-open-case")
    await waits(house, OutgoingKind.ACCOUNT_CLOSING, person)
    is_signed_out = (await house.join(person, room)).status == 401
    taken_back_early = await is_taken_back(house, room, event)
    number = house.read(lambda tx: tx.cases.open_of(UserId(person.user_id)))[0].number
    now = datetime.now(UTC)
    house.write(lambda tx: casework.close(tx, number, Outcome.SUPPORT, doctor, now))
    house.write(lambda tx: tx.outbox.hasten(f"closing:{person.user_id}", datetime.now(UTC)))
    await done(house, OutgoingKind.ACCOUNT_CLOSING, person)

    assert "has an open case" in refused
    assert closed_anyway == ""
    assert (is_signed_out, taken_back_early) == (True, False)
    assert await is_taken_back(house, room, event)


async def test_the_session_of_who_closes_the_account_in_an_app_is_open_for_others(
    house: House, caretaker: CaretakerProcess
) -> None:
    person, therapist = await house.person(WILLOW), await house.colleague(Role.CLINICIAN)
    user_id, now = UserId(person.user_id), datetime.now(UTC)
    spans = (span(now + 10 * DAY),)
    wanted = SlotPlan(UserId(therapist.user_id), frozenset({WILLOW}), Mode.ONLINE, spans, timedelta(0), timedelta(0))
    added = house.write(lambda tx: add_slots(tx, wanted, frozenset({WILLOW}), "host", RULES, now))
    assert isinstance(added, Added)
    number = added.slots[0].number
    booked = house.write(lambda tx: book(tx, user_id, number, EventId(f"${fresh_name('event')}"), RULES, now))

    await close_in_app(house, person)
    await done(house, OutgoingKind.ACCOUNT_CLOSING, person)

    assert isinstance(booked, Booking)
    assert house.read(lambda tx: list(tx.bookings.upcoming(user_id, now))) == []


async def test_a_pause_is_read_only_until_it_ends_and_moves_nobody(
    house: House, caretaker: CaretakerProcess, people: People
) -> None:
    person = await house.person(WILLOW)
    room, desk = await house.room_with(person), await house.moved_into(await house.desk(person), person)

    async def may_say_nothing() -> bool:
        return (await house.say(person, room)).errcode == "UK.KEYHOUSE.PAUSED"

    async def may_speak() -> bool:
        return (await house.say(person, room)).status == 200

    people(caretaker, "pause", person.user_id)
    await eventually(may_say_nothing)
    at_the_desk, other_room = await house.say(person, desk), await house.room_with(person)
    people(caretaker, "resume", person.user_id)

    assert at_the_desk.status == 200
    assert await house.membership(room, person) == await house.membership(other_room, person) == "join"
    await eventually(may_speak)
