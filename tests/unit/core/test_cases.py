"""Alerts become cases; cases get their clinician and their end."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyhouse.core.cases import (
    Case,
    CaseState,
    Outcome,
    case_to_join,
    claimed,
    closed,
    may_act,
    may_claim,
    released,
    reopened,
    with_alert,
)
from keyhouse.core.ids import CaseNumber
from keyhouse.core.people import Person, PersonState, Role
from keyhouse.core.urgency import Urgency
from keyhouse.core.verdict import Allowed, Reason, Refused
from tests.support.household import A_SECOND, EATING, NOW, alert, case, person, user

RAISED = case("river", alert("one", "river"))
TAKEN = claimed(RAISED, user("dr-a"), NOW)
CLOSED = closed(TAKEN, user("dr-a"), Outcome.SUPPORT, NOW)


def test_a_further_alert_joins_the_newest_open_case_of_its_service() -> None:
    older, newer = replace(RAISED, number=CaseNumber(1)), replace(TAKEN, number=CaseNumber(2))
    elsewhere = replace(RAISED, number=CaseNumber(3), service="perinatal")
    ended = replace(CLOSED, number=CaseNumber(4))

    assert case_to_join([older, newer, elsewhere, ended], EATING) == newer
    assert case_to_join([elsewhere, ended], EATING) is None
    assert case_to_join([], EATING) is None


@given(st.lists(st.sampled_from([urgency for urgency in Urgency if urgency.alerts()]), min_size=1))
def test_a_case_is_as_urgent_as_its_most_urgent_alert_and_never_less(urgencies: list[Urgency]) -> None:
    kept: Case = replace(case("river"), urgency=urgencies[0])
    for number, urgency in enumerate(urgencies):
        kept = with_alert(kept, alert(str(number), "river", urgency))

    assert kept.urgency is max(urgencies, key=lambda urgency: urgency.rank)
    assert [one.event_id for one in kept.alerts] == [f"${number}" for number in range(len(urgencies))]


def test_urgencies_stand_in_one_order_and_two_of_them_ring() -> None:
    assert sorted(Urgency, key=lambda urgency: urgency.rank) == ["none", "watch", "concern", "urgent"]
    assert [urgency for urgency in Urgency if urgency.alerts()] == [Urgency.CONCERN, Urgency.URGENT]


@pytest.mark.parametrize(
    ("somebody", "verdict"),
    [
        pytest.param(person("dr", Role.CLINICIAN), Allowed(), id="a clinician"),
        pytest.param(person("dr", Role.CLINICIAN, PersonState.PAUSED), Refused(Reason.NOT_THE_TEAM), id="paused"),
        pytest.param(person("dr", Role.CLINICIAN, PersonState.CLOSED), Refused(Reason.NOT_THE_TEAM), id="closed"),
        pytest.param(person("river"), Refused(Reason.NOT_THE_TEAM), id="a patient"),
        pytest.param(person("bot", Role.SERVICE), Refused(Reason.NOT_THE_TEAM), id="a bot"),
        pytest.param(person("it", Role.ADMIN), Refused(Reason.NOT_THE_TEAM), id="an admin"),
        pytest.param(None, Refused(Reason.NOT_THE_TEAM), id="nobody we know"),
    ],
)
def test_only_active_clinicians_act_on_cases(somebody: Person | None, verdict: object) -> None:
    assert may_act(somebody) == verdict


def test_a_taken_case_is_refused_to_a_colleague_and_not_to_its_holder() -> None:
    assert may_claim(RAISED, user("dr-b")) == Allowed()
    assert may_claim(TAKEN, user("dr-a")) == Allowed()
    assert may_claim(TAKEN, user("dr-b")) == Refused(Reason.CASE_TAKEN)
    assert may_claim(released(TAKEN), user("dr-b")) == Allowed()


def test_the_time_of_the_first_claim_stays() -> None:
    assert claimed(TAKEN, user("dr-a"), NOW + A_SECOND).claimed_at == NOW
    assert claimed(released(TAKEN), user("dr-a"), NOW + A_SECOND).claimed_at == NOW + A_SECOND


def test_who_closes_an_unclaimed_case_has_claimed_it() -> None:
    ended = closed(RAISED, user("dr-b"), Outcome.FALSE_ALARM, NOW)

    assert (ended.state, ended.claimed_by, ended.claimed_at) == (CaseState.CLOSED, user("dr-b"), NOW)
    assert (ended.closed_at, ended.outcome, ended.is_open) == (NOW, Outcome.FALSE_ALARM, False)


def test_who_had_the_case_stays_on_it_when_a_colleague_closes_it() -> None:
    assert closed(TAKEN, user("dr-b"), Outcome.SUPPORT, NOW).claimed_by == user("dr-a")


def test_a_case_that_is_opened_again_is_nobodys_and_has_not_ended() -> None:
    again = reopened(CLOSED)

    assert (again.state, again.is_open) == (CaseState.RAISED, True)
    assert (again.claimed_by, again.claimed_at, again.closed_at, again.outcome) == (None, None, None, None)
    assert again.alerts == CLOSED.alerts
