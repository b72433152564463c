"""The frame of the command line: which stream, which exit status, one line for every failure."""

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from provisioning.cli import COMMANDS, main, without_json

ENDS_WITHIN_S = 60


@dataclass(frozen=True)
class Told:
    """What a command line ended with, and what it printed."""

    status: int
    out: str
    err: str


Keyhouse = Callable[..., Told]


@pytest.fixture
def keyhouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Keyhouse:
    """Run a command line in this process, in a directory of its own."""
    monkeypatch.setenv("KEYHOUSE_DATA", str(tmp_path))
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)

    def run(*words: str) -> Told:
        monkeypatch.setattr(sys, "argv", ["keyhouse", *words])
        with pytest.raises(SystemExit) as end:
            main()
        printed = capsys.readouterr()
        assert isinstance(end.value.code, int)
        return Told(end.value.code, printed.out, printed.err)

    return run


def in_a_process(program: str, *words: str) -> Told:
    """Run a command line that ends worse than an exception tells."""
    told = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *words],
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN_S,
        check=False,
    )
    return Told(told.returncode, told.stdout, told.stderr)


def test_help_names_every_command_and_ends_well(keyhouse: Keyhouse) -> None:
    told = keyhouse("--help")

    assert told.status == 0
    assert all(name in told.out for name in COMMANDS)


def test_without_a_command_the_help_is_shown(keyhouse: Keyhouse) -> None:
    assert keyhouse().out == keyhouse("--help").out


def test_help_loads_neither_nio_nor_synapse_nor_the_database() -> None:
    program = """
        import sys
        from provisioning.cli import run
        run(["--help"], False)
        heavy = {"nio", "synapse", "twisted", "sqlalchemy", "aiohttp", "pydantic"} & set(sys.modules)
        print("loaded:", sorted(heavy))
    """
    told = in_a_process(program)

    assert told.err == ""
    assert told.out.splitlines()[-1] == "loaded: []"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_says_what_it_is_for(keyhouse: Keyhouse, name: str) -> None:
    told = keyhouse(name, "--help")

    assert told.status == 0, told.err
    assert f"keyhouse {name}" in told.out


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("dwon",), "'down'"),
        (("status", "--unheard-of"), "`keyhouse status --help`"),
        (("up", "--port", "none"), "--port"),
        (("up", "--port", "70000"), "--port"),
        (("--data",), "--data"),
    ],
    ids=["misspelt", "unknown option", "no number", "no port", "no directory"],
)
def test_wrong_usage_is_status_2_with_one_line_that_helps(
    keyhouse: Keyhouse, words: tuple[str, ...], hint: str
) -> None:
    told = keyhouse(*words)

    assert told.status == 2
    assert told.out == ""
    (line,) = told.err.splitlines()
    assert line.startswith("error: ")
    assert hint in line


def test_a_directory_without_a_house_is_status_1_and_says_how_to_start_one(keyhouse: Keyhouse, tmp_path: Path) -> None:
    told = keyhouse("status")

    assert (told.status, told.out) == (1, "")
    assert told.err == f"error: {tmp_path} holds no house yet; start one with `keyhouse --data {tmp_path} up`\n"


def test_data_on_the_line_counts_more_than_the_environment(keyhouse: Keyhouse, tmp_path: Path) -> None:
    assert f"{tmp_path / 'here'} holds no house" in keyhouse("--data", str(tmp_path / "here"), "status").err


def test_without_data_the_house_is_in_the_working_directory(
    keyhouse: Keyhouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KEYHOUSE_DATA")
    monkeypatch.chdir(tmp_path)

    assert f"{tmp_path / '.keyhouse'} holds no house" in keyhouse("status").err


def test_half_a_command_is_status_2_and_shows_what_it_could_be(keyhouse: Keyhouse) -> None:
    told = keyhouse("referral")

    assert told.status == 2
    assert "revoke" in told.out
    assert told.err == "error: say which of its commands is meant. See `keyhouse referral --help`.\n"


@pytest.mark.parametrize("words", [("--json", "down"), ("down", "--json")], ids=["before", "behind"])
def test_json_may_stand_anywhere_and_gives_one_document(keyhouse: Keyhouse, words: tuple[str, ...]) -> None:
    told = keyhouse(*words)

    assert told.status == 0
    assert json.loads(told.out) == {"stopped": False}
    assert told.err == ""


def test_without_json_the_same_answer_is_for_people(keyhouse: Keyhouse) -> None:
    assert keyhouse("down").out == "No house is up here; nothing was to stop.\n"


@pytest.mark.parametrize(
    ("line", "kept", "as_json"),
    [
        (["status"], ["status"], False),
        (["--json", "--data", "d", "status"], ["--data", "d", "status"], True),
        (["cases", "show", "3", "--json"], ["cases", "show", "3"], True),
        (["lexicon", "try", "--jsonl", "-"], ["lexicon", "try", "--jsonl", "-"], False),
        (["lexicon", "explain", "--", "--json"], ["lexicon", "explain", "--", "--json"], False),
        ([], [], False),
    ],
    ids=["absent", "first", "last", "another option", "said, not meant", "nothing"],
)
def test_json_is_taken_out_of_the_line_but_never_out_of_what_is_said(
    line: list[str], kept: list[str], as_json: bool
) -> None:
    assert without_json(line) == (kept, as_json)


def test_every_fault_of_a_settings_file_is_told_at_once_and_the_last_line_is_the_error(
    keyhouse: Keyhouse, tmp_path: Path
) -> None:
    (tmp_path / "house.yaml").write_text("server_name: keyhouse.localhost\nport: 1\n")

    told = keyhouse("status")

    *faults, last = told.err.splitlines()
    assert told.status == 1
    assert len(faults) > 1
    assert any("house.yaml: port: is not a known key" in fault for fault in faults)
    assert last.startswith(f"error: {len(faults)} things are wrong")


@pytest.mark.parametrize("logs", [True, False], ids=["with a house", "without a house"])
def test_a_mistake_of_ours_is_one_line_and_what_is_kept_of_it_holds_no_words(tmp_path: Path, logs: bool) -> None:
    house = tmp_path / "house"
    kept = house / "logs" / "command-line.log"
    if logs:
        kept.parent.mkdir(parents=True)
    program = """
        import dataclasses, sys
        from provisioning import cli
        cli.COMMANDS["status"] = dataclasses.replace(cli.COMMANDS["status"], module="a_7KQ2_SECRET")
        cli.main()
    """
    told = in_a_process(program, "--data", str(house), "status", "another-7KQ2-SECRET")

    (line,) = told.err.splitlines()
    assert (told.status, told.out) == (1, "")
    assert line.startswith("error: Keyhouse itself made a mistake (ModuleNotFoundError at ")
    assert "SECRET" not in line
    assert (str(kept) in line) == logs == house.exists()
    if logs:
        assert "ModuleNotFoundError" in kept.read_text()
        assert "SECRET" not in kept.read_text()
