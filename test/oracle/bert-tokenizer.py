"""Expected values of pipeline/model/bert-tokenizer.ts: what Hugging Face's tokenizers give for the same texts.

    python test/oracle/bert-tokenizer.py ../shared/data

writes test/model/fixtures/bert-tokenizer.json.gz. Places are converted to UTF-16 code units. Of real texts only
the line they stand in is written down, never the text. Needs tokenizers and transformers 5.
"""

import gzip
import hashlib
import json
import random
import shutil
import struct
import sys
import tempfile
from pathlib import Path

import tokenizers
import transformers
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers
from transformers import AutoTokenizer

DATA = Path(sys.argv[1])
OUT = Path(__file__).parent.parent / "model" / "fixtures" / "bert-tokenizer.json.gz"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
TEXTS, LONG, REAL, REAL_WHOLE = 1200, 64, 750, 60
BERT = normalizers.BertNormalizer


# What is compared ------------------------------------------------------------------------------


def values(encoding, text):
    """ids, starts, ends, words; places in UTF-16 code units."""
    at = [0]
    for character in text:
        at.append(at[-1] + (2 if ord(character) > 0xFFFF else 1))
    starts, ends = [at[a] for a, _ in encoding.offsets], [at[b] for _, b in encoding.offsets]
    return encoding.ids, starts, ends, encoding.word_ids


def encode(tokenizer, texts):
    return [values(e, t) for e, t in zip(tokenizer.encode_batch(texts, add_special_tokens=False), texts)]


def digest(hash, found):
    for numbers in found:
        hash.update(struct.pack(f"<{len(numbers)}i", *numbers))


def short(found):
    hash = hashlib.sha256()
    digest(hash, found)
    return hash.hexdigest()[:16]


def packed(found):
    """As differences, which compress better."""
    ids, starts, ends, words = found
    return [
        ids,
        [s - (ends[i - 1] if i else 0) for i, s in enumerate(starts)],
        [e - s for s, e in zip(starts, ends)],
        [w - (words[i - 1] if i else 0) for i, w in enumerate(words)],
    ]


# Tokenizers ------------------------------------------------------------------------------------


