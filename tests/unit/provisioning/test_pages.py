"""What a page is made of."""

from datetime import timedelta

import pytest

from keyhouse.core.ids import OutgoingId
from keyhouse.core.outgoing import Outgoing, OutgoingKind, Worker
from provisioning.caretaker.paging import page_of
from tests.support.household import NOW

SAID = "risk_monitor has stopped (since 09:59 UTC)"
DECIDED = Outgoing(
    id=OutgoingId(1),
    kind=OutgoingKind.PAGE,
    worker=Worker.CARETAKER,
    once="page:1",
    content={"text": SAID, "kind": "process_stopped", "subject": "risk_monitor", "at": NOW.isoformat()},
    due_at=NOW,
    created_at=NOW,
    txn_id="t1",
    tries=0,
)


@pytest.mark.parametrize(
    ("late_s", "text"), [(0, SAID), (119, SAID), (120, f"{SAID}; told late, decided at 10:00 UTC")]
)
def test_a_page_that_comes_two_minutes_late_says_so(late_s: int, text: str) -> None:
    page = page_of(DECIDED, "keyhouse.test", NOW + timedelta(seconds=late_s))

    assert (page.text, page.at) == (text, NOW)


def test_a_page_has_the_same_id_at_every_try() -> None:
    first, second = (page_of(DECIDED, "keyhouse.test", NOW + timedelta(minutes=minutes)) for minutes in (0, 30))

    assert first.id == second.id == "t1"
