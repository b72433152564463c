"""`keyhouse lexicon`: one line out for each line in, and one plain sentence for a bad one."""

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from provisioning.cli import run


@pytest.fixture(autouse=True)
def _keep_the_excepthook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)


@pytest.fixture
def one_rule(tmp_path: Path) -> str:
    """A folder with a lexicon of one rule, whose examples do not hold; the ones that come along take their time."""
    (tmp_path / "one.yaml").write_text(
        "lexicon: one\nversion: 1\nowner: lead\nclinically_reviewed: false\nslots: {A: [alpha]}\nrules:\n"
        "  - {id: one.a, when: [A], urgency: watch, category: suicide, examples: {fires: [beta], silent: [alpha]}}\n",
        encoding="utf-8",
    )
    return str(tmp_path)


def tried(
    lines: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *more: str
) -> tuple[int, list[dict[str, object]], str]:
    """Run `lexicon try` over these lines; returns the status, the documents and what went to stderr."""
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(lines.encode("utf-8", "surrogatepass"))))
    status = run(["lexicon", "try", "--jsonl", "-", *more], as_json=False)
    printed = capsys.readouterr()
    return status, [json.loads(line) for line in printed.out.splitlines()], printed.err


def test_every_message_gets_its_verdict_in_the_same_order(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        {"id": "b", "text": "I want to die"},
        {"id": 1, "text": "see you on Tuesday"},
        {"id": "c", "text": "no", "context": [{"sender": "other", "text": "are you safe?"}]},
        {"id": "d", "text": "\ud800\0"},
    ]

    status, documents, _ = tried("\n".join(map(json.dumps, lines)), monkeypatch, capsys)

    assert status == 0
    assert [(each["id"], each["urgency"]) for each in documents] == [
        ("b", "concern"), (1, "none"), ("c", "concern"), ("d", "none"),
    ]  # fmt: skip
    assert set(documents[0]) == {"id", "urgency", "category", "rules", "spans", "changed_by"}
    assert documents[1] == {"id": 1, "urgency": "none", "category": None, "rules": [], "spans": [], "changed_by": []}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{", 'error: line 2: is not JSON; write {"id": …, "text": …} on one line'),
        ('{"id": 1}', "error: line 2: text: is missing; add it; each line needs id and text"),
        ("[" * 100000, 'error: line 2: is not JSON; write {"id": …, "text": …} on one line'),
    ],
    ids=["no JSON", "no text", "too deep"],
)
def test_a_bad_line_ends_it_with_one_sentence(
    line: str, sentence: str, one_rule: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = '{"id": 1, "text": "hello"}\n' + line

    status, documents, said = tried(lines, monkeypatch, capsys, "--lexicons", one_rule)

    assert status == 1
    assert [each["id"] for each in documents] == [1]
    assert said == f"{sentence}\n"


def test_a_file_that_is_not_there_is_one_sentence(
    tmp_path: Path, one_rule: str, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = str(tmp_path / "none.jsonl")

    assert run(["lexicon", "try", "--jsonl", absent, "--lexicons", one_rule], as_json=False) == 1
    assert capsys.readouterr().err.startswith("error: ")


def test_check_finds_that_the_examples_hold(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lexicon", "check"], as_json=False) == 0
    assert "rules do what their examples say" in capsys.readouterr().out


def test_check_names_an_example_that_does_not_hold(one_rule: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lexicon", "check", "--lexicons", one_rule], as_json=False) == 1
    assert 'one: one.a: should fire and is silent: "beta"' in capsys.readouterr().out


def test_explain_shows_what_filled_each_slot(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lexicon", "explain", "I don't want to die"], as_json=False) == 0

    shown = capsys.readouterr().out
    assert shown.startswith("none")
    assert 'negated ("don\'t"): concern → none' in shown
