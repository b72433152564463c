"""docs/threat-model.md: every claim names what protects it and a test that is there."""

import re
from pathlib import Path

import pytest

from tests.unit.test_hazards import names_in

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "threat-model.md").read_text()
CLAIMS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| claim")]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@pytest.mark.parametrize("claim", CLAIMS, ids=[claim.split("|")[1].strip() for claim in CLAIMS])
def test_a_claim_names_what_protects_it_and_tests_that_exist(claim: str) -> None:
    _, _, protection, tests, _ = claim.split("|")

    named = NAMED.findall(tests)

    assert protection.strip()
    assert named, "a claim without a test is a wish"
    assert [f"{path}::{name}" for path, name in named if name not in names_in(ROOT / path)] == []
    assert len(named) == tests.count("::")


def test_what_is_not_protected_is_said() -> None:
    _, _, left = PAGE.partition("## What is not protected")

    assert left.count("\n- **") >= 10
