"""A code, typed into the page, becomes an account that its holder can sign in to, once."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from front_door.pages import NOT_AGREED, UNREADABLE
from keyhouse.core.codes import make_code
from keyhouse.core.sentences import sentence
from keyhouse.core.verdict import Reason
from tests.front_door.conftest import LINE, FrontDoor
from tests.front_door.seen import SeenPage, see
from tests.support.house_with_door import House

Counts = Callable[[], Awaitable[int]]


async def use(front_door: FrontDoor, code: str, **fields: str) -> SeenPage:
    return await see(await front_door.post("/", data={"code": code, "agree": "yes", **fields}))


async def test_a_good_code_shows_a_name_and_a_password_that_can_sign_in(house: House, front_door: FrontDoor) -> None:
    paper = house.issue()

    page = await use(front_door, paper.code)

    assert (page.status, page.alert) == (200, None)
    assert page.by_id["pseudonym"] == paper.pseudonym
    account = await house.synapse.log_in(page.by_id["pseudonym"], page.by_id["password"])
    assert account.user_id == f"@{paper.pseudonym}:{house.synapse.server_name}"


async def test_the_page_leaves_no_device_of_its_own(house: House, front_door: FrontDoor) -> None:
    page = await use(front_door, house.issue().code)

    person = await house.synapse.log_in(page.by_id["pseudonym"], page.by_id["password"])

    devices = await house.synapse.ask("GET", "/_matrix/client/v3/devices", person.access_token)
    assert [one["device_id"] for one in devices["devices"]] == [person.device_id]


async def test_the_result_says_where_to_sign_in_and_whom_to_call(house: House, front_door: FrontDoor) -> None:
    page = await use(front_door, house.issue().code)

    assert page.by_id["homeserver"] == house.synapse.url
    assert "recovery key" in page.text
    assert LINE.replace("&", "&amp;") in page.text
    assert "not a crisis service" in page.text


async def test_a_code_typed_in_small_letters_without_dashes_is_understood(house: House, front_door: FrontDoor) -> None:
    page = await use(front_door, f"  {house.issue().code.lower().replace('-', ' ')} ")

    assert page.status == 200


async def test_a_used_code_is_told_what_to_do_and_makes_no_second_account(
    house: House, front_door: FrontDoor, count_accounts: Counts
) -> None:
    code = house.issue().code
    await use(front_door, code)
    before = await count_accounts()

    page = await use(front_door, code)

    assert (page.status, page.alert) == (403, sentence(Reason.CODE_USED))
    assert await count_accounts() == before


async def test_of_two_forms_sent_at_once_one_gets_the_account(
    house: House, front_door: FrontDoor, count_accounts: Counts
) -> None:
    code = house.issue().code
    before = await count_accounts()

    pages = await asyncio.gather(use(front_door, code), use(front_door, code))

    assert sorted(page.status for page in pages) == [200, 403]
    assert {page.alert for page in pages} == {None, sentence(Reason.CODE_USED)}
    assert await count_accounts() == before + 1


async def test_a_code_that_nobody_issued_is_refused_in_plain_words(front_door: FrontDoor) -> None:
    page = await use(front_door, make_code(secrets.token_bytes(17)))

    assert (page.status, page.alert) == (403, sentence(Reason.CODE_UNKNOWN))


async def test_a_withdrawn_code_is_refused_in_plain_words(house: House, front_door: FrontDoor) -> None:
    paper = house.issue()
    house.withdraw(paper)

    page = await use(front_door, paper.code)

    assert (page.status, page.alert) == (403, sentence(Reason.CODE_REVOKED))


async def test_a_code_that_has_run_out_is_refused_in_plain_words(house: House, front_door: FrontDoor) -> None:
    page = await use(front_door, house.issue(lasts=timedelta(0)).code)

    assert (page.status, page.alert) == (403, sentence(Reason.CODE_EXPIRED))


@pytest.mark.parametrize("code", ["", "river", "7KQ2-M9FD", "<script>alert(1)</script>", "7" * 300])
async def test_what_cannot_be_a_code_is_refused_without_asking_the_homeserver(
    front_door_to: Callable[[str], Awaitable[FrontDoor]], free_port: int, code: str
) -> None:
    front_door = await front_door_to(f"http://127.0.0.1:{free_port}")

    page = await use(front_door, code)

    assert (page.status, page.alert) == (400, UNREADABLE)
    assert page.code_field == code[:60]


async def test_a_mistyped_code_stays_in_the_field_to_be_mended(house: House, front_door: FrontDoor) -> None:
    code = house.issue().code
    mistyped = code[:-1] + ("2" if code[-1] == "3" else "3")

    page = await use(front_door, mistyped)

    assert (page.status, page.alert, page.code_field) == (400, UNREADABLE, mistyped)
    assert (await use(front_door, code)).status == 200


async def test_without_agreement_nothing_is_made_and_the_code_stays_good(house: House, front_door: FrontDoor) -> None:
    code = house.issue().code

    page = await see(await front_door.post("/", data={"code": code}))

    assert (page.status, page.alert, page.code_field) == (400, NOT_AGREED, code)
    assert (await use(front_door, code)).status == 200
