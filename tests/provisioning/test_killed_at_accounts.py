"""A caretaker that is killed between asking the homeserver and writing down that it is done."""

import signal
from pathlib import Path

import pytest

from keyhouse.core.outgoing import OutgoingKind
from tests.provisioning.conftest import People
from tests.support.account_changes import (
    done,
    is_taken_back,
    name_in,
    name_of,
    redacting_concierge,
    said,
    to_do,
    try_to_log_in,
)
from tests.support.caretaker_beside import caretaker_beside
from tests.support.house_with_door import WILLOW, House


@pytest.mark.parametrize("command", ["rename", "close"])
async def test_what_was_begun_is_done_by_the_next_caretaker(
    house: House, door_folder: Path, tmp_path: Path, people: People, command: str
) -> None:
    person = await house.person(WILLOW)
    room = await house.room_with(person)
    event = await said(house, person, room)
    caretaker = caretaker_beside(house, door_folder, tmp_path)
    people(caretaker, command, person.user_id)
    kind = OutgoingKind.RENAME if command == "rename" else OutgoingKind.ACCOUNT_CLOSING

    await caretaker.start(KEYHOUSE_FAULT_POINT="after_account_change")
    status = await caretaker.ended()
    half_way = len(to_do(house, kind, person))
    async with redacting_concierge(house), caretaker:
        await done(house, kind, person)

    is_closed = command == "close"
    assert (status, half_way) == (-signal.SIGKILL, 1)
    assert await is_taken_back(house, room, event) is is_closed
    assert (await try_to_log_in(house, person)).status == (403 if is_closed else 200)
    assert is_closed or await name_in(house, room, person) == name_of(house, person)