def own_vocabulary():
    """A few hundred pieces: letters of several scripts in both places, and some words."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    letters += "äöüßéèçñåøİıαβγσςωΑΣΩбгджиюяЖИהשעبتث한국ᄒ가กขไकखक्あカア日本語中文ﬁ\u0301\u0307\u200d"
    signs = ".,;:!?()[]{}<>@#$%^&*_+-=~`|\\/'\"–—“”’…·。、¿§€°±×😀👩🎉𝐀𝒳𠀀〮"
    words = """the of and to in for with is on model models neural network learning transformer attention language
    ##s ##ing ##ed ##er ##tion ##al ##ly ##ment ##ity ##ness entit ##ies graph deep word ##piece un ##able ##aff
    natural Natural The Model Éa naive naïve café cafe straße istanbul İstanbul οδοσ οδος __proto__ constructor
    toString hasOwnProperty""".split()
    pieces = SPECIAL + ["[unused0]", "[unused1]"] + list(dict.fromkeys(letters + signs))
    pieces += ["##" + letter for letter in dict.fromkeys(letters)] + words
    return list(dict.fromkeys(pieces))


def word_piece(vocabulary, normalizer, added=(), pre=None, longest=100):
    model = models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=longest)
    tokenizer = Tokenizer(model)
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre or pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.add_tokens(list(added))
    return tokenizer


# No two of them read alike after normalising: of such the library takes one or the other, by the run.
ADDED = [
    AddedToken("Foo", normalized=True),
    AddedToken("a b", normalized=True),
    AddedToken("中", normalized=True),
    AddedToken("É", normalized=True, single_word=True),
    AddedToken("é2", normalized=True, lstrip=True, rstrip=True),
    AddedToken("<x>", normalized=False, lstrip=True, rstrip=True),
    AddedToken("<x><y>", normalized=False),
    AddedToken("w", normalized=False, single_word=True),
    AddedToken("😀", normalized=False, single_word=True),
    AddedToken(" q", normalized=False),
    AddedToken("..", normalized=False, rstrip=True),
]


def own_tokenizers():
    """Name to (files, tokenizer). Those from vocab.txt are opened by transformers, the others by tokenizers."""
    pieces = own_vocabulary()
    ids = {piece: id for id, piece in enumerate(pieces)}
    lines = "".join(f"{piece}\n" for piece in pieces)
    result = {}
    for name, config in {
        "uncased": {"do_lower_case": True},
        "cased": {"do_lower_case": False},
        "accents": {"do_lower_case": True, "strip_accents": False, "tokenize_chinese_chars": False},
    }.items():
        files = {
            "vocab.txt": lines,
            "config.json": {"model_type": "bert"},
            "tokenizer_config.json": {"tokenizer_class": "BertTokenizer", "model_max_length": 512, **config},
        }
        result[name] = (files, open_folder(files)._tokenizer)
    sequence = normalizers.Sequence([normalizers.NFD(), normalizers.Lowercase(), normalizers.StripAccents()])
    two_steps = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation()])
    for name, tokenizer in {
        "added": word_piece(ids, BERT(), ADDED),
        "added-raw": word_piece(ids, BERT(), [AddedToken(t.content, single_word=t.single_word, lstrip=t.lstrip, rstrip=t.rstrip, normalized=False) for t in ADDED]),
        "sequence": word_piece(ids, sequence, pre=two_steps, longest=20),
        "unclean": word_piece(ids, BERT(clean_text=False)),
        "plain": word_piece(ids, None),
    }.items():
        result[name] = ({"tokenizer.json": json.loads(tokenizer.to_str())}, tokenizer)
    return result


def open_folder(files):
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            text = content if isinstance(content, str) else json.dumps(content)
            (Path(folder) / name).write_bytes(text.encode())
        return AutoTokenizer.from_pretrained(folder)


def shared_tokenizers():
    """The hub's own files, opened by transformers."""
    result = {}
    for name, source, file in (
        ("bert", "bert_base_uncased.tokenizer.json", "tokenizer.json"),
        ("scibert", "scibert_scivocab_uncased.vocab.txt", "vocab.txt"),
    ):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(DATA / "tokenizers" / source, Path(folder) / file)
            (Path(folder) / "config.json").write_text('{"model_type": "bert"}')
            tokenizer = AutoTokenizer.from_pretrained(folder)._tokenizer
        tokenizer.no_truncation()
        tokenizer.no_padding()
        result[name] = {"source": source, "file": file, "tokenizer": tokenizer}
    return result


# Texts -----------------------------------------------------------------------------------------

