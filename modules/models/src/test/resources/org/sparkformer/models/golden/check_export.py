"""Loads a folder that HuggingFaceModel exported into transformers, and compares its logits.

    python check_export.py modules/models/target/exported-gpt2

HuggingFaceModelTest leaves that folder there: the golden model, loaded and exported again. Its logits
for the batch of expected.safetensors must be the stored ones. Exits 1 where they are not.
"""

import pathlib
import sys

import torch
from safetensors.torch import load_file
from transformers import GPT2LMHeadModel


def main():
    expected = load_file(pathlib.Path(__file__).with_name("expected.safetensors"))
    model, info = GPT2LMHeadModel.from_pretrained(sys.argv[1], output_loading_info=True)
    print({key: value for key, value in info.items() if value})
    with torch.no_grad():
        logits = model.eval()(expected["tokens"].long()).logits
    distance = ((logits - expected["logits"]).norm() / expected["logits"].norm()).item()
    print(f"logits differ by {distance:.1e} of their norm")
    missing = info["missing_keys"] or info["unexpected_keys"] or info["mismatched_keys"]
    sys.exit(0 if distance < 1e-5 and not missing else 1)


if __name__ == "__main__":
    main()
