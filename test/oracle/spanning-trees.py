"""Expected values for test/math/spanning-tree-sweep.test.ts: weights of scikit-learn's spanning trees.

Run from the repository root with scikit-learn 1.9.1:

    python test/oracle/spanning-trees.py

Writes test/math/fixtures/spanning-trees.json: for each case how its points are made, which the test repeats, and
for each min_samples the weight of the spanning tree of mutual reachability. Points are sums of multiples of 1/1024
from a linear congruential generator, so that both sides have the same to the last bit.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn.cluster import HDBSCAN

warnings.filterwarnings("ignore", category=FutureWarning)
TARGET = Path(__file__).parent.parent / "math" / "fixtures" / "spanning-trees.json"
SHAPES = ["even", "clumps", "steps", "plane"]
DIMENSIONS = [1, 2, 3, 5, 8, 13, 21, 34, 60]
SIZES = [40, 300, 1500]
MIN_SAMPLES = [1, 2, 5, 20]


def generator(seed):
    """Multiples of 1/1024 from 0 up to 1024."""
    state = seed

    def draw():
        nonlocal state
        state = (state * 1664525 + 1013904223) % 2**32
        return (state >> 12) / 1024

    return draw


def points(shape, n, d, seed):
    draw = generator(seed)
    if shape == "even":
        return [[draw() for _ in range(d)] for _ in range(n)]
    if shape == "clumps":
        centers = [[64 * draw() for _ in range(d)] for _ in range(7)]
        return [[centers[i % 7][c] + draw() for c in range(d)] for i in range(n)]
    if shape == "steps":
        return [[int(draw()) % 4 for _ in range(d)] for _ in range(n)]
    # Two directions' worth, whatever the dimensions.
    turn = [[int(draw()) % 9 - 4 for _ in range(d)] for _ in range(2)]
    rows = []
    for _ in range(n):
        a, b = draw(), draw()
        rows.append([a * turn[0][c] + b * turn[1][c] for c in range(d)])
    return rows


def main():
    cases = []
    for s, shape in enumerate(SHAPES):
        for d in DIMENSIONS:
            for n in SIZES:
                seed = 1000 * s + 10 * d + SIZES.index(n)
                rows = np.array(points(shape, n, d, seed), dtype=np.float64)
                weights = []
                for k in MIN_SAMPLES:
                    model = HDBSCAN(min_cluster_size=5, min_samples=k, copy=True).fit(rows)
                    weights.append(float(np.sum(np.sort(model._single_linkage_tree_["value"]))))
                cases.append({"shape": shape, "n": n, "d": d, "seed": seed, "weights": weights})
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    versions = {"scikit-learn": sklearn.__version__, "numpy": np.__version__}
    header = f'"versions":{json.dumps(versions)},"minSamples":{json.dumps(MIN_SAMPLES)}'
    TARGET.write_text(f'{{{header},"cases":[\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
