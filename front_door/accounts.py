"""What the page needs of whoever makes accounts, and what can come of asking."""

from dataclasses import dataclass
from typing import Protocol

from keyhouse.core.ids import UserId
from keyhouse.core.verdict import Refused


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account that somebody can sign in to now."""

    user_id: UserId


@dataclass(frozen=True, slots=True)
class NotTaken:
    """The code was refused for a reason that this page has no sentence for."""


class AccountsAway(Exception):
    """Nobody could be asked, or nobody answered in time.

    perhaps_made: the account may be there all the same, with a password that nobody has seen.
    """

    def __init__(self, fault: str, *, perhaps_made: bool = False) -> None:
        super().__init__(fault)
        self.perhaps_made = perhaps_made


class AccountMaker(Protocol):
    """Turns a code into an account. Today the homeserver's own registration; another back end fits behind it."""

    async def make_account(self, code: str, password: str, visitor: str | None) -> NewAccount | Refused | NotTaken:
        """Make the one account of this code. code: its 28 symbols. visitor: by whom tries are counted.

        Raises AccountsAway.
        """
        ...
