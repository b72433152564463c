"""What every homeserver of the house is told, whatever its name, port and database."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

Settings = dict[str, Any]

CLOSED: Mapping[str, Any] = {
    # Who may come in: holders of a code, and nobody from another server.
    "enable_registration": True,
    "registration_requires_token": True,
    "allow_guest_access": False,
    "inhibit_user_in_use_error": True,
    "federation_domain_whitelist": [],
    "trusted_key_servers": [],
    "suppress_key_server_warning": True,
    # Nothing that names a person: no mail, no telephone number, no picture, no name of one's own.
    "enable_3pid_changes": False,
    "enable_3pid_lookup": False,
    "default_identity_server": None,
    "enable_set_displayname": False,
    "enable_set_avatar_url": False,
    # enable_set_avatar_url alone lets the first picture through; no picture has this type or fits into one byte.
    "allowed_avatar_mimetypes": ["application/x-none"],
    "max_avatar_size": "1",
    "allow_per_room_profiles": False,
    "include_profile_data_on_invite": False,
    # Nobody is found by looking.
    "limit_profile_requests_to_users_who_share_rooms": True,
    "require_auth_for_profile_requests": True,
    "user_directory": {"enabled": False},
    "enable_room_list_search": False,
    "room_list_publication_rules": [{"action": "deny"}],
    "alias_creation_rules": [{"action": "deny"}],
    "enable_search": False,
    "presence": {"enabled": False},
    "url_preview_enabled": False,
    # A delayed event is checked when it is sent, long after its sender was told that it is accepted.
    "max_event_delay_duration": None,
    # What is no longer needed is not kept. Stale devices stay: a bot that loses its device is deaf.
    "user_ips_max_age": "1h",
    "redaction_retention_period": "1d",
    "forgotten_room_retention_period": "1d",
    "report_stats": False,
    # Rooms: an invitation by key needs no tap, and each room says itself that it is encrypted.
    "auto_accept_invites": {"enabled": True, "only_from_local_users": True},
    "default_room_version": "12",
    "encryption_enabled_by_default_for_room_type": "off",
}

# A new person is invited to a dozen rooms within a second and joins them at once. The door decides who may, so
# these limits may be wide.
_WELCOME = {"per_second": 20, "burst_count": 200}

_UNLIMITED = {"per_second": 1000, "burst_count": 1000}

RATE_LIMITS: Mapping[str, Any] = {
    # Synapse sees one address for everybody (decision 0013); the gate counts visitors in its place. What Synapse counts
    # by account stays as it is.
    "rc_registration": _UNLIMITED,
    "rc_registration_token_validity": _UNLIMITED,
    "rc_login": {"address": _UNLIMITED},
    # Thirty short messages in a minute are a person in distress, not an attack; reactions and the like count too.
    "rc_message": {"per_second": 0.5, "burst_count": 40},
    "rc_invites": {"per_room": _WELCOME, "per_user": _WELCOME},
    "rc_joins": {"local": _WELCOME},
    "rc_joins_per_room": _WELCOME,
}

# A demonstration listens on loopback alone, where everybody has the same address.
DEMO_RATE_LIMITS: Mapping[str, Any] = {
    "rc_login": {"address": _UNLIMITED, "account": _UNLIMITED, "failed_attempts": _UNLIMITED},
}


_TELL_OF_PEOPLE = (
    *("synapse.http.server", "synapse.http.servlet", "synapse.http.site", "synapse.rest", "synapse.api.auth"),
    *("synapse.handlers", "synapse.push", "synapse.state", "synapse.storage.controllers", "synapse.events"),
    "synapse.util.task_scheduler",
)
"""Parts of Synapse whose ordinary lines name a person, what they typed, or a room."""


def listener(port: int) -> Settings:
    """Say where the homeserver listens: loopback, for clients alone."""
    return {
        "type": "http",
        "port": port,
        "bind_addresses": ["127.0.0.1"],
        "resources": [{"names": ["client"], "compress": False}],
    }


def log_settings(log_file: Path) -> Settings:
    """Say what the homeserver writes down: no requests, because a request line holds an address and a person.

    Nor a connection that was given up, with its address; a body that could not be read, with all its words; a
    request that was refused, with what it asked for; the name or mail address that somebody typed to sign in; or who
    is in which room. Faults of the homeserver's own are written down.

    The file is turned at midnight and kept for a week.
    """
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
        "handlers": {
            "file": {
                "class": "logging.handlers.TimedRotatingFileHandler",
                "formatter": "line",
                "filename": str(log_file),
                "when": "midnight",
                "backupCount": 7,
                "encoding": "utf8",
            }
        },
        "loggers": {
            **{part: {"level": "ERROR"} for part in _TELL_OF_PEOPLE},
            "synapse.access.http": {"level": "WARNING"},
            "twisted": {"level": "WARNING"},
        },
        "root": {"level": "INFO", "handlers": ["file"]},
    }
