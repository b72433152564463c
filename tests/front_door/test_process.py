"""The front door as a process: it gives signs of life, tells no log who came, and stops."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from keyhouse.core.ports import Heartbeat
from keyhouse.settings.house import HouseSettings, save_house
from tests.front_door.seen import see
from tests.support.door import database_url
from tests.support.house_with_door import House
from tests.support.ports import free_port

CONFIG = Path(__file__).parents[2] / "config"
WITHIN_S = 15.0


class RunningFrontDoor:
    """One `python -m front_door`; said: its stderr so far."""

    def __init__(self, process: asyncio.subprocess.Process, address: str) -> None:
        self.process = process
        self.address = address
        self.said = ""

    async def wait_for(self, words: str) -> None:
        assert self.process.stderr is not None
        async with asyncio.timeout(WITHIN_S):
            while words not in self.said:
                line = await self.process.stderr.readline()
                assert line, f"ended without saying {words!r}:\n{self.said}"
                self.said += line.decode()

    async def stop(self) -> int:
        assert self.process.stderr is not None
        async with asyncio.timeout(WITHIN_S):
            self.process.terminate()
            self.said += (await self.process.stderr.read()).decode()
            return await self.process.wait()


async def start(data: Path, address: str, *more: str) -> RunningFrontDoor:
    command = [sys.executable, "-m", "front_door", "--data", str(data), *more]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    return RunningFrontDoor(process, address)


@pytest.fixture
def house_directory(house: House, door_folder: Path, tmp_path: Path) -> Path:
    """A data directory, as `keyhouse up` leaves it, of the house with the door."""
    address = f"http://127.0.0.1:{free_port()}"
    database = database_url(door_folder)
    settings = HouseSettings(
        server_name="keyhouse.test", homeserver=house.synapse.url, front_door=address, database=database, config=CONFIG
    )
    save_house(tmp_path, settings)
    (tmp_path / "secrets").mkdir()
    shutil.copy(door_folder / "house_keys.json", tmp_path / "secrets" / "house.keys")
    return tmp_path


@pytest_asyncio.fixture(loop_scope="session")
async def running(house_directory: Path) -> AsyncIterator[RunningFrontDoor]:
    """A front door that says it is ready."""
    port = free_port()
    front_door = await start(house_directory, f"http://127.0.0.1:{port}", "--port", str(port))
    await front_door.wait_for("ready")
    yield front_door
    if front_door.process.returncode is None:
        await front_door.stop()


async def seen_heartbeat(house: House, after: datetime) -> Heartbeat:
    async with asyncio.timeout(WITHIN_S):
        while True:
            beats = house.read(lambda tx: tx.heartbeats.all())
            for beat in beats:
                if beat.process == "front_door" and beat.beat_at > after:
                    return beat
            await asyncio.sleep(0.1)


async def test_it_gives_a_sign_of_life_and_stops_on_sigterm(house: House, running: RunningFrontDoor) -> None:
    beat = await seen_heartbeat(house, after=datetime.now(UTC))

    assert beat.pid == running.process.pid
    assert beat.last_sync_at is not None
    assert datetime.now(UTC) - beat.last_sync_at < timedelta(seconds=10)
    assert await running.stop() == 0
    assert running.said.count("\n") == 2


async def test_no_log_knows_who_came_and_with_what(house: House, running: RunningFrontDoor) -> None:
    paper = house.issue()
    async with aiohttp.ClientSession(running.address) as browser:
        async with browser.post("/", data={"code": paper.code, "agree": "yes"}) as answer:
            page = await see(answer)
        async with browser.get("/", params={"code": paper.code}, headers={"User-Agent": paper.code}) as again:
            assert again.status == 200
    unreadable = await ask_nonsense(running.address, paper.code)
    await running.stop()

    assert (page.status, unreadable[:12]) == (200, b"HTTP/1.0 400")
    logs = house.synapse.log_tail(lines=100_000)
    for canary in (paper.code, paper.code.replace("-", ""), page.by_id["password"]):
        assert canary not in running.said + logs
    assert paper.pseudonym not in running.said
    assert "127.0.0.1" not in running.said.replace(running.address, "")


async def ask_nonsense(address: str, canary: str) -> bytes:
    """Send what is not HTTP, which aiohttp would like to quote in its log."""
    host, port = address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET /{canary} {canary} NONSENSE\r\n\r\n".encode())
    async with asyncio.timeout(WITHIN_S):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_a_taken_port_is_one_plain_line(house: House, house_directory: Path) -> None:
    port = house.synapse.url.rpartition(":")[2]

    second = await start(house_directory, "", "--port", port)
    await second.wait_for("choose another port")

    assert await second.process.wait() == 1
    assert second.said.startswith(f"error: cannot listen on 127.0.0.1:{port}")


async def test_a_directory_without_a_house_is_one_plain_line(tmp_path: Path) -> None:
    nowhere = await start(tmp_path / "nowhere", "")
    await nowhere.wait_for("error:")

    assert await nowhere.process.wait() == 1
    assert "holds no house yet" in nowhere.said
