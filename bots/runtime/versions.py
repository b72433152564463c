"""Refuse to start on a matrix-nio other than the one this layer was written and tested for."""

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

import vodozemac
from nio.crypto import InboundGroupSession, Olm, OlmAccount, OutboundGroupSession  # type: ignore[import-untyped]
from nio.store import SqliteStore  # type: ignore[import-untyped]
from nio.store.models import ForwardedChains, MegolmInboundSessions, OlmSessions  # type: ignore[import-untyped]

from bots.runtime.errors import WrongVersion

PINNED = {"matrix-nio": "0.26.0"}

# Private, or public without a promise: each was read in the source of the pinned version.
RELIED_UPON: tuple[tuple[object, str], ...] = (
    (Olm, "_handle_olm_event"),  # overridden: keeps room keys, ignores every other kind
    (Olm, "_mark_device_for_unwedging"),  # overridden: notes whose Olm session broke
    (Olm, "_olm_encrypt"),  # encrypts for one device and saves the session first
    (Olm, "_olm_algorithm"),
    (Olm, "_megolm_algorithm"),
    (Olm, "create_group_session"),  # overridden: never replaces a room key by a later, poorer one
    (OlmAccount(), "_account"),  # nio has no fallback keys; the account underneath has
    (OutboundGroupSession(), "users_shared_with"),
    (InboundGroupSession, "export_session"),
    (InboundGroupSession, "import_session"),
    (InboundGroupSession("", "", "", "", session=object()), "forwarding_chain"),
    (SqliteStore, "database_path"),
    (SqliteStore, "save_account"),  # these three overridden: each change of key material is counted
    (SqliteStore, "save_session"),
    (SqliteStore, "save_inbound_group_session"),
    (SqliteStore, "load_inbound_group_sessions"),
    (SqliteStore, "models"),
    (OlmSessions, "session_id"),
    (ForwardedChains, "session"),  # this table and the next are read and written in SQL
    (MegolmInboundSessions, "fp_key"),
    (vodozemac.Account, "fallback_key"),
    (vodozemac.Account, "generate_fallback_key"),
)


def check_versions(pinned: dict[str, str] = PINNED, relied_upon: Iterable[tuple[object, str]] = RELIED_UPON) -> None:
    """Raise WrongVersion, with every difference in one line, unless the libraries are those we know."""
    faults = [fault for name, wanted in pinned.items() if (fault := _version_fault(name, wanted))]
    faults += [f"{_name(owner)}.{attribute} is gone" for owner, attribute in relied_upon if not _has(owner, attribute)]
    if faults:
        raise WrongVersion(f"{'; '.join(faults)}. Run `make setup` to install the versions in requirements.lock.")


def _version_fault(name: str, wanted: str) -> str | None:
    try:
        installed = version(name)
    except PackageNotFoundError:
        return f"{name} is not installed, {wanted} is needed"
    return None if installed == wanted else f"{name} is {installed}, {wanted} is needed"


def _has(owner: object, attribute: str) -> bool:
    # A dataclass field without a default is an annotation only.
    return hasattr(owner, attribute) or attribute in getattr(owner, "__dataclass_fields__", {})


def _name(owner: object) -> str:
    return owner.__name__ if isinstance(owner, type) else type(owner).__name__
