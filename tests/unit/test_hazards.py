"""Every hazard is held by tests that exist."""

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
HAZARDS: list[dict[str, Any]] = yaml.safe_load((ROOT / "docs" / "safety" / "hazards.yaml").read_text())


def names_in(path: Path) -> set[str]:
    """The names of the test functions of one file."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, functions)}


@pytest.mark.parametrize("hazard", HAZARDS, ids=lambda hazard: hazard["id"])
def test_a_hazard_names_what_stands_against_it_and_tests_that_exist(hazard: dict[str, Any]) -> None:
    assert (
        {"id", "hazard", "cause", "controls", "tests"}
        <= hazard.keys()
        <= {
            *("id", "hazard", "cause", "controls", "tests", "left"),
        }
    )
    assert hazard["tests"], "a hazard without a test is not held"
    for named in hazard["tests"]:
        path, _, name = named.partition("::")
        assert name in names_in(ROOT / path), f"{named} does not exist"


def test_hazards_have_ids_of_their_own() -> None:
    ids = [hazard["id"] for hazard in HAZARDS]

    assert ids == sorted(set(ids))
