"""Writes the golden values of BertGoldenTest beside this script, with transformers' BertForMaskedLM.

config.json, model.safetensors   a tiny BERT of odd sizes with random weights, by save_pretrained
expected.safetensors             one batch with padding and two token types, its losses where labels
                                 are, and every gradient of the mean loss

Gradients are computed in fp64 and stored as fp32, so that they carry no rounding of PyTorch's own;
the script prints how far PyTorch's fp32 lies from them.

Run by hand (pip install torch transformers safetensors); the build needs no Python.
Made with torch 2.15.0, transformers 5.24.0 and safetensors 0.8.0.
"""

import copy
import pathlib

import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertForMaskedLM

FOLDER = pathlib.Path(__file__).parent
VOCABULARY, CONTEXT, WIDTH, HEADS, LAYERS = 61, 16, 24, 3, 2
BATCH, LENGTH = 3, 13
LENGTHS = [13, 7, 10]


def make_model():
    config = BertConfig(
        num_hidden_layers=LAYERS, num_attention_heads=HEADS, hidden_size=WIDTH,
        intermediate_size=4 * WIDTH, max_position_embeddings=CONTEXT, vocab_size=VOCABULARY,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, pad_token_id=0,
    )
    model = BertForMaskedLM(config)
    with torch.no_grad():  # far from the flat start, biases and norms too
        for name, parameter in model.named_parameters():
            torch.nn.init.normal_(parameter, std=0.2 if parameter.dim() == 2 else 0.1)
            if "LayerNorm" in name and name.endswith("weight"):
                parameter += 1
    # The row of [PAD] learns as all others do: here it is a token like any.
    model.bert.embeddings.word_embeddings.padding_idx = None
    return model


def losses(model, batch):
    logits = model(batch["tokens"], batch["mask"], batch["types"]).logits
    return torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), batch["targets"].flatten(), reduction="none", ignore_index=-1
    )


def gradients(model, batch):
    model.zero_grad()
    (losses(model, batch).sum() / (batch["targets"] >= 0).sum()).backward()
    return {name: p.grad.clone() for name, p in model.named_parameters()}


def make_batch():
    lengths = torch.tensor(LENGTHS)
    mask = (torch.arange(LENGTH) < lengths[:, None]).long()
    targets = torch.randint(VOCABULARY, (BATCH, LENGTH))
    targets[torch.rand(BATCH, LENGTH) < 0.6] = -1  # ignored
    targets[mask == 0] = -1
    return {
        "tokens": torch.randint(VOCABULARY, (BATCH, LENGTH)),
        "types": torch.randint(2, (BATCH, LENGTH)),
        "mask": mask,
        "lengths": lengths,
        "targets": targets,
    }


def main():
    torch.manual_seed(20)
    model = make_model().eval()
    model.save_pretrained(FOLDER)
    (FOLDER / "generation_config.json").unlink(missing_ok=True)
    exact = copy.deepcopy(model).double()
    batch = make_batch()
    expected = gradients(exact, batch)
    single = gradients(model, batch)
    print("fp32 gradients:", max(
        ((single[n].double() - expected[n]).norm() / expected[n].norm()).item()
        for n in expected if not n.endswith("key.bias")
    ))
    with torch.no_grad():
        each = losses(exact, batch)
    integers = {name: value.int() for name, value in batch.items() if name != "mask"}
    named = {"gradient." + name: value.float().contiguous() for name, value in expected.items()}
    save_file({**integers, "losses": each.float(), **named}, FOLDER / "expected.safetensors")


if __name__ == "__main__":
    main()
