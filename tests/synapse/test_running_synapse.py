"""The Synapse that tests start: it continues after a kill, and says in one line why it cannot start."""

from pathlib import Path

import pytest

from tests.support.fresh import fresh_name
from tests.support.ports import free_port
from tests.support.postgres import for_synapse, new_database
from tests.support.synapse import RunningSynapse, SynapseStartError, plan_for_tests


async def test_a_killed_homeserver_on_postgres_continues_with_its_accounts(tmp_path: Path, postgres_url: str) -> None:
    database = for_synapse(new_database(postgres_url, fresh_name("synapse")))
    async with RunningSynapse(plan_for_tests(tmp_path, free_port(), database=database)) as synapse:
        person = await synapse.register("person", "a long password")

        await synapse.kill()
        await synapse.start()

        known = await synapse.ask("GET", "/_matrix/client/v3/account/whoami", person.access_token)
        assert known["user_id"] == person.user_id
        assert not (tmp_path / "homeserver.db").exists()


async def test_a_taken_port_is_not_mistaken_for_a_start(synapse: RunningSynapse, tmp_path: Path) -> None:
    with pytest.raises(SynapseStartError, match=f"port {synapse.plan.port} is taken"):
        await RunningSynapse(plan_for_tests(tmp_path, synapse.plan.port)).start()


async def test_a_secret_in_the_settings_stops_the_start(tmp_path: Path) -> None:
    plan = plan_for_tests(tmp_path, free_port(), extra={"registration_shared_secret": "a secret in the wrong place"})

    with pytest.raises(SynapseStartError, match="registration_shared_secret"):
        await RunningSynapse(plan).start()
