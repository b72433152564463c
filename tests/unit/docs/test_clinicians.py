"""What clinicians are told about commands and lexicons is true today."""

import re
import shutil
from pathlib import Path

import pytest

from keyhouse.core.cases import Outcome
from keyhouse.core.commands import Place, commands_in
from keyhouse.core.matching.examples import failing_examples
from keyhouse.settings.lexicons import default_lexicon_directory, load_compiled_lexicon, load_lexicons

PAGE = (Path(__file__).parents[3] / "docs" / "clinicians.md").read_text(encoding="utf-8")
WORKED_EXAMPLE = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_names_every_command_of_the_care_room_and_no_other() -> None:
    named = set(re.findall(r"`!([a-z-]+)", PAGE))

    assert named == {command.name for command in commands_in(Place.CARE)}


@pytest.mark.parametrize("outcome", Outcome)
def test_the_page_names_every_way_in_which_a_case_ends(outcome: Outcome) -> None:
    assert f"`{outcome.value}`" in PAGE


def test_the_page_explains_every_modifier_that_came_along() -> None:
    modifiers = {
        modifier.name for lexicon in load_lexicons(default_lexicon_directory()) for modifier in lexicon.modifiers
    }

    assert {name for name in modifiers if f"| soften | `{name}` |" not in PAGE} == set()


def test_the_worked_example_does_what_it_says_beside_the_lexicons_that_came_along(tmp_path: Path) -> None:
    assert WORKED_EXAMPLE
    lexicons = tmp_path / "lexicons"
    shutil.copytree(default_lexicon_directory(), lexicons)
    (lexicons / "ours.yaml").write_text(WORKED_EXAMPLE[1], encoding="utf-8")

    lexicon = load_compiled_lexicon(lexicons)

    assert [line for line in failing_examples(lexicon) if line.startswith("ours:")] == []
    assert "ours.fed_to_pet" in {rule.id for rule in lexicon.rules}


def test_the_first_draft_of_the_worked_example_fails_as_the_page_says(tmp_path: Path) -> None:
    assert WORKED_EXAMPLE
    lexicons = tmp_path / "lexicons"
    shutil.copytree(default_lexicon_directory(), lexicons)
    (lexicons / "ours.yaml").write_text(WORKED_EXAMPLE[1].replace("tea|", ""), encoding="utf-8")

    failing = list(failing_examples(load_compiled_lexicon(lexicons)))

    assert 'ours: ours.fed_to_pet: should fire and is silent: "fed my tea to the cat again"' in failing


def test_every_heading_that_is_linked_to_is_there() -> None:
    headings = {heading.lower().replace(" ", "-") for heading in re.findall(r"^## (.+)$", PAGE, re.MULTILINE)}

    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= headings
