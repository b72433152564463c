"""What a person sees while `up` works: a spinner on a terminal, plain lines elsewhere. All of it on stderr."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status


class Progress:
    """Shows one step at a time, from `with` to its end."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._status: Status | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.rest()

    def step(self, words: str) -> None:
        """Say what is being done now."""
        if not self._console.is_terminal:
            self._console.print(words, soft_wrap=True)
        elif self._status is None:
            self._status = self._console.status(words)
            self._status.start()
        else:
            self._status.update(words)

    def note(self, words: str) -> None:
        """Say something that stays on the screen."""
        self._console.print(words, soft_wrap=True)

    def rest(self) -> None:
        """Show nothing until the next step."""
        if self._status is not None:
            self._status.stop()
            self._status = None
