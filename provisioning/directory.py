"""Where everything of one house lies on the disk."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class HouseDirectory:
    """The data directory of one house. Nothing of the house lies anywhere else."""

    root: Path

    @property
    def database(self) -> Path:
        """Our own database, when it is SQLite."""
        return self.root / "keyhouse.db"

    @property
    def house_keys(self) -> Path:
        """The keys that hash codes, seal rows and link the audit chain."""
        return self.root / "secrets" / "house.keys"

    @property
    def homeserver(self) -> Path:
        """Everything of Synapse: settings, database, media, log."""
        return self.root / "homeserver"

    @property
    def homeserver_database(self) -> Path:
        """Synapse's own database."""
        return self.homeserver / "homeserver.db"

    @property
    def last_backup(self) -> Path:
        """When the last backup was made, and where it was put."""
        return self.root / "run" / "last_backup.json"

    @property
    def bots(self) -> Path:
        """One directory for each bot."""
        return self.root / "bots"

    @property
    def logs(self) -> Path:
        """One file per process of ours."""
        return self.root / "logs"

    @property
    def ready(self) -> Path:
        """There while all processes are ready."""
        return self.root / "ready.json"

    @property
    def supervisor_pid(self) -> Path:
        """The process that keeps the others alive; locked while it runs."""
        return self.root / "up.pid"

    def account(self, localpart: str) -> Path:
        """Credentials of an account that provisioning alone holds: the owner, the administrator."""
        return self.root / "secrets" / f"{localpart}.json"

    def bot(self, name: str) -> Path:
        """A bot's own directory: credentials, session, cross-signing seeds, device keys."""
        return self.bots / name
