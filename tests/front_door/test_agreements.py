"""Whoever ticks the box has agreed to the rules that the page showed, and may write at once."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from front_door.agreements import MOST_WAITING, KeptAgreements
from keyhouse.core.ids import UserId
from keyhouse.core.people import Person, PersonState, Role
from keyhouse.core.ports import Store
from keyhouse.settings.rules_in_force import RulesInForce
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.store import open_store
from tests.front_door.conftest import BUILDING, FrontDoor
from tests.front_door.seen import see
from tests.front_door.test_use_your_key import use
from tests.support.eventually import eventually
from tests.support.house_with_door import House
from tests.support.ledgers import house_file

RIVER, MOSS = UserId("@river:k.h"), UserId("@moss:k.h")


async def agreed(store: Store, user_id: str) -> int | None:
    """The version that somebody agreed to."""
    with store.reading() as tx:
        person = tx.people.get(UserId(user_id))
    return person.rules_agreed if person else None


async def test_whoever_registers_on_the_page_may_write_at_once_and_whoever_registers_elsewhere_may_not(
    house: House, front_door: FrontDoor
) -> None:
    page = await use(front_door, house.issue().code)
    river = await house.synapse.log_in(page.by_id["pseudonym"], page.by_id["password"])
    moss = await house.person(agrees=False)
    room = await house.room_with(river, moss)
    await eventually(lambda: agreed(house.store, river.user_id))

    said, refused = await house.say(river, room), await house.say(moss, room)

    assert said.status == 200
    assert (refused.status, refused.errcode) == (403, "UK.KEYHOUSE.RULES_NOT_AGREED")


async def test_the_page_shows_the_rules_of_the_building_file(front_door: FrontDoor) -> None:
    page = await see(await front_door.get("/"))

    for sentence in RulesInForce(BUILDING).current().sentences:
        assert sentence in page.by_id["rules"]
    assert 'name="rules" value="1"' in page.text


@pytest.mark.parametrize("shown", ["1", "", "0", "-1", "99", "9" * 500, "²", "one"])
async def test_nobody_agrees_to_rules_that_are_not_there_whatever_the_form_says(
    house: House, front_door: FrontDoor, shown: str
) -> None:
    paper = house.issue()

    page = await use(front_door, paper.code, rules=shown)

    assert page.status == 200
    user_id = f"@{paper.pseudonym}:{house.synapse.server_name}"
    assert await eventually(lambda: agreed(house.store, user_id)) == 1


@dataclass
class Keeping:
    """Agreements that are being kept in a database of the test."""

    file: Path
    store: Store
    agreements: KeptAgreements

    def moves_in(self, *people: UserId) -> None:
        """Let the house know these people."""
        with self.store.writing() as tx:
            for user_id in people:
                tx.people.add(Person(user_id, Role.PATIENT, PersonState.ACTIVE, user_id, datetime.now(UTC)))

    @contextmanager
    def away(self) -> Iterator[None]:
        """Take the people away from under everybody's hands, and put them back."""
        with closing(sqlite3.connect(self.file, timeout=30, isolation_level=None)) as database:
            database.execute("ALTER TABLE person RENAME TO person_away")
            yield
            database.execute("ALTER TABLE person_away RENAME TO person")


@pytest.fixture
def keeping(tmp_path: Path) -> Iterator[Keeping]:
    """A front door's agreements, which nobody is keeping yet."""
    file = house_file(tmp_path)
    store = open_store(f"sqlite:///{file}", HouseKeys.load_or_create(tmp_path / "house.keys"))
    yield Keeping(file, store, KeptAgreements(store))
    store.close()


@pytest_asyncio.fixture(loop_scope="session")
async def kept(keeping: Keeping) -> AsyncIterator[Keeping]:
    """A front door's agreements, being kept."""
    running = asyncio.create_task(keeping.agreements.run())
    yield keeping
    running.cancel()
    await asyncio.wait({running})


async def test_an_agreement_waits_while_the_database_is_away_and_then_for_the_person(
    kept: Keeping, caplog: pytest.LogCaptureFixture
) -> None:
    async def was_tried_twice() -> bool:
        return caplog.text.count("agreements wait: StoreAway") >= 2

    with kept.away():
        kept.agreements.keep(RIVER, 2)
        await eventually(was_tried_twice)
    before = await agreed(kept.store, RIVER)
    kept.moves_in(RIVER)

    assert before is None
    assert await eventually(lambda: agreed(kept.store, RIVER)) == 2
    assert RIVER not in caplog.text


async def test_one_that_cannot_be_kept_yet_holds_up_nobody_elses(kept: Keeping) -> None:
    kept.moves_in(MOSS)

    kept.agreements.keep(RIVER, 1)
    kept.agreements.keep(MOSS, 1)

    assert await eventually(lambda: agreed(kept.store, MOSS)) == 1
    assert await agreed(kept.store, RIVER) is None


async def test_no_more_than_a_thousand_wait(keeping: Keeping) -> None:
    people = [UserId(f"@p{number}:k.h") for number in range(MOST_WAITING + 1)]
    keeping.moves_in(*people)
    for user_id in people:
        keeping.agreements.keep(user_id, 1)

    await keeping.agreements.try_now()

    with keeping.store.reading() as tx:
        found = {person.user_id: person.rules_agreed for person in tx.people.all()}
    assert [found[user_id] for user_id in people] == [1] * MOST_WAITING + [None]
