"""In the demonstration house, before which no proxy stands, nothing of a visitor is written down."""

import asyncio

from tests.support.eventually import eventually
from tests.support.house import RunningHouse
from tests.support.visitor import Visitor, canaries_in, columns_of


async def test_a_visitor_with_a_telling_address_client_and_telephone_leaves_nothing_of_them(
    house: RunningHouse,
) -> None:
    async with Visitor(house.homeserver) as visitor:
        user_id = await visitor.come_in(await house.code("anorexia"))
        await visitor.leave_traces(user_id)
        seen = await visitor.ask("GET", f"/_matrix/client/v3/profile/{user_id}")

    async def is_written_down() -> bool:
        return user_id.encode() in await asyncio.to_thread(_who_was_seen, house)

    await eventually(is_written_down)
    for database in (house.directory / "data").rglob("*.db"):
        left = {(column, canary) for column, value in columns_of(database) for canary in canaries_in(value)}
        assert left == set(), database.name
    assert {(path.name, canary) for path, content in house.files() for canary in canaries_in(content)} == set()
    assert seen.body == {"displayname": user_id[1:].split(":")[0]}


async def test_a_custom_field_of_a_profile_is_refused_in_the_demonstration_house_too(house: RunningHouse) -> None:
    async with Visitor(house.homeserver) as visitor:
        user_id = await visitor.come_in(await house.code("anorexia"))

        answers = [
            await visitor.ask("PUT", f"/_matrix/client/{version}/profile/{user_id}/{field}", {field: "jane@nhs.net"})
            for version in ("v3", "r0", "unstable", "api/v1")
            for field in ("m.email", "displayname", "avatar_url")
        ]
        seen = await visitor.ask("GET", f"/_matrix/client/v3/profile/{user_id}")

    # Synapse has no path for a custom field but in v3.
    refused = {(answer.status, answer.errcode) for answer in answers if answer.errcode != "M_UNRECOGNIZED"}
    assert refused == {(403, "UK.KEYHOUSE.HOUSE_DOES_THIS")}
    assert sum(answer.errcode == "M_UNRECOGNIZED" for answer in answers) == 3
    assert seen.body == {"displayname": user_id[1:].split(":")[0]}


def _who_was_seen(house: RunningHouse) -> set[bytes]:
    database = house.directory / "data" / "homeserver" / "homeserver.db"
    return {value for column, value in columns_of(database) if column == "user_ips.user_id"}
