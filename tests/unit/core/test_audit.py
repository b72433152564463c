"""The links of the chain."""

from dataclasses import replace

import pytest

from keyhouse.core.audit import GENESIS, AuditEntry, AuditFinding, link, pseudonymous
from tests.support.household import A_SECOND, NOW

KEY = b"k" * 32
ENTRY = AuditEntry(1, NOW, "case.claimed", "actor", "subject", {"case": 4, "urgency": "urgent"}, "")


@pytest.mark.parametrize(
    "changed",
    [
        replace(ENTRY, sequence=2),
        replace(ENTRY, at=NOW + A_SECOND),
        replace(ENTRY, action="case.closed"),
        replace(ENTRY, actor="another"),
        replace(ENTRY, subject="another"),
        replace(ENTRY, actor="subject", subject="actor"),
        replace(ENTRY, actor="actorsubject", subject=""),
        replace(ENTRY, detail={"case": 5, "urgency": "urgent"}),
        replace(ENTRY, detail={"case": "4", "urgency": "urgent"}),
        replace(ENTRY, detail={}),
    ],
    ids=["sequence", "at", "action", "actor", "subject", "exchanged", "run together", "detail", "type", "no detail"],
)
def test_a_link_depends_on_everything_in_the_entry(changed: AuditEntry) -> None:
    assert link(GENESIS, changed, KEY) != link(GENESIS, ENTRY, KEY)


def test_a_link_depends_on_the_one_before_and_on_the_key_and_not_on_order_or_its_own_mac() -> None:
    known = link(GENESIS, ENTRY, KEY)
    other_order = replace(ENTRY, detail={"urgency": "urgent", "case": 4}, mac="anything")

    assert link("1" * 64, ENTRY, KEY) != known
    assert link(GENESIS, ENTRY, b"o" * 32) != known
    assert link(GENESIS, other_order, KEY) == known


def test_a_person_stands_in_the_chain_only_by_the_key() -> None:
    one = pseudonymous("@river:keyhouse.test", KEY)

    assert "river" not in one
    assert one == pseudonymous("@river:keyhouse.test", KEY)
    assert one != pseudonymous("@clover:keyhouse.test", KEY)
    assert one != pseudonymous("@river:keyhouse.test", b"o" * 32)


def test_a_chain_without_a_broken_link_holds() -> None:
    assert AuditFinding(7, None).ok
    assert not AuditFinding(7, 1).ok
