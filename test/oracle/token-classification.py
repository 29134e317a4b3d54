"""Expected values for test/model/bert-tagger.test.ts, from transformers' TokenClassificationPipeline.

Run from the repository root with transformers 5.18 and torch:

    python test/oracle/token-classification.py

Writes test/model/fixtures/token-classification.json: the vocabulary; models (labels, lower case or not, and how
the logits of each piece are drawn, so that the test can build the same model); texts and sentences of words; and
for each aggregation strategy what the pipeline finds in them, flat: index of the type, start, end (UTF-16 code
units), score, and so on. If ../shared/fixtures/ner-tiny is there, also what it finds with that checkpoint.

Texts are drawn from the vocabulary, with accents (composed and not), characters that the tokenizer drops, unknown
characters and the names of special tokens between them.
"""

import json
import os
import random
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from transformers import AutoModelForTokenClassification, AutoTokenizer, BertConfig, BertForTokenClassification
from transformers import BertTokenizer, pipeline
from transformers.modeling_outputs import TokenClassifierOutput

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "model" / "fixtures" / "token-classification.json"
NER_TINY = ROOT.parent.parent / "shared" / "fixtures" / "ner-tiny"
STRATEGIES = ["simple", "first", "average", "max"]

WORDS = "deep neural network model topic graph parsing the of and in for data set score Task BERT cafe learn".split()
TAILS = "s ing ed er al ity net X 1 2".split()
VOCABULARY = (
    ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    + WORDS + ["bert", "task", "re", "un", "a", "b", "c", "e", "é", "1", "2"]
    + list(".,-()%:;'\"/") + [f"##{tail}" for tail in TAILS] + ["##x", "##e", "##é", "##a", "##b", "##.", "##-"]
)

SCIERC = ["Material", "OtherScientificTerm", "Generic", "Method", "Task", "Metric"]
MODELS = [
    {"name": "BIO", "lower_case": True, "scale": 6, "step": 0, "seed": 11,
     "labels": ["B-Material", "O"] + [f"{p}-{t}" for t in SCIERC[1:] for p in "BI"] + ["I-Material"]},
    {"name": "BIO, cased, sure of everything", "lower_case": False, "scale": 40, "step": 20, "seed": 12,
     "labels": ["O", "B-DNA", "I-DNA", "B-cell_line", "I-cell_line"]},
    {"name": "IO", "lower_case": True, "scale": 3, "step": 0, "seed": 13, "labels": ["Chemical", "cell-line", "O"]},
    {"name": "BIO and more", "lower_case": True, "scale": 2, "step": 1, "seed": 14,
     "labels": ["PAD", "B-A-b", "I-A-b", "O", "I-X"]},
]
TEXTS_PER_MODEL = 60
SENTENCES_PER_MODEL = 30


def share(seed: int, index: int, label: int) -> float:
    """A number in -1 to 1 that any language draws alike (32-bit integer arithmetic)."""
    x = (seed * 0x9E3779B1 + index * 0x85EBCA6B + label * 0xC2B2AE35) & 0xFFFFFFFF
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x = ((x ^ (x >> shift)) * factor) & 0xFFFFFFFF
    x ^= x >> 16
    return (x >> 8) / 2**23 - 1


def logit(model: dict, index: int, label: int) -> float:
    value = share(model["seed"], index, label) * model["scale"]
    return value if model["step"] == 0 else round(value / model["step"]) * model["step"] + 0.0


class LookupModel(BertForTokenClassification):
    """Logits of a piece depend on the piece alone."""

    def __init__(self, given: dict):
        labels = given["labels"]
        super().__init__(BertConfig(
            vocab_size=len(VOCABULARY), hidden_size=4, num_hidden_layers=1, num_attention_heads=1,
            intermediate_size=4, max_position_embeddings=512,
            id2label=dict(enumerate(labels)), label2id={label: i for i, label in enumerate(labels)},
        ))
        self.table = torch.tensor(
            [[logit(given, i, j) for j in range(len(labels))] for i in range(len(VOCABULARY))], dtype=torch.float32)

    def forward(self, input_ids, **_):
        return TokenClassifierOutput(logits=self.table[input_ids])


ODD = [
    "cafe\u0301", "e\u0301e\u0301", "\u0301", "caf\u00e9", "\u00e9", "net\u00adwork", "mo\u200bdel", "\u200b",
    "\u6f22\u5b57", "\U0001f600", "\U0001d400deep", "[SEP]", "[UNK]", "[MASK]", "[CLS]", "\u0130x", "zzz",
    "\ufb01x", "\u1e9e", "a\u0301\u0302b", "x" * 120, "\x07", "deep\x00er", "the-of", "1.2%", "(BERT)", "\ufffd",
    "un\u00ad\u00ad\u200bing", "e\u0301\u0302s",
    # Two code units for one character that is dropped: whoever counts code units takes "##ing" for a word.
    "deepi\U000e0001ng",
]


