"""Who may write where is read by what has changed, and no change is ever skipped."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.people import Person, PersonState, Role
from keyhouse.core.ports import Store, Transaction
from keyhouse.core.rooms import RoomKind
from keyhouse.core.speaking import PolicyChange, Speaker
from keyhouse.storage.errors import StoreConflict
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.store import open_store
from tests.support.at_once import at_once
from tests.support.household import ANOREXIA, NOW, care_room, desk, key, living_room, person, user

ALL = 10_000


def _since(store: Store, version: int, limit: int = ALL) -> PolicyChange:
    with store.reading() as tx:
        return tx.policy.changed_since(version, limit)


def _newest(store: Store) -> int:
    with store.reading() as tx:
        return tx.policy.newest()


def _move_in(store: Store, *people: Person) -> None:
    with store.writing() as tx:
        for somebody in people:
            tx.people.add(somebody)


def test_from_the_beginning_everybody_and_every_room_is_there(store: Store) -> None:
    newcomer, team = replace(person("river"), rules_agreed=None), person("dr-clover", Role.CLINICIAN)
    with store.writing() as tx:
        for somebody in (newcomer, person("birch"), team):
            tx.people.add(somebody)
        tx.rooms.put(care_room())
        tx.rooms.put(desk("river"))

    change = _since(store, 0)

    assert change.speakers == {one.user_id: Speaker.of(one) for one in (newcomer, person("birch"), team)}
    assert change.rooms == {care_room().room_id: RoomKind.CARE, desk("river").room_id: RoomKind.DESK}
    assert change.version == _newest(store) > 0


def test_of_an_empty_house_nothing_has_changed(store: Store) -> None:
    newest = _newest(store)

    assert _since(store, 0) == PolicyChange(newest, {}, {})
    assert _since(store, newest + 9) == PolicyChange(newest, {}, {})


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"role": Role.PEER}, id="role"),
        pytest.param({"state": PersonState.PAUSED}, id="state"),
        pytest.param({"rules_agreed": 7}, id="agreement"),
    ],
)
def test_only_who_has_changed_since_is_told(store: Store, changed: dict[str, object]) -> None:
    _move_in(store, person("river"), person("birch"))
    before = _newest(store)
    now = replace(person("river"), **changed)  # type: ignore[arg-type]

    with store.writing() as tx:
        tx.people.update(now)

    assert _since(store, before) == PolicyChange(before + 1, {user("river"): Speaker.of(now)}, {})
    assert _since(store, before + 1) == PolicyChange(before + 1, {}, {})


def test_an_agreement_is_taken_back_as_it_was_given(store: Store) -> None:
    _move_in(store, replace(person("river"), rules_agreed=2))
    before = _newest(store)

    with store.writing() as tx:
        tx.people.update(replace(person("river"), rules_agreed=None))

    assert not _since(store, before).speakers[user("river")].has_agreed


def test_a_room_of_another_kind_is_told_and_one_with_another_name_is_not(store: Store) -> None:
    with store.writing() as tx:
        tx.rooms.put(care_room())
    before = _newest(store)

    with store.writing() as tx:
        tx.rooms.put(replace(care_room(), name="Another name"))
    renamed = _since(store, before)
    with store.writing() as tx:
        tx.rooms.put(replace(care_room(), kind=RoomKind.QUIET))

    assert renamed == PolicyChange(before, {}, {})
    assert _since(store, before) == PolicyChange(before + 1, {}, {care_room().room_id: RoomKind.QUIET})


def test_what_the_policy_does_not_read_is_no_change(store: Store) -> None:
    _move_in(store, person("river"))
    before = _newest(store)

    with store.writing() as tx:
        tx.people.update(replace(person("river"), name="another-name"))
        tx.people.update(replace(person("nobody"), state=PersonState.PAUSED))
        tx.people.grant(key("river", ANOREXIA))

    assert _since(store, before) == PolicyChange(before, {}, {})
    with store.reading() as tx:
        assert [one.name for one in tx.people.all()] == ["another-name"]


def test_one_transaction_is_one_change_whatever_it_does(store: Store) -> None:
    before = _newest(store)

    with store.writing() as tx:
        for number in range(30):
            tx.people.add(person(f"p{number}"))
            tx.people.update(replace(person(f"p{number}"), rules_agreed=7))
        tx.rooms.put(care_room())

    change = _since(store, before)
    assert (change.version, len(change.speakers), len(change.rooms)) == (before + 1, 30, 1)
    assert all(speaker.has_agreed for speaker in change.speakers.values())


def _pause_and_add_again(tx: Transaction) -> None:
    tx.people.update(replace(person("river"), state=PersonState.PAUSED))
    tx.people.add(person("river"))


def test_a_transaction_that_fails_leaves_no_change_behind(store: Store) -> None:
    _move_in(store, person("river"))
    before = _newest(store)

    with pytest.raises(StoreConflict), store.writing() as tx:
        _pause_and_add_again(tx)

    assert _since(store, before) == PolicyChange(before, {}, {})


def _pages(store: Store, limit: int) -> Iterator[PolicyChange]:
    version = 0
    while version < _newest(store):
        page = _since(store, version, limit)
        assert page.version > version
        yield page
        version = page.version


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_page_by_page_nothing_is_skipped_and_nothing_comes_twice(store: Store, limit: int) -> None:
    names = [f"p{number}" for number in range(7)]
    for name in names:
        with store.writing() as tx:
            tx.people.add(person(name))
            tx.rooms.put(desk(name))
    with store.writing() as tx:
        tx.rooms.put(care_room())
        tx.people.update(replace(person("p3"), rules_agreed=7))

    pages = list(_pages(store, limit))

    assert [who for page in pages for who in page.speakers] == [user(name) for name in (*names[:3], *names[4:], "p3")]
    assert [room for page in pages for room in page.rooms] == [
        *(desk(name).room_id for name in names),
        care_room().room_id,
    ]
    assert all(len(page.speakers) <= limit for page in pages)


def test_what_one_transaction_changed_stays_together_when_it_is_more_than_was_asked_for(store: Store) -> None:
    _move_in(store, *(person(f"a{number}") for number in range(5)))
    _move_in(store, person("river"))

    pages = list(_pages(store, 2))

    assert [len(page.speakers) for page in pages] == [5, 1]


def _follow(store: Store, speakers: dict[UserId, Speaker], rooms: set[RoomId], all_written: threading.Event) -> None:
    version, is_last = 0, False
    while not is_last:
        is_last = all_written.is_set()
        while (change := _since(store, version, 3)).version != version:
            version = change.version
            speakers.update(change.speakers)
            rooms.update(change.rooms)


def test_who_follows_many_writers_sees_every_change(sql_store: Store) -> None:
    names, rounds = [f"p{number}" for number in range(6)], 10
    _move_in(sql_store, *(person(name) for name in names))
    speakers: dict[UserId, Speaker] = {}
    rooms: set[RoomId] = set()
    all_written = threading.Event()

    def write(name: str) -> None:
        for number in range(rounds):
            with sql_store.writing() as tx:
                tx.people.update(replace(person(name), rules_agreed=number, state=list(PersonState)[number % 2]))
                tx.rooms.put(desk(f"{name}-{number}"))
                tx.audit.append("test", actor=user(name), now=NOW)

    follower = threading.Thread(target=_follow, args=[sql_store, speakers, rooms, all_written])
    writers = [threading.Thread(target=write, args=[name]) for name in names]
    for thread in (follower, *writers):
        thread.start()
    for thread in writers:
        thread.join(120)
    all_written.set()
    follower.join(60)

    with sql_store.reading() as tx:
        assert speakers == {one.user_id: Speaker.of(one) for one in tx.people.all()}
    assert rooms == {desk(f"{name}-{number}").room_id for name in names for number in range(rounds)}


def test_who_is_kept_later_has_the_later_number(postgres_house_url: str, house_keys: HouseKeys) -> None:
    store = open_store(postgres_house_url, house_keys)
    _move_in(store, person("early"), person("late"))
    before = _newest(store)

    with ExitStack() as first_begun:
        slow = first_begun.enter_context(store.writing())
        slow.people.update(replace(person("early"), rules_agreed=7))
        with store.writing() as tx:
            tx.people.update(replace(person("late"), rules_agreed=7))
        between = _since(store, before)

    after = _since(store, between.version)
    assert (set(between.speakers), set(after.speakers)) == ({user("late")}, {user("early")})
    store.close()


def test_changes_moves_and_acts_in_every_order_never_wait_in_a_circle(sql_store: Store) -> None:
    people = [replace(person(f"p{number}"), rules_agreed=0) for number in range(3)]
    _move_in(sql_store, *people)
    with sql_store.writing() as tx:
        tx.rooms.put(living_room(ANOREXIA))

    def in_turn(*turn: Person) -> Callable[[Transaction], None]:
        def change(tx: Transaction) -> None:
            for one in turn:
                held = tx.people.get(one.user_id)
                assert held is not None
                tx.people.update(replace(held, rules_agreed=(held.rules_agreed or 0) + 1))
            tx.audit.append("test", actor=turn[-1].user_id, now=NOW)

        return change

    # Each holds a person of its own while it waits for the number, and each number's holder is done.
    doings = [in_turn(people[n % 3]) for n in range(12)]
    doings += [lambda tx: tx.rooms.put(replace(living_room(ANOREXIA), kind=RoomKind.FORUM))] * 2

    assert at_once(sql_store, *doings) == [None] * len(doings)
    with sql_store.reading() as tx:
        assert [one.rules_agreed for one in tx.people.all()] == [4, 4, 4]
        assert tx.audit.verify().ok
