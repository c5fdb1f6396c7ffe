"""Writes python.safetensors beside this script, with the safetensors library of Hugging Face.

Run by hand (pip install safetensors numpy torch); the build needs no Python.
Made with safetensors 0.8.0 and torch 2.15.0.
"""

import pathlib

import torch
from safetensors.torch import save_file

tensors = {
    "matrix": torch.arange(6, dtype=torch.float32).reshape(2, 3) / 4,
    "scalar": torch.tensor(-1.5),
    "empty": torch.zeros(0, 4),
    # 1.001 rounds; the others are the least subnormal, the largest finite, infinities and NaN.
    "halves": torch.tensor([1.001, -(2.0**-24), 65504.0, float("-inf"), float("nan"), -0.0]).half(),
    "brains": torch.tensor([1.001, -1e-40, 3.3e38, float("inf"), -0.0]).bfloat16(),
    "counts": torch.tensor([1, -2, 2**40]),
    "flags": torch.tensor([True, False, True]),
    "größe/π": torch.ones(1),
}
path = pathlib.Path(__file__).with_name("python.safetensors")
save_file(tensors, path, metadata={"format": "pt", "note": "tab\tquote\" é"})
