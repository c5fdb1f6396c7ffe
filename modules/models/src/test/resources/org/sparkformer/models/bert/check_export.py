"""Loads a folder that HuggingFaceModel exported into transformers, and compares its losses.

    python check_export.py modules/models/target/exported-bert

HuggingFaceBertTest leaves that folder there: the golden model, loaded and exported again. Its losses
for the batch of expected.safetensors must be the stored ones. Exits 1 where they are not.
"""

import pathlib
import sys

import torch
from safetensors.torch import load_file
from transformers import BertForMaskedLM

from make_golden import LENGTH, losses


def main():
    expected = load_file(pathlib.Path(__file__).with_name("expected.safetensors"))
    model, info = BertForMaskedLM.from_pretrained(sys.argv[1], output_loading_info=True)
    print({key: value for key, value in info.items() if value})
    batch = {name: expected[name].long() for name in ("tokens", "types", "lengths", "targets")}
    batch["mask"] = (torch.arange(LENGTH) < batch["lengths"][:, None]).long()
    with torch.no_grad():
        each = losses(model.eval(), batch)
    distance = ((each - expected["losses"]).norm() / expected["losses"].norm()).item()
    print(f"losses differ by {distance:.1e} of their norm")
    missing = info["missing_keys"] or info["unexpected_keys"] or info["mismatched_keys"]
    sys.exit(0 if distance < 1e-5 and not missing else 1)


if __name__ == "__main__":
    main()
