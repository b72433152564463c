"""Where somebody is, and with what they ask, is written down nowhere."""

import asyncio
from pathlib import Path

from tests.support.door import running_house
from tests.support.house import every_byte_below
from tests.support.visitor import ADDRESS, FORWARDED, Visitor, canaries_in, columns_of


async def test_after_a_day_of_a_client_no_address_agent_or_name_of_it_is_anywhere(tmp_path: Path) -> None:
    async with running_house(tmp_path) as house:
        async with Visitor(house.synapse.url) as visitor:
            user_id = await visitor.come_in(house.issue().code)
            await visitor.leave_traces(user_id)
            visitor.token = house.caretaker.access_token
            assert (await visitor.ask("GET", "/_synapse/admin/v2/users")).status == 200
            assert (await visitor.upload()).status == 200
        await _hang_up_half_way(house.synapse.plan.port)

    # Synapse is stopped by now, and has written down all that it ever will.
    written = list(columns_of(tmp_path / "synapse" / "homeserver.db"))
    columns = [*written, *columns_of(tmp_path / "house.db")]
    assert {(column, canary) for column, value in columns for canary in canaries_in(value)} == set()
    found = {(path.name, canary) for path, content in every_byte_below(tmp_path) for canary in canaries_in(content)}
    assert found == set()
    for column, value in (("user_ips.ip", b"0.0.0.0"), ("user_ips.user_agent", b"-"), ("devices.ip", b"0.0.0.0")):
        assert {seen for name, seen in written if name == column} - {b"None"} == {value}
    assert [seen for name, seen in written if name == "local_media_repository.upload_name"] == [b"None"]
    assert {seen for name, seen in written if name == "ui_auth_sessions_ips.ip"} == {b"0.0.0.0"}


def test_the_search_finds_what_is_there() -> None:
    assert canaries_in(f"from {ADDRESS}, for {FORWARDED}".encode()) == {ADDRESS.encode(), FORWARDED.encode()}
    assert canaries_in(b"127.0.0.7 127.0.0.770 127x0.0.77") == set()


async def _hang_up_half_way(port: int) -> None:
    for said in (
        b"",
        b"GET /_matrix/client/v3/sync",
        b"POST /_matrix/client/v3/login HTTP/1.1\r\nContent-Length: 9\r\n\r\n{",
    ):
        _, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(ADDRESS, 0))
        writer.write(said)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
