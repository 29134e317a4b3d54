"""Expected values for test/evaluate/clustering-agreement.test.ts, from scikit-learn.

    python test/oracle/clustering-agreement.py

Writes test/evaluate/fixtures/clustering-agreement.json.
"""

import json
from pathlib import Path

import numpy as np
import sklearn
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

TARGET = Path(__file__).parent.parent / "evaluate" / "fixtures" / "clustering-agreement.json"


def pairs_of_labels():
    rng = np.random.default_rng(7)
    yield "unrelated", rng.integers(0, 4, 60), rng.integers(0, 5, 60)
    truth = rng.integers(0, 6, 80)
    noisy = np.where(rng.random(80) < 0.25, rng.integers(-1, 6, 80), truth)
    yield "related, with noise", truth, noisy
    yield "renamed", truth, 10 - truth
    yield "finer", truth, truth * 2 + rng.integers(0, 2, 80)
    yield "one group against many", np.zeros(20, int), rng.integers(0, 3, 20)
    yield "one group on both sides", np.zeros(5, int), np.ones(5, int)
    yield "all alone", np.arange(6), np.arange(6)[::-1]
    yield "all alone against one group", np.arange(6), np.zeros(6, int)
    yield "one row", np.zeros(1, int), np.zeros(1, int)
    yield "worse than chance", np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])


def main():
    cases = [
        {
            "name": name,
            "a": a.tolist(),
            "b": b.tolist(),
            "adjustedRandIndex": float(adjusted_rand_score(a, b)),
            "normalizedMutualInformation": float(normalized_mutual_info_score(a, b)),
        }
        for name, a, b in pairs_of_labels()
    ]
    TARGET.parent.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    TARGET.write_text(f'{{"scikit-learn":"{sklearn.__version__}","cases":[\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
