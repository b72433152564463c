"""From a code to an account."""

import asyncio
import os
from datetime import UTC, datetime

import pytest

from keyhouse.core.ids import UserId
from keyhouse.core.outgoing import Worker
from keyhouse.core.people import Role, held
from keyhouse.core.referrals import ReferralState
from keyhouse.core.sentences import SENTENCES
from keyhouse.core.verdict import Reason
from tests.support.fresh import fresh_name
from tests.support.house_with_door import CLIENT, PASSWORD, WILLOW, House, Paper
from tests.support.synapse import Answer

CODES, RACERS = int(os.environ.get("KEYHOUSE_CODES", "20")), int(os.environ.get("KEYHOUSE_RACERS", "20"))
"""How many codes there are in the great race, and how many race for each."""

AT_ONCE = 50
LOST = {(401, "UK.KEYHOUSE.CODE_USED"), (403, "UK.KEYHOUSE.CODE_USED"), (400, "M_USER_IN_USE")}
"""What whoever comes too late is told, depending on how far they had come."""


@pytest.mark.parametrize("typed", [None, "jane", "Jane-Smith", "concierge"], ids=str)
async def test_a_code_makes_an_account_with_the_reserved_pseudonym_whatever_name_was_typed(
    house: House, typed: str | None
) -> None:
    paper = house.issue(WILLOW)

    answer = await house.register(paper.code, **({"username": typed} if typed else {}))

    assert answer.status == 200, answer
    assert answer.body["user_id"] == f"@{paper.pseudonym}:{house.synapse.server_name}"
    shown = await house.synapse.ask(
        "GET", f"{CLIENT}/profile/{answer.body['user_id']}/displayname", answer.body["access_token"]
    )
    assert shown == {"displayname": paper.pseudonym}


async def test_a_new_account_is_a_person_with_keys_and_its_referral_is_redeemed_before_the_client_is_answered(
    house: House,
) -> None:
    paper = house.issue(WILLOW)
    waiting = house.read(lambda tx: tx.outbox.undone(Worker.ROOM_GATEKEEPER, datetime.now(UTC)))

    answer = await house.register(paper.code)

    user_id = UserId(answer.body["user_id"])
    person = house.read(lambda tx: tx.people.get(user_id))
    keys = house.read(lambda tx: tx.people.keys(user_id))
    referral = house.read(lambda tx: tx.referrals.get(paper.referral.id))
    assert person is not None
    assert person.role is Role.PATIENT
    assert held(keys, datetime.now(UTC)) == {WILLOW}
    assert referral is not None
    assert referral.redeemed_by == user_id
    assert house.read(lambda tx: tx.outbox.undone(Worker.ROOM_GATEKEEPER, datetime.now(UTC))) > waiting


async def test_twenty_concurrent_registrations_with_one_code_make_exactly_one_account(house: House) -> None:
    paper = house.issue(WILLOW)
    sessions = await asyncio.gather(*(house.session() for _ in range(20)))

    answers = await asyncio.gather(*(_all_the_way(house, session, paper.code) for session in sessions))

    winners = [answer for answer in answers if answer.status == 200]
    assert [winner.body["user_id"] for winner in winners] == [f"@{paper.pseudonym}:{house.synapse.server_name}"]
    losers = {(answer.status, answer.errcode) for answer in answers if answer.status != 200}
    assert losers <= LOST
    referral = house.read(lambda tx: tx.referrals.get(paper.referral.id))
    assert referral is not None
    assert referral.state(datetime.now(UTC)) is ReferralState.REDEEMED


