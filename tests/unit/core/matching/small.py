"""A lexicon small enough to see all of it."""

from keyhouse.core.matching.lexicon import CompiledLexicon, Lexicon, Modifier, Rule, Step, compile_lexicon
from keyhouse.core.urgency import Urgency

SLOTS = {
    "SELF": ("i", "im", "myself"),
    "WANT": ("want to", "wish to"),
    "DIE": ("die", "end my life", "suicidal"),
    "SOON": ("tonight",),
    "NOT": ("don't", "not", "no"),
    "STUCK": ("can't not",),
    "THEY": ("my friend", "she"),
    "DANGER": ("missing",),
    "LAUGH": ("lol",),
    "CUT": ("cutting",),
    "CAKE": ("cake",),
    "YOU": ("you",),
    "SAFE": ("safe",),
    "NO": ("no", "nope"),
    "HELP": ("help",),
    "FILM": ("film",),
}

WISH = Rule("wish", (Step(("SELF",), 0), Step(("WANT",), 2), Step(("DIE",), 2)), Urgency.CONCERN, "suicide",
            raised_by={"SOON": Urgency.URGENT}, reach=5)  # fmt: skip
WORD = Rule("word", (Step(("DIE",), 0),), Urgency.CONCERN, "suicide", unless_near=("FILM",), reach=3)
CUTTING = Rule("cutting", (Step(("CUT",), 0),), Urgency.CONCERN, "self_harm")
ANSWER = Rule("answer", (Step(("NO",), 0),), Urgency.CONCERN, "suicide", opening=True,
              asked=(Step(("YOU",), 0), Step(("SAFE",), 3)))  # fmt: skip
DESK = Rule("desk", (Step(("HELP",), 0),), Urgency.CONCERN, "asked_for_help", rooms=("desk",), longest_message=3)

MODIFIERS = (
    Modifier("negated", ("NOT",), Urgency.NONE, before=3, blocked_by=("SELF",), swallowed_by=("STUCK",)),
    Modifier("third_person", ("THEY",), Urgency.WATCH, before=4, blocked_by=("SELF",), not_for=("SELF",),
             cancelled_by=("DANGER",), for_carers=False),
    Modifier("humour", ("LAUGH",), Urgency.WATCH, after=5, before=5),
)  # fmt: skip


def small_lexicon(*rules: Rule) -> CompiledLexicon:
    """The rules asked for, or all of them."""
    lexicon = Lexicon(
        "small", 7, "nobody", False, SLOTS, rules or (WISH, WORD, CUTTING, ANSWER, DESK),
        idioms=((Step(("CUT",), 0), Step(("CAKE",), 1)),), idiom_phrases=("die laughing",), modifiers=MODIFIERS,
    )  # fmt: skip
    return compile_lexicon([lexicon])
