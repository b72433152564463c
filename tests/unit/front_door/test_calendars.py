"""Calendar links at the front door: a real application over a real database, no homeserver."""

import asyncio
import secrets
import shutil
import sqlite3
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import aiohttp
import icalendar
import pytest
import pytest_asyncio
import vobject
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from front_door.accounts import NewAccount, NotTaken
from front_door.calendars import MOST_AT_ONCE, add_calendars
from front_door.guard import HEADERS
from front_door.pages import Notices, make_app
from keyhouse.core.ids import SlotNumber, UserId
from keyhouse.core.people import PersonState
from keyhouse.core.ports import Store, Transaction
from keyhouse.core.verdict import Refused
from keyhouse.core.workflows.booking_slots import withdraw_slots
from keyhouse.core.workflows.calendars import close_calendar, open_calendar
from keyhouse.settings.house import HouseSettings, save_house
from keyhouse.settings.rules_in_force import RulesInForce
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.migrating import migrate
from keyhouse.storage.store import open_store
from provisioning.bootstrap import make_house
from provisioning.directory import HouseDirectory
from tests.front_door.test_process import start
from tests.support.eventually import eventually
from tests.support.household import A_SECOND, NOW, person, user
from tests.support.ports import free_port
from tests.support.therapy import DAY, DR, HOUR, add, book, cancel, furnish, move, plan

BUILDING = Path(__file__).parents[3] / "config" / "building.yaml"
RIVER, CLOVER = user("river"), user("clover")
Client = TestClient[web.Request, web.Application]


class _NoAccounts:
    """Nobody uses a key here."""

    async def make_account(self, code: str, password: str, visitor: str | None) -> NewAccount | Refused | NotTaken:
        """Make none."""
        return NotTaken()

    def keep(self, user_id: UserId, version: int) -> None:
        """Keep nothing."""


@dataclass
class Door:
    """A front door of a house in which it is `now`, and what it keeps."""

    store: Store
    now: datetime = NOW
    counts: Counter[str] = field(default_factory=Counter)
    client: Client = field(init=False)

    def opened(self, who: UserId = RIVER) -> str:
        """Give somebody a link; return its secret."""
        secret = secrets.token_hex(32)
        with self.store.writing() as tx:
            assert not isinstance(open_calendar(tx, who, secret, self.now), Refused)
        return secret

    async def events(self, secret: str, name: str = "") -> list[tuple[str, int, datetime, str]]:
        """What a calendar reads behind a link: of each event UID, sequence, start and status."""
        response = await self.client.get(f"/calendar/{secret}{name}.ics")
        assert response.status == 200
        calendar = icalendar.Calendar.from_ical(await response.read())
        return [
            (str(one["UID"]), int(one["SEQUENCE"]), one["DTSTART"].dt, str(one["STATUS"]))
            for one in calendar.walk("VEVENT")
        ]


