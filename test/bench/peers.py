"""Fits one Python library to a file of points and prints, as one line of JSON, what it took.

    python peers.py umap-learn   '{"points": "points.f32", "n": 1000, "d": 256, "nNeighbors": 15, ...}'
    python peers.py scikit-learn '{"points": "points.f32", "n": 1000, "d": 5, "minClusterSize": 15, ...}'
    python peers.py class-terms  '{"texts": "texts.jsonl", "c": 200, "words": 2}'

Points are raw little-endian float32 [n x d], texts JSON lines of text and class. The layout (float32) or the labels
(int32) go to the file that the job names, so that all libraries are judged by one measure; jobs are those of the
tasks beside this file. A benchmark only: nothing of the product needs Python.
"""

import json
import resource
import sys
import time
import warnings
from importlib.metadata import version

import numpy as np

warnings.filterwarnings("ignore")


def umap_learn(job, points):
    import umap

    def fit(rows, epochs):
        return umap.UMAP(
            n_neighbors=min(job["nNeighbors"], len(rows) - 1),
            n_components=job["nComponents"],
            min_dist=job["minDist"],
            n_epochs=epochs,
            metric="cosine",
            random_state=job["seed"],
        ).fit_transform(rows)

    # The first fit of a process compiles. Up to 4,096 rows umap-learn compares all pairs; beyond, it searches
    # with pynndescent, and each way has code of its own to compile.
    few = points[: min(len(points), 4_200)]
    warm_up = timed(lambda: fit(few, 10))
    fitted = timed(lambda: fit(points, job["epochs"]))
    fitted["value"].astype("<f4").tofile(job["layout"])
    return umap.__version__, warm_up["wall"], fitted


def umap_learn_layout(job, points):
    """The layout alone, from neighbours and a start that are given."""
    import umap
    from umap.umap_ import find_ab_params, fuzzy_simplicial_set, simplicial_set_embedding

    n, k = len(points), job["nNeighbors"] - 1
    indices = np.fromfile(job["neighbors"], dtype="<i4").reshape(n, k)
    distances = np.fromfile(job["distances"], dtype="<f4").reshape(n, k)
    start = np.fromfile(job["start"], dtype="<f4").reshape(n, job["nComponents"])
    a, b = find_ab_params(1.0, job["minDist"])
    graph = fuzzy_simplicial_set(
        points,
        k + 1,
        np.random.RandomState(job["seed"]),
        "cosine",
        knn_indices=np.hstack([np.arange(n, dtype=np.int32)[:, None], indices]),
        knn_dists=np.hstack([np.zeros((n, 1), dtype=np.float32), distances]),
    )[0]

    def lay_out(epochs):
        random = np.random.RandomState(job["seed"])
        return simplicial_set_embedding(
            points, graph, job["nComponents"], 1.0, a, b, 1.0, 5, epochs, start.copy(), random,
            "cosine", {}, False, {}, False, parallel=False,
        )[0]  # fmt: skip

    warm_up = timed(lambda: lay_out(2))
    fitted = timed(lambda: lay_out(job["epochs"]))
    fitted["value"].astype("<f4").tofile(job["layout"])
    return umap.__version__, warm_up["wall"], fitted


def pynn_descent(job, points):
    import pynndescent

    # As umap-learn 0.5 calls it; the row itself is among the neighbours.
    def search(rows):
        return pynndescent.NNDescent(
            rows,
            n_neighbors=job["k"] + 1,
            metric="cosine",
            random_state=job["seed"],
            n_trees=min(64, 5 + int(round(len(rows) ** 0.5 / 20))),
            n_iters=max(5, int(round(np.log2(len(rows))))),
            max_candidates=60,
            low_memory=True,
            n_jobs=job["threads"],
        ).neighbor_graph[0]

    warm_up = timed(lambda: search(points[: min(len(points), 4_200)]))
    found = timed(lambda: search(points))
    indices = found["value"].astype("<i4")
    own = indices == np.arange(len(points), dtype="<i4")[:, None]
    # A row that is not among its own neighbours gives up the furthest.
    own[~own.any(axis=1), -1] = True
    indices[~own].reshape(len(points), job["k"]).tofile(job["indices"])
    return pynndescent.__version__, warm_up["wall"], found


