"""Persons, keys and referrals are kept as they were given."""

from dataclasses import replace

import pytest

from keyhouse.core.ids import UserId
from keyhouse.core.people import PersonState, Role
from keyhouse.core.ports import Store
from keyhouse.storage.errors import StoreConflict
from tests.support.household import (
    A_SECOND,
    ANOREXIA,
    BULIMIA,
    NOW,
    key,
    person,
    referral,
    user,
)


def test_a_person_comes_back_as_kept_and_as_changed(store: Store) -> None:
    kept = person("river")
    changed = replace(kept, role=Role.PEER, state=PersonState.PAUSED, name="river-2")

    with store.writing() as tx:
        tx.people.add(kept)
    with store.reading() as tx:
        first = tx.people.get(kept.user_id)
    with store.writing() as tx:
        tx.people.update(changed)

    with store.reading() as tx:
        assert (first, tx.people.get(kept.user_id), tx.people.all()) == (kept, changed, [changed])
        assert tx.people.get(user("nobody")) is None


def test_an_account_is_one_person_only(store: Store) -> None:
    with store.writing() as tx:
        tx.people.add(person("river"))

    with pytest.raises(StoreConflict), store.writing() as tx:
        tx.people.add(person("river"))


def test_names_are_found_whole_and_roles_exactly(store: Store) -> None:
    clinician = person("dr-clover", Role.CLINICIAN)
    with store.writing() as tx:
        tx.people.add(person("river"))
        tx.people.add(clinician)

    with store.reading() as tx:
        assert tx.people.has_name("river")
        assert not tx.people.has_name("rive")
        assert not tx.people.has_name("@river")
        assert tx.people.with_role(Role.CLINICIAN) == [clinician]
        assert tx.people.with_role(Role.ADMIN) == []


def test_who_agreed_to_older_rules_is_found_page_by_page_and_neither_others_nor_closed_ones(store: Store) -> None:
    agreed = {"ash": 1, "birch": 2, "cedar": None, "elm": 1, "fir": 1, "gorse": 3}
    with store.writing() as tx:
        for name, version in reversed(agreed.items()):
            tx.people.add(replace(person(name), rules_agreed=version))
        tx.people.update(replace(person("fir", state=PersonState.CLOSED), rules_agreed=1))
        tx.people.update(replace(person("elm", state=PersonState.PAUSED), rules_agreed=1))
        tx.people.add(replace(person("dr-a", Role.CLINICIAN), rules_agreed=1))

    with store.reading() as tx:
        assert tx.people.agreed_before(2, 9) == [user("ash"), user("elm")]
        assert tx.people.agreed_before(3, 2) == [user("ash"), user("birch")]
        assert tx.people.agreed_before(3, 2, user("birch")) == [user("elm")]
        assert tx.people.agreed_before(1, 9) == []


def test_names_of_several_are_found_and_unknown_ones_left_out(store: Store) -> None:
    with store.writing() as tx:
        tx.people.add(person("river"))
        tx.people.add(person("clover"))

    with store.reading() as tx:
        assert tx.people.names([user("river"), user("nobody")]) == {user("river"): "river"}
        assert tx.people.names([]) == {}


def test_a_key_that_is_held_stays_as_it_was_granted(store: Store) -> None:
    first = key("river", ANOREXIA)
    with store.writing() as tx:
        tx.people.add(person("river"))
        tx.people.grant(first)
        tx.people.grant(replace(first, source="a second letter", granted_at=NOW + A_SECOND))

    with store.reading() as tx:
        assert tx.people.keys(user("river")) == [first]


def test_a_key_that_has_run_out_is_replaced_by_a_new_one(store: Store) -> None:
    ran_out = key("river", ANOREXIA, expires_at=NOW + A_SECOND)
    new = replace(ran_out, granted_at=NOW + A_SECOND, expires_at=None)
    with store.writing() as tx:
        tx.people.add(person("river"))
        tx.people.grant(ran_out)
        tx.people.grant(new)

    with store.reading() as tx:
        assert tx.people.keys(user("river")) == [new]


