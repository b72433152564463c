"""When to try again, what waits for what, what goes first, and what a membership event says."""

from datetime import timedelta

import pytest

from keyhouse.core.memberships import MembershipState, observed_state
from keyhouse.core.outgoing import (
    RETRY_STEPS,
    NewOutgoing,
    OutgoingKind,
    Rank,
    Worker,
    has_failed,
    holds_up,
    lane_of,
    next_try,
    rank_of,
)
from tests.support.household import NOW, user


@pytest.mark.parametrize(
    ("tries", "waits"),
    [(0, RETRY_STEPS[0]), (1, RETRY_STEPS[1]), (3, RETRY_STEPS[3]), (4, RETRY_STEPS[3]), (1000, RETRY_STEPS[3])],
)
def test_waits_grow_to_a_longest_one(tries: int, waits: timedelta) -> None:
    assert next_try(tries, NOW) == NOW + waits
    assert list(RETRY_STEPS) == sorted(RETRY_STEPS)


@pytest.mark.parametrize("fault", ["M_FORBIDDEN", "MatrixAway", "LookupError", "card", "desk room", "a channel", ""])
def test_what_could_not_be_done_has_failed(fault: str) -> None:
    assert has_failed(fault)


@pytest.mark.parametrize("fault", ["device", "signed device", "join"])
def test_what_waits_for_a_person_has_not_failed(fault: str) -> None:
    assert not has_failed(fault)


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


def decided(kind: OutgoingKind, once: str = "one", **content: object) -> NewOutgoing:
    """A decision of this kind."""
    return NewOutgoing(kind, Worker.RISK_MONITOR, once, content, NOW)


RIVER = {"person": "@river:k.h"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            decided(OutgoingKind.REMOVAL, room_id="!a", **RIVER),
            decided(OutgoingKind.INVITATION, room_id="!b", **RIVER),
            id="out of one room before into another",
        ),
        pytest.param(
            decided(OutgoingKind.DESK_ROOM, **RIVER),
            decided(OutgoingKind.INVITATION, room_id="!b", **RIVER),
            id="the desk before the other rooms",
        ),
        pytest.param(
            decided(OutgoingKind.CARE_CARD, case=4), decided(OutgoingKind.CARD_EDIT, case=4), id="a card and its edit"
        ),
        pytest.param(
            decided(OutgoingKind.CARE_CARD, case=4),
            decided(OutgoingKind.CARE_MESSAGE, case=4),
            id="a card and what follows on it",
        ),
        pytest.param(
            decided(OutgoingKind.ANSWER, "one", room_id="!a"),
            decided(OutgoingKind.ANSWER, "two", room_id="!a"),
            id="two answers in one room",
        ),
        pytest.param(
            decided(OutgoingKind.GREETING, **RIVER),
            decided(OutgoingKind.SIGNPOSTING, case=4, **RIVER),
            id="two messages at one desk",
        ),
        pytest.param(
            decided(OutgoingKind.PAGE, "begun", subject="risk_monitor"),
            decided(OutgoingKind.PAGE, "ended", subject="risk_monitor"),
            id="what was wrong before that it is well again",
        ),
    ],
)
def test_what_concerns_the_same_is_one_lane(one: NewOutgoing, other: NewOutgoing) -> None:
    assert lane_of(one) == lane_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            decided(OutgoingKind.INVITATION, room_id="!a", **RIVER),
            decided(OutgoingKind.INVITATION, room_id="!a", person="@clover:k.h"),
            id="two people and one room",
        ),
        pytest.param(
            decided(OutgoingKind.GREETING, **RIVER),
            decided(OutgoingKind.INVITATION, room_id="!a", **RIVER),
            id="a greeting waits for a device, and no room waits for it",
        ),
        pytest.param(decided(OutgoingKind.CARE_CARD, case=4), decided(OutgoingKind.CARE_CARD, case=5), id="two cases"),
        pytest.param(
            decided(OutgoingKind.ANSWER, room_id="!a"), decided(OutgoingKind.ANSWER, room_id="!b"), id="two rooms"
        ),
        pytest.param(
            decided(OutgoingKind.PROBE_CARD, "one"), decided(OutgoingKind.PROBE_CARD, "two"), id="of no known lane"
        ),
        pytest.param(decided(OutgoingKind.ANSWER, "one"), decided(OutgoingKind.ANSWER, "two"), id="naming no room"),
    ],
)
def test_what_concerns_different_things_is_two_lanes(one: NewOutgoing, other: NewOutgoing) -> None:
    assert lane_of(one) != lane_of(other)


@pytest.mark.parametrize("first", [OutgoingKind.CARE_CARD, OutgoingKind.SIGNPOSTING, OutgoingKind.PAGE])
@pytest.mark.parametrize("second", [OutgoingKind.ANSWER, OutgoingKind.DESK_ROOM, OutgoingKind.GREETING])
@pytest.mark.parametrize("third", [OutgoingKind.INVITATION, OutgoingKind.CARD_EDIT, OutgoingKind.ROOM_NOTICE])
def test_danger_goes_before_waiting_people_and_these_before_the_rest(
    first: OutgoingKind, second: OutgoingKind, third: OutgoingKind
) -> None:
    assert (rank_of(first), rank_of(second), rank_of(third)) == tuple(Rank)


@pytest.mark.parametrize(
    ("kind", "nobody_can", "holds"),
    [
        (OutgoingKind.CARE_MESSAGE, True, True),
        (OutgoingKind.CARE_MESSAGE, False, False),
        (OutgoingKind.CARE_CARD, False, False),
        (OutgoingKind.GREETING, False, False),
        (OutgoingKind.INVITATION, False, False),
        (OutgoingKind.REMOVAL, False, True),
        (OutgoingKind.PAGE, False, True),
    ],
)
def test_a_decision_that_waits_holds_up_its_lane_only_where_the_order_matters(
    kind: OutgoingKind, nobody_can: bool, holds: bool
) -> None:
    assert holds_up(kind, nobody_can=nobody_can) is holds
