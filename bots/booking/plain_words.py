"""Whether a whole message, without any mark, asks for a session at some time; talk at the desk is left alone."""

import re
from datetime import datetime, tzinfo

from bots.booking.when import Unclear, Understood, any_time, understand

_LONGEST = 120
_GREETING = re.compile(r"^(?:hi|hello|hey|good (?:morning|afternoon|evening))(?: there)?[,.! ]+(?=\S)")
_KINDNESS = re.compile(r"[ ,.!?]*(?:please|thanks|thank you|if possible)?[ ,.!?]*$")
_SESSION = (
    r"(?:(?:a|an|the|my|another|any|some) )?(?:free |open |therapy )?"
    r"(?:session|appointment|slot)s?(?: (?:free|available|open))?"
)
_THING = rf"(?:{_SESSION}|(?:something|anything)(?: (?:free|available|open))?)"
_ASKING = (
    r"(?:please )?(?:(?:can|could|may) i (?:please )?|i(?:'d| would) like(?: to)? |i want to )"
    rf"(?:book|have|get|come(?: in)?)(?: {_THING})?",
    rf"i(?:'d| would) like {_THING}",
    rf"(?:please )?book (?:me )?(?:in|{_THING})",
    rf"(?:do you have|have you got|is there|are there) {_THING}",
    _SESSION,
)
_ASKS = re.compile(rf"^(?:{'|'.join(_ASKING)})(?: (?:for|on|at))?(?:\s+|$)")
_MEANS_SOMETHING_ELSE = re.compile(r"(?<!\d )(?<!of )\b(?:may|march)\b(?! \d)|\b(?:sun|sat|wed)\b")
"""Short forms and months that are other words too; without a word about a session they are talk."""


def asked_for(text: str, now: datetime, zone: tzinfo) -> Understood | Unclear | None:
    """Understand "tuesday after 4" or "can I have a session next week?"; None for everything else.

    Without a word about a session, both a day and a time of the day are needed.
    """
    if len(text) > _LONGEST or "\n" in text.strip():
        return None
    words = text.casefold().replace("’", "'").strip()
    words = _KINDNESS.sub("", _GREETING.sub("", words))
    asks = _ASKS.match(words)
    if asks is None:
        found = None if _MEANS_SOMETHING_ELSE.search(words) else understand(words, now, zone)
        return found if found is not None and found.names_day and found.names_time else None
    rest = words[asks.end() :].strip()
    if not rest:
        return any_time() if _is_a_request(words) else None
    return understand(rest, now, zone)


def _is_a_request(words: str) -> bool:
    """Say whether words that name no time ask for a session; "something" alone does not."""
    return bool(re.search(r"\b(?:session|appointment|slot)s?\b", words)) and not re.fullmatch(_SESSION, words)
