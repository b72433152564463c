"""How often one visitor may try, where Synapse itself sees no addresses."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from keyhouse.core.sentences import SENTENCES
from keyhouse.core.verdict import Reason
from synapse_module.gate import limits
from synapse_module.gate.limits import KEY_LASTS_S, LOGINS, LOOK_UPS, REGISTRATIONS, Limit, Tries
from tests.support.door import running_house
from tests.support.house_with_door import CLIENT, House

VALIDITY = "/_matrix/client/v1/register/m.login.registration_token/validity?token=x"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def tries(clock: Clock, burst: int = 3, together: int = 1000) -> Tries:
    return Tries(Limit(burst, 0.5), Limit(together, 0.5), clock)


def test_a_visitor_may_try_as_often_as_the_burst_says_and_is_then_told_how_long_to_wait() -> None:
    counted = tries(Clock())

    waits = [counted.wait_s("192.0.2.1") for _ in range(5)]

    assert waits == [0, 0, 0, 2, 2]


def test_one_visitor_s_tries_are_not_another_s() -> None:
    counted = tries(Clock())
    assert [counted.wait_s("192.0.2.1") for _ in range(4)][-1] > 0

    assert counted.wait_s("192.0.2.2") == 0


def test_after_the_time_that_was_told_the_next_try_is_let_through_and_not_a_moment_earlier() -> None:
    clock = Clock()
    counted = tries(clock)
    wait_s = [counted.wait_s("192.0.2.1") for _ in range(4)][-1]

    clock.now += wait_s - 0.01
    assert counted.wait_s("192.0.2.1") > 0
    clock.now += 0.01
    assert counted.wait_s("192.0.2.1") == 0


def test_who_waits_long_may_try_no_more_than_the_burst() -> None:
    clock = Clock()
    counted = tries(clock)
    counted.wait_s("192.0.2.1")
    clock.now += 3600

    assert [counted.wait_s("192.0.2.1") > 0 for _ in range(4)] == [False, False, False, True]


def test_all_together_have_a_limit_too_and_the_house_s_own_calls_are_counted_in_it_alone() -> None:
    counted = tries(Clock(), together=5)

    waits = [counted.wait_s(None) for _ in range(4)] + [counted.wait_s(f"192.0.2.{n}") for n in range(2)]

    assert [wait > 0 for wait in waits] == [False] * 5 + [True]


def test_no_address_is_kept_and_after_a_day_not_even_its_hash_means_the_same() -> None:
    clock = Clock()
    counted = tries(clock, burst=1)
    counted.wait_s("192.0.2.1")
    before = set(counted._each._left)
    clock.now += KEY_LASTS_S

    assert counted.wait_s("192.0.2.1") == 0
    after = set(counted._each._left)
    assert len(before) == len(after) == 1
    assert before.isdisjoint(after)
    assert not any(b"192" in kept for kept in before | after)


def test_only_so_many_visitors_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_VISITORS", 10)
    counted = tries(Clock(), burst=1)

    for number in range(25):
        counted.wait_s(f"192.0.2.{number}")

    assert len(counted._each) == 10
    assert counted.wait_s("192.0.2.24") > 0
    assert counted.wait_s("192.0.2.0") == 0


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def counting_house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A house that counts its visitors, as every house but a demonstration does."""
    async with running_house(tmp_path_factory.mktemp("counting"), limited=True) as house:
        yield house


async def statuses(
    house: House, method: str, path: str, times: int, visitor: str | None = None
) -> tuple[list[int], aiohttp.ClientResponse]:
    headers = {"X-Forwarded-For": visitor} if visitor else {}
    seen = []
    async with aiohttp.ClientSession(house.synapse.url, headers=headers) as http:
        for _ in range(times):
            async with http.request(method, path, json={} if method == "POST" else None) as answer:
                seen.append(answer.status)
                await answer.json()
    return seen, answer


async def until_refused(house: House, method: str, path: str, visitor: str) -> tuple[list[int], aiohttp.ClientResponse]:
    # A slow machine gives tries back while it counts: the first refusal may come late, but never early.
    seen, last = await statuses(house, method, path, 1, visitor)
    while seen[-1] != 429 and len(seen) < 1000:
        more, last = await statuses(house, method, path, 1, visitor)
        seen += more
    return seen, last


@pytest.mark.parametrize(
    ("method", "path", "limit"),
    [
        ("POST", f"{CLIENT}/register", REGISTRATIONS),
        ("POST", f"{CLIENT}/login", LOGINS),
        ("GET", VALIDITY, LOOK_UPS),
    ],
    ids=["register", "login", "validity"],
)
async def test_a_visitor_who_tries_too_often_is_told_when_to_come_back_and_others_are_not_hindered(
    counting_house: House, method: str, path: str, limit: tuple[Limit, Limit]
) -> None:
    burst = limit[0].burst

    seen, last = await until_refused(counting_house, method, path, "192.0.2.7")
    others, _ = await statuses(counting_house, method, path, 3, "192.0.2.8")

    assert len(seen) > burst
    assert seen[-1] == 429
    assert 429 not in others
    said = await last.json()
    assert (said["errcode"], said["error"]) == ("M_LIMIT_EXCEEDED", SENTENCES[Reason.TOO_OFTEN])
    assert 0 < said["retry_after_ms"] <= 1000 / limit[0].per_second
    assert int(last.headers["Retry-After"]) >= 1


async def test_a_proxy_s_word_counts_and_what_the_visitor_wrote_before_it_does_not(counting_house: House) -> None:
    seen, _ = await until_refused(counting_house, "GET", VALIDITY, "198.51.100.1, 192.0.2.9")

    with_another_story, _ = await statuses(counting_house, "GET", VALIDITY, 1, "203.0.113.5, 192.0.2.9")
    another, _ = await statuses(counting_house, "GET", VALIDITY, 1, "198.51.100.1, 192.0.2.10")
    assert (seen[-1], with_another_story, another) == (429, [429], [200])


async def test_the_many_addresses_of_one_household_are_one_visitor(counting_house: House) -> None:
    seen, _ = await until_refused(counting_house, "GET", VALIDITY, "2001:db8::1")

    same_household, _ = await statuses(counting_house, "GET", VALIDITY, 1, "2001:db8::ffff:7")
    neighbour, _ = await statuses(counting_house, "GET", VALIDITY, 1, "2001:db8:0:1::1")
    assert (seen[-1], same_household, neighbour) == (429, [429], [200])


@pytest.mark.parametrize("told", [None, "127.0.0.1", "::1"])
async def test_the_house_s_own_calls_from_this_machine_are_not_counted_as_one_person(
    counting_house: House, told: str | None
) -> None:
    seen, _ = await statuses(counting_house, "GET", VALIDITY, LOOK_UPS[0].burst + 10, told)

    assert set(seen) == {200}


@pytest.mark.parametrize("told", ["", "unknown", "\u00e9", "a" * 4000, "::1%eth0", "127.0.0.1:80"])
async def test_nonsense_from_a_proxy_is_counted_as_somebody(counting_house: House, told: str) -> None:
    seen, _ = await statuses(counting_house, "GET", VALIDITY, 2, told)

    assert set(seen) == {200}
