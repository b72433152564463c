"""What holds for every answer, and which forms are not looked at."""

import pytest

from front_door.guard import HEADERS
from tests.front_door.conftest import FrontDoor
from tests.front_door.seen import see
from tests.support.house_with_door import House

FROM_ELSEWHERE = {
    "another site, as browsers say it": {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
    "a neighbour under the same domain": {"Sec-Fetch-Site": "same-site", "Origin": "null"},
    "another site in an old browser": {"Origin": "https://elsewhere.example"},
    "another port in an old browser": {"Origin": "http://127.0.0.1:1"},
    "no browser at all": {"Origin": "http://["},
}
FROM_OURS = {
    "our own page": {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
    "our own page in an old browser": {"Origin": "null"},
    "a program": {},
}


@pytest.mark.parametrize("headers", FROM_ELSEWHERE.values(), ids=FROM_ELSEWHERE)
async def test_a_form_from_another_site_is_refused_and_spends_no_code(
    house: House, front_door: FrontDoor, headers: dict[str, str]
) -> None:
    form = {"code": house.issue().code, "agree": "yes"}

    page = await see(await front_door.post("/", data=form, headers=headers))

    assert page.status == 403
    assert "another website" in str(page.alert)
    assert (await front_door.post("/", data=form)).status == 200


@pytest.mark.parametrize("headers", FROM_OURS.values(), ids=FROM_OURS)
async def test_a_form_from_our_own_page_is_taken(house: House, front_door: FrontDoor, headers: dict[str, str]) -> None:
    form = {"code": house.issue().code, "agree": "yes"}

    assert (await front_door.post("/", data=form, headers=headers)).status == 200


async def test_a_field_of_64_kib_is_refused(front_door: FrontDoor) -> None:
    page = await see(await front_door.post("/", data={"code": "7" * 64 * 1024, "agree": "yes"}))

    assert page.status == 413
    assert "too long" in str(page.alert)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("code=%ff%fe&agree=yes", "application/x-www-form-urlencoded"),
        ("&".join(f"field{number}=x" for number in range(50)), "application/x-www-form-urlencoded"),
        ("code=x", "application/x-www-form-urlencoded; charset=nonsense"),
        ('{"code": "x"}', "application/json"),
        ("--x\r\n\r\n", "multipart/form-data; boundary=x"),
        ("", "text/plain"),
    ],
)
async def test_a_body_that_is_no_form_of_ours_is_refused(front_door: FrontDoor, body: str, kind: str) -> None:
    page = await see(await front_door.post("/", data=body, headers={"Content-Type": kind}))

    assert page.status == 400
    assert page.alert


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("POST", "/", 400),
        ("PUT", "/", 405),
        ("GET", "/healthz", 200),
        ("GET", "/static/page.js", 200),
        ("GET", "/static/look.css", 200),
        ("GET", "/static/", 403),
        ("GET", "/static/../pages.py", 404),
        ("GET", "/nothing", 404),
    ],
)
async def test_every_answer_has_the_headers(front_door: FrontDoor, method: str, path: str, status: int) -> None:
    response = await front_door.request(method, path)

    assert response.status == status
    assert {name: response.headers.get(name) for name in HEADERS} == HEADERS
    assert "Set-Cookie" not in response.headers


async def test_what_was_typed_is_shown_as_text(front_door: FrontDoor) -> None:
    page = await see(await front_door.post("/", data={"code": '"><script>', "agree": "yes"}))

    assert page.code_field == '"><script>'
    assert "<script>" not in page.text.replace('<script src="/static/page.js" defer>', "")
