"""A house that goes back from two watchers to one leaves no second device signed in."""

from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from bots.runtime.credentials import BotCredentials, BotFiles, new_device_id
from bots.runtime.private_files import write_private
from keyhouse.core.ids import UserId
from keyhouse.core.outgoing import Worker
from keyhouse.settings.house import HouseSettings
from provisioning.answers import House
from provisioning.bootstrap import make_house
from provisioning.directory import HouseDirectory
from provisioning.matrix import Homeserver, HomeserverAway
from provisioning.preflight import SHIPPED_CONFIG
from provisioning.programs import SECOND_WATCHER
from provisioning.second_watcher import ensure_second_watcher, sign_out_second_watcher
from tests.support.fresh import fresh_name
from tests.support.ports import free_port
from tests.support.synapse import RunningSynapse

FIRST = Worker.RISK_MONITOR.value


class Watchers:
    """A house whose two watchers have signed in; tokens: by the name of the process."""

    def __init__(self, house: House, admin: str) -> None:
        self.house, self.admin = house, admin
        self.tokens: dict[str, str] = {}

    @property
    def second(self) -> BotFiles:
        """What the second watcher keeps."""
        return BotFiles(self.house.directory.bot(SECOND_WATCHER))

    async def sign_in(self, name: str) -> None:
        """Sign one of them in, as its process does."""
        kept = BotCredentials.load(self.house.directory.bot(name))
        async with Homeserver(self.house.settings.homeserver) as homeserver:
            token = await homeserver.log_in(UserId(kept.user_id), kept.password, kept.device_id, "Watcher")
        self.tokens[name] = token
        write_private(
            BotFiles(self.house.directory.bot(name)).session, {"device_id": kept.device_id, "access_token": token}
        )

    async def goes_on_with(self, watchers: int, homeserver: str | None = None) -> None:
        """Do what `up` does when house.yaml says how many there are."""
        house = replace(self.house, settings=self.house.settings.model_copy(update={"watchers": watchers}))
        async with Homeserver(homeserver or house.settings.homeserver, self.admin) as caretaker:
            await sign_out_second_watcher(house, caretaker)


@pytest_asyncio.fixture(loop_scope="session")
async def watchers(synapse: RunningSynapse, tmp_path: Path) -> Watchers:
    settings = HouseSettings(
        server_name=synapse.server_name,
        homeserver=synapse.url,
        front_door="http://127.0.0.1:1",
        database=f"sqlite:///{tmp_path / 'house.db'}",
        config=SHIPPED_CONFIG,
        watchers=2,
    )
    house = make_house(HouseDirectory(tmp_path / "house"), settings)
    account = await synapse.register(fresh_name("watcher"), "a long password")
    admin = await synapse.register(fresh_name("admin"), "a long password", admin=True)
    first = BotCredentials(synapse.url, account.user_id, account.password, new_device_id("watcher"))
    first.save(house.directory.bot(FIRST))
    write_private(BotFiles(house.directory.bot(FIRST)).signing_seeds, {"master": "one"})
    both = Watchers(house, admin.access_token)
    async with Homeserver(synapse.url, admin.access_token) as caretaker:
        await ensure_second_watcher(house, caretaker)
    for name in (FIRST, SECOND_WATCHER):
        await both.sign_in(name)
    return both


async def status_of(synapse: RunningSynapse, token: str) -> int:
    """What the homeserver answers to this access token."""
    return (await synapse.request("GET", "/_matrix/client/v3/account/whoami", token)).status


async def test_with_one_watcher_the_device_of_the_second_is_signed_out_and_the_first_stays(
    synapse: RunningSynapse, watchers: Watchers
) -> None:
    await watchers.goes_on_with(1)
    await watchers.goes_on_with(1)

    assert await status_of(synapse, watchers.tokens[SECOND_WATCHER]) == 401
    assert await status_of(synapse, watchers.tokens[FIRST]) == 200
    assert not watchers.second.credentials.exists()
    assert not watchers.second.session.exists()
    assert watchers.second.signing_seeds.exists()


async def test_with_two_watchers_both_stay_signed_in(synapse: RunningSynapse, watchers: Watchers) -> None:
    await watchers.goes_on_with(2)

    assert [await status_of(synapse, token) for token in watchers.tokens.values()] == [200, 200]
    assert watchers.second.credentials.exists()


async def test_a_second_watcher_that_comes_back_gets_another_device(
    synapse: RunningSynapse, watchers: Watchers
) -> None:
    before = BotCredentials.load(watchers.second.directory)
    await watchers.goes_on_with(1)

    async with Homeserver(synapse.url, watchers.admin) as caretaker:
        await ensure_second_watcher(watchers.house, caretaker)

    after = BotCredentials.load(watchers.second.directory)
    assert after.device_id != before.device_id
    assert replace(after, device_id=before.device_id) == before


async def test_while_the_homeserver_is_away_nothing_is_forgotten_so_that_the_next_up_does_it(
    watchers: Watchers,
) -> None:
    with pytest.raises(HomeserverAway):
        await watchers.goes_on_with(1, f"http://127.0.0.1:{free_port()}")

    assert watchers.second.credentials.exists()
