"""Writes the golden values of GoldenTest beside this script, with transformers' GPT2LMHeadModel.

config.json, model.safetensors   a tiny GPT-2 of odd sizes with random weights, by save_pretrained
expected.safetensors             one batch, its logits and losses, and every gradient of the mean loss
adamw.safetensors                six batches and the weights after six steps of torch.optim.AdamW

Gradients and steps are computed in fp64 and stored as fp32, so that they carry no rounding of
PyTorch's own; the script prints how far PyTorch's fp32 lies from them.

Run by hand (pip install torch transformers safetensors); the build needs no Python.
Made with torch 2.15.0, transformers 5.23.0 and safetensors 0.8.0.
"""

import copy
import pathlib

import torch
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2LMHeadModel

FOLDER = pathlib.Path(__file__).parent
VOCABULARY, CONTEXT, WIDTH, HEADS, LAYERS = 61, 16, 24, 3, 2
BATCH, LENGTH = 3, 13
RATES = [1e-3, 2e-3, 3e-3, 2e-3, 1e-3, 5e-4]
BETAS, EPSILON, DECAY, CLIP = (0.9, 0.95), 1e-8, 0.1, 1.0


def make_model():
    config = GPT2Config(
        n_layer=LAYERS, n_head=HEADS, n_embd=WIDTH, n_positions=CONTEXT, vocab_size=VOCABULARY,
        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=0, eos_token_id=0,
    )
    model = GPT2LMHeadModel(config)
    with torch.no_grad():  # far from the flat start, biases and norms too
        for name, parameter in model.named_parameters():
            torch.nn.init.normal_(parameter, std=0.2 if parameter.dim() == 2 else 0.1)
            if ".ln_" in name and name.endswith("weight"):
                parameter += 1
    return model


def losses(model, tokens, targets):
    logits = model(tokens).logits
    each = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), targets.flatten(), reduction="none", ignore_index=-1
    )
    return logits, each


def mean_loss(model, tokens, targets):
    return losses(model, tokens, targets)[1].sum() / (targets >= 0).sum()


def gradients(model, tokens, targets):
    model.zero_grad()
    mean_loss(model, tokens, targets).backward()
    return {name: p.grad.clone() for name, p in model.named_parameters()}


def train(model, tokens, targets):
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": DECAY},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, betas=BETAS, eps=EPSILON)
    for step, rate in enumerate(RATES):
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        mean_loss(model, tokens[step], targets[step]).backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, CLIP)
        print(f"step {step + 1}: gradient norm {norm:.4f}")
        optimizer.step()
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def distance(a, b):
    return ((a.double() - b).norm() / b.norm()).item()


def rounded(values, prefix=""):
    return {prefix + name: value.float().contiguous() for name, value in values.items()}


def main():
    torch.manual_seed(20)
    model = make_model().eval()
    model.save_pretrained(FOLDER)
    (FOLDER / "generation_config.json").unlink(missing_ok=True)
    exact = copy.deepcopy(model).double()

    tokens = torch.randint(VOCABULARY, (BATCH, LENGTH))
    targets = torch.randint(VOCABULARY, (BATCH, LENGTH))
    targets[1, 4:7] = -1  # ignored
    with torch.no_grad():
        logits, each = losses(exact, tokens, targets)
    expected = gradients(exact, tokens, targets)
    single = gradients(model, tokens, targets)
    print("fp32 gradients:", max(distance(single[n], expected[n]) for n in expected))
    save_file(
        {"tokens": tokens.int(), "targets": targets.int(), "logits": logits.float(),
         "losses": each.float(), **rounded(expected, "gradient.")},
        FOLDER / "expected.safetensors",
    )

    tokens = torch.randint(VOCABULARY, (len(RATES), BATCH, LENGTH))
    targets = torch.randint(VOCABULARY, (len(RATES), BATCH, LENGTH))
    start = {name: p.detach().clone() for name, p in exact.named_parameters()}
    expected = train(exact, tokens, targets)
    single = train(model, tokens, targets)
    for n in expected:
        moved = (expected[n] - start[n]).norm()
        print(f"fp32 update: {((single[n] - expected[n]).norm() / moved).item():.1e}  {n}")
    save_file(
        {"tokens": tokens.int(), "targets": targets.int(), **rounded(expected)},
        FOLDER / "adamw.safetensors",
    )


if __name__ == "__main__":
    main()
