"""One plain sentence and a next step for every reason that a person can meet."""

from keyhouse.core.verdict import Reason

_ASK = "Please ask the team that gave you the letter for help."
_SERVER = "Please try again in a minute."

SENTENCES: dict[Reason, str] = {
    Reason.UNKNOWN_PERSON: f"This account is not known to the house. {_ASK}",
    Reason.PERSON_CLOSED: f"This account has been closed. {_ASK}",
    Reason.NO_SCOPE: "This room is not part of the house. Your rooms are in your list already.",
    Reason.NO_CONDITION_IN_SCOPE: "This room is not open to anybody yet. Your rooms are in your list already.",
    Reason.ROLE_NOT_ADMITTED: "Your key does not open this room. Your rooms are in your list already.",
    Reason.SOMEBODY_ELSES_ROOM: "This room belongs to somebody else. Your rooms are in your list already.",
    Reason.NO_KEY: "Your key does not open this room. If you think it should, write so in your own desk room.",
    Reason.KEY_EXPIRED: "Your key to this room has run out. Write in your own desk room to ask for a new one.",
    Reason.CONDITIONS_EXCLUDE: "These two conditions are never held together. Remove one before you add the other.",
    Reason.CONDITION_UNKNOWN: "No such condition is in the building file. `keyhouse rooms list` shows what there is.",
    Reason.CONDITION_MISSING: "A person of this role needs at least one condition. Name it with --condition.",
    Reason.ROLE_NOT_REFERRED: "This role is not given by a referral. Use `keyhouse people add` for the team.",
    Reason.CODE_UNKNOWN: (
        "We do not know this code. Please check it against your letter, one group at a time; "
        "if it still does not work, ask the team that gave you the letter."
    ),
    Reason.CODE_USED: (
        "This code has been used already. If that was you, sign in with the name and password you were shown; "
        "if not, ask the team that gave you the letter for a new one."
    ),
    Reason.CODE_REVOKED: "This code has been withdrawn. Please ask the team that gave you the letter for a new one.",
    Reason.CODE_EXPIRED: "This code has run out. Please ask the team that gave you the letter for a new one.",
    Reason.PSEUDONYM_TAKEN: "That name is taken. Please try again; a new one will be drawn.",
    Reason.CASE_UNKNOWN: "There is no case with this number. `!cases` lists the open ones.",
    Reason.CASE_CLOSED: "This case is closed already. `!show` followed by its number says how.",
    Reason.CASE_TAKEN: "A colleague has this case. `!show` followed by its number says who.",
    Reason.CASE_OPEN: "This case is open already. Nothing has changed.",
    Reason.NOT_THE_TEAM: "Only the team can do this. Write in your own desk room if you need something.",
    Reason.OUTCOME_UNKNOWN: (
        "Please say how it ended: support, signposted, plan, emergency, no-concern or false-alarm, "
        "for example `!close 4 support`."
    ),
    Reason.HOUSE_DOES_THIS: "Only the house can do this here. Write in your own desk room if you need something.",
    Reason.STORE_AWAY: f"The house cannot look up your key just now. {_SERVER}",
}


def sentence(reason: Reason) -> str:
    """Return what a person is told, with the next step."""
    return SENTENCES[reason]


def error_code(reason: Reason) -> str:
    """Return the stable Matrix error code, ``UK.KEYHOUSE.CODE_USED``."""
    return f"UK.KEYHOUSE.{reason.value.upper()}"
