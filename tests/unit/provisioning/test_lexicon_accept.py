"""`keyhouse lexicon check` and `accept`: what a change does is told before somebody puts it in force by name."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keyhouse.core.matching.judgement import judge
from keyhouse.settings.house import HouseSettings
from keyhouse.settings.lexicon_in_force import LexiconInForce
from keyhouse.settings.lexicon_versions import accepted_versions
from provisioning.answers import House, now
from provisioning.bootstrap import make_house
from provisioning.check_lexicon import lexicon_check
from provisioning.checks import Check, State
from provisioning.cli import run
from provisioning.directory import HouseDirectory

CONFIG = Path(__file__).parents[3] / "config"
LEXICON = """
lexicon: one
version: VERSION
owner: lead
clinically_reviewed: false
slots: {WANT: [want], GO: [WORDS]}
rules:
  - {id: one.go, when: [WANT, GO], urgency: urgent, category: suicide,
     examples: {fires: [want to WORD], silent: [over]}}
"""
CASES = """
{"cases": "small", "version": 1, "about": "for a test"}
{"id": "a", "text": "I want to vanish", "urgency": "urgent", "category": "suicide"}
{"id": "b", "text": "I want tea", "urgency": "none", "category": "none"}
"""
Command = Callable[..., Any]


class Refused(AssertionError):
    """A command ended badly; the message is what it said on stderr."""


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A house with a lexicon of one rule and a case file of its own."""
    config, root = tmp_path / "config", tmp_path / "data"
    (config / "lexicons" / "cases").mkdir(parents=True)
    shutil.copy(CONFIG / "building.yaml", config)
    (config / "lexicons" / "cases" / "small.jsonl").write_text(CASES.lstrip(), encoding="utf-8")
    settings = HouseSettings(
        server_name="keyhouse.test",
        homeserver="http://127.0.0.1:1",
        front_door="http://127.0.0.1:8090",
        database=f"sqlite:///{root / 'keyhouse.db'}",
        config=config,
    )
    house = make_house(HouseDirectory(root), settings)
    propose(house, "disappear, vanish")
    return house


@pytest.fixture
def keyhouse(house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Gives a command with --json: its document, or Refused with everything that was said."""
    monkeypatch.delenv("KEYHOUSE_RISK_DATA", raising=False)

    def give(*words: str) -> Any:
        capsys.readouterr()
        status = run(["--data", str(house.directory.root), *words], as_json=True)
        printed = capsys.readouterr()
        if status:
            raise Refused(printed.err)
        return json.loads(printed.out)

    return give


def propose(house: House, words: str, version: int = 1) -> None:
    """Write the lexicon that people are to look at."""
    text = LEXICON.replace("VERSION", str(version)).replace("WORDS", words).replace("WORD", words.split(",")[0])
    (house.settings.config / "lexicons" / "one.yaml").write_text(text, encoding="utf-8")


def doctor_says(house: House) -> Check:
    """Look at the lexicon as `keyhouse doctor` does."""

    async def look() -> Check:
        return await lexicon_check(house, "lexicon")

    return asyncio.run(look())


def test_an_accepted_lexicon_is_in_force_under_a_name_and_in_the_audit_chain(house: House, keyhouse: Command) -> None:
    done = keyhouse("lexicon", "accept", "--by", "Dr A")

    [version] = accepted_versions(house.directory.root)
    assert (done["version"], done["by"], version.by) == (version.name, "Dr A", "Dr A")
    assert keyhouse("audit", "verify")["entries"] >= 1
    assert doctor_says(house).state is State.OK


def test_a_change_is_told_and_stays_without_force_until_it_is_accepted(house: House, keyhouse: Command) -> None:
    keyhouse("lexicon", "accept", "--by", "Dr A")
    propose(house, "disappear, vanish, leave", version=2)

    checked = keyhouse("lexicon", "check")

    assert checked["ok"]
    assert checked["changes"] == ["The lexicon one goes from version 1 to 2.", 'The slot GO also finds "leave".']
    warned = doctor_says(house)
    assert (warned.state, "was changed and is not in force" in warned.detail) == (State.WARN, True)
    in_force = LexiconInForce(house.directory.root, house.settings.config / "lexicons", now())
    assert judge("want to leave", in_force.current()).rules == ()


def test_a_change_that_loses_an_urgent_case_needs_a_name_that_answers_for_it(house: House, keyhouse: Command) -> None:
    keyhouse("lexicon", "accept", "--by", "Dr A")
    propose(house, "disappear", version=2)

    with pytest.raises(Refused, match='a: urgent → none: "I want to vanish"'):
        keyhouse("lexicon", "accept", "--by", "Dr B")
    assert accepted_versions(house.directory.root)[-1].by == "Dr A"

    keyhouse("lexicon", "accept", "--by", "Dr B", "--waive")
    assert accepted_versions(house.directory.root)[-1].by == "Dr B"


def test_a_version_other_than_the_one_looked_at_is_refused(house: House, keyhouse: Command) -> None:
    seen = keyhouse("lexicon", "check")["fingerprint"][:12]
    propose(house, "disappear, vanish, leave")

    with pytest.raises(Refused, match=f"no longer version {seen}"):
        keyhouse("lexicon", "accept", "--by", "Dr A", "--version", seen)


def test_a_broken_file_is_not_accepted_and_nobody_can_accept_without_a_name(house: House, keyhouse: Command) -> None:
    with pytest.raises(Refused, match="nobody is named"):
        keyhouse("lexicon", "accept", "--by", " ")
    propose(house, "")

    with pytest.raises(Refused, match=r"lexicons/one\.yaml"):
        keyhouse("lexicon", "accept", "--by", "Dr A")

    assert accepted_versions(house.directory.root) == ()


def test_check_replays_the_case_file_and_says_what_it_could_not_measure(keyhouse: Command) -> None:
    checked = keyhouse("lexicon", "check")

    assert checked["figures"]["cases small 1"]["alerted"] == {"urgent": "1 of 1", "none": "0 of 1"}
    assert any("KEYHOUSE_RISK_DATA" in note for note in checked["notes"])


def test_explain_and_try_use_the_version_in_force(house: House, keyhouse: Command) -> None:
    keyhouse("lexicon", "accept", "--by", "Dr A")
    propose(house, "disappear")

    explained = keyhouse("lexicon", "explain", "I want to vanish")

    assert (explained["urgency"], explained["findings"][0]["words"]) == ("urgent", "want to vanish")
    assert explained["whole"] is True
