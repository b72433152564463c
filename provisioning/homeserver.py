"""Write the files of a closed homeserver, and say how it is started."""

import base64
import os
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from provisioning.homeserver_settings import (
    CLOSED,
    DEMO_RATE_LIMITS,
    RATE_LIMITS,
    Settings,
    listener,
    log_settings,
)

# Each is made once and stays: the setting that names its file, and the file.
SECRET_FILES = {
    "registration_shared_secret_path": "registration_shared_secret",
    "macaroon_secret_key_path": "macaroon_secret_key",
    "form_secret_path": "form_secret",
}


class HomeserverError(Exception):
    """The homeserver's files could not be written; the message is one plain sentence with a next step."""


@dataclass(frozen=True)
class HomeserverPlan:
    """What differs from one homeserver of the house to the next.

    database: Synapse's own database section; None means SQLite in the directory.
    modules: Synapse's module list, each {"module": …, "config": …}.
    demo: registration and login are not limited, because everybody comes from the same address.
    extra: top-level settings that replace what is written here.
    """

    directory: Path
    server_name: str
    port: int
    database: dict[str, Any] | None = None
    modules: Sequence[dict[str, Any]] = ()
    demo: bool = False
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where clients on this machine reach the homeserver, without a trailing slash."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings_file(self) -> Path:
        """The homeserver.yaml of this plan."""
        return self.directory / "homeserver.yaml"

    @property
    def shared_secret_file(self) -> Path:
        """The file with the secret that lets provisioning make accounts."""
        return self.directory / SECRET_FILES["registration_shared_secret_path"]


def write_homeserver(plan: HomeserverPlan) -> Path:
    """Write homeserver.yaml, the log settings, and once the signing key and secrets; give back homeserver.yaml.

    Everything is readable by its owner alone. A second call keeps the signing key and the secrets.
    """
    try:
        plan.directory.mkdir(parents=True, exist_ok=True)
        # Synapse's own files, its database among them, take the usual mode; the directory keeps others out.
        plan.directory.chmod(0o700)
        for name in SECRET_FILES.values():
            _keep(plan.directory / name, secrets.token_urlsafe(48))
        _keep(plan.directory / "signing.key", _new_signing_key())
        _write_private(plan.directory / "log.yaml", _as_yaml(log_settings(_absolute(plan, "homeserver.log"))))
        _write_private(plan.settings_file, _as_yaml(homeserver_settings(plan)))
    except OSError as fault:
        raise HomeserverError(
            f"{plan.directory} cannot be written ({fault.strerror}); "
            "give the account that runs Keyhouse the right to write there, or choose another directory"
        ) from fault
    return plan.settings_file


def homeserver_settings(plan: HomeserverPlan) -> Settings:
    """Everything homeserver.yaml says for this plan."""
    return {
        **CLOSED,
        **RATE_LIMITS,
        **(DEMO_RATE_LIMITS if plan.demo else {}),
        "server_name": plan.server_name,
        "public_baseurl": f"{plan.url}/",
        "listeners": [listener(plan.port)],
        "database": plan.database or _sqlite(plan),
        "modules": list(plan.modules),
        "log_config": str(_absolute(plan, "log.yaml")),
        "media_store_path": str(_absolute(plan, "media")),
        "signing_key_path": str(_absolute(plan, "signing.key")),
        **{setting: str(_absolute(plan, name)) for setting, name in SECRET_FILES.items()},
        **plan.extra,
    }


def start_command(plan: HomeserverPlan) -> list[str]:
    """The command that runs this homeserver in the foreground; it refuses secrets that stand in homeserver.yaml."""
    settings_file = str(plan.settings_file.absolute())
    return [sys.executable, "-m", "synapse.app.homeserver", "--no-secrets-in-config", "-c", settings_file]


def _absolute(plan: HomeserverPlan, name: str) -> Path:
    return (plan.directory / name).absolute()


def _sqlite(plan: HomeserverPlan) -> Settings:
    return {"name": "sqlite3", "args": {"database": str(_absolute(plan, "homeserver.db"))}}


def _new_signing_key() -> str:
    seed = base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    return f"ed25519 a_{secrets.token_hex(3)} {seed}"


class _Plain(yaml.SafeDumper):
    # Anchors and aliases are correct YAML, but whoever opens the file should not have to know them.
    def ignore_aliases(self, data: object) -> bool:
        return True


def _as_yaml(settings: Settings) -> str:
    return yaml.dump(settings, Dumper=_Plain, sort_keys=False)


def _keep(path: Path, new_text: str) -> None:
    if not path.exists():
        _write_private(path, new_text + "\n")


def _write_private(path: Path, text: str) -> None:
    # Written beside and moved into place, so that a killed start leaves no half of a file behind.
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
