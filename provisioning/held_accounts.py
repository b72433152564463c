"""The accounts that provisioning alone holds: the owner of the rooms, the server's administrator."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Self

from bots.runtime.private_files import read_private, write_private
from keyhouse.core.accounts import DISPLAY_NAMES, ServiceAccount
from keyhouse.core.ids import UserId, localpart
from provisioning.answers import Failure
from provisioning.matrix import Homeserver, HomeserverRefused


@dataclass(frozen=True, slots=True)
class HeldAccount:
    """One such account, as it stands in DIR/secrets. access_token: empty until it was used first."""

    user_id: UserId
    password: str = field(repr=False)
    access_token: str = field(default="", repr=False)

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read the account; raises Failure when the file is missing or broken."""
        try:
            content = read_private(file)
            if content is not None:
                return cls(**content)  # type: ignore[arg-type]
        except (ValueError, TypeError, OSError) as error:
            raise Failure(f"{file} cannot be read; restore it from a backup") from error
        raise Failure(f"{file} is missing; start the house once with `keyhouse up`, or restore it from a backup")

    @classmethod
    def load_or_draw(cls, file: Path, user_id: UserId) -> Self:
        """Read the account, or draw a password for it and keep that, before the account itself is made."""
        if not file.exists():
            cls(user_id, secrets.token_urlsafe(32)).save(file)
        return cls.load(file)

    def save(self, file: Path) -> None:
        """Write the account, readable by its owner alone."""
        write_private(file, asdict(self))


@asynccontextmanager
async def signed_in(url: str, file: Path) -> AsyncIterator[Homeserver]:
    """Speak as a held account. Its one device and access token are kept: logging in anew is limited."""
    account = HeldAccount.load(file)
    async with Homeserver(url, account.access_token or None) as homeserver:
        if not await _still_known(homeserver):
            await _log_in(homeserver, account, file)
        yield homeserver


async def _still_known(homeserver: Homeserver) -> bool:
    if homeserver.access_token is None:
        return False
    try:
        await homeserver.whoami()
    except HomeserverRefused as refused:
        if refused.status != 401:
            raise
        return False
    return True


async def _log_in(homeserver: Homeserver, account: HeldAccount, file: Path) -> None:
    name = localpart(account.user_id)
    device_name = DISPLAY_NAMES[ServiceAccount(name)]
    token = await homeserver.log_in(account.user_id, account.password, f"HELD-{name.upper()}", device_name)
    replace(account, access_token=token).save(file)
