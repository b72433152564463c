"""The cluster of the tests is one: every process runs, and each request goes to one that can serve it."""

import asyncio
import json
import re
import sys

from tests.support.cluster import RunningCluster
from tests.support.house_with_door import CLIENT, WILLOW, House

MAPPED_WITHIN_S = 120.0
SERVED = """
import json, sys, yaml
from synapse._scripts.generate_workers_map import get_registered_paths_for_default
from synapse.config.homeserver import HomeServerConfig

config = HomeServerConfig()
config.parse_config_dict(yaml.safe_load(open(sys.argv[1])), "", "")
served = get_registered_paths_for_default("synapse.app.generic_worker", config)
print(json.dumps(list(served)))
"""
"""As Synapse's own script does it, without the simplifications that it makes for proxies."""

REQUESTS = (
    ("GET", "/sync"),
    ("POST", "/login"),
    ("POST", "/register"),
    ("POST", "/createRoom"),
    ("GET", "/joined_rooms"),
    ("POST", "/join/!room"),
    ("POST", "/knock/!room"),
    ("GET", "/profile/@somebody:keyhouse.test"),
    ("GET", "/profile/@somebody:keyhouse.test/displayname"),
    ("POST", "/keys/query"),
    ("POST", "/keys/claim"),
    ("GET", "/keys/changes"),
    *(("POST", f"/rooms/!room/{action}") for action in ("join", "invite", "leave", "kick", "ban", "unban")),
    *(("GET", f"/rooms/!room/{read}") for read in ("messages", "state", "members", "joined_members")),
    *((method, "/rooms/!room/state/m.room.member/@somebody:keyhouse.test") for method in ("GET", "PUT")),
    ("PUT", "/rooms/!room/send/m.room.message/1"),
    ("PUT", "/rooms/!room/redact/$event/1"),
    ("GET", "/rooms/!room/event/$event"),
    ("GET", "/rooms/!room/context/$event"),
)
FOR_MAIN = (
    ("PUT", "/profile/@somebody:keyhouse.test/displayname"),
    ("POST", "/rooms/!room/upgrade"),
    ("POST", "/rooms/!room/forget"),
    ("PUT", "/rooms/!room/typing/@somebody:keyhouse.test"),
    ("PUT", "/directory/room/!room"),
)


async def test_what_the_router_sends_to_workers_is_what_workers_serve(cluster: RunningCluster) -> None:
    served = await _served_by_workers(cluster)

    astray = [
        (method, path)
        for method, path in REQUESTS
        if not any(method == own and re.match(pattern, CLIENT + path) for own, pattern in served)
    ]

    assert astray == []
    sent_to = {cluster.router.upstream(method, CLIENT + path, "") for method, path in REQUESTS}
    assert sent_to == set(cluster.client_urls)
    assert {cluster.router.upstream(method, CLIENT + path, "") for method, path in FOR_MAIN} == {cluster.plan.url}


async def test_both_workers_serve_people_and_tell_each_other(house: House, cluster: RunningCluster) -> None:
    person = await house.person(WILLOW)
    room = await house.room_with(person)
    said = await house.say(person, room)

    for url in (*cluster.client_urls, cluster.plan.url):
        path = f"{CLIENT}/rooms/{room}/event/{said.body['event_id']}"
        answer = await cluster.request("GET", path, person.access_token, at=url)
        assert answer.body["content"]["body"] == "hello", (url, answer)


async def _served_by_workers(cluster: RunningCluster) -> list[tuple[str, str]]:
    asked = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVED, str(cluster.plan.settings_file)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await asyncio.wait_for(asked.communicate(), MAPPED_WITHIN_S)
    assert asked.returncode == 0, complained.decode()
    return [(method, pattern) for method, pattern in json.loads(said)]
