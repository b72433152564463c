"""What the commands about referrals, people, rooms, cases and the chain answer, and how they refuse."""

import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from keyhouse.core.alerts import Alert
from keyhouse.core.codes import hash_code, read_code
from keyhouse.core.ids import EventId, RoomId, UserId, localpart
from keyhouse.core.memberships import Membership, MembershipState
from keyhouse.core.outgoing import OutgoingKind, Worker
from keyhouse.core.people import Role
from keyhouse.core.urgency import Urgency
from keyhouse.core.workflows.alerting import raise_alert
from keyhouse.core.workflows.registration import redeem
from keyhouse.core.workflows.team import reserve
from keyhouse.settings.house import HouseSettings, save_house
from provisioning.answers import House
from provisioning.bootstrap import make_house
from provisioning.cli import run
from provisioning.directory import HouseDirectory

CONFIG = Path(__file__).parents[3] / "config"
PATIENT = ["--role", "patient", "--condition", "anorexia"]
Command = Callable[..., Any]


class Refused(AssertionError):
    """A command ended badly; the message is what it said on stderr."""


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A house that has its building written down, as if Synapse had made the rooms."""
    root = tmp_path / "data"
    settings = HouseSettings(
        server_name="keyhouse.test",
        homeserver="http://127.0.0.1:1",
        front_door="http://127.0.0.1:8090",
        database=f"sqlite:///{root / 'keyhouse.db'}",
        config=CONFIG,
    )
    house = make_house(HouseDirectory(root), settings)
    with house.store.writing() as tx:
        for place, room in enumerate(house.building().rooms):
            tx.rooms.put(room.scope(RoomId(f"!{place}")))
    return house


@pytest.fixture
def keyhouse(house: House, capsys: pytest.CaptureFixture[str]) -> Command:
    """Gives a command with --json: its document, or Refused."""

    def give(*words: str) -> Any:
        capsys.readouterr()
        status = run(["--data", str(house.directory.root), *words], as_json=True)
        said = capsys.readouterr()
        if status:
            raise Refused(f"{status} {said.err}")
        return json.loads(said.out)

    return give


def move_in(house: House, keyhouse: Command, *conditions: str, role: str = "patient") -> UserId:
    """Issue a referral and redeem it, as the door does."""
    options = [word for condition in conditions for word in ("--condition", condition)]
    issued = keyhouse("referral", "issue", "--role", role, "--reference", "R 17", *options)
    user_id = UserId(house.settings.user_id(issued["pseudonym"]))
    with house.store.writing() as tx:
        redeem(tx, user_id, datetime.now(UTC))
    return user_id


def test_a_referral_is_issued_with_a_code_that_is_kept_nowhere(house: House, keyhouse: Command) -> None:
    issued = keyhouse("referral", "issue", *PATIENT, "--days", "3", "--reference", "R 17")

    symbols = read_code(issued["code"])
    assert symbols is not None
    with house.store.reading() as tx:
        kept = tx.referrals.by_code_hash(hash_code(symbols, house.keys.code_hash))
    assert kept is not None
    assert (kept.id, kept.pseudonym, kept.conditions) == (issued["id"], issued["pseudonym"], {"anorexia"})
    assert issued["link"] == f"http://127.0.0.1:8090/#{issued['code']}"
    assert 71 < (datetime.fromisoformat(issued["expires_at"]) - datetime.now(UTC)).total_seconds() / 3600 < 72.1
    written = b"".join(path.read_bytes() for path in house.directory.root.rglob("*") if path.is_file())
    assert symbols.encode() not in written
    assert issued["code"].encode() not in written


def test_several_referrals_are_issued_at_once_each_with_its_own_name(house: House, keyhouse: Command) -> None:
    references = [f"R {number}" for number in range(30)]
    options = [word for reference in references for word in ("--reference", reference)]

    issued = keyhouse("referral", "issue", *PATIENT, "--count", "30", *options)["referrals"]

    assert len({each["pseudonym"] for each in issued}) == len({each["code"] for each in issued}) == 30
    with house.store.reading() as tx:
        assert [tx.referrals.reference_of(each["id"]) for each in issued] == references
    assert len(keyhouse("referral", "list")["referrals"]) == 30


def test_a_listed_referral_shows_no_code_and_a_revoked_one_says_so(keyhouse: Command) -> None:
    options = ["--role", "peer", "--condition", "psychosis", "--reference", "R 17"]
    issued = keyhouse("referral", "issue", *options)

    revoked = keyhouse("referral", "revoke", issued["id"])
    listed = keyhouse("referral", "list")

    assert revoked["state"] == "revoked"
    assert listed["referrals"] == [
        {"id": issued["id"], "role": "peer", "conditions": ["psychosis"], "state": "revoked",
         "expires_at": issued["expires_at"]}
    ]  # fmt: skip
    assert issued["code"] not in json.dumps(listed)


def test_a_reference_is_kept_sealed_and_shown_nowhere(house: House, keyhouse: Command) -> None:
    issued = keyhouse("referral", "issue", *PATIENT, "--reference", "EDS-2027/0417")

    listed = keyhouse("referral", "list")
    revoked = keyhouse("referral", "revoke", issued["id"])
    keyhouse("audit", "verify")

    with house.store.reading() as tx:
        assert tx.referrals.reference_of(issued["id"]) == "EDS-2027/0417"
    assert "0417" not in json.dumps([issued, listed, revoked])
    written = b"".join(path.read_bytes() for path in house.directory.root.rglob("*") if path.is_file())
    assert b"EDS-2027/0417" not in written


def test_a_demonstration_issues_codes_without_a_reference(house: House, keyhouse: Command) -> None:
    save_house(house.directory.root, house.settings.model_copy(update={"demo": True}))

    issued = keyhouse("referral", "issue", *PATIENT, "--count", "2")["referrals"]

    with house.store.reading() as tx:
        assert [tx.referrals.reference_of(each["id"]) for each in issued] == [None, None]


REFUSED = {
    "no reference": (PATIENT, "1 error: Every referral needs the local record number"),
    "a name as reference": ([*PATIENT, "--reference", "River Phoenix"], "1 error: A reference is the service's local"),
    "one reference for two": (
        [*PATIENT, "--count", "2", "--reference", "R 17"],
        "1 error: every code needs a reference of its own; give --reference once for each code",
    ),
    "two references for one": (
        [*PATIENT, "--reference", "R 17", "--reference", "R 18"],
        "1 error: every code needs a reference of its own",
    ),
    "two equal references for two": (
        [*PATIENT, "--count", "2", "--reference", "R 17", "--reference", "R 17"],
        "1 error: every code needs a reference of its own",
    ),
    "a condition that is not there": (["--role", "patient", "--condition", "gout"], "1 error: No such condition"),
    "no condition": (["--role", "patient"], "1 error: A person of this role needs at least one condition"),
    "two that exclude each other": (
        ["--role", "patient", "--condition", "anorexia", "--condition", "bulimia"],
        "1 error: These two conditions are never held together",
    ),
    "a role of the team": (["--role", "clinician"], "1 error: This role is not given by a referral"),
    "a role that is not there": (["--role", "wizard", "--condition", "anorexia"], "2 error: "),
    "no time": (["--role", "patient", "--condition", "anorexia", "--days", "0"], "2 error: "),
}


@pytest.mark.parametrize(("words", "why"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_issued_is_refused_in_one_line(keyhouse: Command, words: list[str], why: str) -> None:
    with pytest.raises(Refused) as refused:
        keyhouse("referral", "issue", *words)

    assert str(refused.value).startswith(why)
    assert len(str(refused.value).strip().splitlines()) == 1
    assert keyhouse("referral", "list")["referrals"] == []


def test_a_used_or_unknown_referral_is_not_revoked(house: House, keyhouse: Command) -> None:
    move_in(house, keyhouse, "anorexia")
    used = keyhouse("referral", "list")["referrals"][0]["id"]

    for referral, why in ((used, "has been used already"), ("never-issued", "no referral has the id")):
        with pytest.raises(Refused, match=why):
            keyhouse("referral", "revoke", referral)


def test_a_person_is_shown_by_account_or_localpart_with_the_rooms_that_were_observed(
    house: House, keyhouse: Command
) -> None:
    user_id = move_in(house, keyhouse, "anorexia")
    now = datetime.now(UTC)
    with house.store.writing() as tx:
        tx.memberships.observe(
            [Membership(RoomId("!3"), user_id, MembershipState.JOINED, now),
             Membership(RoomId("!4"), user_id, MembershipState.REMOVED, now)]
        )  # fmt: skip

    shown = keyhouse("people", "show", user_id)

    assert shown == {
        "user_id": user_id, "name": localpart(user_id), "role": "patient", "conditions": ["anorexia"],
        "rooms": ["!3"], "state": "active",
    }  # fmt: skip
    assert keyhouse("people", "show", user_id[1:].partition(":")[0]) == shown
    assert keyhouse("people", "list") == {"people": [shown]}


def test_a_changed_key_decides_removals_before_invitations(house: House, keyhouse: Command) -> None:
    user_id = move_in(house, keyhouse, "anorexia")

    change = ["--remove-condition", "anorexia", "--add-condition", "bulimia"]
    changed = keyhouse("people", "set", user_id, *change)

    assert changed["conditions"] == ["bulimia"]
    with house.store.reading() as tx:
        due = [each.kind for each in tx.outbox.due(Worker.ROOM_GATEKEEPER, datetime.now(UTC), 100)]
    after = due[due.index(OutgoingKind.REMOVAL) :]
    assert after == [OutgoingKind.REMOVAL] * 3 + [OutgoingKind.INVITATION] * 3


SET_REFUSED = {
    "both of a pair": (["--add-condition", "bulimia"], "never held together"),
    "none is left": (["--remove-condition", "anorexia"], "at least one condition"),
    "a role of the team": (["--role", "clinician"], "only patients, carers and peers change their role"),
    "nothing": ([], "say what to change"),
}


@pytest.mark.parametrize(("words", "why"), SET_REFUSED.values(), ids=SET_REFUSED)
def test_a_change_that_may_not_be_changes_nothing(house: House, keyhouse: Command, words: list[str], why: str) -> None:
    user_id = move_in(house, keyhouse, "anorexia")
    before = keyhouse("people", "show", user_id)

    with pytest.raises(Refused, match=why):
        keyhouse("people", "set", user_id, *words)

    assert keyhouse("people", "show", user_id) == before


def test_an_account_that_is_not_there_is_said_to_be_so(keyhouse: Command) -> None:
    with pytest.raises(Refused, match="nobody here has the account silver-owl-12"):
        keyhouse("people", "show", "silver-owl-12")


def test_a_team_account_is_not_half_made_while_the_homeserver_is_away(keyhouse: Command) -> None:
    with pytest.raises(Refused, match=r"^1 error: "):
        keyhouse("people", "add", "--role", "clinician", "--name", "Maya")

    assert keyhouse("people", "list") == {"people": []}


def test_the_rooms_are_listed_with_whom_they_open_to(house: House, keyhouse: Command) -> None:
    rooms = keyhouse("rooms", "list")["rooms"]
    with house.store.reading() as tx:
        numbers = tx.rooms.numbers()

    willow = next(scope.room_id for scope in scopes(house) if scope.name == "The Willow living room")
    assert len(rooms) == len(house.building().rooms)
    assert next(room for room in rooms if room["name"] == "The Willow living room") == {
        "number": numbers[willow],
        "room_id": willow,
        "name": "The Willow living room",
        "kind": "living_room",
        "roles": ["clinician", "patient", "peer"],
        "conditions": ["anorexia"],
        "encrypted": True,
        "watched": True,
        "service": "eating_disorders",
    }


def scopes(house: House) -> Any:
    with house.store.reading() as tx:
        return tx.rooms.all()


def test_a_case_is_shown_without_a_word_of_what_was_written(house: House, keyhouse: Command) -> None:
    author, now = move_in(house, keyhouse, "anorexia"), datetime.now(UTC)
    room = next(scope.room_id for scope in scopes(house) if scope.name == "The Willow living room")
    alert = Alert(EventId("$one"), room, author, Urgency.URGENT, "suicide", ("plain_intent",), now)
    with house.store.writing() as tx:
        raise_alert(tx, alert, "canary words", now)

    listed = keyhouse("cases", "list")["cases"]

    assert keyhouse("cases", "show", "1") == listed[0]
    assert listed[0]["alerts"] == [
        {"event_id": "$one", "room_id": room, "urgency": "urgent", "rules": ["plain_intent"],
         "raised_at": now.isoformat()}
    ]  # fmt: skip
    assert (listed[0]["author"], listed[0]["state"], listed[0]["claimed_by"]) == (author, "raised", None)
    assert "canary" not in json.dumps(listed)
    with pytest.raises(Refused, match="there is no case 2"):
        keyhouse("cases", "show", "2")


def test_the_chain_holds_until_somebody_changes_a_row(house: House, keyhouse: Command) -> None:
    with house.store.writing() as tx:
        reserve(tx, UserId("@sam:keyhouse.test"), Role.CLINICIAN, "Sam (team)", "host", datetime.now(UTC))
    whole = keyhouse("audit", "verify")

    with sqlite3.connect(house.directory.database) as database:
        database.execute("UPDATE audit_entry SET action = 'nothing.happened' WHERE sequence = 2")
    database.close()

    assert whole == {"ok": True, "entries": whole["entries"], "first_bad": None}
    with pytest.raises(Refused, match="1 error: the chain is broken at entry 2"):
        keyhouse("audit", "verify")
