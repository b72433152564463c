"""What counts as agreeing to the rules of the house, and who is asked."""

from dataclasses import replace

import pytest

from keyhouse.core.house_rules import is_asked_to_agree, says_agreed
from keyhouse.core.people import REFERRED_ROLES, Role
from tests.support.household import person


@pytest.mark.parametrize("text", ["agree", "I agree", "  i AGREE. ", "Yes, I agree!", "“I agree”", "Yes I agree 👍"])
def test_who_says_nothing_else_agrees(text: str) -> None:
    assert says_agreed(text)


@pytest.mark.parametrize(
    "text",
    ["I do not agree", "I don't agree", "I agree with nobody", "agree?? no", "yes", "", "agree " * 50, "I", "no"],
)
def test_who_says_anything_else_does_not(text: str) -> None:
    assert not says_agreed(text)


@pytest.mark.parametrize("role", Role)
def test_those_who_came_by_a_referral_are_asked_until_they_agree_and_nobody_else_is(role: Role) -> None:
    somebody = replace(person("river", role), rules_agreed=None)

    assert is_asked_to_agree(somebody) == (role in REFERRED_ROLES)
    assert not is_asked_to_agree(replace(somebody, rules_agreed=1))
