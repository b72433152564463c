"""Every code that is refused, at the step where it is presented, with its sentence; and its good twin."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from keyhouse.core.codes import ALPHABET, make_code
from keyhouse.core.sentences import error_code, sentence
from keyhouse.core.verdict import Reason
from tests.support.house_with_door import House, Paper

Spoil = Callable[[House, Paper], str]


def _changed_letter(house: House, paper: Paper) -> str:
    other = ALPHABET[(ALPHABET.index(paper.code[0]) + 1) % 31]
    return other + paper.code[1:]


def _of_another_house(house: House, paper: Paper) -> str:
    return make_code(bytes(17))


def _revoked(house: House, paper: Paper) -> str:
    house.withdraw(paper)
    return paper.code


def _expired(house: House, paper: Paper) -> str:
    return house.issue(lasts=timedelta(microseconds=1)).code


SPOILT: dict[str, tuple[Spoil, Reason]] = {
    "unknown": (_of_another_house, Reason.CODE_UNKNOWN),
    "mistyped": (_changed_letter, Reason.CODE_UNKNOWN),
    "revoked": (_revoked, Reason.CODE_REVOKED),
    "expired": (_expired, Reason.CODE_EXPIRED),
    "empty": (lambda house, paper: "", Reason.CODE_UNKNOWN),
    "very long": (lambda house, paper: paper.code * 50, Reason.CODE_UNKNOWN),
}


@pytest.mark.parametrize(("spoil", "reason"), SPOILT.values(), ids=SPOILT)
async def test_a_spoilt_code_is_refused_where_it_is_presented_and_a_good_one_in_the_same_registration_is_not(
    house: House, spoil: Spoil, reason: Reason
) -> None:
    spoilt, good = spoil(house, house.issue()), house.issue()
    session = await house.session()

    refused = await house.present(session, spoilt)
    passed = await house.present(session, good.code)
    finished = await house.finish(session)

    assert refused.status == 401
    assert (refused.errcode, refused.body["error"]) == (error_code(reason), sentence(reason))
    assert refused.body["completed"] == []
    assert passed.body["completed"] == ["m.login.registration_token"]
    assert finished.status == 200, finished


async def test_a_used_code_is_refused_where_it_is_presented(house: House) -> None:
    paper = house.issue()
    assert (await house.register(paper.code)).status == 200

    again = await house.register(paper.code)

    assert (again.status, again.errcode) == (401, error_code(Reason.CODE_USED))
    assert again.body["error"] == sentence(Reason.CODE_USED)


async def test_a_code_that_is_revoked_between_the_steps_makes_no_account(house: House) -> None:
    paper = house.issue()
    session = await house.session()
    assert (await house.present(session, paper.code)).errcode is None
    house.withdraw(paper)

    answer = await house.finish(session)

    assert (answer.status, answer.errcode) == (403, error_code(Reason.CODE_REVOKED))


@pytest.mark.parametrize("token", [None, 7, ["x"], {"code": "x"}], ids=repr)
async def test_what_is_no_text_at_all_is_an_unknown_code(house: House, token: object) -> None:
    answer = await house.present(await house.session(), token)

    assert (answer.status, answer.errcode) == (401, error_code(Reason.CODE_UNKNOWN))


@pytest.mark.parametrize(
    "typed",
    [
        lambda code: code.lower(),
        lambda code: code.replace("-", " "),
        lambda code: f"  {code.replace('-', '')}\n",
        lambda code: code.replace("0", "o").replace("1", "l"),
    ],
    ids=["lower case", "spaces", "no dashes", "look-alikes"],
)
async def test_a_code_works_as_people_type_it(house: House, typed: Callable[[str], str]) -> None:
    paper = house.issue()

    answer = await house.register(typed(paper.code))

    assert answer.status == 200, answer


async def test_a_code_is_good_until_its_last_moment(house: House) -> None:
    lasts = timedelta(seconds=30)
    paper = house.issue(lasts=lasts)

    answer = await house.register(paper.code)

    assert datetime.now(UTC) < paper.referral.expires_at
    assert answer.status == 200, answer
