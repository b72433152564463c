"""Letters that look like Latin ones, after Unicode's confusables (security data, Unicode licence v3): generated.

Left out are letters that folding makes Latin by itself, those of `confusables`, and scripts that people here write in.
Each Latin letter with all that look like it.
"""

GENERATED: dict[str, str] = {
    "a": "Ꭺᗅ⍺ꓮ𐊠𖽀",
    "b": "ƄᏏᏴᑲᖯᗷꓐꞴ𐊂𐊡𐌁",
    "c": "ᏟⲤⲥꓚꮯ𐊢𐌂𐐕𐐽𐔜𑣩𑣲🝌",
    "d": "ᎠᏧᑯᗞᗪꓒꓓ",
    "e": "ҽᎬ℮⋿ⴹꓰꬲ𐊆𑢦𑢮",
    "f": "ϜքᖴẝꓝꞘꞙꬵ𐊇𐊥𐔥𑢢𑣂𝈓𝟊",
    "g": "ƍԌᏀᏳᶃꓖ",
    "h": "ᎻᏂᕼⲎꓧ𐋏",
    "i": "˛Ꭵ⍳ꙇꭵ𑣃",
    "j": "ᎫᒍꓙꞲ",
    "k": "ᏦᛕⲔꓗ𐔘",
    "l": "ǀ۱Ꮮᒪᛁ∣⏽ⲒⳐⵏꓡꓲ￨𐊊𐌉𐌠𐐛𐔦𑢣𑢲𖼖𖼨𝈪",
    "m": "ϺᎷᗰᛖⲘꓟ𐊰𐌑",
    "n": "ռⲚꓠ𐔓",
    "o": "۵ዐᴑⲞⲟⵔ〇ꓳꬽ𐊒𐊫𐐄𐐬𐓂𐓪𐔖𑓐𑢵𑣈𑣗𑣠",
    "p": "Ꮲᑭ⍴Ⲣⲣꓑ𐊕",
    "q": "գզⵕ",
    "r": "ᎡᏒᖇᴦⲅꓣꭇꭈꮁ𐒴𖼵𝈖",
    "s": "ƽՏᏕᏚꓢꮪ𐊖𐐠𐑈𑣁𖼺",
    "t": "Ꭲ⊤⟙Ⲧꓔ𐊗𐊱𐌕𑢼𖼊🝨",
    "u": "ሀᑌ∪⋃ꓴꞟꭎꭒ𐓎𐓶𑢸𑣘𖽂",
    "v": "۷Ꮩᐯ∨⋁ⴸꓦꛟꮩ𐔝𑢠𑣀𖼈𝈍",
    "w": "ɯѡաᎳᏔꓪꮃ𑣦𑣯",
    "x": "ᕁᕽ᙭ᚷ╳⤫⤬⨯ⲬⵝꓫꞳ𐊐𐊴𐌗𐌢𐔧𑣬",
    "y": "ɣᎩᎽᶌỿⲨꓬꭚ𐊲𑢤𑣜𖽃",
    "z": "ΖᏃꓜꮓ𐋵𑢩𑣄𑣥𝚭𝛧𝜡𝝛𝞕",
}  # fmt: skip
