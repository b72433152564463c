"""The guard: this door fits one Synapse, and says so before the first person knocks."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from synapse.api.constants import LoginType
from synapse.config import ConfigError
from synapse.module_api import ModuleApi

SYNAPSE_VERSION = "1.163.2"

PRIVATE_ATTRIBUTES: dict[str, Callable[[ModuleApi], object]] = {
    # Decision 0001: our own checker stands where Synapse's token checker stood.
    "ModuleApi._hs.get_auth_handler().checkers[token]": lambda api: checkers(api)[LoginType.REGISTRATION_TOKEN],
    # The thread pool must end before Synapse's process does; the module interface has no word for it.
    "ModuleApi._hs.register_sync_shutdown_handler": lambda api: api._hs.register_sync_shutdown_handler,
}
"""Everything private in Synapse that the door relies upon, each with a way to reach it."""


def require_version(found: str | None = None) -> None:
    """Refuse to start beside any other Synapse. found: None means the installed one."""
    found = found or version("matrix-synapse")
    if found != SYNAPSE_VERSION:
        raise ConfigError(
            f"The door of Keyhouse was tested with Synapse {SYNAPSE_VERSION}, but this is Synapse {found}. "
            "Run `make setup` again; it installs the version that fits."
        )


def require_private_attributes(api: ModuleApi) -> None:
    """Refuse to start if something private that the door relies upon is not where it was."""
    for name, reach in PRIVATE_ATTRIBUTES.items():
        try:
            reach(api)
        except (AttributeError, KeyError) as missing:
            raise ConfigError(
                f"The door of Keyhouse cannot find {name} in this Synapse. "
                "Check that registration_requires_token is true, then run `make setup` again."
            ) from missing


def checkers(api: ModuleApi) -> dict[str, Any]:
    """Return Synapse's checkers of the steps of a registration, by the name of the step."""
    found: dict[str, Any] = api._hs.get_auth_handler().checkers
    return found


def at_shutdown(api: ModuleApi, end: Callable[[], object]) -> None:
    """Have something ended together with Synapse."""
    api._hs.register_sync_shutdown_handler(phase="during", eventType="shutdown", shutdown_func=end)
