"""Letters that look like other letters, what stands in for letters, and what emoji are called."""

from keyhouse.core.matching.confusables_generated import GENERATED

_LOOK_ALIKES = {
    # Cyrillic
    "а": "a", "в": "b", "с": "c", "ԁ": "d", "е": "e", "ғ": "f", "һ": "h", "н": "h", "і": "i", "ј": "j", "к": "k",
    "ӏ": "l", "м": "m", "о": "o", "р": "p", "ԛ": "q", "г": "r", "ѕ": "s", "т": "t", "ս": "u", "ѵ": "v", "ԝ": "w",
    "х": "x", "у": "y", "ү": "y", "з": "3", "п": "n", "ц": "u", "є": "e", "ь": "b",
    # Greek
    "α": "a", "β": "b", "ε": "e", "η": "n", "ι": "i", "κ": "k", "ν": "v", "ο": "o", "ρ": "p", "σ": "o", "ς": "c",
    "τ": "t", "υ": "u", "χ": "x", "γ": "y", "ω": "w", "μ": "u", "ϲ": "c", "ϳ": "j",
    # Armenian, Latin letters of other languages and of phonetics
    "օ": "o", "ո": "n", "հ": "h", "ց": "g", "ı": "i", "ɑ": "a", "ɡ": "g", "ɩ": "i", "ɪ": "i", "ø": "o", "đ": "d",
    "ł": "l", "ħ": "h", "ŧ": "t", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ƙ": "k", "ɗ": "d", "ɓ": "b", "ʋ": "v",
    # small capitals
    "ᴀ": "a", "ʙ": "b", "ᴄ": "c", "ᴅ": "d", "ᴇ": "e", "ꜰ": "f", "ɢ": "g", "ʜ": "h", "ᴊ": "j", "ᴋ": "k", "ʟ": "l",
    "ᴍ": "m", "ɴ": "n", "ᴏ": "o", "ᴘ": "p", "ʀ": "r", "ꜱ": "s", "ᴛ": "t", "ᴜ": "u", "ᴠ": "v", "ᴡ": "w", "ʏ": "y",
    "ᴢ": "z",
}  # fmt: skip

# Letters in squares and circles, and the letters that make flags.
_ENCLOSED_STARTS = (0x1F130, 0x1F150, 0x1F170, 0x1F1E6)

LETTER_FOR_LOOK_ALIKE: dict[str, str] = {
    **{look_alike: letter for letter, all_alike in GENERATED.items() for look_alike in all_alike},
    **_LOOK_ALIKES,
    **{chr(start + place): chr(ord("a") + place) for start in _ENCLOSED_STARTS for place in range(26)},
}

# What people type in place of a letter. 1, ! and | stand for i and for l: see `skeleton` in disguises.
LEET = "0123456789@$!|+€"
LETTER_FOR_LEET: dict[int, int] = str.maketrans("01345789@$!|+€", "oieastbgasiite")

APOSTROPHES = frozenset("'`´‘’‛ʼʹʻˈ′＇՚")

# The words that an emoji stands for where people write about harm; others are read as they are.
_EMOJI_NAMED = {
    "knife": "🔪🗡", "gun": "🔫", "pills": "💊", "blood": "🩸", "razor": "🪒", "syringe": "💉", "coffin": "⚰",
    "grave": "🪦", "alcohol": "🍷🍺🍾🥃🍸🍹🍻", "cigarette": "🚬", "bomb": "💣", "vomit": "🤮", "rope": "🪢",
    "scales": "⚖", "fire": "🔥", "baby": "👶🍼", "pregnant": "🤰", "hospital": "🏥", "ambulance": "🚑",
}  # fmt: skip
NAME_OF_EMOJI: dict[str, str] = {emoji: name for name, all_of_it in _EMOJI_NAMED.items() for emoji in all_of_it}
