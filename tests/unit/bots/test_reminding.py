"""New rules of the house reach everybody who agreed to older ones, at a start and while the house runs."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bots.room_gatekeeper.reminding import Reminding
from bots.runtime.ledger import Ledger
from bots.runtime.surroundings import Surroundings
from keyhouse.core.ids import UserId
from keyhouse.core.outgoing import OutgoingKind, Worker
from keyhouse.settings.house import HouseSettings
from keyhouse.settings.rules_in_force import RulesInForce
from keyhouse.storage.memory import MemoryStore
from tests.support.eventually import eventually
from tests.support.household import NOW, person

EXAMPLE = (Path(__file__).parents[3] / "config" / "building.yaml").read_text()
NOTHING_IS_SENT: Any = None


@dataclass
class House:
    """A house of one person who agreed to version 1, and its building file."""

    building: Path
    ledger: Ledger
    changes: int = 0

    def says(self, text: str) -> None:
        """Write the building file anew, at a moment of its own."""
        self.changes += 1
        self.building.write_text(text)
        os.utime(self.building, (self.changes, self.changes))

    def reminding(self) -> Reminding:
        """Begin to remind, as a concierge does that has just been started."""
        settings = HouseSettings(
            server_name="keyhouse.test",
            homeserver="http://h",
            front_door="http://f",
            database="sqlite://",
            config=Path(),
        )
        around = Surroundings(settings, self.ledger, NOTHING_IS_SENT, UserId("@concierge:keyhouse.test"), lambda: NOW)
        return Reminding(around, RulesInForce(self.building))

    async def reminded_of(self) -> list[object]:
        """The versions of which there are reminders."""
        rows = await self.ledger.read(lambda tx: tx.outbox.due(Worker.ROOM_GATEKEEPER, NOW, 99))
        return [row.content["version"] for row in rows if row.kind is OutgoingKind.RULES_REMINDER]


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A house with the rules of the example."""
    house = House(tmp_path / "building.yaml", Ledger(MemoryStore(), Worker.ROOM_GATEKEEPER, lambda: NOW))
    house.says(EXAMPLE)
    await house.ledger.write(lambda tx: tx.people.add(replace(person("river"), rules_agreed=1)))
    yield house
    house.ledger.close()


def with_version(version: int) -> str:
    return EXAMPLE.replace("version: 1", f"version: {version}")


async def test_a_concierge_that_is_started_again_reminds_nobody_twice(house: House) -> None:
    await house.reminding().everybody()
    of_the_same = await house.reminded_of()
    house.says(with_version(2))

    await house.reminding().everybody()
    await house.reminding().everybody()

    assert (of_the_same, await house.reminded_of()) == ([], [2])


async def test_rules_that_change_while_the_house_runs_are_told_and_a_broken_file_is_survived(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    reminding = house.reminding()
    running = asyncio.create_task(reminding.run())

    async def was_refused() -> bool:
        return reminding.counters["rules_refused"] == 1

    house.says("house: [anorexia")
    await eventually(was_refused)
    house.says(with_version(2))
    reminded = await eventually(house.reminded_of)
    running.cancel()
    await asyncio.wait({running})

    assert (reminded, reminding.counters["rules_reminders"]) == ([2], 1)
    assert "anorexia" not in capsys.readouterr().out
