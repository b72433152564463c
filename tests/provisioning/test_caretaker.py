"""A real caretaker's process: who is told, when, how often, and what it survives."""

import asyncio
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest_asyncio

from keyhouse.core.alarms import Alarm, AlarmKind
from keyhouse.core.outgoing import Worker
from provisioning.paging.told import Told
from provisioning.state import looked_file, state_file
from tests.support.paged_house import BEATING, SOON, LoneCaretaker
from tests.support.ports import free_port
from tests.support.sinks import MailSink, Request, WebSink
from tests.support.synapse import RunningSynapse

STOPPED = "risk_monitor has stopped"
WELL_AGAIN = "well again: risk_monitor runs"
OTHERS = tuple(name for name in BEATING if name != "risk_monitor")
WITHIN_S = 60.0


class Outside:
    """What is outside of the house: a web server that is told first, a mail server, and who listens for all is well."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.web, self.mail, self.listener = WebSink(), MailSink(directory), WebSink()

    def pager(self, *channels: str) -> dict[str, Any]:
        """A pager.yaml with these of the channels `web` and `mail`."""
        mail = {"host": "127.0.0.1", "port": self.mail.port, "tls": "none", "sender": "a@house.test"}
        known = {
            "web": {"webhook": {"url_file": str(self.directory / "web-url")}},
            "mail": {"mail": {**mail, "to": ["on-call@team.test"]}},
        }
        return {
            "channels": [{"name": name, **known[name]} for name in channels],
            "dead_man": {"url_file": str(self.directory / "listener-url"), "every": "1s"},
            "when": SOON,
        }

    def secrets(self) -> dict[str, str]:
        """What stands in the files that it names."""
        urls = {"web-url": self.web.url(), "listener-url": self.listener.url("alive")}
        return {str(self.directory / name): url for name, url in urls.items()}


@pytest_asyncio.fixture
async def outside(tmp_path: Path) -> AsyncIterator[Outside]:
    """Servers outside of the house."""
    servers = Outside(tmp_path)
    async with AsyncExitStack() as stack:
        for server in (servers.web, servers.mail, servers.listener):
            await stack.enter_async_context(server)
        yield servers


@contextmanager
def held(database: Path) -> Iterator[None]:
    """Hold the database for writing, as a process does that was stopped in the middle of a transaction."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


def pages_to_do(caretaker: LoneCaretaker) -> int:
    with caretaker.house.store.reading() as tx:
        return tx.outbox.undone(Worker.CARETAKER, datetime.now(UTC))


def caretaker_of(outside: Outside, homeserver: str, *channels: str) -> LoneCaretaker:
    return LoneCaretaker(outside.directory, outside.pager(*channels), outside.secrets(), homeserver)


def says(words: str) -> Callable[[Request], bool]:
    return lambda request: request.text.startswith(words)


async def three_more_looks(caretaker: LoneCaretaker) -> None:
    """Wait until the caretaker has looked three times."""
    file = looked_file(caretaker.house.directory)
    for _ in range(3):
        before = file.stat().st_mtime_ns
        await eventually(lambda before=before: file.stat().st_mtime_ns > before)


async def eventually(holds: Callable[[], object], within_s: float = WITHIN_S) -> None:
    async with asyncio.timeout(within_s):
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110 (another process sets no event here)
            await asyncio.sleep(0.05)


async def test_a_watcher_that_falls_silent_is_told_once_and_once_when_it_speaks_again(
    outside: Outside, synapse: RunningSynapse
) -> None:
    async with caretaker_of(outside, synapse.url, "web", "mail") as caretaker:
        async with caretaker.beating():
            await outside.listener.wait(lambda request: request.path == "/alive")
        async with caretaker.beating(OTHERS):
            await outside.web.wait(says(STOPPED))
            heard_while_down = len(outside.listener.heard)
            standing = caretaker.standing()
            await three_more_looks(caretaker)
            heard_later = len(outside.listener.heard)
        async with caretaker.beating():
            await outside.web.wait(says(WELL_AGAIN))
            await eventually(lambda: len(outside.listener.heard) > heard_later)

        # One was perhaps on its way when the alarm began; every second would bring another.
        assert heard_later <= heard_while_down + 1
        assert [(alarm.kind, alarm.subject) for alarm in standing] == [(AlarmKind.PROCESS_STOPPED, "risk_monitor")]
        assert [text.partition(" (")[0] for text in outside.web.pages()] == [STOPPED, WELL_AGAIN]
        assert outside.mail.heard == []
        assert caretaker.standing() == []


