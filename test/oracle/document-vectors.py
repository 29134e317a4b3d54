"""Expected values for test/model/bert-encoder.test.ts, by the code on SPECTER2's model card, without adapters.

Run from the repository root with transformers 5.18 and torch, and ../shared/fixtures/specter2-tiny:

    python test/oracle/document-vectors.py

Writes test/model/fixtures/document-vectors.json: documents, and the vector of each: row 0 of last_hidden_state for
`title + sep_token + (abstract or "")`, cut to the model's 64 tokens.
"""

import json
import os
import random
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from transformers import AutoModel, AutoTokenizer

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "model" / "fixtures" / "document-vectors.json"
BASE = ROOT.parent.parent / "shared" / "fixtures" / "specter2-tiny" / "base"


def main() -> None:
    tokenizer = AutoTokenizer.from_pretrained(BASE)
    model = AutoModel.from_pretrained(BASE).eval()
    rng = random.Random(5)
    pieces = sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1])
    whole = [piece for piece, _ in pieces if piece[0] not in "[#"]
    words = lambda count: " ".join(rng.choice(whole) for _ in range(count))
    documents = [
        {"title": "A new topic model", "abstract": "The model is based on deep neural networks."},
        {"title": "", "abstract": "Na\u00efve topic models."},
        {"title": "Deep networks \U0001f600", "abstract": ""},
        {"title": "", "abstract": ""},
        {"title": "A[SEP]B ", "abstract": " [CLS] model"},
        {"title": words(5), "abstract": words(20)},
        {"title": words(6), "abstract": words(90)},
        {"title": words(80), "abstract": words(4)},
    ]
    vectors = []
    for document in documents:
        text = document["title"] + tokenizer.sep_token + (document.get("abstract") or "")
        inputs = tokenizer([text], truncation=True, max_length=64, return_tensors="pt", return_token_type_ids=False)
        with torch.no_grad():
            vectors.append([round(float(x), 6) for x in model(**inputs).last_hidden_state[0, 0]])
    fixture = {"transformers": transformers.__version__, "documents": documents, "vectors": vectors}
    TARGET.write_text(json.dumps(fixture, separators=(",", ":")) + "\n", encoding="utf-8")


main()