MARKS = [0x300, 0x301, 0x334, 0x327, 0x345, 0x344, 0x323, 0x302E, 0x302F, 0x1DFB, 0x8D4, 0x1B44, 0x1D165, 0x1D16D]
MARKS += [0x1E000, 0x1E944, 0x1E94A, 0x5B0, 0x64B, 0xE38, 0x3099, 0xF71, 0xF73, 0x8E2, 0x7FD, 0x111C0, 0x1134D]
COMPOSED = [0xE9, 0xC9, 0x130, 0x131, 0xDF, 0x1E9E, 0x3A3, 0x3C2, 0x3C3, 0x1F80, 0x1FB7, 0x212B, 0x2126, 0xAC00, 0xD55C]
COMPOSED += [0xD7A3, 0x1100, 0x1161, 0xF900, 0xFA0E, 0x2F800, 0x1D15E, 0x1D160, 0x37E, 0x387, 0x1FEF, 0x2ADC, 0xFB1E]
COMPOSED += [0xFB1F, 0x958, 0xF43, 0x1112E, 0x105C9, 0x11938, 0x16121, 0xFB01, 0xFF21, 0xFF41, 0xFF01, 0x1C4, 0x1C5]
COMPOSED += [0x1F88, 0x1F600, 0x1D400, 0x4E2D, 0x3400, 0x20000, 0x2B820, 0x2B91F, 0x2B920, 0x30000]
UNSEEN = [0, 1, 7, 8, 0xB, 0xC, 0x1B, 0x7F, 0x80, 0x85, 0x9F, 0xAD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x202E]
UNSEEN += [0x2060, 0xFEFF, 0xFFFD, 0xFFFE, 0xFFFF, 0xE000, 0xF8FF, 0xF0000, 0x10FFFD, 0x10FFFF, 0xE0001, 0xE0020]
UNSEEN += [0xE0100, 0x378, 0x61C, 0x180E, 0x600, 0x6DD, 0x110BD, 0x2065, 0xFFF0]
SPACES = [0x20, 0x20, 0x20, 9, 10, 13, 0xA0, 0x1680, 0x2000, 0x2009, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000]
SIGNS = [ord(sign) for sign in ".,;:!?()[]{}<>@#$%^&*_+-=~`|\\/'\""]
SIGNS += [0x2013, 0x2019, 0x201C, 0xBF, 0x3001, 0x3002, 0x2E43, 0x166D, 0x111C9, 0x61D, 0x1F4A9, 0x2764, 0xB7, 0x10100]
WORDS = ["the", "Model", "models", "unaffable", "[SEP]", "[CLS]", "[MASK]", "[PAD]", "[UNK]", "[sep]", "[SE", "Foo", "foo"]
WORDS += ["FOO", "a b", "A  B", "w", "É", "E\u0301", "é", "é2", "e\u03012", "<x>", "<y>", "<x><y>", "..", " q", "中", "一"]
WORDS += ["naïve", "Straße", "Σίσυφος", "ΟΔΟΣ", "İstanbul", "ﬁne", "ＦＵＬＬ", "ไทยภาษา", "한국어", "日本語カタカナ", "العَرَبِيَّة", "हिन्दी"]
WORDS += ["a\u200db", "👩\u200d👩\u200d👧", "😀", "##s", "##", "\u0301", "__proto__", "constructor", "x" * 101, "é" * 100, "a" * 25]


def any_character(rng):
    code = rng.randrange(0x110000 - 0x800)
    return chr(code if code < 0xD800 else code + 0x800)


def generated(rng):
    text = ""
    for _ in range(rng.randint(1, rng.choice([3, 8, 20]))):
        kind = rng.random()
        for share, pool in ((0.25, WORDS), (0.4, MARKS), (0.55, COMPOSED), (0.65, UNSEEN), (0.78, SPACES), (0.86, SIGNS)):
            if kind < share:
                found = rng.choice(pool)
                text += found if isinstance(found, str) else chr(found)
                break
        else:
            text += rng.choice("abcdeEXYZ0129") if kind < 0.95 else any_character(rng)
    return text


def long_texts():
    """By recipe: what is repeated, and how often."""
    return [
        ["a", 20_000], ["é", 20_000], ["e\u0301", 20_000], ["中", 20_000], ["😀", 20_000], [".", 20_000], [" ", 20_000],
        ["\u0000", 20_000], ["\u0301\u0334", 20_000], ["[SEP]", 4_000], ["a\u200b", 20_000], ["the model ", 4_000], ["한", 20_000],
        ["a", 100], ["a", 101], ["é", 100], ["é", 101], ["𝐀", 100], ["𝐀", 101], ["", 1],
    ]  # fmt: skip


