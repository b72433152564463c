"""`keyhouse referral`: issue, list and revoke the codes with which people come in."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from keyhouse.core.building import Building
from keyhouse.core.codes import RANDOM_BYTES, hash_code, make_code
from keyhouse.core.ids import Condition, ReferralId
from keyhouse.core.people import Role
from keyhouse.core.ports import Transaction
from keyhouse.core.referrals import Referral
from keyhouse.core.sentences import sentence
from keyhouse.core.verdict import Reason, Refused
from keyhouse.core.workflows import registration
from keyhouse.core.workflows.registration import Draws, ReferralRequest
from provisioning.answers import Failure, House, answer, now, open_house
from provisioning.pseudonyms import draw_pseudonym

app = typer.Typer(no_args_is_help=True)
HOST = "host"
DEFAULT_DAYS = 14
_DRAWS_OF_A_NAME = 40


@dataclass(frozen=True, slots=True)
class IssuedReferral:
    """A referral with its code, which is shown once and kept nowhere. pseudonym: the account's localpart."""

    id: ReferralId
    code: str = field(repr=False)
    pseudonym: str
    expires_at: datetime
    link: str = field(repr=False)


def issue_referrals(
    house: House,
    role: Role,
    conditions: frozenset[Condition],
    references: Sequence[str | None],
    days: int = DEFAULT_DAYS,
    by: str = HOST,
) -> list[IssuedReferral]:
    """Issue one referral for each reference, all of them or none; raises Failure with the sentence of the reason.

    references: local record numbers; None, in a demonstration alone, is a referral without one.
    """
    building, moment = house.building(), now()
    request = ReferralRequest(
        role, conditions, moment + timedelta(days=days), by, needs_reference=not house.settings.demo
    )
    with house.store.writing() as tx:
        return [_issue_one(tx, house, building, replace(request, reference=one), moment) for one in references]


@app.command()
def issue(
    ctx: typer.Context,
    role: Annotated[Role, typer.Option("--role", help="What the person will be here.")],
    condition: Annotated[
        list[str] | None, typer.Option("--condition", help="A condition of building.yaml; may be repeated.")
    ] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="How long the code may be used.")] = DEFAULT_DAYS,
    reference: Annotated[
        list[str] | None,
        typer.Option("--reference", help="Your local record number, never a name; once for each code."),
    ] = None,
    count: Annotated[int | None, typer.Option("--count", min=1, max=500, help="How many referrals.")] = None,
) -> None:
    """Issue a code, or several. Each is shown this once. The reference is kept sealed and shown to nobody here."""
    conditions = frozenset(Condition(each) for each in condition or ())
    references = _one_for_each(reference or [], count or 1)
    issued = issue_referrals(open_house(ctx), role, conditions, references, days)
    documents = [_issued_document(each) for each in issued]
    answer(documents[0] if count is None else {"referrals": documents}, lambda console: _show_issued(console, issued))


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """Show every referral and what became of it; never a code."""
    with open_house(ctx).store.reading() as tx:
        referrals = tx.referrals.all()
    documents = [_document(referral, now()) for referral in referrals]
    answer({"referrals": documents}, lambda console: _show(console, documents))


@app.command()
def revoke(ctx: typer.Context, referral: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Withdraw a code that nobody has used yet."""
    moment = now()
    with open_house(ctx).store.writing() as tx:
        outcome = registration.revoke(tx, ReferralId(referral), HOST, moment)
    if isinstance(outcome, Refused):
        raise Failure(_why_not_revoked(referral, outcome.reason))
    answer(_document(outcome, moment), lambda console: console.print(f"{referral} is revoked; its code opens nothing."))


def _one_for_each(references: Sequence[str], count: int) -> Sequence[str | None]:
    """Return a reference, or none, for each code: two people never share one."""
    if not references:
        return [None] * count
    if len(references) != count or len(set(references)) != count:
        raise Failure("every code needs a reference of its own; give --reference once for each code")
    return references


def _issue_one(
    tx: Transaction, house: House, building: Building, request: ReferralRequest, moment: datetime
) -> IssuedReferral:
    code = make_code(secrets.token_bytes(RANDOM_BYTES))
    code_hash = hash_code(code.replace("-", ""), house.keys.code_hash)
    for _ in range(_DRAWS_OF_A_NAME):
        draws = Draws(ReferralId(secrets.token_hex(5)), draw_pseudonym(), code_hash)
        outcome = registration.issue(tx, request, draws, building.conditions, building.exclusions, moment)
        if isinstance(outcome, Referral):
            link = f"{house.settings.front_door}/#{code}"
            return IssuedReferral(outcome.id, code, outcome.pseudonym, outcome.expires_at, link)
        if outcome.reason is not Reason.PSEUDONYM_TAKEN:
            raise Failure(sentence(outcome.reason))
    raise Failure(sentence(Reason.PSEUDONYM_TAKEN))


def _why_not_revoked(referral: str, reason: Reason) -> str:
    # The sentences of these reasons are for who holds the code; here somebody holds the id.
    if reason is Reason.CODE_UNKNOWN:
        return f"no referral has the id {referral!r}; `keyhouse referral list` shows them"
    if reason is Reason.CODE_USED:
        return f"{referral} has been used already; change what the person may enter with `keyhouse people set`"
    return sentence(reason)


def _issued_document(issued: IssuedReferral) -> dict[str, Any]:
    return {
        "id": issued.id,
        "code": issued.code,
        "pseudonym": issued.pseudonym,
        "expires_at": issued.expires_at,
        "link": issued.link,
    }


def _document(referral: Referral, moment: datetime) -> dict[str, Any]:
    return {
        "id": referral.id,
        "role": referral.role.value,
        "conditions": sorted(referral.conditions),
        "state": referral.state(moment).value,
        "expires_at": referral.expires_at,
    }


def _show_issued(console: Console, issued: list[IssuedReferral]) -> None:
    for each in issued:
        console.print(f"Code        {each.code}", style="bold")
        console.print(f"Link        {each.link}")
        console.print(f"Name        {each.pseudonym}")
        console.print(f"Good until  {each.expires_at:%d %B %Y, %H:%M} UTC   (id {each.id})\n")
    console.print("A code is shown this once and kept nowhere. Give it to nobody but the person.")


def _show(console: Console, documents: list[dict[str, Any]]) -> None:
    table = Table("id", "role", "conditions", "state", "good until", box=None, header_style="bold")
    for each in documents:
        until = f"{each['expires_at']:%Y-%m-%d %H:%M}"
        table.add_row(each["id"], each["role"], ", ".join(each["conditions"]), each["state"], until)
    console.print(table)