@pytest.fixture(scope="module")
def empty_house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file that each test copies."""
    file = tmp_path_factory.mktemp("house") / "house.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest_asyncio.fixture(loop_scope="session")
async def door(empty_house: Path, tmp_path: Path) -> AsyncIterator[Door]:
    """A front door of a house with two therapists and two patients."""
    shutil.copy(empty_house, tmp_path / "house.db")
    keys = HouseKeys(*(secrets.token_bytes(32) for _ in range(3)))
    store = open_store(f"sqlite:///{tmp_path / 'house.db'}", keys)
    furnish(store, "river", "clover")
    opened = Door(store)
    async with _front_door(store, opened) as client:
        opened.client = client
        yield opened
    store.close()


@asynccontextmanager
async def _front_door(store: Store, door: Door) -> AsyncIterator[Client]:
    """Open the application over this store; it is as late as at the door."""
    nobody = _NoAccounts()
    app = make_app(nobody, nobody, Notices("http://h", (), RulesInForce(BUILDING)), Counter())
    add_calendars(app, store, "keyhouse.test", door.counts, lambda: door.now)
    client: Client = TestClient(TestServer(app))
    await client.start_server()
    yield client
    await client.close()


async def test_whoever_has_the_link_reads_the_holders_sessions_and_nobody_elses(door: Door) -> None:
    add(door.store, plan(NOW + DAY, NOW + 2 * DAY))
    mine, others = book(door.store, "river", 1), book(door.store, "clover", 2)
    rivers, clovers = door.opened(), door.opened(CLOVER)

    assert not isinstance(mine, Refused)
    assert not isinstance(others, Refused)
    assert await door.events(rivers) == [(f"{mine.number}@keyhouse.test", 0, NOW + DAY, "CONFIRMED")]
    assert await door.events(clovers) == [(f"{others.number}@keyhouse.test", 0, NOW + 2 * DAY, "CONFIRMED")]


async def test_a_therapist_reads_what_was_booked_with_them_without_a_name(door: Door) -> None:
    add(door.store, plan(NOW + DAY, NOW + 2 * DAY, NOW + 3 * DAY))
    add(door.store, plan(NOW + DAY, therapist="dr-b"))
    for who, number in (("river", 1), ("clover", 2), ("clover", 4)):
        book(door.store, who, number)
    secret = door.opened(DR)

    response = await door.client.get(f"/calendar/{secret}.ics")

    document = await response.text()
    assert [start for _, _, start, _ in await door.events(secret)] == [NOW + DAY, NOW + 2 * DAY]
    assert [name for name in ("river", "clover", "dr-") if name in document] == []


async def test_a_calendar_follows_moves_and_strikes_out_what_was_given_back_for_thirty_days(door: Door) -> None:
    add(door.store, plan(NOW + 40 * DAY, NOW + 50 * DAY))
    booked = book(door.store, "river", 1)
    assert not isinstance(booked, Refused)
    secret, uid = door.opened(), f"{booked.number}@keyhouse.test"

    before = await door.events(secret)
    move(door.store, "river", 1, 2)
    after_move = await door.events(secret)
    cancel(door.store, "river", 2)
    door.now = NOW + 30 * DAY - A_SECOND
    still = await door.events(secret)
    door.now = NOW + 30 * DAY

    assert before == [(uid, 0, NOW + 40 * DAY, "CONFIRMED")]
    assert after_move == [(uid, 1, NOW + 50 * DAY, "CONFIRMED")]
    assert still == [(uid, 2, NOW + 50 * DAY, "CANCELLED")]
    assert await door.events(secret) == []


async def test_what_a_therapist_withdraws_is_struck_out_for_both(door: Door) -> None:
    add(door.store, plan(NOW + DAY))
    book(door.store, "river", 1)
    with door.store.writing() as tx:
        withdraw_slots(tx, [SlotNumber(1)], DR, NOW, even_if_booked=True)

    for who in (RIVER, DR):
        assert [status for *_, status in await door.events(door.opened(who))] == ["CANCELLED"]


async def test_one_session_alone_is_an_invitation_and_when_it_was_given_back_a_cancellation(door: Door) -> None:
    add(door.store, plan(NOW + DAY, NOW + 2 * DAY))
    book(door.store, "river", 1)
    book(door.store, "river", 2)
    secret = door.opened()

    invitation = await _read(door, f"/calendar/{secret}/2.ics")
    cancel(door.store, "river", 2)
    cancellation = await _read(door, f"/calendar/{secret}/2.ics")
    book(door.store, "river", 2, event="again")
    again = await _read(door, f"/calendar/{secret}/2.ics")

    assert [one.method.value for one in (invitation, cancellation, again)] == ["REQUEST", "CANCEL", "REQUEST"]
    assert invitation.vevent.dtstart.value == NOW + 2 * DAY
    assert invitation.vevent.uid.value == cancellation.vevent.uid.value != again.vevent.uid.value


async def _read(door: Door, path: str) -> vobject.base.Component:
    response = await door.client.get(path)
    assert response.status == 200
    return vobject.readOne(await response.text())


async def _seen(door: Door, path: str, method: str = "GET") -> tuple[int, dict[str, str], str]:
    response = await door.client.request(method, path)
    headers = {name: value for name, value in response.headers.items() if name != "Date"}
    return response.status, headers, await response.text()


def _end(tx: Transaction, how: str, secret: str) -> str:
    """End river's link in one of the ways in which it ends; return the path that is tried then."""
    match how:
        case "ended":
            close_calendar(tx, RIVER, NOW)
        case "made anew":
            open_calendar(tx, RIVER, "another", NOW)
        case "closed account":
            tx.people.update(person("river", state=PersonState.CLOSED))
    return f"/calendar/{secret}.ics"


