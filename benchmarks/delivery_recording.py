"""Answers of /sync as a real homeserver gives them to the watcher's device, kept in a temporary folder."""

import asyncio
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.delivery_house import DeliveryHouse
from bots.runtime.credentials import BotCredentials, BotFiles
from bots.runtime.crypto_store import StoreLock, open_machine
from bots.runtime.session import stored_session

FILTER = {"room": {"timeline": {"limit": 100}}}


@dataclass(frozen=True)
class Recorded:
    """folder: the answers, ordered by name.  data: the house as it was before.  event_ids: what was said."""

    folder: Path
    data: Path
    event_ids: frozenset[str]

    def answers(self) -> list[str]:
        """The answers as they came."""
        return [file.read_text() for file in sorted(self.folder.iterdir())]


async def record(house: DeliveryHouse, directory: Path, messages: int) -> Recorded:
    """Let people write, and keep what the homeserver tells the watcher's device of it.

    Its process does not run, and would miss the room keys if it ran afterwards: the homeserver tells them once.
    """
    folder, data = directory / "answers", directory / "before"
    await asyncio.to_thread(shutil.copytree, house.house.directory.root, data)
    numbers, said = iter(range(messages)), set[str]()

    async def write(place: int) -> None:
        for number in numbers:
            said.add((await house.writers[place].say(number))[0])

    recording = asyncio.create_task(_keep_answers(house, folder, said, enough := asyncio.Event()))
    await asyncio.gather(*(write(place) for place in range(len(house.writers))))
    enough.set()
    await recording
    return Recorded(folder, data, frozenset(said))


async def _keep_answers(house: DeliveryHouse, folder: Path, said: set[str], enough: asyncio.Event) -> None:
    await asyncio.to_thread(folder.mkdir)
    files, credentials = BotFiles(house.bot), BotCredentials.load(house.bot)
    session = stored_session(files)
    assert session is not None
    since, heard, number = _sync_token(credentials, files), set[str](), 0
    while not enough.is_set() or said - heard:
        at = f"/_matrix/client/v3/sync?timeout=1000&filter={json.dumps(FILTER)}&since={since}"
        answer = await house.synapse.ask("GET", at, session.access_token)
        (folder / f"{number:06}.json").write_text(json.dumps(answer))
        since, number = answer["next_batch"], number + 1
        heard |= said_in(answer)


def _sync_token(credentials: BotCredentials, files: BotFiles) -> str:
    lock = StoreLock(files.store(credentials.device_id))
    olm = open_machine(credentials, files)
    token = olm.store.load_sync_token()
    olm.store.database.close()
    lock.release()
    return str(token)


def said_in(answer: Mapping[str, Any]) -> set[str]:
    """The ids of the encrypted events of an answer."""
    rooms = answer.get("rooms", {}).get("join", {}).values()
    events = [event for room in rooms for event in room.get("timeline", {}).get("events", [])]
    return {event["event_id"] for event in events if event["type"] == "m.room.encrypted"}
