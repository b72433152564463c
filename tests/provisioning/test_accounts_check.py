"""`keyhouse doctor` on a real homeserver: whoever lives here can be heard."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from keyhouse.core.ids import UserId
from keyhouse.core.people import Role
from keyhouse.core.workflows.standing import close
from provisioning.answers import House as OpenedHouse
from provisioning.check_accounts import accounts_check
from provisioning.checks import State
from tests.support.caretaker_beside import caretaker_beside
from tests.support.door import running_house
from tests.support.fresh import fresh_name
from tests.support.house_with_door import WILLOW, House
from tests.support.synapse import Account

ADMIN = "/_synapse/admin"

# What hinders an account, and what lifts that again: a method, a path and a body.
Asked = tuple[str, str, dict[str, object]]
HINDRANCES: dict[str, tuple[Asked, Asked]] = {
    "shadow-banned": (("POST", "v1/users/{}/shadow_ban", {}), ("DELETE", "v1/users/{}/shadow_ban", {})),
    "suspended": (("PUT", "v1/suspend/{}", {"suspend": True}), ("PUT", "v1/suspend/{}", {"suspend": False})),
    "locked": (("PUT", "v2/users/{}", {"locked": True}), ("PUT", "v2/users/{}", {"locked": False})),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def own_house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[House, OpenedHouse]]:
    """A house in which nobody else hinders anybody, running and as `doctor` opens it."""
    folder: Path = tmp_path_factory.mktemp("own")
    async with running_house(folder) as running:
        yield running, caretaker_beside(running, folder, tmp_path_factory.mktemp("beside")).house


@pytest.mark.parametrize(("hinder", "lift"), HINDRANCES.values(), ids=HINDRANCES)
async def test_who_is_hindered_by_the_homeserver_fails_the_doctor_until_that_is_lifted(
    own_house: tuple[House, OpenedHouse], hinder: Asked, lift: Asked
) -> None:
    house, opened = own_house
    person = await house.person(WILLOW)
    house.reserve(fresh_name("not-come-yet"), Role.CLINICIAN)

    await _ask(house, hinder, person)
    hindered = await accounts_check(opened, "accounts")
    await _ask(house, lift, person)
    lifted = await accounts_check(opened, "accounts")

    assert hindered.state is State.FAIL
    assert hindered.detail.startswith("1 who may write here")
    assert person.user_id in hindered.detail
    assert "people close" in hindered.detail
    assert lifted.state is State.OK


async def test_whose_account_has_ended_here_may_be_ended_there_and_only_then(
    own_house: tuple[House, OpenedHouse],
) -> None:
    house, opened = own_house
    leavers = [await house.person(WILLOW) for _ in range(5)]
    for leaver in leavers:
        await _ask(house, HINDRANCES["locked"][0], leaver)

    before = await accounts_check(opened, "accounts")
    for leaver in leavers:
        _close(house, leaver)
    after = await accounts_check(opened, "accounts")

    assert before.state is State.FAIL
    assert before.detail.startswith("5 who may write here")
    assert sum(leaver.user_id in before.detail for leaver in leavers) == 3
    assert after.state is State.OK


def _close(house: House, person: Account) -> None:
    house.write(lambda tx: close(tx, UserId(person.user_id), "host", datetime.now(UTC)))


async def _ask(house: House, asked: Asked, person: Account) -> None:
    method, path, body = asked
    await house.synapse.ask(method, f"{ADMIN}/{path.format(person.user_id)}", house.caretaker.access_token, body)
