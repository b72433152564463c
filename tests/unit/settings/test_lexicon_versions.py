"""Only an accepted lexicon is in force; it is swapped whole, and a broken one never takes the place of a good one."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from keyhouse.core.matching.judgement import judge
from keyhouse.core.urgency import Urgency
from keyhouse.settings.faults import SettingsFault
from keyhouse.settings.lexicon_in_force import LexiconInForce
from keyhouse.settings.lexicon_versions import CAME_ALONG, accept, accepted_versions, fingerprint_of, folder_of

NOON = datetime(2027, 3, 29, 12, 0, tzinfo=UTC)
ONE_RULE = """
lexicon: one
version: 1
owner: lead
clinically_reviewed: false
slots: {A: [WORD]}
rules:
  - {id: one.a, when: [A], urgency: watch, category: suicide, examples: {fires: [WORD], silent: [other]}}
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data directory of a house."""
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def proposed(tmp_path: Path) -> Path:
    """The folder that people edit, with a lexicon that finds "alpha"."""
    folder = tmp_path / "lexicons"
    folder.mkdir()
    write(folder, "alpha")
    return folder


def write(folder: Path, word: str) -> None:
    """Make the lexicon find this word and no other."""
    (folder / "one.yaml").write_text(ONE_RULE.replace("WORD", word), encoding="utf-8")


def accept_now(data: Path, folder: Path, by: str = "Dr A") -> None:
    """Accept a folder as it is."""
    accept(data, folder, fingerprint_of(folder), by, NOON)


def finds(in_force: LexiconInForce, word: str) -> bool:
    """Say whether a message of this word alone is found."""
    return judge(word, in_force.current()).urgency is Urgency.WATCH


def test_a_house_that_accepted_none_adopts_the_one_that_came_along(data: Path, proposed: Path) -> None:
    in_force = LexiconInForce(data, proposed, NOON)

    assert finds(in_force, "alpha")
    assert [each.by for each in accepted_versions(data)] == [CAME_ALONG]


def test_a_change_that_nobody_accepted_is_not_loaded_also_after_a_new_start(data: Path, proposed: Path) -> None:
    in_force = LexiconInForce(data, proposed, NOON)
    write(proposed, "beta")

    assert not in_force.look()
    assert finds(in_force, "alpha")
    assert not finds(LexiconInForce(data, proposed, NOON), "beta")


def test_an_accepted_change_is_swapped_in_by_the_next_look(data: Path, proposed: Path) -> None:
    in_force = LexiconInForce(data, proposed, NOON)
    write(proposed, "beta")
    accept_now(data, proposed, "Dr B")

    before = finds(in_force, "beta")
    swapped = in_force.look()

    assert (before, swapped, finds(in_force, "beta"), finds(in_force, "alpha")) == (False, True, True, False)
    assert (in_force.acceptance.by, in_force.acceptance.at) == ("Dr B", NOON)
    assert not in_force.look()


def test_an_accepted_version_that_was_spoiled_leaves_the_last_good_one_in_force(data: Path, proposed: Path) -> None:
    in_force = LexiconInForce(data, proposed, NOON)
    write(proposed, "beta")
    accept_now(data, proposed)
    (folder_of(data, accepted_versions(data)[-1]) / "one.yaml").write_text("slots: [", encoding="utf-8")

    with pytest.raises(SettingsFault, match="was changed after it was accepted"):
        in_force.look()

    assert not in_force.look()
    assert finds(in_force, "alpha")
    assert finds(LexiconInForce(data, proposed, NOON), "alpha")


def test_a_folder_that_changes_while_it_is_checked_is_not_accepted(data: Path, proposed: Path) -> None:
    seen = fingerprint_of(proposed)
    write(proposed, "beta")

    with pytest.raises(SettingsFault, match="changed while they were checked"):
        accept(data, proposed, seen, "Dr A", NOON)

    assert accepted_versions(data) == ()


def test_an_earlier_version_can_be_accepted_again(data: Path, proposed: Path) -> None:
    accept_now(data, proposed)
    write(proposed, "beta")
    accept_now(data, proposed)
    write(proposed, "alpha")
    accept_now(data, proposed, "Dr C")

    assert len(accepted_versions(data)) == 2
    assert finds(LexiconInForce(data, proposed, NOON), "alpha")


def test_a_register_that_cannot_be_read_says_what_to_do(data: Path, proposed: Path) -> None:
    accept_now(data, proposed)
    (data / "lexicon" / "accepted.json").write_text("{", encoding="utf-8")

    with pytest.raises(SettingsFault, match="keyhouse lexicon accept"):
        accepted_versions(data)


def test_a_house_whose_first_lexicon_is_broken_says_so_and_accepts_nothing(data: Path, proposed: Path) -> None:
    (proposed / "one.yaml").write_text("slots: [", encoding="utf-8")

    with pytest.raises(SettingsFault, match="is not valid YAML"):
        LexiconInForce(data, proposed, NOON)

    assert accepted_versions(data) == ()
