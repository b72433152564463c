"""A house that was up once, and a backup of it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from keyhouse.core.outgoing import NewOutgoing, OutgoingKind, Worker
from provisioning.backup import make_backup
from provisioning.bootstrap import homeserver_plan, make_house
from provisioning.directory import HouseDirectory
from tests.backup.pieces import CANARY, NOW, furnish_watcher, settings_of
from tests.support.household import person
from tests.support.synapse import FOR_TESTS, RunningSynapse


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stopped(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[HouseDirectory]:
    """A house that was up once, with a person, a picture, a watcher and something to do."""
    directory = HouseDirectory(tmp_path_factory.mktemp("house") / "data")
    house = make_house(directory, settings_of(f"sqlite:///{directory.database}"))
    async with RunningSynapse(replace(homeserver_plan(house), extra=FOR_TESTS)) as synapse:
        await synapse.register("caretaker", "a password", admin=True)
    picture = directory.homeserver / "media" / "local_content" / "ab" / "cd" / "picture"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"an encrypted picture")
    furnish_watcher(directory)
    for kept in (directory.root / "lexicon" / "accepted.json", directory.house_keys.parent / "pager-url"):
        kept.parent.mkdir(exist_ok=True)
        kept.write_text("kept")
    for left in (directory.ready, directory.supervisor_pid, directory.logs / "up.log", directory.root / ".half.part"):
        left.write_text(CANARY)
    with house.store.writing() as tx:
        tx.people.add(person("river"))
        tx.outbox.add(NewOutgoing(OutgoingKind.GREETING, Worker.BOOKING, "once", {"words": CANARY}, NOW), NOW)
    yield directory


@pytest.fixture
def made(stopped: HouseDirectory, tmp_path: Path) -> Path:
    """A backup of it, to be damaged."""
    make_backup(stopped, tmp_path / "made", NOW)
    return tmp_path / "made"


@pytest.fixture
def target(tmp_path: Path) -> HouseDirectory:
    """Where nothing is yet."""
    return HouseDirectory(tmp_path / "restored")
