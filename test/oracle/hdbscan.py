"""Expected values for test/math/hdbscan.test.ts, from scikit-learn's HDBSCAN.

Run from the repository root with scikit-learn 1.9.1 and numpy below 2.4 (from 2.4 on, numpy refuses a
conversion that this scikit-learn's epsilon search relies on, and fit raises TypeError):

    python test/oracle/hdbscan.py

Writes test/math/fixtures/hdbscan.json: point sets (float32-exact, n × d), and for each a list of parameter
sets with the spanning tree's weight, labels (one character a row: '.' noise, else base 36), probabilities and
GLOSH scores (where nothing ties, and only once for parameters that share a condensed tree), and, where
distances tie, how well scikit-learn agrees with itself on permuted rows.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn.cluster import HDBSCAN
from sklearn.cluster._hdbscan._tree import _condense_tree
from sklearn.datasets import make_blobs, make_circles, make_moons
from sklearn.metrics import adjusted_rand_score

warnings.filterwarnings("ignore", category=FutureWarning)
TARGET = Path(__file__).parent.parent / "math" / "fixtures" / "hdbscan.json"
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
PERMUTATIONS = 8

# Keyword arguments of HDBSCAN; min_samples 1 means that nothing ties on continuous data.
PARAMETERS = [
    {"min_cluster_size": 5, "min_samples": 1},
    {"min_cluster_size": 10, "min_samples": 1},
    {"min_cluster_size": 10, "min_samples": 1, "cluster_selection_method": "leaf"},
    {"min_cluster_size": 5, "min_samples": 1, "cluster_selection_epsilon": 0.4},
    {"min_cluster_size": 5, "min_samples": 1, "cluster_selection_method": "leaf", "cluster_selection_epsilon": 0.4},
    {"min_cluster_size": 8, "min_samples": 1, "allow_single_cluster": True},
    {"min_cluster_size": 8, "min_samples": 1, "allow_single_cluster": True, "cluster_selection_epsilon": 0.6},
    {"min_cluster_size": 8, "min_samples": 1, "max_cluster_size": 40},
    {"min_cluster_size": 10},
    {"min_cluster_size": 10, "min_samples": 5},
    {"min_cluster_size": 10, "min_samples": 5, "cluster_selection_method": "leaf"},
    {"min_cluster_size": 5, "min_samples": 5, "cluster_selection_epsilon": 0.4},
    {"min_cluster_size": 10, "min_samples": 5, "allow_single_cluster": True},
]


def point_sets():
    """Name, points and whether equal distances are to be expected even at min_samples 1."""
    rng = np.random.default_rng(20261120)
    yield "blobs", make_blobs(180, centers=5, cluster_std=0.6, random_state=3)[0], False
    yield "moons", make_moons(160, noise=0.06, random_state=4)[0] * 3, False
    yield "circles", make_circles(160, noise=0.04, factor=0.45, random_state=5)[0] * 3, False
    yield "varying density", np.vstack([
        rng.normal((0, 0), 0.15, (60, 2)), rng.normal((4, 0), 0.6, (60, 2)), rng.normal((0, 6), 1.5, (60, 2)),
    ]), False
    yield "anisotropic", make_blobs(160, centers=4, random_state=7)[0] @ np.array([[0.6, -0.6], [-0.4, 0.8]]), False
    yield "nested", np.vstack([
        rng.normal((x, y), 0.12, (25, 2)) for x, y in [(0, 0), (1, 0), (0, 1), (8, 8), (9, 8), (8.5, 9)]
    ] + [rng.uniform(-3, 12, (20, 2))]), False
    yield "one blob", rng.normal(0, 1, (120, 2)), False
    yield "uniform noise", rng.uniform(0, 5, (150, 2)), False
    steps = np.linspace(0, 12, 120) + rng.normal(0, 0.01, 120)
    yield "chain", np.column_stack([steps, np.sin(steps)]) + rng.normal(0, 0.02, (120, 2)), False
    yield "blobs in 20 dimensions", make_blobs(120, n_features=20, centers=4, cluster_std=1.2, random_state=9)[0], False
    yield "blobs in noise", np.vstack([
        rng.normal(rng.uniform(-8, 8, 3), 0.5, (30, 3)) for _ in range(5)
    ] + [rng.uniform(-10, 10, (40, 3))]), False
    yield "one dimension", np.concatenate([rng.normal(c, 0.3, 30) for c in (0, 3, 5, 9)])[:, None], False
    yield "grid", np.stack(np.meshgrid(np.arange(10.0), np.arange(10.0)), -1).reshape(-1, 2), True
    yield "duplicates", np.repeat(rng.normal(0, 2, (30, 2)), rng.integers(1, 9, 30), axis=0), True
    yield "all equal", np.full((25, 3), 1.5), True


def outlier_scores(condensed):
    """GLOSH by its definition, on scikit-learn's condensed tree (scikit-learn itself does not offer it)."""
    root = condensed["parent"].min()
    greatest = {}
    for row in condensed:
        greatest[row["parent"]] = max(greatest.get(row["parent"], 0.0), row["value"])
    for row in condensed[::-1]:
        if row["child"] >= root:
            greatest[row["parent"]] = max(greatest[row["parent"]], greatest[row["child"]])
    scores = np.zeros(root)
    for row in condensed[condensed["child"] < root]:
        scores[row["child"]] = (greatest[row["parent"]] - row["value"]) / greatest[row["parent"]]
    return scores


def rounded(values):
    return [float(f"{v:.6g}") for v in values]


def main():
    sets = []
    for name, points, always_ties in point_sets():
        points = points.astype(np.float32)
        n, d = points.shape
        results = []
        seen = set()
        for parameters in PARAMETERS:
            model = HDBSCAN(**parameters).fit(points)
            ties = always_ties or parameters.get("min_samples") != 1
            result = {
                "parameters": parameters,
                "ties": ties,
                "treeWeight": float(np.sum(model._single_linkage_tree_["value"])),
                "labels": "".join("." if label < 0 else DIGITS[label] for label in model.labels_),
            }
            if ties:
                agreements = []
                for seed in range(PERMUTATIONS):
                    order = np.random.default_rng(seed).permutation(n)
                    permuted = HDBSCAN(**parameters).fit(points[order]).labels_
                    agreements.append(adjusted_rand_score(model.labels_[order], permuted))
                result["selfAgreement"] = float(f"{min(agreements):.4g}")
            else:
                result["probabilities"] = rounded(model.probabilities_)
                size = parameters["min_cluster_size"]
                if size not in seen:
                    result["outlierScores"] = rounded(
                        outlier_scores(_condense_tree(model._single_linkage_tree_, size))
                    )
                seen.add(size)
            results.append(result)
        # The shortest decimals that a float32 comes back from.
        values = [float(str(v)) for v in points.ravel()]
        sets.append({"name": name, "n": n, "d": d, "points": values, "results": results})

    versions = {"scikit-learn": sklearn.__version__, "numpy": np.__version__}
    lines = ",\n".join(
        json.dumps({**s, "results": None}, separators=(",", ":")).replace(
            '"results":null',
            '"results":[\n' + ",\n".join(json.dumps(r, separators=(",", ":")) for r in s["results"]) + "]",
        )
        for s in sets
    )
    TARGET.write_text(f'{{"versions":{json.dumps(versions)},"sets":[\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
