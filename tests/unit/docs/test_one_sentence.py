"""The page about one sentence says what the program does today."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from keyhouse.core.urgency import Urgency
from tests.support.one_sentence import COMMAND, PAGE, page
from tests.support.stories import STORIES, Story, Watching

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def watching() -> Watching:
    """A watcher with the lexicon that comes along."""
    return Watching()


def test_the_page_is_what_a_run_gives(watching: Watching) -> None:
    written = PAGE.read_text(encoding="utf-8")

    told = page(watching)

    assert told == written, f"{PAGE.name} is out of date; write it anew with `{COMMAND}` and read what changed"


def test_the_page_is_the_same_in_another_time_zone_and_with_another_order_of_sets(
    watching: Watching, tmp_path: Path
) -> None:
    elsewhere = {**os.environ, "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "7", "LC_ALL": "C"}
    target = tmp_path / "page.md"

    subprocess.run([sys.executable, "-m", "tests.support.one_sentence", target], cwd=ROOT, env=elsewhere, check=True)

    assert target.read_text(encoding="utf-8") == page(watching)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.title)
def test_a_story_shows_what_it_is_there_to_show(watching: Watching, story: Story) -> None:
    run = watching.run(story)

    assert run.judgement.urgency is story.urgency
    assert (run.heard.urgency if run.heard else Urgency.NONE) is story.urgency
    assert (run.card is not None) is story.urgency.alerts()


def test_the_stories_show_a_softened_a_silenced_a_joined_and_a_guessed_message(watching: Watching) -> None:
    _, softened, idiom, in_two, disguised = map(watching.run, STORIES)

    assert "negated" in softened.judgement.changed_by
    assert idiom.judgement.findings == ()
    assert idiom.without_idioms.alerts()
    assert all(finding.from_context for finding in in_two.judgement.findings)
    assert "d1e" in disguised.said.text
