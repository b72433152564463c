"""What a bot needs to log in, and where its own directory keeps what it must not lose."""

import secrets
import string
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Self

from bots.runtime.errors import CredentialsMissing
from bots.runtime.private_files import read_private, write_private

_DEVICE_LETTERS = string.ascii_uppercase + string.digits


def new_device_id(name: str) -> str:
    """Choose a device id that no other device in the house has.

    nio takes any device with its own id for itself, whoever owns it.
    """
    return f"{name.upper()}-{''.join(secrets.choice(_DEVICE_LETTERS) for _ in range(8))}"


def renewal(name: str) -> str:
    """Return the command that gives a bot a new password and a new device, as sentences name it."""
    return f"`keyhouse bot renew {name}`"


@dataclass(frozen=True)
class BotCredentials:
    """One bot account and the device it uses; provisioning writes it, the bot reads it."""

    homeserver: str
    user_id: str
    password: str = field(repr=False)
    device_id: str

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read DIR/bots/NAME/credentials.json, or raise CredentialsMissing."""
        file = BotFiles(directory).credentials
        try:
            content = read_private(file)
        except ValueError:
            content = {}
        if content is None or set(content) != {each.name for each in fields(cls)}:
            raise CredentialsMissing(
                f"{file} is missing or unreadable. Run {BotFiles(directory).renewal} to have it made anew."
            )
        return cls(**content)

    def save(self, directory: Path) -> None:
        """Write DIR/bots/NAME/credentials.json, mode 0600."""
        write_private(BotFiles(directory).credentials, asdict(self))


@dataclass(frozen=True)
class BotFiles:
    """The files of one bot, below DIR/bots/NAME."""

    directory: Path

    @property
    def renewal(self) -> str:
        """The command that gives this bot a new password and a new device."""
        return renewal(self.directory.name)

    @property
    def stores(self) -> Path:
        """Where the stores lie: one below it for each device that the bot ever had."""
        return self.directory / "store"

    @property
    def credentials(self) -> Path:
        """Account, password and device id."""
        return self.directory / "credentials.json"

    @property
    def session(self) -> Path:
        """The access token of the device."""
        return self.directory / "session.json"

    @property
    def signing_seeds(self) -> Path:
        """The signing identity. Whoever has it can sign devices for the bot; without it the identity is gone."""
        return self.directory / "signing_seeds.json"

    @property
    def pickle_key(self) -> Path:
        """The key that seals the device's store."""
        return self.directory / "pickle_key.json"

    @property
    def room_key_export(self) -> Path:
        """A sealed copy of the room keys, for the device that comes after this one."""
        return self.directory / "room_keys.export"

    @property
    def replaced_sessions(self) -> Path:
        """The access tokens of devices that were replaced and are still to be signed out, one file each."""
        return self.directory / "replaced_sessions"

    def store(self, device_id: str) -> Path:
        """The directory of one device's encryption store. It is never restored from a backup."""
        return self.stores / device_id

    def look_back_marker(self, device_id: str) -> Path:
        """What says, until it was done, that a new device has to look back."""
        return self.store(device_id) / "look_back.json"
