"""Agreeing to the rules of the house at the desk: typed, said, or tapped."""

from bots.room_gatekeeper.desk_messages import RULES_KEY
from bots.room_gatekeeper.rules_wording import agreed_text, rules_text
from bots.runtime.answers import Decision, Said
from bots.runtime.errors import MatrixFault
from bots.runtime.received import Message, Reaction
from bots.runtime.router import Asked, saying
from bots.runtime.surroundings import Surroundings
from keyhouse.core.house_rules import AGREES_WITH, is_asked_to_agree, says_agreed
from keyhouse.core.ids import UserId
from keyhouse.core.matching.selection import words_of
from keyhouse.core.ports import Transaction
from keyhouse.core.workflows.agreeing import agree
from keyhouse.settings.rules_in_force import RulesInForce

_PLEASE_TYPE_IT = "I cannot look that up just now. Please write `!agree` here."


class Agreements:
    """Finds what is to be decided when somebody agrees."""

    def __init__(self, around: Surroundings, rules: RulesInForce) -> None:
        self._around, self._rules = around, rules

    async def rules(self, asked: Asked) -> Decision:
        """Answer `!rules`."""
        return lambda tx: rules_text(self._rules.current(), tx.people.get(UserId(asked.sender)))

    async def typed(self, asked: Asked) -> Decision:
        """Answer `!agree`."""
        return self._agreeing(asked.sender, self._rules.current().version)

    def said(self, message: Message) -> Decision | None:
        """Understand "I agree" without a mark, of somebody who was asked; of anybody else it is talk."""
        if not says_agreed(words_of(message.content)):
            return None
        agreeing = self._agreeing(message.sender, self._rules.current().version)

        def decide(tx: Transaction) -> Said:
            person = tx.people.get(UserId(message.sender))
            return agreeing(tx) if person is not None and is_asked_to_agree(person) else None

        return decide

    async def tapped(self, reaction: Reaction) -> Decision | None:
        """Understand ✅ on a message of ours that asks for it: it agrees to the rules that the message was about."""
        if reaction.key.replace("\ufe0f", "") != AGREES_WITH:
            return None
        try:
            asking = await self._around.sending.read_own(reaction.room_id, reaction.target)
        except MatrixFault:
            return saying(_PLEASE_TYPE_IT)
        version = (asking or {}).get(RULES_KEY)
        return self._agreeing(reaction.sender, version) if isinstance(version, int) else None

    def _agreeing(self, sender: str, version: int) -> Decision:
        def decide(tx: Transaction) -> str:
            is_new = agree(tx, UserId(sender), version, self._around.clock())
            return agreed_text(tx.people.get(UserId(sender)), is_new=is_new)

        return decide
