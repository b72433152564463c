"""The second watcher is the first on another device: one account, one password, one signing identity."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from bots.runtime.credentials import BotCredentials, BotFiles
from bots.runtime.private_files import read_private, write_private
from keyhouse.core.outgoing import Worker
from keyhouse.settings.house import HouseSettings, load_house, save_house
from provisioning.answers import House
from provisioning.bootstrap import make_house
from provisioning.bot_accounts import may_start
from provisioning.directory import HouseDirectory
from provisioning.matrix import Homeserver
from provisioning.preflight import SHIPPED_CONFIG
from provisioning.programs import SECOND_WATCHER, process_names, program_children
from provisioning.second_watcher import ensure_second_watcher
from tests.support.ports import free_port

FIRST = Worker.RISK_MONITOR.value
SEEDS = {"master": "one", "self_signing": "two", "user_signing": "three"}


@pytest.fixture
def settings(tmp_path: Path) -> HouseSettings:
    """A house with two watchers."""
    url = f"http://127.0.0.1:{free_port()}"
    database = f"sqlite:///{tmp_path / 'house.db'}"
    return HouseSettings(
        server_name="k.h", homeserver=url, front_door=url, database=database, config=SHIPPED_CONFIG, watchers=2
    )


@pytest.fixture
def house(settings: HouseSettings, tmp_path: Path) -> House:
    """A house whose first watcher has an account and an identity."""
    house = make_house(HouseDirectory(tmp_path / "house"), settings)
    BotCredentials(settings.homeserver, "@watcher:k.h", "a password", "WATCHER-1").save(house.directory.bot(FIRST))
    write_private(files(house, FIRST).signing_seeds, SEEDS)
    return house


def files(house: House, name: str) -> BotFiles:
    """Where a watcher keeps what it must not lose."""
    return BotFiles(house.directory.bot(name))


async def ensure(house: House) -> BotCredentials:
    """Give the second watcher what it lacks, without a homeserver, as long as there are seeds; its login then."""
    async with Homeserver(house.settings.homeserver) as homeserver:
        await ensure_second_watcher(house, homeserver)
    return BotCredentials.load(house.directory.bot(SECOND_WATCHER))


async def test_it_has_the_account_and_the_identity_of_the_first_and_a_device_of_its_own(house: House) -> None:
    first = BotCredentials.load(house.directory.bot(FIRST))

    second = await ensure(house)
    again = await ensure(house)

    assert replace(second, device_id=first.device_id) == first
    assert second.device_id.startswith("WATCHER-")
    assert second.device_id != first.device_id
    assert again == second
    assert read_private(files(house, SECOND_WATCHER).signing_seeds) == SEEDS


async def test_a_new_password_of_the_first_reaches_the_second_which_keeps_its_device(house: House) -> None:
    before = await ensure(house)
    first = BotCredentials.load(house.directory.bot(FIRST))
    replace(first, password="another").save(house.directory.bot(FIRST))

    after = await ensure(house)

    assert after == replace(before, password="another")


async def test_seeds_that_one_of_them_lost_come_back_from_the_other_and_are_never_replaced(house: House) -> None:
    await ensure(house)
    files(house, FIRST).signing_seeds.unlink()

    await ensure(house)

    assert read_private(files(house, FIRST).signing_seeds) == SEEDS


async def test_neither_starts_before_both_have_the_same_seeds_and_a_single_one_makes_its_own(house: House) -> None:
    files(house, FIRST).signing_seeds.unlink()
    alone = replace(house, settings=house.settings.model_copy(update={"watchers": 1}))

    assert may_start(alone, FIRST)
    assert not may_start(house, FIRST)
    assert not may_start(house, SECOND_WATCHER)


def test_house_yaml_alone_says_how_many_there_are(settings: HouseSettings, tmp_path: Path) -> None:
    directory = HouseDirectory(tmp_path)
    save_house(tmp_path, settings)
    two = load_house(tmp_path)
    one = two.model_copy(update={"watchers": 1})

    commands = {child.name: child.command for child in program_children(directory, two)}

    assert set(process_names(two)) - set(process_names(one)) == {SECOND_WATCHER}
    assert commands[SECOND_WATCHER][-2:] == ("--as", SECOND_WATCHER)
    assert commands[SECOND_WATCHER][:-2] == commands[FIRST]
    with pytest.raises(ValidationError, match="watchers"):
        HouseSettings.model_validate({**settings.model_dump(), "watchers": 3})