@pytest.mark.parametrize("how", ["ended", "made anew", "closed account"])
async def test_a_link_that_was_ended_is_answered_exactly_like_one_that_never_was(door: Door, how: str) -> None:
    secret = door.opened()
    good = await _seen(door, f"/calendar/{secret}.ics")
    with door.store.writing() as tx:
        path = _end(tx, how, secret)

    never = await _seen(door, f"/calendar/{secrets.token_hex(32)}.ics")

    assert good[0] == 200
    assert never[0] == 404
    assert await _seen(door, path) == never
    assert await _seen(door, f"/calendar/{secret}/1.ics") == never
    assert await _seen(door, "/nothing") == never


@pytest.mark.parametrize("name", ["/2", "/9", "/0", "/-1", "/1x", "/12345678901234567890"])
async def test_a_number_at_which_the_holder_has_nothing_is_no_page(door: Door, name: str) -> None:
    add(door.store, plan(NOW + DAY, NOW + 2 * DAY))
    book(door.store, "river", 1)
    book(door.store, "clover", 2)
    secret = door.opened()

    assert (await door.client.get(f"/calendar/{secret}/1.ics")).status == 200
    assert (await door.client.get(f"/calendar/{secret}{name}.ics")).status == 404


@pytest.mark.parametrize("secret", ["x", "%ff%fe", "%ed%a0%80", "a" * 4000, "%00", "..%2f..%2fetc", "' OR 1=1 --"])
async def test_a_strange_link_leads_nowhere(door: Door, secret: str) -> None:
    assert (await door.client.get(f"/calendar/{secret}.ics")).status == 404


async def test_a_paused_person_keeps_the_calendar(door: Door) -> None:
    secret = door.opened()
    with door.store.writing() as tx:
        tx.people.update(person("river", state=PersonState.PAUSED))

    assert await door.events(secret) == []


async def test_the_answer_is_a_calendar_that_nobody_stores_and_whose_name_tells_nothing(door: Door) -> None:
    secret = door.opened()

    status, headers, text = await _seen(door, f"/calendar/{secret}.ics")
    head = await _seen(door, f"/calendar/{secret}.ics", "HEAD")

    assert status == 200
    assert headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert headers["Content-Disposition"] == 'attachment; filename="appointments.ics"'
    assert {name: headers.get(name) for name in HEADERS} == HEADERS
    assert text.startswith("BEGIN:VCALENDAR\r\n")
    assert head == (200, headers, "")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PROPFIND"])
async def test_a_calendar_is_only_read(door: Door, method: str) -> None:
    assert (await door.client.request(method, f"/calendar/{door.opened()}.ics")).status == 405


async def test_a_calendar_ends_after_a_year(door: Door) -> None:
    add(door.store, plan(NOW + HOUR, NOW + 365 * DAY - HOUR, NOW + 365 * DAY))
    for who, number in (("river", 1), ("river", 2), ("clover", 3)):
        assert not isinstance(book(door.store, who, number), Refused)

    shown = [start for _, _, start, _ in await door.events(door.opened(DR))]

    assert shown == [NOW + HOUR, NOW + 365 * DAY - HOUR]


