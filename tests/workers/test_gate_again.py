"""The gate stands before every process, and hides visitors on each of them."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from psycopg2 import sql

from tests.support.cluster import RunningCluster
from tests.support.eventually import eventually
from tests.support.house import every_byte_below
from tests.support.house_with_door import House
from tests.support.visitor import CLIENT, Visitor, canaries_in

HOUSE_DOES_THIS = (403, "UK.KEYHOUSE.HOUSE_DOES_THIS")


@pytest.mark.parametrize("worker", [0, 1, None], ids=["first", "second", "main"])
async def test_a_visitor_of_any_process_is_written_down_by_none(
    house: House, cluster: RunningCluster, worker: int | None
) -> None:
    url = cluster.plan.url if worker is None else cluster.client_urls[worker]
    async with Visitor(cluster.url) as visitor, Visitor(url) as astray:
        user_id = await visitor.come_in(house.issue().code)
        await visitor.leave_traces(user_id)
        astray.token = visitor.token
        paths = [f"{CLIENT}/profile/{user_id}/{field}" for field in ("m.email", "displayname")]
        answers = [await astray.ask("PUT", path, {"m.email": "x"}) for path in paths]
        assert (await astray.ask("GET", f"{CLIENT}/sync")).status == 200

    assert {(answer.status, answer.errcode) for answer in answers} == {HOUSE_DOES_THIS}

    async def is_written_down() -> bool:
        return any(value == user_id.encode() for column, value in columns_of(cluster) if column == "user_ips.user_id")

    await eventually(is_written_down)
    seen = list(columns_of(cluster))
    assert {(column, canary) for column, value in seen for canary in canaries_in(value)} == set()
    assert {value for column, value in seen if column == "user_ips.ip"} == {b"0.0.0.0"}
    logs = [file for file in every_byte_below(cluster.plan.directory) if file[0].suffix == ".log"]
    assert {(path.name, canary) for path, content in logs for canary in canaries_in(content)} == set()
    assert len(logs) >= 5


def columns_of(cluster: RunningCluster) -> Iterator[tuple[str, bytes]]:
    """Read every column of every row of the homeserver's database."""
    arguments: dict[str, Any] = (cluster.plan.database or {})["args"]
    server = {key: value for key, value in arguments.items() if not key.startswith("cp_")}
    with closing(psycopg2.connect(**server)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))
            columns = [f"{table}.{column.name}" for column in cursor.description or ()]
            for row in cursor.fetchall():
                for column, value in zip(columns, row, strict=True):
                    yield column, bytes(value) if isinstance(value, memoryview) else str(value).encode()
