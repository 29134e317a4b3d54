"""Encodes sequences of ids with PyTorch on one thread and prints, as one line of JSON, what it took.

    python transformer-peers.py '{"model": "folder", "ids": "ids.i32", "n": 8, "length": 192, "batches": [1, 8],
                                  "repeats": 5, "vectors": "vectors.f32"}'

The model is a checkpoint's folder, ids are raw little-endian int32 [n x length]. The vectors ([CLS] of the last
layer, float32 [n x d]) go to the file that the job names. A benchmark only: nothing of the product needs Python.
"""

import json
import resource
import sys
import time
import warnings

import numpy as np
import torch
import transformers

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()


def measured(model, ids, batch, repeats):
    """Wall and CPU seconds of each repeat over all sequences, and the vectors."""
    timings = []
    # The first run allocates.
    model(input_ids=ids[:batch])
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        rows = [model(input_ids=part).last_hidden_state[:, 0] for part in ids.split(batch)]
        timings.append({"wallSeconds": time.perf_counter() - wall, "cpuSeconds": time.process_time() - cpu})
    return timings, torch.cat(rows)


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


@torch.inference_mode()
def main():
    job = json.loads(sys.argv[1])
    torch.set_num_threads(1)
    model = transformers.BertModel.from_pretrained(job["model"], add_pooling_layer=False).eval()
    ids = torch.from_numpy(np.fromfile(job["ids"], dtype="<i4").reshape(job["n"], job["length"])).long()
    batches = []
    for batch in job["batches"]:
        timings, vectors = measured(model, ids, batch, job["repeats"])
        batches.append({"batch": batch, "timings": timings})
        vectors.numpy().astype("<f4").tofile(job["vectors"])
    print(
        json.dumps(
            {
                "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
                "batches": batches,
                "peakMegabytes": peak_megabytes(),
            }
        )
    )


main()
