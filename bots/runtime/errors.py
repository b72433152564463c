"""Everything that can go wrong between a bot and its homeserver, as one family."""

from datetime import timedelta


class MatrixFault(Exception):
    """Something outside the bot failed; the text is one plain sentence and says what to do."""


class MatrixAway(MatrixFault):
    """The homeserver could not be reached, took too long, or broke; the same request may work later."""


class MatrixRefused(MatrixFault):
    """The homeserver understood the request and said no.

    retry_after: how long the homeserver asks us to wait (429 only); None means that waiting will not help.
    """

    def __init__(self, errcode: str, status: int, text: str, retry_after: timedelta | None = None) -> None:
        super().__init__(f"The homeserver refused: {status} {errcode}: {text}")
        self.errcode = errcode
        self.status = status
        self.text = text
        self.retry_after = retry_after


class SessionEnded(MatrixFault):
    """The bot's access token is no longer valid: somebody logged its device out."""


class LoginRefused(MatrixFault):
    """The homeserver does not take the bot's password."""


class CredentialsMissing(MatrixFault):
    """The bot's directory holds no readable credentials."""


class IdentityLost(MatrixFault):
    """The homeserver knows a signing identity of this bot that is not the one kept here."""


class StoreLost(MatrixFault):
    """The device's encryption store is gone, damaged, an old copy, or another device's.

    why: a few listed words. A bot that meets this takes a new device by itself.
    """

    def __init__(self, user_id: str, device_id: str, why: str) -> None:
        super().__init__(
            f"The encryption store of {user_id}'s device {device_id} is {why}, so messages to it cannot be read. "
            "A bot takes a new device by itself, once at each start; one that has failed is started again by "
            "`keyhouse bot renew` and its name."
        )
        self.why = why


class StoreInUse(MatrixFault):
    """Another process works with this device's store."""


class WrongVersion(MatrixFault):
    """An installed library is not the one this layer was written for."""
