"""Recorded answers of /sync through the receiving path: all at once, and one after the other."""

import asyncio
import json
import os
import shutil
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
from aiohttp import web

from benchmarks.delivery_house import DeliveryHouse
from benchmarks.delivery_recording import Recorded, said_in
from bots.risk_monitor.__main__ import prepare
from bots.risk_monitor.bot import Watcher
from bots.runtime.client import HouseClient
from bots.runtime.clock import utc_now
from bots.runtime.credentials import BotCredentials
from bots.runtime.generations import LedgerGenerations
from bots.runtime.ledger import Ledger
from bots.runtime.received import Message, Received, Undecryptable
from bots.runtime.surroundings import Surroundings
from keyhouse.core.ids import UserId
from keyhouse.core.outgoing import Worker
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.sealing import Seal
from keyhouse.storage.store import open_store
from tests.support.ports import free_port

REPLAYED_WITHIN_S = 600.0


class Timed:
    """The watcher, and when it was done with each message. is_done: set when it is done with all of these."""

    def __init__(self, watcher: Watcher, event_ids: frozenset[str]) -> None:
        self._watcher, self._left = watcher, set(event_ids)
        self.done_at: dict[str, float] = {}
        self.is_done = asyncio.Event()
        self.news = asyncio.Event()

    async def received(self, event: Received) -> None:
        """Let the watcher decide."""
        await self._watcher.received(event)
        if isinstance(event, Message):
            self.done_at[event.event_id] = time.perf_counter()
            self._left.discard(event.event_id)
            self.news.set()
            if not self._left:
                self.is_done.set()

    async def could_not_handle(self, event: Received) -> None:
        """Let the watcher raise its alarm."""
        await self._watcher.could_not_handle(event)

    async def stayed_unread(self, event: Undecryptable) -> None:
        """Let the watcher raise its alarm."""
        await self._watcher.stayed_unread(event)


class RecordedStream:
    """Gives the recorded answers, and passes everything else on to the homeserver.

    one_by_one: give the next answer only when everything in the last one was decided.
    """

    def __init__(self, answers: Sequence[str], behind: str, *, one_by_one: bool) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self._answers, self._behind, self._one_by_one = iter(answers), behind, one_by_one
        self._waits_for: set[str] = set()
        self.given_at: dict[str, float] = {}
        self.timed: Timed | None = None
        self._http = aiohttp.ClientSession()
        self._ends = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one request."""
        if request.path.endswith("/sync") and self.timed is not None:
            return await self._next(self.timed)
        if request.path.endswith("/keys/upload"):
            # Keys of a device that lives again and again would stand beside those of its other lives.
            return web.json_response({"one_time_key_counts": {"signed_curve25519": 50}})
        headers = {"Authorization": request.headers.get("Authorization", "")}
        async with self._http.request(
            request.method, self._behind + request.raw_path, data=await request.read(), headers=headers
        ) as response:
            return web.Response(status=response.status, body=await response.read(), content_type="application/json")

    async def _next(self, timed: Timed) -> web.Response:
        while self._one_by_one and self._waits_for - timed.done_at.keys():
            timed.news.clear()
            await timed.news.wait()
        text = next(self._answers, None)
        if text is None:
            await self._ends.wait()
            return web.Response(status=503)
        self._waits_for = said_in(json.loads(text)) if self._one_by_one or not self.given_at else set()
        self.given_at |= dict.fromkeys(self._waits_for, time.perf_counter())
        return web.Response(text=text, content_type="application/json")

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Listen until the end of the block."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", int(self.url.rsplit(":", 1)[1])).start()
        try:
            yield
        finally:
            self._ends.set()
            await runner.cleanup()
            await self._http.close()


async def print_replay(house: DeliveryHouse, recorded: Recorded, folder: Path) -> None:
    """Replay twice on one core: everything at once, then one answer after the other; print the figures."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        stream, timed, cpu_s, alerts = await _replayed(house, recorded, folder / "at-once", one_by_one=False)
        lasted = max(timed.done_at.values()) - min(stream.given_at.values())
        count = len(recorded.event_ids)
        _say(
            f"replay of {count:,} encrypted messages in {len(recorded.answers()):,} answers, on one core: "
            f"{count / lasted:.0f} a second, processor {cpu_s * 1000 / count:.1f} ms a message, {alerts} alerts"
        )
        stream, timed, _, _ = await _replayed(house, recorded, folder / "one-by-one", one_by_one=True)
        taken = sorted((timed.done_at[each] - stream.given_at[each]) * 1000 for each in recorded.event_ids)
        _say(
            f"replay, one answer after the other, answer -> decision: mean {statistics.mean(taken):.1f} ms, "
            f"median {statistics.median(taken):.1f} ms, p99 {taken[len(taken) * 99 // 100]:.1f} ms"
        )
    finally:
        os.sched_setaffinity(0, cores)


async def _replayed(
    house: DeliveryHouse, recorded: Recorded, data: Path, *, one_by_one: bool
) -> tuple[RecordedStream, Timed, float, int]:
    shutil.copytree(recorded.data, data)
    bot = data / "bots" / Worker.RISK_MONITOR.value
    stream = RecordedStream(recorded.answers(), house.synapse.url, one_by_one=one_by_one)
    replace(BotCredentials.load(bot), homeserver=stream.url).save(bot)
    keys = HouseKeys.load(data / "secrets" / "house.keys")
    database = f"sqlite:///{data / house.house.directory.database.name}"
    settings = house.house.settings.model_copy(update={"database": database})
    make = await asyncio.to_thread(prepare, settings, data)
    ledger = Ledger(open_store(database, keys), Worker.RISK_MONITOR)
    async with stream.listening(), HouseClient(bot, LedgerGenerations(ledger), Seal.of(keys)) as client:
        watcher = make(Surroundings(settings, ledger, client.sending, UserId(client.user_id), utc_now))
        timed = stream.timed = Timed(watcher, recorded.event_ids)
        worked = time.process_time()
        running = asyncio.create_task(client.run(timed, ledger))
        done = asyncio.create_task(timed.is_done.wait())
        await asyncio.wait({running, done}, timeout=REPLAYED_WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
        worked = time.process_time() - worked
        assert timed.is_done.is_set(), running
        running.cancel()
        await asyncio.wait({running})
    ledger.close()
    return stream, timed, worked, watcher.counters["alerts"]


def _say(line: str) -> None:
    print(f"{line}  [load {os.getloadavg()[0]:.1f}]", flush=True)
