"""Pieces of a stopped house for tests of backups."""

from datetime import UTC, datetime

from bots.runtime.credentials import BotCredentials, BotFiles
from keyhouse.settings.house import HouseSettings
from provisioning.directory import HouseDirectory
from provisioning.preflight import SHIPPED_CONFIG
from tests.support.ports import free_port

CANARY = "no-backup-holds-this-canary"
NOW = datetime.now(UTC)


def settings_of(database: str) -> HouseSettings:
    """Settings of a house on free ports."""
    homeserver, front_door = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    return HouseSettings(
        server_name="keyhouse.test",
        homeserver=homeserver,
        front_door=front_door,
        database=database,
        config=SHIPPED_CONFIG,
    )


def furnish_watcher(directory: HouseDirectory) -> None:
    """Put there what a watcher keeps: what belongs into a backup, and with the canary in it what does not."""
    files = BotFiles(directory.bot("risk_monitor"))
    BotCredentials("http://127.0.0.1:1", "@watcher:keyhouse.test", "a password", "WATCHER-OLD").save(files.directory)
    files.signing_seeds.write_text("seeds")
    files.room_key_export.write_text("sealed room keys")
    for never in (files.session, files.pickle_key, files.store("WATCHER-OLD") / "crypto.db"):
        never.parent.mkdir(parents=True, exist_ok=True)
        never.write_text(CANARY)


def nothing_is_left_of(target: HouseDirectory) -> bool:
    """Say whether a restore that failed has cleared everything away."""
    return not target.root.exists() and not target.root.with_name(f".{target.root.name}.part").exists()
