"""The case commands of the care room, typed or as reactions to a card."""

from collections.abc import Awaitable, Callable

from bots.risk_monitor.cards import SHORTCUTS, CardFacts, card_facts, case_line
from bots.runtime.answers import Decision
from bots.runtime.clock import Clock
from bots.runtime.errors import MatrixFault
from bots.runtime.ledger import Ledger
from bots.runtime.router import Answer, Asked, saying
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
_NOT_READ_NOW = "(These words cannot be read just now. Please try again in a minute, or go to the message.)"
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

    async def reacted(self, card: str, key: str, sender: str) -> Decision | None:
        """Find what a reaction to a card means; the answer says only what went wrong: the card shows the rest."""
        name = SHORTCUTS.get(key.replace("\ufe0f", ""))
        case = await self._ledger.read(lambda tx: tx.cases.by_card(EventId(card))) if name else None
        if name is None or case is None:
            return None
        outcome = {"close": Outcome.SUPPORT, "false": Outcome.FALSE_ALARM}.get(name)

        def decide(tx: Transaction) -> str | None:
            done = self._act(tx, case.number, UserId(sender), outcome)
            return f"Case {case.number}: {sentence(done.reason)}" if isinstance(done, Refused) else None

        return decide

    async def _cases(self, asked: Asked) -> Decision:
        return _listed

    async def _show(self, asked: Asked) -> Decision:
        number = number_in(asked.rest)
        if number is None:
            return saying(_NUMBER_PLEASE.format(name="show"))
        case = await self._ledger.read(lambda tx: tx.cases.get(CaseNumber(number)))
        if case is None:
            return saying(sentence(Reason.CASE_UNKNOWN))
        # Whoever signed in after the card was sent cannot read the card, but can read this answer.
        words = [quoted(await self._shown(case)), ""] if case.card else []
        return lambda tx: _told(card_facts(tx, tx.cases.get(case.number) or case), words)

    async def _claim(self, asked: Asked) -> Decision:
        return self._changed(asked, "claim", None)

    async def _open(self, asked: Asked) -> Decision:
        number = number_in(asked.rest)
        if number is None:
            return saying(_NUMBER_PLEASE.format(name="open"))

        def decide(tx: Transaction) -> str:
            done = casework.release(tx, CaseNumber(number), UserId(asked.sender), self._clock())
            return sentence(done.reason) if isinstance(done, Refused) else f"Case {number} is free again."

        return decide

    async def _close(self, asked: Asked) -> Decision:
        words = asked.rest.lower().replace("_", "-").split()
        outcome = next((Outcome(word) for word in words if word in set(Outcome)), None)
        if outcome is None:
            return saying(sentence(Reason.OUTCOME_UNKNOWN))
        return self._changed(asked, "close", outcome)

    async def _false(self, asked: Asked) -> Decision:
        return self._changed(asked, "false", Outcome.FALSE_ALARM)

    def _changed(self, asked: Asked, name: str, outcome: Outcome | None) -> Decision:
        number = number_in(asked.rest)
        if number is None:
            return saying(_NUMBER_PLEASE.format(name=name))

        def decide(tx: Transaction) -> str:
            done = self._act(tx, CaseNumber(number), UserId(asked.sender), outcome)
            if isinstance(done, Refused):
                return sentence(done.reason)
            return f"Case {number} is closed: {outcome.value}." if outcome else f"Case {number} is yours."

        return decide

    def _act(self, tx: Transaction, number: CaseNumber, by: UserId, outcome: Outcome | None) -> Case | Refused:
        """Claim the case, or close it when there is an outcome."""
        if outcome is None:
            return casework.claim(tx, number, by, self._clock())
        return casework.close(tx, number, outcome, by, self._clock())

    async def _shown(self, case: Case) -> str:
        try:
            return await self._words_on(case)
        except MatrixFault:
            return _NOT_READ_NOW


def _listed(tx: Transaction) -> str:
    cases = tx.cases.listed(only_open=True, limit=_LISTED)
    names = tx.people.names({case.author for case in cases})
    lines = [case_line(case, names.get(case.author, "somebody")) for case in cases]
    return "\n".join(["**Open cases**", "", *lines]) if lines else "No case is open."


def _told(facts: CardFacts, words: list[str]) -> str:
    held = f"taken by {facts.holder}" if facts.holder else "nobody has it"
    alerts = [f"- {alert.urgency.value}: {', '.join(alert.rules)}" for alert in facts.case.alerts]
    first = case_line(facts.case, facts.author).removeprefix("- ")
    return "\n".join([first, "", *words, f"{held}.", "", *alerts])
