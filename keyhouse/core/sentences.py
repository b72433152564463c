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
    Reason.RULES_NOT_AGREED: (
        "Your message did not go out: the rules of the house come first. Write `!rules` in your own desk room to read "
        "them and `!agree` to agree; you can write to us there at any time."
    ),
    Reason.PAUSED: (
        "Your message did not go out: your account can read but not write here just now. "
        "You can write to us in your own desk room at any time."
    ),
    Reason.NOT_CARRIED: (
        "This was not sent: pictures, files, voice messages, stickers and places are not carried here, so that nobody "
        "can be known by them. Please write it in words, here or in your own desk room."
    ),
    Reason.STILL_LEAVING: "Your key has changed and your rooms are being changed too. You will be let in in a moment.",
    Reason.ROOM_WOULD_OPEN: "A room of the house is never open to strangers. Nothing has changed.",
    Reason.NAME_OF_TEAM: "This name could be taken for the team's. Please choose another one.",
    Reason.NAME_UNREADABLE: (
        "A name has 1 to 60 letters on one line, and no signs but . , ' - / & ( and ). Please choose another one."
    ),
    Reason.HOUSE_ACCOUNT: "This account is a part of the house itself. Nothing has changed.",
    Reason.NOT_A_RESIDENT: (
        "Only somebody who lives here can be paused or be given another name. "
        "Close an account of the team with `keyhouse people close`."
    ),
    Reason.CASE_STILL_OPEN: (
        "This person has an open case. Please close it first, in the care room, with `!close` and its number."
    ),
    Reason.REFERENCE_MISSING: (
        "Every referral needs the local record number by which the service knows the person. "
        "Give it with --reference; never a name."
    ),
    Reason.REFERENCE_UNFIT: (
        "A reference is the service's local record number: at most 64 plain letters, digits, spaces between them, "
        "slashes, dashes and full stops, with at least one digit. Never give a name or an address."
    ),
    Reason.TOO_OFTEN: "That was too often in a short time. Please wait a minute and try again.",
    Reason.ROLE_NOT_BOOKED: "Sessions are booked by the people who live here. The team adds slots with `!slots add`.",
    Reason.SLOT_UNKNOWN: "No session with this number is open to you. `!slots` shows what is.",
    Reason.SLOT_NOT_THERE: "There is no slot with this number. `!slots` shows what there is. Nothing was changed.",
    Reason.SLOT_NOT_BOOKED: "Nobody has booked this slot. `!slots` shows which are booked.",
    Reason.SLOT_WITHDRAWN: "This session is no longer offered. `!slots` shows what is.",
    Reason.SLOT_OVER: "This session has begun or is over. `!slots` shows what is to come.",
    Reason.SLOT_YOURS: "This session is yours already. `!mine` shows what you have booked.",
    Reason.SLOT_TAKEN: "Somebody else has just taken this session. `!slots` shows what is still free.",
    Reason.SLOT_HELD: (
        "This session is being offered to somebody else just now and may be free again soon. "
        "`!slots` shows what is free, and `!waitlist` tells us to ask you."
    ),
    Reason.BOOKINGS_FULL: (
        "You have as many sessions booked as one person can have at once. "
        "`!mine` shows them, `!move` changes one and `!cancel` gives one back."
    ),
    Reason.BOOKING_OVERLAPS: "You have another session at that time. `!mine` shows it, and `!move` changes it.",
    Reason.BOOKING_UNKNOWN: "You have no session with this number. `!mine` shows what you have booked.",
    Reason.BOOKING_BEGUN: "This session has begun, so it stays as it is. Write here if you cannot come.",
    Reason.BOOKING_NOT_BEGUN: "This session has not begun yet. Say how it went when it has.",
    Reason.OFFER_UNKNOWN: "Nothing with this number is being offered to you now. `!slots` shows what is free.",
    Reason.WAITING_UNKNOWN: "This person is not on the waiting list. They join it with `!waitlist`.",
    Reason.PREFERENCE_EMPTY: "No session could be at such a time. Please name other days or other hours.",
    Reason.PRIORITY_UNKNOWN: "A priority is a number from 0, as everybody has, to 9, for who cannot wait at all.",
    Reason.NOT_A_THERAPIST: (
        "Slots belong to an active clinician's account. `keyhouse people list` shows them, "
        "and `keyhouse people add --role clinician` makes one."
    ),
    Reason.SERIES_TOO_LONG: "At most 200 slots are added at once. Nothing was added; choose an earlier end.",
    Reason.SERIES_EMPTY: "There is no slot before this end. Nothing was added; choose a later end, or leave out less.",
    Reason.SLOT_LENGTH: "A slot lasts from 5 minutes to 8 hours, and a buffer at most 4 hours. Nothing was added.",
    Reason.TIME_PAST: "This time is past. Nothing was changed; give a time to come.",
    Reason.TIME_TOO_FAR: "This is more than two years away. Nothing was added; choose an earlier time.",
    Reason.STORE_AWAY: f"The house cannot look up your key just now. {_SERVER}",
}


def sentence(reason: Reason) -> str:
    """Return what a person is told, with the next step."""
    return SENTENCES[reason]


def error_code(reason: Reason) -> str:
    """Return the stable Matrix error code, ``UK.KEYHOUSE.CODE_USED``."""
    return f"UK.KEYHOUSE.{reason.value.upper()}"
