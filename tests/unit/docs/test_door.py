"""docs/door.md lists what the tests go, and every refusal in it has its allowed twin."""

import pytest

from tests.synapse.door_report import PAGE, with_table
from tests.synapse.routes import ROUTES
from tests.synapse.routes_outcomes import ALLOWED, Route

BY_NAME = {route.name: route for route in ROUTES}


def test_the_page_lists_exactly_the_routes_of_the_table() -> None:
    page = PAGE.read_text()

    assert page == with_table(page), "run `make door-report`"


def test_every_route_has_a_name_of_its_own() -> None:
    assert len(BY_NAME) == len(ROUTES)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_where_somebody_is_refused_somebody_else_is_allowed(route: Route) -> None:
    refuses = any(outcome.reason is not None for outcome in route.outcomes.values())
    allowing = BY_NAME[route.twin] if route.twin else route

    assert not refuses or ALLOWED in allowing.outcomes.values()
