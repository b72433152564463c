"""A homeserver that goes on from a copy: nobody misses what comes after, also who had seen more than the copy holds."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio

from keyhouse.storage.copies import same_moment
from provisioning.homeserver_copy import leave_out_keys_and_sessions, move_streams_on
from tests.support.ports import free_port
from tests.support.synapse import Account, RunningSynapse, plan_for_tests

CLIENT = "/_matrix/client/v3"
OLM = ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"]


@dataclass(frozen=True)
class Lost:
    """A homeserver that is gone. copy: of its database, two messages ago.  position: how far willow had read."""

    plan_directory: Path
    copy: Path
    willow: Account
    rowan: Account
    room: str
    position: str


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def lost(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lost]:
    """Two people in a room, a copy, and a willow who has read on after it."""
    folder = tmp_path_factory.mktemp("lost")
    async with RunningSynapse(plan_for_tests(folder / "synapse", free_port())) as synapse:
        willow, rowan = [await synapse.register(name, "a password") for name in ("willow", "rowan")]
        body = {"invite": [rowan.user_id]}
        room = (await synapse.ask("POST", f"{CLIENT}/createRoom", willow.access_token, body))["room_id"]
        await synapse.ask("POST", f"{CLIENT}/join/{quote(room)}", rowan.access_token, {})
        for person in (willow, rowan):
            await _publish_keys(synapse, person)
        copy = folder / "copy.db"
        with same_moment(f"sqlite:///{_other_database(folder)}", synapse.plan.directory / "homeserver.db") as (_, its):
            its.copy_to(copy)
        for text in ("lost one", "lost two"):
            await _say(synapse, rowan, room, text)
        # Another device of rowan's: it is lost too, and moves the list of devices on.
        await _publish_keys(synapse, await synapse.log_in("rowan", "a password"))
        position = (await _sync(synapse, willow))["next_batch"]
    yield Lost(folder / "synapse", copy, willow, rowan, room, position)


async def test_who_had_read_further_than_the_copy_sees_what_comes_after_and_who_has_a_new_device(
    lost: Lost, tmp_path: Path
) -> None:
    move_streams_on(copied := _copied(lost, tmp_path), timedelta(minutes=5))

    async with _going_on(lost, copied, tmp_path) as synapse:
        await _say(synapse, lost.rowan, lost.room, "after")
        await _publish_keys(synapse, await synapse.log_in("rowan", "a password"))
        news = await _sync(synapse, lost.willow, since=lost.position)

    assert _texts(news, lost.room) == ["after"]
    assert lost.rowan.user_id in news["device_lists"]["changed"]


async def test_without_moving_the_streams_on_both_would_be_missed(lost: Lost, tmp_path: Path) -> None:
    copied = _copied(lost, tmp_path)

    async with _going_on(lost, copied, tmp_path) as synapse:
        await _say(synapse, lost.rowan, lost.room, "after")
        await _publish_keys(synapse, await synapse.log_in("rowan", "a password"))
        news = await _sync(synapse, lost.willow, since=lost.position)

    assert _texts(news, lost.room) == []
    assert lost.rowan.user_id not in news.get("device_lists", {}).get("changed", [])


async def test_a_copy_that_was_moved_on_twice_still_goes_on(lost: Lost, tmp_path: Path) -> None:
    copied = _copied(lost, tmp_path)
    for age in (timedelta(days=300), timedelta(days=-1)):
        move_streams_on(copied, age)

    async with _going_on(lost, copied, tmp_path) as synapse:
        await _say(synapse, lost.rowan, lost.room, "after")
        first = await _sync(synapse, lost.willow, since=lost.position)
        await _say(synapse, lost.willow, lost.room, "again")
        second = await _sync(synapse, lost.willow, since=first["next_batch"])

    assert _texts(first, lost.room) == ["after"]
    assert _texts(second, lost.room) == ["again"]


async def test_one_time_keys_are_gone_fallback_keys_count_as_used_and_the_houses_own_sessions_have_ended(
    lost: Lost, tmp_path: Path
) -> None:
    leave_out_keys_and_sessions(copied := _copied(lost, tmp_path), [lost.rowan.user_id])

    async with _going_on(lost, copied, tmp_path) as synapse:
        news = await _sync(synapse, lost.willow)
        ended = await synapse.request("GET", f"{CLIENT}/account/whoami", lost.rowan.access_token)
        claimed = await _claim(synapse, lost.willow, lost.willow)
        again = await _claim(synapse, lost.willow, lost.willow)

    assert news["device_one_time_keys_count"].get("signed_curve25519", 0) == 0
    assert news["device_unused_fallback_key_types"] == []
    assert (ended.status, ended.errcode) == (401, "M_UNKNOWN_TOKEN")
    # A phone that is switched off is still reached.
    assert claimed == again == ["signed_curve25519:fallback"]


def _copied(lost: Lost, folder: Path) -> Path:
    return Path(shutil.copy(lost.copy, folder / "homeserver.db"))


def _going_on(lost: Lost, database: Path, folder: Path) -> RunningSynapse:
    plan = plan_for_tests(folder / "synapse", free_port())
    plan = replace(plan, database={"name": "sqlite3", "args": {"database": str(database)}})
    plan.directory.mkdir()
    for file in lost.plan_directory.glob("*_*"):
        shutil.copy(file, plan.directory / file.name)
    return RunningSynapse(plan)


def _other_database(folder: Path) -> Path:
    file = folder / "ours.db"
    file.touch()
    return file


async def _say(synapse: RunningSynapse, who: Account, room: str, text: str) -> None:
    at = f"{CLIENT}/rooms/{quote(room)}/send/m.room.message/{quote(text)}"
    await synapse.ask("PUT", at, who.access_token, {"msgtype": "m.text", "body": text})


async def _publish_keys(synapse: RunningSynapse, who: Account) -> None:
    """Publish what looks like a device's keys; the homeserver does not look into them."""
    device = {"user_id": who.user_id, "device_id": who.device_id, "algorithms": OLM, "keys": {}, "signatures": {}}
    one_time = {f"signed_curve25519:{number}": {"key": str(number), "signatures": {}} for number in range(3)}
    fallback = {"signed_curve25519:fallback": {"key": "fallback", "fallback": True, "signatures": {}}}
    body = {"device_keys": device, "one_time_keys": one_time, "fallback_keys": fallback}
    await synapse.ask("POST", f"{CLIENT}/keys/upload", who.access_token, body)


async def _claim(synapse: RunningSynapse, who: Account, whose: Account) -> list[str]:
    body = {"one_time_keys": {whose.user_id: {whose.device_id: "signed_curve25519"}}}
    answer = await synapse.ask("POST", f"{CLIENT}/keys/claim", who.access_token, body)
    return list(answer["one_time_keys"][whose.user_id][whose.device_id])


async def _sync(synapse: RunningSynapse, who: Account, since: str | None = None) -> dict[str, Any]:
    more = f"&since={quote(since)}" if since else ""
    return await synapse.ask("GET", f"{CLIENT}/sync?timeout=0{more}", who.access_token)


def _texts(answer: dict[str, Any], room: str) -> list[str]:
    events = answer.get("rooms", {}).get("join", {}).get(room, {}).get("timeline", {}).get("events", [])
    return [event["content"]["body"] for event in events if event["type"] == "m.room.message"]
