"""A whole demonstration house that checks itself every two seconds and pages soon, so that no journey waits minutes."""

import asyncio
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from keyhouse.core.ids import RoomId
from keyhouse.core.notices import NoticeLimits
from keyhouse.core.outgoing import Worker
from keyhouse.core.ports import Heartbeat, Store
from keyhouse.core.probing import PROCESS
from keyhouse.core.workflows.notices import find_notices
from provisioning.answers import House, opened
from provisioning.directory import HouseDirectory
from provisioning.waiting import heartbeats
from tests.support.house import RunningHouse
from tests.support.paged_house import SOON, config_with_pager, written_down
from tests.support.sinks import MailSink, Request, WebSink

WITHIN_S = 90.0
TOLD_AFTER = timedelta(seconds=9)
"""For how long a room must be blind before it says so."""

_ALARMS_LOOKED_AT = 100
_LOOKS_EVERY_S = 0.1


class PagedHouse(RunningHouse):
    """A demonstration house that tells a web server, then a mail server; and another that all is well."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.data = HouseDirectory(directory / "data")
        self.web, self.mail, self.listener = WebSink(), MailSink(directory), WebSink()
        mail = {"host": "127.0.0.1", "port": self.mail.port, "tls": "none", "sender": "a@house.test"}
        pager = {
            "channels": [
                {"name": "web", "webhook": {"url_file": str(directory / "web-url")}},
                {"name": "mail", "mail": {**mail, "to": ["on-call@team.test"]}},
            ],
            "dead_man": {"url_file": str(directory / "listener-url"), "every": "1s"},
            "probe_every": "2s",
            "rooms_told_after": f"{TOLD_AFTER.seconds}s",
            # A drill of the cards waits for it; nobody who was cut off by another test is so late.
            "when": {**SOON, "outbox_after": "12s"},
        }
        urls = {"web-url": self.web.url(), "listener-url": self.listener.url("alive")}
        config = config_with_pager(directory, pager, {str(directory / name): url for name, url in urls.items()})
        written_down(self.data.root, config)
        self._servers = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for server in (self.web, self.mail, self.listener):
            await self._servers.enter_async_context(server)
        try:
            return await super().__aenter__()
        except BaseException:
            await self._servers.aclose()
            raise

    async def stop(self) -> None:
        """Stop the house, then the servers that it tells."""
        await super().stop()
        await self._servers.aclose()

    def opened(self) -> House:
        """The house as the command line opens it."""
        return opened(self.data)

    def room(self, slug: str) -> RoomId:
        """A room of the house by its stable name."""
        with self.opened().store.reading() as tx:
            scope = tx.rooms.by_slug(slug)
        assert scope is not None
        return scope.room_id

    async def is_well(self) -> None:
        """Wait until no alarm stands, and every room was told that it is seen again."""
        store = self.opened().store
        async with asyncio.timeout(WITHIN_S):
            while True:
                if await asyncio.to_thread(_nothing_is_left_to_tell, store):
                    return
                await asyncio.sleep(_LOOKS_EVERY_S)

    @asynccontextmanager
    async def held_still(self, *names: str) -> AsyncIterator[None]:
        """Hold processes still, which then hold no lock of the database, and let them go on at the end."""
        rows = (await self.command("status"))["processes"]
        pids = [next(row["pid"] for row in rows if row["name"] == name) for name in names]
        try:
            while True:
                for pid in pids:
                    os.kill(pid, signal.SIGSTOP)
                if await asyncio.to_thread(self._may_be_written):
                    break
                for pid in pids:
                    os.kill(pid, signal.SIGCONT)
            yield
        finally:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    async def told(self, words: str, since: int = 0) -> str:
        """Wait until a page begins with these words, among those after so many; return it."""

        def is_new(request: Request) -> bool:
            return request.text.startswith(words) and request in self.web.heard[since:]

        return (await self.web.wait(is_new, WITHIN_S)).text

    async def until(self, holds: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Wait until `keyhouse alarms list` is like this."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                listed = await self.command("alarms", "list")
                if holds(listed):
                    return listed

    async def probe(self, holds: Callable[[Heartbeat], bool] = lambda beat: True) -> Heartbeat:
        """Wait until the probe's last sign of life is of this kind."""
        store = self.opened().store
        async with asyncio.timeout(WITHIN_S):
            while True:
                found = [beat for beat in heartbeats(store) if beat.process == PROCESS and holds(beat)]
                if found:
                    return found[0]
                await asyncio.sleep(_LOOKS_EVERY_S)

    def _may_be_written(self) -> bool:
        with closing(sqlite3.connect(self.data.database, timeout=1, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            return True


def _nothing_is_left_to_tell(store: Store) -> bool:
    limits, now = NoticeLimits(TOLD_AFTER), datetime.now(UTC)
    with store.reading() as tx:
        alarms = tx.alarms.latest(_ALARMS_LOOKED_AT)
        if not all(alarm.ended_at and now - alarm.ended_at >= limits.settled_after for alarm in alarms):
            return False
        notices = find_notices(tx, [Worker.RISK_MONITOR.value], limits, now)
        return all(tx.outbox.known(each.once) for each in notices) and not tx.outbox.undone(Worker.ROOM_GATEKEEPER, now)
