"""Fits BERTopic, or the steps of its fit where it is not installed, on vectors that are given.

    python topic-peers.py '{"points": "points.f32", "texts": "texts.jsonl", "n": 1000, "d": 256, ...}'

The first fit of a process compiles and is told apart ("cold", from the start of the program); the second is "warm".
Points are raw little-endian float32 [n x d]; texts are JSON lines. A benchmark only: nothing of the product needs
Python.
"""

import json
import sys
import time
import warnings

import numpy as np

warnings.filterwarnings("ignore")


def main():
    job = json.loads(sys.argv[1])
    points = np.fromfile(job["points"], dtype="<f4").reshape(job["n"], job["d"])
    with open(job["texts"], encoding="utf-8") as lines:
        texts = [json.loads(line) for line in lines]
    name, fit = fit_of_bertopic() or ("BERTopic's steps by umap-learn and scikit-learn", fit_by_steps)
    fit(job, points, texts)
    cold_wall, cold_cpu = time.perf_counter() - BEGAN, time.process_time()
    wall, cpu = time.perf_counter(), time.process_time()
    labels = fit(job, points, texts)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(
        json.dumps(
            {
                "name": name,
                "cold": {"wallSeconds": cold_wall, "cpuSeconds": cold_cpu},
                "warm": {"wallSeconds": wall, "cpuSeconds": cpu},
                "peakMegabytes": peak_megabytes(),
                "topics": int(labels.max()) + 1,
                "noise": float((labels < 0).mean()),
            }
        )
    )


def fit_of_bertopic():
    try:
        from bertopic import BERTopic
        from hdbscan import HDBSCAN
        from umap import UMAP
    except ImportError:
        return None

    def fit(job, points, texts):
        model = BERTopic(
            embedding_model=None,
            umap_model=UMAP(**umap_settings(job)),
            hdbscan_model=HDBSCAN(
                min_cluster_size=job["minClusterSize"], min_samples=job["minSamples"], prediction_data=True
            ),
        )
        return np.array(model.fit_transform(texts, points)[0])

    return "BERTopic", fit


def fit_by_steps(job, points, texts):
    """What BERTopic's fit does at its defaults: layout, clusters, c-TF-IDF of words, representative documents."""
    from sklearn.cluster import HDBSCAN
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.metrics.pairwise import cosine_similarity
    from sklearn.preprocessing import normalize
    from umap import UMAP

    layout = UMAP(**umap_settings(job)).fit_transform(points)
    labels = HDBSCAN(
        min_cluster_size=job["minClusterSize"], min_samples=job["minSamples"], copy=True
    ).fit(layout).labels_  # fmt: skip

    members = [np.flatnonzero(labels == topic) for topic in range(labels.max() + 1)]
    vectorizer = CountVectorizer()
    counts = vectorizer.fit_transform([" ".join(texts[i] for i in rows) for rows in members])
    frequency = np.asarray(counts.sum(axis=0)).ravel()
    idf = np.log(counts.sum(axis=1).mean() / frequency + 1)
    weights = normalize(counts, norm="l1").multiply(idf).tocsr()
    for topic in range(len(members)):
        row = weights[topic]
        row.indices[np.argsort(row.data)[::-1][:30]]

    random = np.random.RandomState(job["seed"])
    for topic, rows in enumerate(members):
        asked = random.choice(rows, min(500, len(rows)), replace=False)
        found = normalize(vectorizer.transform([texts[i] for i in asked]), norm="l1").multiply(idf)
        cosine_similarity(found.tocsr(), weights[topic])
    return labels


def umap_settings(job):
    return {
        "n_neighbors": 15,
        "n_components": 5,
        "min_dist": 0.0,
        "metric": "cosine",
        "random_state": job["seed"],
    }


def peak_megabytes():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 / 1e6 for line in status if line.startswith("VmHWM:"))


BEGAN = time.perf_counter()
main()