async def test_a_first_channel_that_refuses_is_passed_over_and_becomes_an_alarm(
    outside: Outside, synapse: RunningSynapse
) -> None:
    outside.web.status = 503
    async with caretaker_of(outside, synapse.url, "web", "mail") as caretaker, caretaker.beating(OTHERS):
        message = await outside.mail.wait(lambda message: STOPPED in str(message["Subject"]))
        await eventually(lambda: (AlarmKind.PAGER_FAILED, "web") in [alarm.key for alarm in caretaker.standing()])

        assert message["To"] == "on-call@team.test"
        assert (AlarmKind.PAGER_FAILED, "") not in [alarm.key for alarm in caretaker.standing()]


async def test_pages_that_no_channel_took_survive_a_kill_and_arrive_once_and_in_their_order(
    outside: Outside, synapse: RunningSynapse
) -> None:
    outside.web.status = 500
    async with caretaker_of(outside, synapse.url, "web") as caretaker:
        async with caretaker.beating(OTHERS):
            await eventually(lambda: (AlarmKind.PAGER_FAILED, "") in [alarm.key for alarm in caretaker.standing()])
            await caretaker.end(signal.SIGKILL)
            await caretaker.start()
        async with caretaker.beating():
            await eventually(lambda: {alarm.kind for alarm in caretaker.standing()} == {AlarmKind.PAGER_FAILED})
            outside.web.status = 204
            await outside.web.wait(says(WELL_AGAIN))
            await eventually(lambda: not caretaker.standing())

    assert outside.web.refused
    assert [text.partition(" (")[0] for text in outside.web.pages()] == [STOPPED, WELL_AGAIN]


async def test_a_homeserver_that_does_not_answer_is_told(outside: Outside) -> None:
    nobody_there = f"http://127.0.0.1:{free_port()}"
    async with caretaker_of(outside, nobody_there, "web") as caretaker, caretaker.beating():
        await outside.web.wait(says("the homeserver does not answer (since "))

        assert [alarm.kind for alarm in caretaker.standing()] == [AlarmKind.HOMESERVER_AWAY]


async def test_a_database_that_is_away_at_the_start_is_told_without_it_and_kept_when_it_is_back(
    outside: Outside, synapse: RunningSynapse
) -> None:
    caretaker = caretaker_of(outside, synapse.url, "web")
    database, away = caretaker.house.directory.database, outside.directory / "away.db"
    database.rename(away)
    async with caretaker:
        await outside.web.wait(says("the house's database cannot be used"))
        away.rename(database)
        async with caretaker.beating():
            await outside.web.wait(says("well again: the house's database can be used"))
            await eventually(lambda: [alarm.kind for alarm in caretaker.latest()] == [AlarmKind.STORE_AWAY])

    assert len(outside.web.pages()) == 2


async def test_a_database_that_somebody_holds_is_told_and_the_caretaker_lives_on(
    outside: Outside, synapse: RunningSynapse
) -> None:
    async with caretaker_of(outside, synapse.url, "web") as caretaker:
        async with caretaker.beating():
            await outside.listener.wait(lambda request: True)
        with held(caretaker.house.directory.database):
            await outside.web.wait(says("the house's database cannot be used"))
        async with caretaker.beating():
            await outside.web.wait(says("well again: the house's database can be used"))

        assert caretaker.standing() == []


async def test_what_up_told_while_the_caretaker_was_down_is_taken_over_and_ended_by_the_caretaker(
    outside: Outside, synapse: RunningSynapse
) -> None:
    caretaker = caretaker_of(outside, synapse.url, "web")
    now = datetime.now(UTC)
    told = Told(state_file(caretaker.house.directory).parent)
    told.keep(Alarm(AlarmKind.PROCESS_STOPPED, "risk_monitor", now), now)
    async with caretaker:
        async with caretaker.beating(OTHERS):
            await eventually(caretaker.standing)
            await eventually(lambda: not told.all())
        async with caretaker.beating():
            await outside.web.wait(says(WELL_AGAIN))

    assert [text.partition(" (")[0] for text in outside.web.pages()] == [WELL_AGAIN]


async def test_without_channels_an_alarm_stands_and_no_page_waits(outside: Outside, synapse: RunningSynapse) -> None:
    async with caretaker_of(outside, synapse.url) as caretaker, caretaker.beating(OTHERS):
        await eventually(caretaker.standing)
        await eventually(lambda: pages_to_do(caretaker) == 0)

        assert outside.web.heard == []


async def test_a_caretaker_whose_settings_are_broken_says_so_in_one_line_and_is_not_started_again(
    outside: Outside,
) -> None:
    caretaker = caretaker_of(outside, "http://127.0.0.1:1", "web")
    (caretaker.house.settings.config / "pager.yaml").write_text("chanels: []")

    await caretaker.start()
    status = await caretaker.end(signal.SIGCONT)

    assert status == 3
    assert caretaker.said() == (
        "error: config/pager.yaml: chanels: is not a known key; remove it or correct its spelling\n"
    )
