"""A registration that is over gives its account to nobody but who made it, and not for long."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from tests.support.door import running_house
from tests.support.house_with_door import CLIENT, PASSWORD, House
from tests.support.synapse import Answer

USED = (403, "UK.KEYHOUSE.CODE_USED")


async def finished(house: House) -> tuple[str, Answer]:
    session = await house.session()
    await house.present(session, house.issue().code)
    return session, await house.finish(session)


async def finish_with(house: House, session: str, **more: object) -> Answer:
    body = {"auth": {"type": "m.login.dummy", "session": session}, **more}
    return await house.synapse.request("POST", f"{CLIENT}/register", body=body)


@pytest.mark.parametrize(
    "told", [{}, {"password": "a guess"}, {"password": ""}, {"password": None}, {"password": [PASSWORD]}], ids=str
)
async def test_who_knows_the_session_but_not_the_password_gets_nothing(house: House, told: dict[str, object]) -> None:
    session, made = await finished(house)

    answer = await finish_with(house, session, **told)

    assert made.status == 200
    assert (answer.status, answer.errcode) == USED
    assert "access_token" not in answer.body


async def test_whose_answer_was_lost_asks_again_with_the_password_and_gets_the_same_name(house: House) -> None:
    session, made = await finished(house)

    again = await finish_with(house, session, password=PASSWORD)

    assert again.status == 200
    assert again.body["user_id"] == made.body["user_id"]


async def test_the_password_may_be_left_out_of_the_last_step_as_long_as_no_account_was_made(house: House) -> None:
    session = await house.session()
    await house.present(session, house.issue().code)

    answer = await finish_with(house, session)

    assert answer.status == 200


@pytest.mark.parametrize(("aged", "status"), [(timedelta(minutes=9), 200), (timedelta(minutes=10, seconds=1), 403)])
async def test_after_ten_minutes_the_password_alone_signs_in(
    tmp_path_factory: pytest.TempPathFactory, aged: timedelta, status: int
) -> None:
    folder = tmp_path_factory.mktemp("aged")
    async with running_house(folder) as house:
        session, made = await finished(house)
        await house.synapse.stop()
        with closing(sqlite3.connect(folder / "synapse" / "homeserver.db")) as homeserver, homeserver:
            homeserver.execute("UPDATE users SET creation_ts = creation_ts - ?", (int(aged.total_seconds()),))
        await house.synapse.start()

        answer = await finish_with(house, session, password=PASSWORD)
        signed_in = await house.synapse.log_in(made.body["user_id"], PASSWORD)

    assert answer.status == status, answer
    assert signed_in.user_id == made.body["user_id"]


async def test_many_finishes_of_one_session_at_once_make_one_account_and_say_nothing_of_a_taken_name(
    house: House,
) -> None:
    session = await house.session()
    paper = house.issue()
    await house.present(session, paper.code)

    answers = await asyncio.gather(*(finish_with(house, session) for _ in range(20)))

    made = [answer for answer in answers if answer.status == 200]
    assert {answer.body["user_id"] for answer in made} == {f"@{paper.pseudonym}:{house.synapse.server_name}"}
    assert {(answer.status, answer.errcode) for answer in answers if answer.status != 200} <= {USED}
    assert (await finish_with(house, session)).errcode == "UK.KEYHOUSE.CODE_USED"
