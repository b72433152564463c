"""Permissions to register."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, select, update

from keyhouse.core.ids import Condition, ReferralId, UserId, localpart
from keyhouse.core.people import Role
from keyhouse.core.referrals import Referral
from keyhouse.storage.sealing import Seal
from keyhouse.storage.tables import referral
from keyhouse.storage.work import Work


class SqlReferrals:
    """Keeps referrals in the table `referral`; of a code only its keyed hash, and references sealed."""

    def __init__(self, work: Work, seal: Seal) -> None:
        self._work = work
        self._seal = seal

    def get(self, referral_id: ReferralId) -> Referral | None:
        """Find a referral by its id."""
        return self._one(select(referral).where(referral.c.id == referral_id))

    def by_code_hash(self, code_hash: str) -> Referral | None:
        """Find the referral of a code."""
        return self._one(select(referral).where(referral.c.code_hash == code_hash))

    def by_pseudonym(self, pseudonym: str) -> Referral | None:
        """Find the referral that reserved a name."""
        return self._one(select(referral).where(referral.c.pseudonym == pseudonym))

    def add(self, new: Referral, reference: str | None = None) -> None:
        """Keep a new referral; StoreConflict when its id, code or name is taken."""
        sealed = {} if reference is None else self._sealed(new.id, reference)
        self._work.change(referral.insert().values(id=new.id, **_values(new), **sealed))

    def reference_of(self, referral_id: ReferralId) -> str | None:
        """Open the local record number by which the service knows the person; raises SealBroken."""
        columns = (referral.c.reference_sealed, referral.c.reference_key_id)
        row = self._work.one(select(*columns).where(referral.c.id == referral_id))
        if row is None or row.reference_sealed is None:
            return None
        return self._seal.open(row.reference_sealed, referral.name, referral_id, row.reference_key_id).decode()

    def forget_reference(self, user_id: UserId) -> None:
        """Destroy the local record number of the referral that this account redeemed."""
        its_referral = (referral.c.pseudonym == localpart(user_id), referral.c.redeemed_by == user_id)
        nothing = {"reference_key_id": None, "reference_sealed": None}
        self._work.change(update(referral).where(*its_referral).values(**nothing))

    def update(self, changed: Referral) -> None:
        """Keep the referral as it is now."""
        self._work.change(update(referral).where(referral.c.id == changed.id).values(**_values(changed)))

    def all(self) -> Sequence[Referral]:
        """Every referral, newest last."""
        return [_referral(row) for row in self._work.all(select(referral).order_by(referral.c.issued_at))]

    def _sealed(self, referral_id: ReferralId, reference: str) -> dict[str, Any]:
        sealed = self._seal.close(reference.encode(), referral.name, referral_id)
        return {"reference_key_id": self._seal.key_id, "reference_sealed": sealed}

    def _one(self, query: Select[Any]) -> Referral | None:
        row = self._work.one(query)
        return _referral(row) if row else None


def _values(of: Referral) -> dict[str, Any]:
    return {
        "code_hash": of.code_hash,
        "role": of.role.value,
        "conditions": sorted(of.conditions),
        "pseudonym": of.pseudonym,
        "issued_by": of.issued_by,
        "issued_at": of.issued_at,
        "expires_at": of.expires_at,
        "redeemed_at": of.redeemed_at,
        "redeemed_by": of.redeemed_by,
        "revoked_at": of.revoked_at,
    }


def _referral(row: Row[Any]) -> Referral:
    return Referral(
        id=ReferralId(row.id),
        code_hash=row.code_hash,
        role=Role(row.role),
        conditions=frozenset(Condition(condition) for condition in row.conditions),
        pseudonym=row.pseudonym,
        issued_by=row.issued_by,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        redeemed_at=row.redeemed_at,
        redeemed_by=UserId(row.redeemed_by) if row.redeemed_by else None,
        revoked_at=row.revoked_at,
    )
