"""Who may write where."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyhouse.core.carried import Act
from keyhouse.core.people import REFERRED_ROLES, PersonState, Role
from keyhouse.core.rooms import ROOM_KINDS, RoomKind
from keyhouse.core.speaking import Speaker, may_send, may_speak
from keyhouse.core.verdict import Allowed, Reason, Refused, Verdict
from tests.support.household import person

ACTIVE, PAUSED, CLOSED = PersonState.ACTIVE, PersonState.PAUSED, PersonState.CLOSED
WORDS = {"msgtype": "m.text", "body": "hello"}
READ_ONLY = [kind for kind, rules in ROOM_KINDS.items() if rules.house_writes]
TO_WRITE_IN = [kind for kind in RoomKind if kind not in READ_ONLY]
NEVER_CUT = {RoomKind.DESK, RoomKind.THERAPY}
PEOPLE = [role for role in Role if role is not Role.SERVICE]


def speaker(role: Role = Role.PATIENT, state: PersonState = ACTIVE, *, agreed: bool = True) -> Speaker:
    """What is asked of somebody."""
    return Speaker(role, state, agreed)


def by_name(value: object) -> str:
    """The id of a case."""
    return str(value)


def test_only_who_came_by_a_referral_is_asked_to_agree() -> None:
    asked = {role for role in Role if not Speaker.of(person("river", role, rules_agreed=None)).has_agreed}

    assert asked == REFERRED_ROLES
    assert all(Speaker.of(person("river", role, rules_agreed=1)).has_agreed for role in Role)


@pytest.mark.parametrize(("role", "kind"), list(product(PEOPLE, TO_WRITE_IN)), ids=by_name)
def test_who_has_agreed_writes_wherever_people_write(role: Role, kind: RoomKind) -> None:
    assert may_speak(speaker(role), kind) == Allowed()


@pytest.mark.parametrize(("role", "kind"), list(product(PEOPLE, READ_ONLY)), ids=by_name)
def test_where_only_the_house_writes_people_react_and_say_nothing(role: Role, kind: RoomKind) -> None:
    assert may_speak(speaker(role), kind) == Refused(Reason.HOUSE_DOES_THIS)
    assert may_speak(speaker(role), kind, Act.VERIFYING) == Refused(Reason.HOUSE_DOES_THIS)
    assert may_speak(speaker(role), kind, Act.REACTION) == Allowed()


@pytest.mark.parametrize(("act", "kind"), list(product([Act.WORDS, Act.REACTION], TO_WRITE_IN)), ids=by_name)
def test_who_has_not_agreed_writes_at_the_desk_and_in_booked_therapy(act: Act, kind: RoomKind) -> None:
    expected = Allowed() if kind in NEVER_CUT else Refused(Reason.RULES_NOT_AGREED)

    assert may_speak(speaker(agreed=False), kind, act) == expected


@pytest.mark.parametrize(("act", "kind"), list(product([Act.WORDS, Act.REACTION], TO_WRITE_IN)), ids=by_name)
def test_who_is_paused_writes_at_the_desk_and_in_therapy(act: Act, kind: RoomKind) -> None:
    expected = Allowed() if kind in NEVER_CUT else Refused(Reason.PAUSED)

    assert may_speak(speaker(state=PAUSED), kind, act) == expected


@pytest.mark.parametrize("kind", READ_ONLY, ids=by_name)
def test_a_pause_does_not_touch_the_library_and_agreeing_comes_before_it(kind: RoomKind) -> None:
    assert may_speak(speaker(state=PAUSED), kind, Act.REACTION) == Allowed()
    assert may_speak(speaker(agreed=False), kind, Act.REACTION) == Refused(Reason.RULES_NOT_AGREED)


@pytest.mark.parametrize(("state", "agreed"), list(product(PersonState, [True, False])), ids=by_name)
@pytest.mark.parametrize("kind", [*RoomKind, None], ids=by_name)
def test_one_s_words_are_taken_back_at_any_time_in_any_room_until_one_has_left(
    state: PersonState, agreed: bool, kind: RoomKind | None
) -> None:
    expected = Refused(Reason.PERSON_CLOSED) if state is CLOSED else Allowed()

    assert may_speak(speaker(state=state, agreed=agreed), kind, Act.TAKING_BACK) == expected


@pytest.mark.parametrize(("state", "agreed"), list(product([ACTIVE, PAUSED], [True, False])), ids=by_name)
@pytest.mark.parametrize("kind", TO_WRITE_IN, ids=by_name)
def test_devices_are_verified_at_any_time(state: PersonState, agreed: bool, kind: RoomKind) -> None:
    assert may_speak(speaker(state=state, agreed=agreed), kind, Act.VERIFYING) == Allowed()


@pytest.mark.parametrize("kind", [*RoomKind, None], ids=by_name)
@pytest.mark.parametrize("whom", [None, speaker(), speaker(state=CLOSED), speaker(agreed=False)], ids=by_name)
def test_synapse_mends_a_room_in_anybody_s_name(whom: Speaker | None, kind: RoomKind | None) -> None:
    assert may_send(whom, kind, "org.matrix.dummy_event", {}) == {}


@pytest.mark.parametrize(
    ("whom", "kind", "verdict"),
    [
        pytest.param(None, RoomKind.DESK, Refused(Reason.UNKNOWN_PERSON), id="unknown account"),
        pytest.param(None, None, Refused(Reason.UNKNOWN_PERSON), id="unknown account, unknown room"),
        pytest.param(speaker(), None, Refused(Reason.NO_SCOPE), id="unknown room"),
        pytest.param(speaker(state=CLOSED), RoomKind.DESK, Refused(Reason.PERSON_CLOSED), id="somebody who has left"),
        pytest.param(speaker(Role.SERVICE), None, Allowed(), id="the house, unknown room"),
        pytest.param(speaker(Role.SERVICE), RoomKind.LIBRARY, Allowed(), id="the house in the library"),
        pytest.param(speaker(Role.SERVICE, CLOSED), RoomKind.LIBRARY, Refused(Reason.PERSON_CLOSED), id="closed bot"),
        pytest.param(speaker(Role.CLINICIAN), RoomKind.CARE, Allowed(), id="a clinician in the care room"),
        pytest.param(speaker(state=PAUSED, agreed=False), RoomKind.DESK, Allowed(), id="paused, not agreed: the desk"),
        pytest.param(speaker(state=PAUSED, agreed=False), RoomKind.THERAPY, Allowed(),
                     id="paused, not agreed: therapy"),
    ],
)  # fmt: skip
def test_whoever_or_wherever_is_special(whom: Speaker | None, kind: RoomKind | None, verdict: Verdict) -> None:
    assert may_speak(whom, kind) == verdict


@pytest.mark.parametrize(
    ("whom", "kind", "event_type", "content", "found"),
    [
        pytest.param(speaker(), RoomKind.LIVING_ROOM, "m.room.message", WORDS | {"x": 1}, WORDS, id="a person's words"),
        pytest.param(speaker(Role.SERVICE), RoomKind.LIVING_ROOM, "uk.own", {"x": 1}, {"x": 1}, id="the house"),
        pytest.param(speaker(), RoomKind.LIVING_ROOM, "m.sticker", {}, Refused(Reason.NOT_CARRIED), id="a sticker"),
        pytest.param(speaker(agreed=False), RoomKind.LIVING_ROOM, "m.sticker", {}, Refused(Reason.RULES_NOT_AGREED),
                     id="the rules come before what is carried"),
        pytest.param(speaker(), RoomKind.LIBRARY, "m.room.encrypted", {}, Refused(Reason.HOUSE_DOES_THIS),
                     id="encrypted words in the library"),
        pytest.param(speaker(), None, "m.room.message", WORDS, Refused(Reason.NO_SCOPE), id="unknown room"),
    ],
)  # fmt: skip
def test_who_comes_first_and_what_second(
    whom: Speaker, kind: RoomKind | None, event_type: str, content: dict[str, Any], found: object
) -> None:
    assert may_send(whom, kind, event_type, content) == found


@settings(deadline=None)
@given(
    st.builds(Speaker, st.sampled_from(PEOPLE), st.sampled_from(PersonState), st.booleans()),
    st.sampled_from(RoomKind),
    st.sampled_from(Act),
)
def test_nobody_is_allowed_more_by_a_pause_or_by_not_agreeing(whom: Speaker, kind: RoomKind, act: Act) -> None:
    if may_speak(whom, kind, act) == Allowed():
        assert may_speak(speaker(whom.role), kind, act) == Allowed()
        assert whom.state is not CLOSED or act is Act.NOTHING
