"""What the concierge says about the rules of the house, and to whoever agrees to them."""

from keyhouse.core.house_rules import HouseRules, is_asked_to_agree
from keyhouse.core.people import Person, PersonState

ASKS = (
    "**Before you can write in the other rooms:** read `!rules`, then write `!agree`, or tap ✅ under this message. "
    "You can read everywhere already, and write here whatever you decide."
)
_PAUSED = "Your account can read but not write in the other rooms just now; here you can always write."


def rules_text(rules: HouseRules, person: Person | None) -> str:
    """Write the rules of the house; who has not agreed to them yet is told how."""
    lines = [f"**The rules of the house** (version {rules.version})", "", *(f"- {each}" for each in rules.sentences)]
    if person is not None and is_asked_to_agree(person):
        lines += ["", "If you agree with them, write `!agree` here. Then you can write in your other rooms too."]
    elif person is not None and (person.rules_agreed or rules.version) < rules.version:
        lines += [
            "",
            "They have changed since you agreed. If you agree with them as they are now, write `!agree` here.",
        ]
    return "\n".join(lines)


def agreed_text(person: Person | None, *, is_new: bool) -> str:
    """Answer somebody who agreed to the rules. is_new: False when nothing changed by it."""
    thanks = "Thank you." if is_new else "You agreed to these rules before; thank you all the same."
    is_paused = person is not None and person.state is PersonState.PAUSED
    return f"{thanks} {_PAUSED if is_paused else 'You can write in all your rooms now.'}"


def reminder_text(name: str) -> str:
    """Write to somebody who agreed to an older version of the rules. Nobody falls silent because of it."""
    return "\n".join(
        [
            "A message for you from the house.",
            "",
            f"{name}, the rules of the house have changed. For you nothing changes by that: you can write wherever you "
            "could write before.",
            "",
            "**Please read them:** write `!rules` here. If you agree with them as they are now, write `!agree`, or tap "
            "✅ under this message. If you do not, or have a question, write it here.",
        ]
    )
