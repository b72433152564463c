"""The table of routes: every way in, who goes it, and what comes of it. Tests, the report and docs/door.md read it."""

from tests.synapse.routes_bringing import BRINGING
from tests.synapse.routes_changing import CHANGING
from tests.synapse.routes_entering import ENTERING
from tests.synapse.routes_looking import LOOKING
from tests.synapse.routes_making import MAKING
from tests.synapse.routes_opening import OPENING
from tests.synapse.routes_outcomes import Route
from tests.synapse.routes_reading import READING

ROUTES: list[Route] = [*ENTERING, *BRINGING, *OPENING, *CHANGING, *MAKING, *READING, *LOOKING]