def test_a_revoked_key_is_gone_and_can_be_granted_again(store: Store) -> None:
    again = replace(key("river", ANOREXIA), granted_at=NOW + A_SECOND)
    with store.writing() as tx:
        tx.people.add(person("river"))
        tx.people.grant(key("river", ANOREXIA))
        tx.people.grant(key("river", BULIMIA))
        tx.people.revoke(user("river"), ANOREXIA, NOW)
        after = tx.people.keys(user("river"))
        tx.people.grant(again)

    with store.reading() as tx:
        assert after == [key("river", BULIMIA)]
        assert tx.people.keys(user("river")) == [again, key("river", BULIMIA)]
        assert tx.people.keys(UserId("@nobody:keyhouse.test")) == []


def test_a_referral_is_found_by_its_id_its_code_and_its_name(store: Store) -> None:
    kept = referral("river", ANOREXIA, BULIMIA)
    with store.writing() as tx:
        tx.referrals.add(kept)

    with store.reading() as tx:
        assert tx.referrals.get(kept.id) == kept
        assert tx.referrals.by_code_hash(kept.code_hash) == kept
        assert tx.referrals.by_pseudonym("river") == kept
        assert tx.referrals.by_code_hash(kept.code_hash.upper()) is None
        assert tx.referrals.all() == [kept]


def test_a_referral_comes_back_as_changed(store: Store) -> None:
    used = replace(referral("river"), redeemed_at=NOW, redeemed_by=user("river"))
    withdrawn = replace(referral("clover"), revoked_at=NOW)
    with store.writing() as tx:
        tx.referrals.add(referral("river"))
        tx.referrals.add(referral("clover"))
        tx.referrals.update(used)
        tx.referrals.update(withdrawn)

    with store.reading() as tx:
        assert (tx.referrals.get(used.id), tx.referrals.get(withdrawn.id)) == (used, withdrawn)


def test_a_reference_is_opened_by_the_referrals_id_alone_and_stays_when_the_referral_changes(store: Store) -> None:
    with store.writing() as tx:
        tx.referrals.add(referral("river"), "EDS-2027/0417")
        tx.referrals.add(referral("clover"))
        tx.referrals.update(replace(referral("river"), redeemed_at=NOW, redeemed_by=user("river")))

    with store.reading() as tx:
        assert tx.referrals.reference_of(referral("river").id) == "EDS-2027/0417"
        assert tx.referrals.reference_of(referral("clover").id) is None
        assert tx.referrals.reference_of(referral("nobody").id) is None
        assert "0417" not in repr(tx.referrals.all())


def test_the_reference_of_whom_the_house_forgets_is_destroyed_and_no_others(store: Store) -> None:
    with store.writing() as tx:
        for name in ("river", "clover"):
            tx.referrals.add(referral(name), f"EDS-{name}-1")
            tx.referrals.update(replace(referral(name), redeemed_at=NOW, redeemed_by=user(name)))

    with store.writing() as tx:
        tx.referrals.forget_reference(user("river"))

    with store.reading() as tx:
        assert tx.referrals.reference_of(referral("river").id) is None
        assert tx.referrals.reference_of(referral("clover").id) == "EDS-clover-1"


@pytest.mark.parametrize(
    "same",
    [
        pytest.param({"id": "r-river"}, id="its id"),
        pytest.param({"code_hash": "hash-river"}, id="its code"),
        pytest.param({"pseudonym": "river"}, id="its name"),
    ],
)
def test_two_referrals_never_share(store: Store, same: dict[str, str]) -> None:
    with store.writing() as tx:
        tx.referrals.add(referral("river"))

    with pytest.raises(StoreConflict), store.writing() as tx:
        tx.referrals.add(replace(referral("clover"), **same))  # type: ignore[arg-type]
    with store.writing() as tx:
        tx.referrals.add(referral("clover"))