def real_texts():
    """Lines of the corpora: evenly spread ones, and ones with characters beyond ASCII."""
    for name in ("arxiv", "acl_anthology"):
        path, plain, beyond = DATA / "corpora" / f"{name}.jsonl.gz", 0, 0
        with gzip.open(path, "rt", encoding="utf8") as lines:
            for number, line in enumerate(lines):
                if number >= 20_000:
                    break
                paper = json.loads(line)
                text = (paper.get("title") or "") + "[SEP]" + (paper.get("abstract") or "")
                if number % 50 == 0 and plain < REAL // 2:
                    plain += 1
                elif not text.isascii() and beyond < REAL - REAL // 2:
                    beyond += 1
                else:
                    continue
                yield f"{name}.jsonl.gz", number, text


# Every character -------------------------------------------------------------------------------

BLOCK = 4096


def characters():
    """For blocks of code points, alone and between letters, one hash. The vocabulary shows what each becomes."""
    codes = [*range(0x21, 0xD800), *range(0xE000, 0x20000), *range(0x2F800, 0x2FA20)]
    ids = {piece: id for id, piece in enumerate(SPECIAL)}
    for code in codes:
        ids[chr(code)] = len(ids)
        ids["##" + chr(code)] = len(ids)
    result = {}
    for name, normalizer in {
        "lower": BERT(),
        "accents": BERT(strip_accents=False),
        "sequence": normalizers.Sequence([normalizers.NFD(), normalizers.Lowercase(), normalizers.StripAccents()]),
    }.items():
        tokenizer = word_piece(ids, normalizer)
        result[name] = []
        for first in range(0, 0x110000, BLOCK):
            texts = []
            for begin in range(first, first + BLOCK, 256):
                block = [chr(c) for c in range(begin, begin + 256) if not 0xD800 <= c <= 0xDFFF]
                texts.append("".join(f"{c} a{c}b\n" for c in block))
            hash = hashlib.sha256()
            for found in encode(tokenizer, texts):
                digest(hash, found)
            result[name].append(hash.hexdigest()[:16])
    return result


# Folders ---------------------------------------------------------------------------------------


