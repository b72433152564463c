"""The bot's login: made once, kept beside its credentials, used again."""

from dataclasses import asdict, dataclass, field
from typing import Any

from bots.runtime.credentials import BotCredentials, BotFiles
from bots.runtime.errors import LoginRefused, MatrixRefused, SessionEnded
from bots.runtime.homeserver import Homeserver, path
from bots.runtime.private_files import read_private, write_private


@dataclass(frozen=True)
class Session:
    """A logged-in device."""

    access_token: str = field(repr=False)
    device_id: str


def stored_session(files: BotFiles) -> Session | None:
    """The login of an earlier start; None if there was none."""
    try:
        content = read_private(files.session)
    except ValueError:
        return None
    return Session(**content) if content and set(content) == {"access_token", "device_id"} else None


async def open_session(homeserver: Homeserver, credentials: BotCredentials, files: BotFiles) -> Session:
    """Log in on the device that the credentials name, or go on with its login of an earlier start.

    Raises LoginRefused if the password is not the account's, and SessionEnded if somebody ended the earlier login:
    the device's keys at the homeserver are gone with it.
    """
    session = stored_session(files)
    if session is None or session.device_id != credentials.device_id:
        session = await _log_in(homeserver, credentials, files)
        write_private(files.session, asdict(session))
    homeserver.access_token = session.access_token
    who = await homeserver.get(path("account", "whoami"))
    if (who.get("user_id"), who.get("device_id")) != (credentials.user_id, credentials.device_id):
        raise SessionEnded(
            f"The access token in {files.session} belongs to another device. Remove that file and start again."
        )
    return session


async def _log_in(homeserver: Homeserver, credentials: BotCredentials, files: BotFiles) -> Session:
    body: dict[str, Any] = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": credentials.user_id},
        "password": credentials.password,
        "device_id": credentials.device_id,
        "initial_device_display_name": "Keyhouse",
    }
    try:
        answer = await homeserver.post(path("login"), body)
    except MatrixRefused as refusal:
        if refusal.retry_after is not None:
            raise
        raise LoginRefused(
            f"The homeserver does not let {credentials.user_id} in ({refusal.errcode}). "
            f"Give the bot a new password with {files.renewal}."
        ) from refusal
    return Session(access_token=str(answer["access_token"]), device_id=str(answer["device_id"]))
