"""The tamper-evident chain: what is written down of an act, and how the links are made."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act. actor and subject: HMACs under a key of the person, which erasure destroys; empty means nobody.

    detail: counts, internal ids and listed words only; never text, a name, a condition.
    """

    sequence: int
    at: datetime
    action: str
    actor: str
    subject: str
    detail: Mapping[str, str | int]
    mac: str


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """What a walk along the chain found. first_bad: sequence of the first broken link, None when it holds."""

    entries: int
    first_bad: int | None

    @property
    def ok(self) -> bool:
        """Say whether every link holds."""
        return self.first_bad is None


def link(previous_mac: str, entry: AuditEntry, key: bytes) -> str:
    """Return the mac of an entry that follows `previous_mac`; the entry's own mac is not read."""
    canonical = json.dumps(
        [
            previous_mac,
            entry.sequence,
            entry.at.isoformat(),
            entry.action,
            entry.actor,
            entry.subject,
            dict(entry.detail),
        ],
        sort_keys=True,
        separators=(",", ":"),
    )
    return hmac.new(key, canonical.encode(), hashlib.sha256).hexdigest()


def pseudonymous(person: str, person_key: bytes) -> str:
    """Return how a person stands in the chain; without the key it can be linked to nobody."""
    return hmac.new(person_key, person.encode(), hashlib.sha256).hexdigest()
