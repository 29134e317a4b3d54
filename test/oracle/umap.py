"""What umap-learn makes of the point sets of test/math/umap-sets.ts; writes
test/math/fixtures/umap-learn.json. Made with umap-learn 0.5.3:

    python3 test/oracle/umap.py

Of the large sets only quality figures are kept, over three seeds, since layouts differ from seed to seed. Of the
handful, the scales, the whole graph and the Laplacian's smallest eigenvalues are kept, and of the curve the
fitted parameters: those are facts, to be met to rounding.
"""

import json
import math
import sys
import warnings
from pathlib import Path

# This file is called umap.py too: let the import below find the library, not this file.
sys.path = [p for p in sys.path if Path(p or ".").resolve() != Path(__file__).resolve().parent]

import numpy as np
import sklearn
import umap
from sklearn.cluster import KMeans
from sklearn.manifold import trustworthiness
from sklearn.metrics import normalized_mutual_info_score, pairwise_distances
from umap.umap_ import (
    compute_membership_strengths,
    find_ab_params,
    fuzzy_simplicial_set,
    smooth_knn_dist,
)

warnings.filterwarnings("ignore")
MASK = 0xFFFFFFFF
QUALITY_NEIGHBORS = 15


class Random:
    """sfc32 as in pipeline/math/random.ts."""

    def __init__(self, seed, stream=0, substream=0):
        self.a, self.b, self.c, self.counter = seed & MASK, stream & MASK, substream & MASK, 1
        for _ in range(12):
            self.uint32()

    def uint32(self):
        total = (self.a + self.b + self.counter) & MASK
        self.counter = (self.counter + 1) & MASK
        self.a = self.b ^ (self.b >> 9)
        self.b = (self.c + (self.c << 3)) & MASK
        self.c = ((self.c << 21) | (self.c >> 11)) & MASK
        self.c = (self.c + total) & MASK
        return total

    def float(self):
        return self.uint32() / 4294967296

    def normal(self):
        radius = math.sqrt(-2 * math.log(1 - self.float()))
        return radius * math.cos(2 * math.pi * self.float())


def in_turn(n, c):
    return [i % c for i in range(n)]


def clouds():
    n, d, c = 600, 20, 10
    random = Random(11)
    centers = [[3 * random.normal() for _ in range(d)] for _ in range(c)]
    rows = [[centers[i % c][x] + random.normal() for x in range(d)] for i in range(n)]
    return "euclidean", rows, in_turn(n, c)


