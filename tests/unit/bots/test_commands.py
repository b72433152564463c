"""How typed text is read as a command, and what is said to a mistyped one."""

import pytest

from bots.runtime.answers import Decision
from bots.runtime.router import Asked, Router, help_text, saying
from keyhouse.core.commands import ANSWERS_HELP, COMMANDS, Place, Typed, find_command, meant, number_in, read_command
from keyhouse.core.outgoing import Worker
from keyhouse.storage.memory import MemoryStore


@pytest.mark.parametrize(
    ("typed", "name", "rest"),
    [
        pytest.param("!help", "help", "", id="plain"),
        pytest.param("!HELP", "help", "", id="upper case"),
        pytest.param("  ! Help  ", "help", "", id="spaces around"),
        pytest.param("!claim4", "claim", "4", id="missing space"),
        pytest.param("!claim   #4 ", "claim", "#4", id="many spaces"),
        pytest.param("！claim 4", "claim", "4", id="full-width prefix"),
        pytest.param("!lost–device", "lost-device", "", id="autocorrected dash"),
        pytest.param("!close 4 “support”", "close", '4 "support"', id="smart quotes"),
    ],
)
def test_a_command_is_read_however_a_phone_wrote_it(typed: str, name: str, rest: str) -> None:
    assert read_command(typed) == Typed(name, rest)


@pytest.mark.parametrize("text", ["help", "hello!", "wow !!!", "!", "!!", "! 4", "", "!" + "x" * 5000])
def test_what_is_no_command_is_left_alone(text: str) -> None:
    assert read_command(text) is None


@pytest.mark.parametrize(
    ("typed", "command"),
    [("clam", "claim"), ("hlep", "help"), ("cases!", "cases"), ("clsoe", "close")],
)
def test_a_mistyped_command_is_guessed(typed: str, command: str) -> None:
    assert meant(typed, Place.CARE) == find_command(command, Place.CARE)


def test_nothing_is_guessed_from_something_else() -> None:
    assert meant("zebra", Place.CARE) is None


@pytest.mark.parametrize(("text", "number"), [("4", 4), ("#17", 17), ("case 3 please", 3), ("four", None), ("", None)])
def test_a_number_is_found_where_people_put_it(text: str, number: int | None) -> None:
    assert number_in(text) == number


def test_every_command_has_one_place_one_worker_and_an_example_that_is_that_command() -> None:
    assert len({(command.name, command.place) for command in COMMANDS}) == len(COMMANDS)
    for command in COMMANDS:
        typed = read_command(command.example)
        assert typed is not None
        assert typed.name == command.name


@pytest.mark.parametrize("place", Place)
def test_help_lists_every_command_of_the_place_and_one_bot_answers_it(place: Place) -> None:
    for command in COMMANDS:
        line = f"- `{command.example}` {command.does}"
        assert (line in help_text(place)) == (command.place is place or command.name == "help")
    assert find_command("help", place) is not None
    assert find_command("help", place).worker is ANSWERS_HELP[place]  # type: ignore[union-attr]


async def test_a_router_answers_its_own_commands_guesses_the_rest_and_leaves_talk_alone() -> None:
    async def echo(asked: Asked) -> Decision:
        return saying(f"heard {asked.rest}")

    desk = Router(Worker.ROOM_GATEKEEPER, Place.DESK, {"rooms": echo, "rules": echo, "agree": echo})

    async def replied(text: str) -> str | None:
        decision = await desk.reply(text, "!r", "$e", "@p:k.h")
        with MemoryStore().writing() as tx:
            return decision(tx) if decision else None

    assert await replied("!Rooms now") == "heard now"
    assert "Did you mean `!rooms`" in (await replied("!roms") or "")
    assert "I do not know `!xyzzy`. `!help`" in (await replied("!xyzzy") or "")
    assert await replied("good morning") is None


async def test_a_router_that_answers_what_was_not_declared_is_refused() -> None:
    with pytest.raises(LookupError, match="rooms"):
        Router(Worker.ROOM_GATEKEEPER, Place.DESK, {})
