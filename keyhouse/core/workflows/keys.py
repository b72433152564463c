"""Change what a person holds, and let memberships follow."""

from dataclasses import dataclass, replace
from datetime import datetime

from keyhouse.core.ids import Condition, UserId
from keyhouse.core.people import Exclusions, Key, Person, Role, held, may_carry, may_hold
from keyhouse.core.ports import Transaction
from keyhouse.core.verdict import Reason, Refused
from keyhouse.core.workflows.moves import follow_keys, rooms_opened


@dataclass(frozen=True, slots=True)
class KeyChange:
    """What is to change. role: None keeps it.  by: a user id or a word such as "host".

    override_exclusion: what excludes each other is held together on purpose; kept in the audit as an action of its own.
    """

    add: frozenset[Condition]
    remove: frozenset[Condition]
    role: Role | None
    by: str
    override_exclusion: bool = False


def change_keys(
    tx: Transaction,
    user_id: UserId,
    change: KeyChange,
    known: frozenset[Condition],
    exclusions: Exclusions,
    now: datetime,
) -> Person | Refused:
    """Give and take conditions and role in one step; removals are decided before invitations."""
    person = tx.people.get(user_id)
    if person is None:
        return Refused(Reason.UNKNOWN_PERSON)
    were_open = frozenset(scope.room_id for scope in rooms_opened(tx, person, now))
    after = (held(tx.people.keys(user_id), now) - change.remove) | change.add
    changed = replace(person, role=change.role or person.role)
    verdict = may_carry(changed.role, after, known, exclusions, override_exclusion=change.override_exclusion)
    if isinstance(verdict, Refused):
        return verdict
    _record(tx, changed, change, now)
    follow_keys(tx, changed, now.isoformat(), now, were_open)
    # Counts only: the link from a person to a condition has no place in the chain.
    detail: dict[str, str | int] = {"added": len(change.add), "removed": len(change.remove), "role": changed.role.value}
    if isinstance(may_hold(after, exclusions), Refused):
        tx.audit.append("exclusion.overridden", actor=change.by, subject=user_id, now=now)
    tx.audit.append("keys.changed", actor=change.by, subject=user_id, detail=detail, now=now)
    return changed


def _record(tx: Transaction, person: Person, change: KeyChange, now: datetime) -> None:
    for condition in sorted(change.remove):
        tx.people.revoke(person.user_id, condition, now)
    for condition in sorted(change.add):
        tx.people.grant(Key(person.user_id, condition, f"changed:{change.by}", now))
    tx.people.update(person)
