"""Typed commands: which is meant, who answers, and what is said to a mistyped one."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bots.runtime.answers import Decision
from keyhouse.core.commands import ANSWERS_HELP, Place, commands_in, find_command, meant, read_command
from keyhouse.core.outgoing import Worker


@dataclass(frozen=True, slots=True)
class Asked:
    """A command that somebody typed. rest: what stood after its name, spaces made single."""

    room_id: str
    event_id: str
    sender: str
    rest: str


Answer = Callable[[Asked], Awaitable[Decision]]
"""Reads what has to be read outside of the house's database, and gives what is then decided in one transaction."""


class Router:
    """The commands that one bot answers in one kind of room. answers: by name."""

    def __init__(self, worker: Worker, place: Place, answers: Mapping[str, Answer]) -> None:
        mine = {command.name for command in commands_in(place) if command.worker is worker} - {"help"}
        if mine != set(answers):
            raise LookupError(f"commands declared and answered differ: {sorted(mine ^ set(answers))}")
        self._worker, self._place, self._answers = worker, place, answers
        self._answers_help = ANSWERS_HELP[place] is worker

    async def reply(self, text: str, room_id: str, event_id: str, sender: str) -> Decision | None:
        """Find what is to be decided about a typed command; None when it is no command, or another bot's to answer."""
        typed = read_command(text)
        if typed is None:
            return None
        command = find_command(typed.name, self._place)
        if command is None:
            return saying(self._not_known(typed.name)) if self._answers_help else None
        if command.name == "help":
            return saying(help_text(self._place)) if self._answers_help else None
        if command.worker is not self._worker:
            return None
        return await self._answers[command.name](Asked(room_id, event_id, sender, typed.rest))

    def _not_known(self, name: str) -> str:
        near = meant(name, self._place)
        guess = f"Did you mean `{near.example}`? It {near.does}." if near else "`!help` lists what I know."
        return f"I do not know `!{name}`. {guess}"


def saying(markdown: str) -> Decision:
    """Decide nothing but to say this."""
    return lambda tx: markdown


def help_text(place: Place) -> str:
    """List what can be done here, with one example each."""
    lines = [f"- `{command.example}` {command.does}" for command in commands_in(place)]
    return "\n".join(["**What you can do here**", "", *lines])
