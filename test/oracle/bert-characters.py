"""What Hugging Face's tokenizers make of every character, as pipeline/model/bert-character-tables.ts.

The library's tables come from several Unicode versions at once (its categories are those of Unicode 8, its
decompositions of Unicode 10, its lower case of Rust's own), and Node's from another for each release. Asking the library
about all 1,112,064 characters is the only way to be equal to it everywhere.

    python test/oracle/bert-characters.py > pipeline/model/bert-character-tables.ts
"""

import unicodedata

import tokenizers
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers

OLD = unicodedata.ucd_3_2_0
CODES = [code for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF]


def bert(**on):
    off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**{**off, **on}).normalize_str


CLEAN, IDEOGRAPHS, STRIP, LOWER = (
    bert(clean_text=True),
    bert(handle_chinese_chars=True),
    bert(strip_accents=True),
    bert(lowercase=True),
)
DECOMPOSE = normalizers.NFD().normalize_str
STRIP_ALL = normalizers.StripAccents().normalize_str
WORDS = pre_tokenizers.BertPreTokenizer().pre_tokenize_str


def base36(number):
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    sign, number = ("-", -number) if number < 0 else ("", number)
    text = ""
    while number or not text:
        text, number = digits[number % 36] + text, number // 36
    return sign + text


def runs_of(codes):
    """Runs of neighbouring code points: characters skipped since the last run, then how many, when not one."""
    runs, after, codes = [], 0, sorted(codes)
    i = 0
    while i < len(codes):
        j = i
        while j + 1 < len(codes) and codes[j + 1] == codes[j] + 1:
            j += 1
        length = j - i + 1
        runs.append(base36(codes[i] - after) + ("" if length == 1 else "," + base36(length)))
        after = codes[j] + 1
        i = j + 1
    return " ".join(runs)


def mapped_runs(mapping, steps):
    """Runs of equal value at equal distance: skipped, how many, distance, value."""
    runs, after, entries = [], 0, sorted(mapping.items())
    i = 0
    while i < len(entries):
        code, value = entries[i]
        j, step = i, 1
        if i + 1 < len(entries) and entries[i + 1][1] == value and entries[i + 1][0] - code in steps:
            step = entries[i + 1][0] - code
            while j + 1 < len(entries) and entries[j + 1] == (entries[j][0] + step, value):
                j += 1
        runs.append(",".join(base36(n) for n in (code - after, j - i + 1, step, value)))
        after = entries[j][0] + 1
        i = j + 1
    return " ".join(runs)


def classes():
    found = {name: [] for name in ("dropped", "space", "ideograph", "decomposed", "nonspacing", "mark", "punctuation")}
    lower = {}
    for code in CODES:
        character = chr(code)
        between = lambda f: f("a" + character + "b")[1:-1]
        if between(CLEAN) == "":
            found["dropped"].append(code)
        if between(IDEOGRAPHS) == f" {character} ":
            found["ideograph"].append(code)
        if between(DECOMPOSE) != character:
            # What an assigned character decomposes into never changes, so Node is asked for that, and the
            # table says only which characters the library knows.
            found["decomposed"].append(code)
        elif between(STRIP) == "":
            found["nonspacing"].append(code)
        if between(STRIP_ALL) == "":
            found["mark"].append(code)
        words = [word for word, _ in WORDS("a" + character + "b")]
        if words == ["a", "b"]:
            found["space"].append(code)
        elif words == ["a", character, "b"]:
            found["punctuation"].append(code)
        small = between(LOWER)
        if small != character:
            assert len(small) == 1 or code == 0x130, hex(code)
            if len(small) == 1:
                lower[code] = ord(small) - code
    return found, lower


def combining_classes(decomposed):
    """Classes above zero, told by where the library moves a mark among marks of known class."""
    probes = {}
    for code in range(0x300, 0x10000):
        if OLD.combining(chr(code)) and code not in decomposed:
            probes.setdefault(OLD.combining(chr(code)), chr(code))
    kept = lambda text: DECOMPOSE(text) == text
    first, last = probes[min(probes)], probes[max(probes)]
    result = {}
    for code in CODES:
        character = chr(code)
        if code in decomposed or (kept("a" + last + character) and kept("a" + character + first)):
            continue
        equal = [k for k, probe in probes.items() if kept("a" + probe + character) and kept("a" + character + probe)]
        # No character of Unicode 3.2 has class 214, so that one is asked of Python.
        result[code] = equal[0] if equal else unicodedata.combining(character)
    return result


def word_characters():
    """What a token that must stand as a word of its own may not touch."""
    tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.add_tokens([AddedToken("QQ", single_word=True, normalized=False)])
    return [code for code in CODES if 1 not in tokenizer.encode(chr(code) + "QQ").ids]


def literal(name, about, data):
    lines, line = [], ""
    for run in data.split(" "):
        if len(line) + len(run) > 98:
            lines.append(line)
            line = ""
        line += run + " "
    lines.append(line.rstrip())
    body = " +\n".join(f"  '{line}'" for line in lines)
    return f"/** {about} */\nexport const {name} =\n{body};\n"


def main():
    found, lower = classes()
    combining = combining_classes(set(found["decomposed"]))
    print(
        f"""/**
 * Which characters Hugging Face tokenizers {tokenizers.__version__} drop, split at, decompose and lower, found by asking
 * the library about every one. Written by test/oracle/bert-characters.py; read by bert-characters.ts.
 *
 * A run is the number of characters skipped since the last run and the number of characters in it (left out
 * where it is one), both in base 36.
 */
"""
    )
    for name, about in (
        ("dropped", "Control, format and private characters, and U+FFFD, which cleaning takes out."),
        ("space", "White space."),
        ("punctuation", "Punctuation, and all ASCII signs."),
        ("ideograph", "Ideographs that are set apart."),
        ("decomposed", "Characters with a canonical decomposition, Hangul syllables among them."),
        ("nonspacing", "Marks that go with the accents."),
        ("mark", "Marks of all kinds, which the plain StripAccents takes out."),
    ):
        print(literal(name, about, runs_of(found[name])))
    print(literal("wordCharacter", "What `\\\\w` of Rust's regular expressions matches.".replace("\\\\", "\\"), runs_of(word_characters())))
    print(
        literal(
            "lowerCase",
            "Skipped, how many, distance between them, and what is added to make the lower case; İ alone becomes two.",
            mapped_runs(lower, (1, 2)),
        )
    )
    print(
        literal(
            "combiningClass",
            "Skipped, how many, distance (always 1), canonical combining class.",
            mapped_runs(combining, (1,)),
        ),
        end="",
    )


main()