def draw_text(rng: random.Random) -> str:
    parts = []
    for _ in range(rng.randrange(1, 13)):
        kind = rng.random()
        if kind < 0.35:
            parts.append(rng.choice(WORDS))
        elif kind < 0.7:
            parts.append(rng.choice(WORDS) + "".join(rng.choice(TAILS) for _ in range(rng.randrange(1, 4))))
        elif kind < 0.85:
            parts.append(rng.choice(list(".,-()%:;'\"/")))
        else:
            parts.append(rng.choice(ODD))
        parts.append(rng.choice([" ", " ", " ", " ", "", "  ", "\n", "\t", "\u00a0"]))
    return "".join(parts)


def draw_words(rng: random.Random) -> list[str]:
    """Words that the pipeline, too, takes for one word each."""
    return [
        rng.choice(WORDS).lower() + "".join(rng.choice(TAILS[:5]) for _ in range(rng.randrange(0, 3)))
        for _ in range(rng.randrange(1, 12))
    ]


def utf16(text: str, at: int) -> int:
    return len(text[:at].encode("utf-16-le")) // 2


def flat(text: str, found: list[dict], types: list[str]) -> list:
    return [
        value for entity in found for value in (
            types.index(entity["entity_group"]), utf16(text, entity["start"]), utf16(text, entity["end"]),
            round(float(entity["score"]), 6),
        )
    ]


def types_of(labels: list[str]) -> list[str]:
    """As the pipeline names them."""
    return list(dict.fromkeys(label.split("-", 1)[-1] for label in labels if label != "O"))


def main() -> None:
    models = []
    for given in MODELS:
        rng = random.Random(given["seed"])
        with tempfile.TemporaryDirectory() as folder:
            tokenizer = BertTokenizer.from_pretrained(write_tokenizer(Path(folder), given["lower_case"]))
        assert tokenizer.is_fast
        run = pipeline("token-classification", model=LookupModel(given).eval(), tokenizer=tokenizer)
        types = types_of(given["labels"])
        texts = [draw_text(rng) for _ in range(TEXTS_PER_MODEL)]
        sentences = [draw_words(rng) for _ in range(SENTENCES_PER_MODEL)]
        models.append({
            **given, "types": types, "texts": texts, "sentences": sentences,
            "expected": {
                strategy: [flat(text, run(text, aggregation_strategy=strategy), types) for text in texts]
                for strategy in STRATEGIES
            },
            "expected_in_sentences": {
                strategy: [
                    flat(" ".join(words), run([words], aggregation_strategy=strategy, is_split_into_words=True)[0], types)
                    for words in sentences
                ]
                for strategy in STRATEGIES[1:]
            },
        })
    fixture = {"transformers": transformers.__version__, "vocabulary": VOCABULARY, "models": models}
    if NER_TINY.exists():
        fixture["ner_tiny"] = ner_tiny()
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(json.dumps(fixture, separators=(",", ":")) + "\n", encoding="utf-8")
    print(TARGET, TARGET.stat().st_size)


def write_tokenizer(folder: Path, lower_case: bool) -> str:
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "BertTokenizer", "do_lower_case": lower_case, "model_max_length": 512}))
    return str(folder)


def ner_tiny() -> dict:
    """A real network, whose texts fit into its 64 tokens."""
    rng = random.Random(21)
    tokenizer = AutoTokenizer.from_pretrained(NER_TINY)
    model = AutoModelForTokenClassification.from_pretrained(NER_TINY).eval()
    run = pipeline("token-classification", model=model, tokenizer=tokenizer)
    whole = [piece for piece in tokenizer.get_vocab() if piece[0] not in "[#"]
    whole.sort(key=tokenizer.get_vocab().get)
    texts = []
    while len(texts) < 40:
        text = " ".join(rng.choice(whole) for _ in range(rng.randrange(1, 16)))
        if rng.random() < 0.4:
            text = text.replace("e", "\u00e9", 2)
        if len(tokenizer(text).input_ids) <= 64:
            texts.append(text)
    types = types_of(list(model.config.id2label.values()))
    return {
        "types": types, "texts": texts,
        "expected": {
            strategy: [flat(text, run(text, aggregation_strategy=strategy), types) for text in texts]
            for strategy in STRATEGIES
        },
    }


main()