async def test_however_many_race_for_however_many_codes_each_code_makes_one_account(house: House) -> None:
    papers = [house.issue(WILLOW) for _ in range(CODES)]
    turn = asyncio.Semaphore(AT_ONCE)

    async def race(paper: Paper) -> Answer:
        async with turn:
            return await _all_the_way(house, await house.session(), paper.code)

    # All who race for one code stand beside each other, so that they meet.
    answers = await asyncio.gather(*(race(paper) for paper in papers for _ in range(RACERS)))

    made = [answer.body["user_id"] for answer in answers if answer.status == 200]
    assert sorted(made) == sorted(f"@{paper.pseudonym}:{house.synapse.server_name}" for paper in papers)
    losers = {(answer.status, answer.errcode) for answer in answers if answer.status != 200}
    assert losers <= LOST
    for paper in papers:
        referral = house.read(lambda tx, paper=paper: tx.referrals.get(paper.referral.id))
        assert referral is not None
        assert referral.redeemed_by in made


async def test_twenty_codes_that_pass_the_first_step_together_still_make_one_account(house: House) -> None:
    paper = house.issue(WILLOW)
    sessions = await asyncio.gather(*(house.session() for _ in range(20)))
    passed = await asyncio.gather(*(house.present(session, paper.code) for session in sessions))
    assert all(answer.errcode is None for answer in passed), passed

    answers = await asyncio.gather(*(house.finish(session) for session in sessions))

    assert sum(answer.status == 200 for answer in answers) == 1
    assert all(answer.status in (200, 400, 403) for answer in answers), answers


async def test_who_finishes_with_a_code_that_was_used_meanwhile_is_told_so_in_our_words(house: House) -> None:
    paper = house.issue(WILLOW)
    slow = await house.session()
    await house.present(slow, paper.code)
    assert (await house.register(paper.code)).status == 200

    answer = await house.finish(slow)

    assert (answer.status, answer.errcode) == (403, "UK.KEYHOUSE.CODE_USED")
    assert answer.body["error"] == SENTENCES[Reason.CODE_USED]


async def test_a_registration_that_is_replayed_makes_no_second_account(house: House) -> None:
    paper = house.issue(WILLOW)
    session = await house.session()
    await house.present(session, paper.code)
    first = await house.finish(session)

    again = await house.finish(session)

    assert first.status == again.status == 200
    assert first.body["user_id"] == again.body["user_id"]


async def test_a_code_given_up_half_way_can_be_used_again(house: House) -> None:
    paper = house.issue(WILLOW)
    await house.present(await house.session(), paper.code)

    answer = await house.register(paper.code)

    assert answer.status == 200, answer


async def test_without_a_code_nobody_registers(house: House) -> None:
    session = await house.session()

    answer = await house.finish(session)

    assert answer.status == 401
    assert "user_id" not in answer.body


async def test_the_shared_secret_makes_only_accounts_that_were_reserved(house: House) -> None:
    stranger, colleague = fresh_name("stranger"), fresh_name("colleague")
    house.reserve(colleague, Role.CLINICIAN)

    with pytest.raises(AssertionError, match="CODE_UNKNOWN"):
        await house.synapse.register(stranger, PASSWORD, admin=True)
    made = await house.synapse.register(colleague, PASSWORD)

    assert made.user_id == f"@{colleague}:{house.synapse.server_name}"


async def test_asking_whether_a_code_is_valid_tells_nothing(house: House) -> None:
    good = house.issue(WILLOW)
    path = "/_matrix/client/v1/register/m.login.registration_token/validity?token="

    answers = [await house.synapse.request("GET", path + code) for code in (good.code, "0000-0000")]

    assert [answer.body for answer in answers] == [{"valid": False}, {"valid": False}]
    assert (await house.register(good.code)).status == 200


async def test_asking_whether_a_name_is_free_tells_nothing(house: House) -> None:
    taken, free = await house.person(), fresh_name("nobody")
    path = f"{CLIENT}/register/available?username="

    answers = [await house.synapse.request("GET", path + name) for name in (taken.user_id[1:].split(":")[0], free)]

    assert answers[0] == answers[1]


async def _all_the_way(house: House, session: str, code: str) -> Answer:
    presented = await house.present(session, code)
    return presented if presented.errcode else await house.finish(session)