def ring():
    n, d = 800, 10
    random = Random(12)
    rows = []
    for _ in range(n):
        angle = 2 * math.pi * random.float()
        rows.append(
            [
                math.cos(angle * (1 + x // 2) + (x % 2) * (math.pi / 2)) / (1 + x / 2) + 0.02 * random.normal()
                for x in range(d)
            ]
        )
    return "euclidean", rows, None


def topics():
    n, d, c = 1200, 30, 12
    random = Random(13)
    families = [[random.normal() for _ in range(d)] for _ in range(3)]
    centers = [[families[t % 3][x] + 0.7 * random.normal() for x in range(d)] for t in range(c)]
    rows = [
        [centers[i % c][x] + (0.3 + 0.06 * (i % c)) * random.normal() for x in range(d)] for i in range(n)
    ]
    return "cosine", rows, in_turn(n, c)


def strands():
    n, d, c = 800, 12, 8
    random = Random(16)
    centers = [[random.normal() for _ in range(d)] for _ in range(c)]
    phases = [[6 * random.float() for _ in range(d)] for _ in range(c)]
    rows = []
    for i in range(n):
        along = 2 * random.float()
        rows.append(
            [
                0.6 * centers[i % c][x]
                + math.sin(along * (1 + x % 3) + phases[i % c][x])
                + 0.1 * random.normal()
                for x in range(d)
            ]
        )
    return "euclidean", rows, in_turn(n, c)


def papers():
    n, d, c = 1000, 40, 20
    random = Random(17)
    centers = [[random.normal() for _ in range(d)] for _ in range(c)]
    rows, labels = [], []
    for _ in range(n):
        topic = math.floor(c * random.float() ** 2)
        other = math.floor(c * random.float())
        mix = 0.4 if random.float() < 0.15 else 0
        labels.append(topic)
        rows.append(
            [
                (1 - mix) * centers[topic][x]
                + mix * centers[other][x]
                + (0.5 + 0.04 * topic) * random.normal()
                for x in range(d)
            ]
        )
    return "cosine", rows, labels


def cube():
    random = Random(14)
    return "euclidean", [[random.float() for _ in range(5)] for _ in range(1000)], None


def handful():
    random = Random(15)
    return "euclidean", [[random.float() for _ in range(2)] for _ in range(40)], None


def kept(rows, layout, metric):
    before = pairwise_distances(rows, metric=metric)
    after = pairwise_distances(layout)
    np.fill_diagonal(before, -1)
    np.fill_diagonal(after, -1)
    near = np.argsort(before, axis=1, kind="stable")[:, 1 : QUALITY_NEIGHBORS + 1]
    found = np.argsort(after, axis=1, kind="stable")[:, 1 : QUALITY_NEIGHBORS + 1]
    return float(np.mean([len(set(a) & set(b)) / QUALITY_NEIGHBORS for a, b in zip(near, found)]))


def agreement(layout, labels):
    """NMI between the labels and k-means on the layout, of twice as many clusters as there are labels: of as
    many, it would hang on which two neighbours k-means happens to join."""
    c = 2 * len(set(labels))
    found = KMeans(n_clusters=c, n_init=20, random_state=0).fit_predict(layout)
    return float(normalized_mutual_info_score(labels, found))


def quality(make):
    metric, rows, labels = make()
    rows = np.asarray(rows, dtype=np.float32)
    figures = []
    for components, min_dist in ((5, 0.0), (2, 0.1)):
        for seed in (1, 2, 3):
            layout = umap.UMAP(
                n_neighbors=15,
                n_components=components,
                min_dist=min_dist,
                metric=metric,
                random_state=seed,
            ).fit_transform(rows)
            figures.append(
                {
                    "components": components,
                    "minDist": min_dist,
                    "seed": seed,
                    "trustworthiness": round(
                        trustworthiness(rows, layout, n_neighbors=QUALITY_NEIGHBORS, metric=metric), 5
                    ),
                    "neighborsKept": round(kept(rows, layout, metric), 5),
                    "agreement": None if labels is None else round(agreement(layout, labels), 5),
                }
            )
    # Sums of the rows show whether both formulas still make the same points.
    return {"sum": float(rows.astype(np.float64).sum()), "figures": figures}


def small_graph(make, n_neighbors=8):
    metric, rows, _ = make()
    rows = np.asarray(rows, dtype=np.float32)
    distances = pairwise_distances(rows.astype(np.float64), metric=metric)
    order = np.argsort(distances, axis=1, kind="stable")[:, :n_neighbors]
    near = np.take_along_axis(distances, order, axis=1).astype(np.float32)
    sigma, rho = smooth_knn_dist(near, float(n_neighbors))
    graph = fuzzy_simplicial_set(
        rows, n_neighbors, np.random.RandomState(1), metric, knn_indices=order, knn_dists=near
    )[0].tocsr()
    graph.sort_indices()
    adjacency = graph.toarray().astype(np.float64)
    scale = 1 / np.sqrt(adjacency.sum(axis=1))
    laplacian = np.eye(len(rows)) - scale[:, None] * adjacency * scale[None, :]
    return {
        "nNeighbors": n_neighbors,
        "sigma": [float(x) for x in sigma],
        "rho": [float(x) for x in rho],
        "offsets": graph.indptr.tolist(),
        "targets": graph.indices.tolist(),
        "weights": [round(float(x), 7) for x in graph.data],
        "eigenvalues": np.sort(np.linalg.eigvalsh(laplacian))[:9].tolist(),
    }


def transform_weights(make, fitted=30, n_neighbors=8):
    """How UMAP.transform weighs the neighbours of the rows after the first `fitted`."""
    _, rows, _ = make()
    rows = np.asarray(rows, dtype=np.float32)
    distances = pairwise_distances(rows[fitted:].astype(np.float64), rows[:fitted].astype(np.float64))
    order = np.argsort(distances, axis=1, kind="stable")[:, :n_neighbors]
    near = np.take_along_axis(distances, order, axis=1).astype(np.float32)
    sigma, rho = smooth_knn_dist(near, float(n_neighbors), local_connectivity=0.0)
    weights = compute_membership_strengths(order.astype(np.int32), near, sigma, rho, bipartite=True)[2]
    return {
        "fitted": fitted,
        "nNeighbors": n_neighbors,
        "distances": [float(x) for x in near.ravel()],
        "weights": [float(x) for x in weights],
    }


def main():
    fixture = {
        "madeBy": "test/oracle/umap.py",
        "versions": {"umap-learn": umap.__version__, "scikit-learn": sklearn.__version__},
        "qualityNeighbors": QUALITY_NEIGHBORS,
        "curves": [
            {"minDist": m, "spread": s, **dict(zip("ab", map(float, find_ab_params(s, m))))}
            for m, s in ((0.0, 1.0), (0.1, 1.0), (0.5, 1.0), (0.99, 1.0), (1.0, 1.0), (0.1, 0.5), (0.0, 2.0))
        ],
        "handful": small_graph(handful),
        "transform": transform_weights(handful),
        "sets": {make.__name__: quality(make) for make in (clouds, ring, topics, strands, papers, cube)},
    }
    path = Path(__file__).resolve().parents[1] / "math" / "fixtures" / "umap-learn.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(fixture, indent=1) + "\n")


main()