def folders():
    """Which file counts: small folders as the hub has them, opened by transformers."""
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "The", "model", "##s", "é", "e", "É", "E", "##a", "中", "文"]
    ids = {piece: id for id, piece in enumerate(pieces)}
    lines = "\n".join(pieces) + "\n"
    text = "The models Éa éa 中文 [SEP] <e1>the</e1> new [MASK]."

    def tokenizer(**normalizer):
        return json.loads(word_piece(ids, BERT(**normalizer), [AddedToken("<e1>", normalized=False)]).to_str())

    bert = {"model_type": "bert"}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    decoder = {str(ids[t]): {"content": t, **flags} for t in SPECIAL}
    added = {**decoder, "16": {"content": "<e1>", **flags}, "17": {"content": "</e1>", **flags, "rstrip": True}}
    cases = {
        "vocab.txt alone is uncased": {"vocab.txt": lines, "config.json": bert},
        "vocab.txt, cased": {"vocab.txt": lines, "config.json": bert, "tokenizer_config.json": {"do_lower_case": False}},
        "vocab.txt with CRLF": {"vocab.txt": lines.replace("\n", "\r\n"), "config.json": bert},
        "vocab.txt with a piece twice, a blank line and spaces": {"vocab.txt": lines + "the\n\nmodel \n", "config.json": bert},
        "vocab.txt without [MASK]": {"vocab.txt": lines.replace("[MASK]\n", ""), "config.json": bert},
        "tokenizer.json cased, configuration silent: uncased": {"tokenizer.json": tokenizer(lowercase=False), "config.json": bert, "tokenizer_config.json": {"tokenizer_class": "BertTokenizer"}},
        "tokenizer.json cased, no configuration: uncased": {"tokenizer.json": tokenizer(lowercase=False), "config.json": bert},
        "tokenizer.json cased, another class: cased": {"tokenizer.json": tokenizer(lowercase=False), "config.json": bert, "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]", "unk_token": "[UNK]"}},
        "tokenizer.json uncased, configuration cased": {"tokenizer.json": tokenizer(), "config.json": bert, "tokenizer_config.json": {"do_lower_case": False, "tokenizer_class": "BertTokenizerFast", "model_max_length": 512}},
        "accents kept": {"tokenizer.json": tokenizer(), "config.json": bert, "tokenizer_config.json": {"strip_accents": False, "model_max_length": 1e30}},
        "ideographs in words": {"vocab.txt": lines, "config.json": bert, "tokenizer_config.json": {"tokenize_chinese_chars": False}},
        "DistilBERT, cased": {"tokenizer.json": tokenizer(), "config.json": {"model_type": "distilbert"}, "tokenizer_config.json": {"do_lower_case": False, "tokenizer_class": "DistilBertTokenizer"}},
        "added_tokens_decoder": {"vocab.txt": lines, "config.json": bert, "tokenizer_config.json": {"added_tokens_decoder": added, "do_lower_case": True}},
        "added_tokens.json": {"vocab.txt": lines, "config.json": bert, "added_tokens.json": {"</e1>": 17, "<e1>": 16}},
        "special_tokens_map.json": {"vocab.txt": lines, "config.json": bert, "special_tokens_map.json": {"mask_token": {"content": "[MASK]", "lstrip": True, "rstrip": False, "normalized": False, "single_word": False}, "additional_special_tokens": ["<e1>"]}},
        "other names for special tokens": {"vocab.txt": "<pad>\n<unk>\n<s>\n</s>\n<mask>\nthe\nmodel\n##s\n", "config.json": bert, "tokenizer_config.json": {"pad_token": "<pad>", "unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>", "mask_token": "<mask>"}},
        "special tokens split": {"vocab.txt": lines, "config.json": bert, "tokenizer_config.json": {"split_special_tokens": True}},
    }  # fmt: skip
    result = []
    for name, files in cases.items():
        opened = open_folder(files)
        limit = opened.model_max_length
        result.append(
            {
                "name": name,
                "files": files,
                "special": [opened.unk_token_id, opened.cls_token_id, opened.sep_token_id, opened.pad_token_id, opened.mask_token_id],
                "maxTokens": limit if limit < 1e9 else None,
                "text": text,
                "expected": packed(encode(opened._tokenizer, [text])[0]),
            }
        )
    return result


def main():
    rng = random.Random(20)
    texts = [generated(rng) for _ in range(TEXTS)]
    recipes = long_texts()
    long = [what * times for what, times in recipes]
    shared = shared_tokenizers()
    own = []
    for name, (files, tokenizer) in own_tokenizers().items():
        found = encode(tokenizer, texts)
        own.append(
            {
                "name": name,
                "files": files,
                # One after the other; whole values for some, so that a difference can be read.
                "expected": [packed(f) for f in found[: TEXTS // 8]],
                "hashes": [short(f) for f in found[TEXTS // 8 :]],
                "long": [short(f) for f in encode(tokenizer, long)],
            }
        )
    real = list(real_texts())
    fixture = {
        "tokenizers": tokenizers.__version__,
        "transformers": transformers.__version__,
        "texts": texts,
        "long": recipes,
        "own": own,
        "folders": folders(),
        "characters": characters(),
        "real": [[file, number] for file, number, _ in real],
        "shared": [
            {
                "name": name,
                "source": entry["source"],
                "file": entry["file"],
                "texts": [short(f) for f in encode(entry["tokenizer"], texts)],
                "long": [short(f) for f in encode(entry["tokenizer"], long)],
                "real": [
                    packed(f) if i % 25 == 0 else short(f)
                    for i, f in enumerate(encode(entry["tokenizer"], [text for _, _, text in real]))
                ],
            }
            for name, entry in shared.items()
        ],
    }
    data = json.dumps(fixture, ensure_ascii=False, separators=(",", ":")).encode()
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_bytes(gzip.compress(data, 9, mtime=0))
    print(f"{OUT}: {OUT.stat().st_size} bytes, {len(texts)} generated and {len(real)} real texts")


main()
