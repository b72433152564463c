"""The case commands of the care room, typed or as reactions to a card."""

from collections.abc import Awaitable, Callable

from bots.risk_monitor.cards import SHORTCUTS, card_facts, case_line
from bots.runtime.clock import Clock
from bots.runtime.ledger import Ledger
from bots.runtime.router import Answer, Asked
from bots.runtime.words import quoted
from keyhouse.core.cases import Case, Outcome
from keyhouse.core.commands import number_in
from keyhouse.core.ids import CaseNumber, EventId, UserId
from keyhouse.core.ports import Transaction
from keyhouse.core.sentences import sentence
from keyhouse.core.verdict import Reason, Refused
from keyhouse.core.workflows import casework

WordsOn = Callable[[Case], Awaitable[str]]
"""Reads from a case's card what its author wrote."""

_LISTED = 20
_NUMBER_PLEASE = "Please say which case, for example `!{name} 4`. `!cases` lists the open ones."


class Casework:
    """Answers what clinicians ask of cases."""

    def __init__(self, ledger: Ledger, clock: Clock, words_on: WordsOn) -> None:
        self._ledger, self._clock, self._words_on = ledger, clock, words_on

    def answers(self) -> dict[str, Answer]:
        """The commands by name."""
        return {
            "cases": self._cases,
            "show": self._show,
            "claim": self._claim,
            "open": self._open,
            "close": self._close,
            "false": self._false,
        }

    async def reacted(self, card: str, key: str, sender: str) -> str | None:
        """Do what a reaction to a card means; the answer says only what went wrong, because the card shows the rest."""
        name = SHORTCUTS.get(key.replace("\ufe0f", ""))
        case = await self._ledger.read(lambda tx: tx.cases.by_card(EventId(card))) if name else None
        if name is None or case is None:
            return None
        outcome = {"close": Outcome.SUPPORT, "false": Outcome.FALSE_ALARM}.get(name)
        done = await self._act(case.number, UserId(sender), outcome)
        return f"Case {case.number}: {sentence(done.reason)}" if isinstance(done, Refused) else None

    async def _cases(self, asked: Asked) -> str:
        def listed(tx: Transaction) -> list[str]:
            cases = tx.cases.listed(only_open=True, limit=_LISTED)
            names = tx.people.names({case.author for case in cases})
            return [case_line(case, names.get(case.author, "somebody")) for case in cases]

        lines = await self._ledger.read(listed)
        return "\n".join(["**Open cases**", "", *lines]) if lines else "No case is open."

    async def _show(self, asked: Asked) -> str:
        number = number_in(asked.rest)
        if number is None:
            return _NUMBER_PLEASE.format(name="show")
        case = await self._ledger.read(lambda tx: tx.cases.get(CaseNumber(number)))
        if case is None:
            return sentence(Reason.CASE_UNKNOWN)
        facts = await self._ledger.read(lambda tx: card_facts(tx, case))
        held = f"taken by {facts.holder}" if facts.holder else "nobody has it"
        alerts = [f"- {alert.urgency.value}: {', '.join(alert.rules)}" for alert in case.alerts]
        # Whoever signed in after the card was sent cannot read the card, but can read this answer.
        words = [quoted(await self._words_on(case)), ""] if case.card else []
        return "\n".join([case_line(case, facts.author).removeprefix("- "), "", *words, f"{held}.", "", *alerts])

    async def _claim(self, asked: Asked) -> str:
        return await self._changed(asked, "claim", None)

    async def _open(self, asked: Asked) -> str:
        number = number_in(asked.rest)
        if number is None:
            return _NUMBER_PLEASE.format(name="open")
        by, now = UserId(asked.sender), self._clock()
        done = await self._ledger.write(lambda tx: casework.release(tx, CaseNumber(number), by, now))
        return sentence(done.reason) if isinstance(done, Refused) else f"Case {number} is free again."

    async def _close(self, asked: Asked) -> str:
        words = asked.rest.lower().replace("_", "-").split()
        outcome = next((Outcome(word) for word in words if word in set(Outcome)), None)
        return await self._changed(asked, "close", outcome) if outcome else sentence(Reason.OUTCOME_UNKNOWN)

    async def _false(self, asked: Asked) -> str:
        return await self._changed(asked, "false", Outcome.FALSE_ALARM)

    async def _changed(self, asked: Asked, name: str, outcome: Outcome | None) -> str:
        number = number_in(asked.rest)
        if number is None:
            return _NUMBER_PLEASE.format(name=name)
        done = await self._act(CaseNumber(number), UserId(asked.sender), outcome)
        if isinstance(done, Refused):
            return sentence(done.reason)
        return f"Case {number} is closed: {outcome.value}." if outcome else f"Case {number} is yours."

    async def _act(self, number: CaseNumber, by: UserId, outcome: Outcome | None) -> Case | Refused:
        """Claim the case, or close it when there is an outcome."""
        now = self._clock()
        if outcome is None:
            return await self._ledger.write(lambda tx: casework.claim(tx, number, by, now))
        return await self._ledger.write(lambda tx: casework.close(tx, number, outcome, by, now))
