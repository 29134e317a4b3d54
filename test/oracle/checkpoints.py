"""
Writes test/checkpoint/fixtures/weights: small checkpoints in every format and number type, as PyTorch and
safetensors write them, and expected.json with what the libraries read back.

    python test/oracle/checkpoints.py

Needs torch and safetensors; their versions are recorded in expected.json.
"""

import json
import struct
from collections import OrderedDict
from pathlib import Path

import safetensors
import torch
from safetensors.torch import save_file

folder = Path(__file__).resolve().parent.parent / "checkpoint" / "fixtures" / "weights"


def bits(tensor):
    """The numbers as float32, each as eight hexadecimal digits, so that NaN and -0 stay what they are."""
    values = tensor.detach().to(torch.float32).contiguous().flatten()
    return values.numpy().tobytes().hex()


def special(dtype):
    """Largest, smallest, subnormal, infinite and missing numbers of a type, and some in between."""
    info = torch.finfo(dtype)
    subnormal = info.smallest_normal / 4
    return torch.tensor(
        [0.0, -0.0, 1.0, -1.0, 1 / 3, info.max, info.min, info.tiny, subnormal, float("inf"), -float("inf"),
         float("nan"), 65504.0 if info.max > 65504 else 2048.5, 1e-7, 3.14159265358979],
        dtype=torch.float64,
    ).to(dtype)


torch.manual_seed(7)
plain = OrderedDict(
    [
        ("float32", special(torch.float32)),
        ("float16", special(torch.float16)),
        ("bfloat16", special(torch.bfloat16)),
        ("float64", special(torch.float64)),
        ("matrix", torch.randn(3, 5)),
        ("cube", torch.randn(2, 3, 4).to(torch.bfloat16)),
        ("scalar", torch.tensor(2.5)),
        ("none", torch.empty(0, 4)),
        ("int64", torch.tensor([1, -2, 2**62])),
        ("int32", torch.tensor([3], dtype=torch.int32)),
        ("int16", torch.tensor([4], dtype=torch.int16)),
        ("int8", torch.tensor([-5], dtype=torch.int8)),
        ("uint8", torch.tensor([6], dtype=torch.uint8)),
        ("bool", torch.tensor([True, False])),
    ]
)

# Tensors that share storages, start inside them, or step through them otherwise than row by row.
base = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 7
half = torch.randn(5, 3).to(torch.float16)
views = OrderedDict(
    [
        ("whole", base),
        ("transposed", base.t()),
        ("row", base[2]),
        ("column", base[:, 4]),
        ("block", base[1:3, 2:5]),
        ("every other", base[::2, 1::2]),
        ("permuted", torch.randn(2, 3, 4).permute(2, 0, 1)),
        ("half transposed", half.t()),
        ("repeated", torch.tensor([[1.5], [2.5]]).expand(2, 3)),
        ("thin", base[:, 3:4]),
        ("empty", base[:0]),
    ]
)

module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2))
training = {
    "epoch": 3,
    "loss": 0.25,
    "best": None,
    "done": False,
    "learning rates": [1e-3, 1e-4],
    "large": 2**70,
    "shape": torch.Size([2, 3]),
    "optimizer": {"state": {0: {"step": torch.tensor(5.0)}}, "param_groups": [{"lr": 1e-3, "betas": (0.9, 0.999)}]},
    "model_state_dict": module.state_dict(),
}

zip_format = {"_use_new_zipfile_serialization": True}
stream_format = {"_use_new_zipfile_serialization": False}
written = {
    "plain.safetensors": plain,
    "plain.zip.bin": plain,
    "plain.stream.bin": plain,
    "views.zip.bin": views,
    "views.stream.bin": views,
    "module.zip.bin": OrderedDict((name, parameter) for name, parameter in module.named_parameters()),
    "training.zip.bin": training,
    "training.stream.bin": training,
    "protocol4.zip.bin": module.state_dict(),
    "protocol3.stream.bin": module.state_dict(),
}
folder.mkdir(parents=True, exist_ok=True)
for name, content in written.items():
    path = folder / name
    if name.endswith(".safetensors"):
        save_file(content, path, metadata={"format": "pt", "says": 'a "quoted" é\n'})
        path.chmod(0o644)
    else:
        options = zip_format if ".zip." in name else stream_format
        protocol = {"protocol4": 4, "protocol3": 3}.get(name.split(".")[0], 2)
        torch.save(content, path, pickle_protocol=protocol, **options)


class Program(torch.nn.Module):
    def forward(self, x):
        return x + 1


torch.jit.script(Program()).save(folder / "program.zip.bin")
torch.save(module, folder / "whole-module.zip.bin")

expected = {"torch": torch.__version__, "safetensors": safetensors.__version__, "files": {}}
for name, content in written.items():
    tensors = content.get("model_state_dict", content)
    expected["files"][name] = {
        key: {
            "type": str(tensor.dtype).removeprefix("torch."),
            "dims": list(tensor.shape),
            **({"float32": bits(tensor)} if tensor.dtype.is_floating_point else {}),
        }
        for key, tensor in tensors.items()
    }
# A sample of all finite float16, as float32.
halves = torch.tensor(list(range(65536)), dtype=torch.int32).to(torch.uint16).view(torch.float16)
finite = torch.isfinite(halves)
sums = [struct.pack("<f", value).hex() for value in halves[finite][::997].to(torch.float32).tolist()]
expected["every 997th finite float16"] = sums
with open(folder / "expected.json", "w") as file:
    json.dump(expected, file, indent=1)
    file.write("\n")