def scikit_learn(job, points):
    import sklearn
    from sklearn.cluster import HDBSCAN

    def fit():
        return HDBSCAN(
            min_cluster_size=job["minClusterSize"], min_samples=job["minSamples"], copy=True
        ).fit(points)

    fitted = timed(fit)
    fitted["value"].labels_.astype("<i4").tofile(job["labels"])
    return sklearn.__version__, 0.0, fitted


def fast_hdbscan(job, points):
    import fast_hdbscan

    def fit(rows):
        return fast_hdbscan.HDBSCAN(
            min_cluster_size=job["minClusterSize"], min_samples=job["minSamples"]
        ).fit(rows)

    # The first fit of a process compiles.
    warm_up = timed(lambda: fit(points[:1_000]))
    fitted = timed(lambda: fit(points))
    fitted["value"].labels_.astype("<i4").tofile(job["labels"])
    return version("fast_hdbscan"), warm_up["wall"], fitted


def hdbscan(job, points):
    import hdbscan

    def fit():
        # This package does not count the point itself.
        return hdbscan.HDBSCAN(
            min_cluster_size=job["minClusterSize"], min_samples=job["minSamples"] - 1, core_dist_n_jobs=1
        ).fit(points)

    fitted = timed(fit)
    fitted["value"].labels_.astype("<i4").tofile(job["labels"])
    return version("hdbscan"), 0.0, fitted


def class_terms(job, _):
    import scipy.sparse as sparse
    import sklearn
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.preprocessing import normalize

    classes = [[] for _ in range(job["c"])]
    with open(job["texts"], encoding="utf-8") as lines:
        for line in lines:
            given = json.loads(line)
            classes[given["class"]].append(given["text"])

    def weigh():
        # BERTopic 0.16: the texts of a topic joined to one, counted, and ClassTfidfTransformer.
        joined = [" ".join(texts) for texts in classes]
        counts = CountVectorizer(ngram_range=(1, job["words"])).fit_transform(joined)
        totals = np.squeeze(np.asarray(counts.sum(axis=0)))
        mean = int(counts.sum(axis=1).mean())
        inverse = sparse.diags(np.log(mean / totals + 1), format="csr")
        return normalize(counts, axis=1, norm="l1", copy=False) * inverse

    fitted = timed(weigh)
    entries = fitted["value"].nnz
    fitted["extra"] = {"v": fitted["value"].shape[1], "entries": entries}
    return sklearn.__version__, 0.0, fitted


def timed(work):
    wall, cpu = time.perf_counter(), time.process_time()
    value = work()
    return {"value": value, "wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def peak_megabytes():
    """The high-water mark of this program alone; getrusage would take in that of the program which started it."""
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024 / 1e6
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def main():
    library, job = sys.argv[1], json.loads(sys.argv[2])
    points = None
    if "points" in job:
        points = np.fromfile(job["points"], dtype="<f4").reshape(job["n"], job["d"])
    fit = {
        "umap-learn": umap_learn,
        "umap-learn-layout": umap_learn_layout,
        "pynndescent": pynn_descent,
        "scikit-learn": scikit_learn,
        "fast_hdbscan": fast_hdbscan,
        "hdbscan": hdbscan,
        "class-terms": class_terms,
    }[library]
    released, warm_up, fitted = fit(job, points)
    print(
        json.dumps(
            {
                "library": library,
                "version": released,
                "wallSeconds": fitted["wall"],
                "cpuSeconds": fitted["cpu"],
                "peakMegabytes": peak_megabytes(),
                "warmUpSeconds": warm_up,
                "processCpuSeconds": time.process_time(),
                **fitted.get("extra", {}),
            }
        )
    )


main()