async def test_while_the_database_is_away_a_calendar_is_told_to_try_again(door: Door, tmp_path: Path) -> None:
    secret = door.opened()
    with closing(sqlite3.connect(tmp_path / "house.db")) as file:
        file.execute("ALTER TABLE calendar_feed RENAME TO away")
        away = await _seen(door, f"/calendar/{secret}.ics")
        file.execute("ALTER TABLE away RENAME TO calendar_feed")

    status, headers, text = away
    assert (status, headers["Retry-After"], headers["Cache-Control"]) == (503, "60", "no-store")
    assert "tries again by itself" in text
    assert await door.events(secret) == []


class _Held:
    """A store whose looks wait until they are let go, as those at a busy database do."""

    def __init__(self, store: Store) -> None:
        self._store, self._go = store, threading.Event()
        self.looking = 0

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Wait, then look."""
        self.looking += 1
        assert self._go.wait(60)
        with self._store.reading() as tx:
            yield tx

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """Write at once."""
        with self._store.writing() as tx:
            yield tx

    def let_go(self) -> None:
        """Let everybody look."""
        self._go.set()


async def test_of_many_calendars_at_once_some_come_later_and_the_page_is_still_served(door: Door) -> None:
    held, secret = _Held(door.store), door.opened()
    async with _front_door(held, door) as client:
        first = [asyncio.create_task(client.get(f"/calendar/{secret}.ics")) for _ in range(MOST_AT_ONCE)]
        await eventually(lambda: _is(held.looking == MOST_AT_ONCE))

        one_more = await client.get(f"/calendar/{secret}.ics")
        page = await client.get("/")
        held.let_go()
        answered = [(await response).status for response in first]
        later = await client.get(f"/calendar/{secret}.ics")

    assert (one_more.status, one_more.headers["Retry-After"], page.status) == (503, "60", 200)
    assert (answered, later.status) == ([200] * MOST_AT_ONCE, 200)
    assert door.counts == {"calendars_answered_200": MOST_AT_ONCE + 1, "calendars_answered_503": 1}


async def _is(so: bool) -> bool:
    return so


async def test_the_process_writes_no_link_down_whatever_is_answered(tmp_path: Path) -> None:
    data, port = tmp_path / "data", free_port()
    address = f"http://127.0.0.1:{port}"
    house = make_house(
        HouseDirectory(data),
        HouseSettings(
            server_name="keyhouse.test",
            homeserver="http://127.0.0.1:1",
            front_door=address,
            database=f"sqlite:///{data / 'keyhouse.db'}",
            config=BUILDING.parent,
        ),
    )
    save_house(data, house.settings)
    secret, never = secrets.token_hex(32), secrets.token_hex(32)
    furnish(house.store, "river")
    with house.store.writing() as tx:
        open_calendar(tx, RIVER, secret, NOW)
    running = await start(data, address)
    await running.wait_for("ready")

    async with aiohttp.ClientSession() as http:
        statuses = [await _status(http, f"{address}/calendar/{each}.ics") for each in (secret, never, secret + "%ff")]
        await _break_off(port, f"GET /calendar/{secret}.ics HTTP/9.9\r\nX: \x00\r\n\r\n")
        last = await _status(http, f"{address}/calendar/{secret}.ics")
    await running.stop()

    assert (statuses, last) == ([200, 404, 404], 200)
    assert "ready on" in running.said
    assert [each for each in (secret, never) if each in running.said] == []


async def _status(http: aiohttp.ClientSession, address: str) -> int:
    async with http.get(URL(address, encoded=True)) as response:
        return response.status


async def _break_off(port: int, words: str) -> None:
    """Send something that cannot be read as a request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(words.encode())
    await reader.read()
    writer.close()
