"""The tamper-evident chain, and the keys under which persons stand in it."""

import hashlib
import hmac
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, select

from keyhouse.core.audit import GENESIS, AuditEntry, AuditFinding, link, pseudonymous
from keyhouse.storage.column_types import as_utc
from keyhouse.storage.sealing import Seal
from keyhouse.storage.tables import audit_anchor, audit_entry, audit_person_key
from keyhouse.storage.work import Work

BATCH = 1000
_ONE_WRITER = 0x6B657968
_KEY_BYTES = 32


class SqlAudit:
    """Keeps the chain in `audit_entry`, its length and end in `audit_anchor`.

    The anchor is what shows that entries are missing at the end. Who can put back an old anchor together with the old
    end of the chain is found only by comparing with a copy elsewhere.
    """

    def __init__(self, work: Work, key: bytes, seal: Seal) -> None:
        self._work = work
        self._key = key
        self._seal = seal

    def append(
        self,
        action: str,
        *,
        actor: str,
        subject: str = "",
        detail: Mapping[str, str | int] | None = None,
        now: datetime,
    ) -> None:
        """Add an act at the end of the chain; one transaction at a time does so."""
        self._work.one_at_a_time(_ONE_WRITER)
        count, previous = self._end()
        who, whom = self._standing_for(actor), self._standing_for(subject)
        entry = AuditEntry(count + 1, as_utc(now), action, who, whom, dict(detail or {}), "")
        self._keep(replace(entry, mac=link(previous, entry, self._key)))

    def verify(self) -> AuditFinding:
        """Walk the whole chain in batches."""
        self._work.one_at_a_time(_ONE_WRITER)
        entries = int(self._work.scalar(select(func.count()).select_from(audit_entry)))
        count, previous = 0, GENESIS
        for entry in self._walk():
            good = entry.sequence == count + 1 and hmac.compare_digest(entry.mac, link(previous, entry, self._key))
            if not good:
                return AuditFinding(entries, count + 1)
            count, previous = entry.sequence, entry.mac
        return AuditFinding(entries, None if self._ends_at(count, previous) else count + 1)

    def forget(self, person: str) -> None:
        """Destroy the key under which a person stands in the chain; the links still hold and lead to nobody."""
        self._work.change(delete(audit_person_key).where(audit_person_key.c.person == person))

    def _keep(self, entry: AuditEntry) -> None:
        values = {
            "sequence": entry.sequence,
            "at": entry.at,
            "action": entry.action,
            "actor": entry.actor,
            "subject": entry.subject,
            "detail": dict(entry.detail),
            "mac": entry.mac,
        }
        self._work.change(audit_entry.insert().values(**values))
        mac = self._anchor_mac(entry.sequence, entry.mac)
        anchor = {"entries": entry.sequence, "last_mac": entry.mac, "mac": mac}
        insert = self._work.insert(audit_anchor).values(id=1, **anchor)
        self._work.change(insert.on_conflict_do_update(index_elements=[audit_anchor.c.id], set_=anchor))

    def _end(self) -> tuple[int, str]:
        """Return how many entries there are and the last one's mac."""
        anchor = self._anchor()
        if anchor is not None and self._is_ours(anchor):
            return anchor.entries, anchor.last_mac
        rows = self._work.all(select(audit_entry).order_by(audit_entry.c.sequence.desc()).limit(1))
        if anchor is None and not rows:
            return 0, GENESIS
        # Somebody has touched the anchor. The house goes on, but a number is left out, so that the walk stops here.
        return (rows[0].sequence + 1, rows[0].mac) if rows else (1, GENESIS)

    def _ends_at(self, count: int, mac: str) -> bool:
        anchor = self._anchor()
        if anchor is None:
            return count == 0
        return self._is_ours(anchor) and (anchor.entries, anchor.last_mac) == (count, mac)

    def _anchor(self) -> Row[Any] | None:
        rows = self._work.all(select(audit_anchor).where(audit_anchor.c.id == 1))
        return rows[0] if rows else None

    def _is_ours(self, anchor: Row[Any]) -> bool:
        return hmac.compare_digest(anchor.mac, self._anchor_mac(anchor.entries, anchor.last_mac))

    def _anchor_mac(self, entries: int, last_mac: str) -> str:
        return hmac.new(self._key, f"anchor|{entries}|{last_mac}".encode(), hashlib.sha256).hexdigest()

    def _walk(self) -> Iterator[AuditEntry]:
        query = select(audit_entry).order_by(audit_entry.c.sequence).limit(BATCH)
        rows = self._work.all(query)
        while rows:
            yield from (_entry(row) for row in rows)
            rows = self._work.all(query.where(audit_entry.c.sequence > rows[-1].sequence))

    def _standing_for(self, who: str) -> str:
        """Return how somebody stands in the chain; words such as "host" are no persons and need no key of their own."""
        if not who:
            return ""
        return pseudonymous(who, self._person_key(who) if who.startswith("@") else self._key)

    def _person_key(self, person: str) -> bytes:
        row = self._work.one(select(audit_person_key).where(audit_person_key.c.person == person))
        if row is not None:
            return self._seal.open(row.sealed, audit_person_key.name, person, row.seal_key_id)
        key = secrets.token_bytes(_KEY_BYTES)
        sealed = self._seal.close(key, audit_person_key.name, person)
        values = {"person": person, "seal_key_id": self._seal.key_id, "sealed": sealed}
        self._work.change(audit_person_key.insert().values(**values))
        return key


def _entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(row.sequence, row.at, row.action, row.actor, row.subject, row.detail, row.mac)
