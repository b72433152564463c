"""When to try again, and what a membership event says."""

from datetime import timedelta

import pytest

from keyhouse.core.memberships import MembershipState, observed_state
from keyhouse.core.outgoing import RETRY_STEPS, next_try
from tests.support.household import NOW, user


@pytest.mark.parametrize(
    ("tries", "waits"),
    [(0, RETRY_STEPS[0]), (1, RETRY_STEPS[1]), (3, RETRY_STEPS[3]), (4, RETRY_STEPS[3]), (1000, RETRY_STEPS[3])],
)
def test_waits_grow_to_a_longest_one(tries: int, waits: timedelta) -> None:
    assert next_try(tries, NOW) == NOW + waits
    assert list(RETRY_STEPS) == sorted(RETRY_STEPS)


def test_the_servers_own_wish_counts() -> None:
    assert next_try(0, NOW, timedelta(seconds=90)) == NOW + timedelta(seconds=90)
    assert next_try(9, NOW, timedelta(milliseconds=5)) == NOW + timedelta(milliseconds=5)


@pytest.mark.parametrize(
    ("membership", "sender", "state"),
    [
        ("join", "river", MembershipState.JOINED),
        ("invite", "bot", MembershipState.INVITED),
        ("leave", "river", MembershipState.LEFT_BY_CHOICE),
        ("leave", "bot", MembershipState.REMOVED),
        ("ban", "bot", MembershipState.REMOVED),
        ("knock", "river", None),
        ("", "river", None),
    ],
)
def test_leaving_is_told_from_being_removed(membership: str, sender: str, state: MembershipState | None) -> None:
    assert observed_state(membership, user("river"), user(sender)) is state
