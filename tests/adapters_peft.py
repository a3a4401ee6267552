#!/usr/bin/env python3
"""An adapter that hardcase wrote for PEFT gives the probabilities that llama.cpp gives with its GGUF.

usage: adapters_peft.py MODEL ADAPTER [PYTHON]

MODEL is the folder of the language model at Hugging Face that the project's GGUF was converted from, or the GGUF itself, whose tensors transformers then unpacks;
ADAPTER is the folder of `hardcase adapter FILE export N
--what gguf,peft -o ADAPTER`, in which both forms of one adapter lie. PYTHON is one that has torch, transformers, peft and llama-cpp-python; without it a virtual
environment is made under the user's cache, which takes some gigabytes. Compares the logarithms of the next token's probabilities after a few prompts, with
and without the adapter, and fails where the adapter moves them differently.

Ollama's form is not run here: it needs its server.
"""
import json
import os
import pathlib
import subprocess
import sys

LIBRARIES = ["torch", "transformers", "peft>=0.18", "llama-cpp-python", "gguf", "numpy"]
PROMPTS = ["Text: win a garden today\nLabel:", "Text: see you at the bridge\nLabel:", "Text: The letter came on Monday.\nLabel:"]
# The GGUF is quantised and llama.cpp rounds what it multiplies, so the two differ without an adapter, too: what is compared is what it changes.
# The first bound would miss a wrong direction of little weight, the second a wrong scale.
TOLERANCE = 0.15
ALIKE = 0.9
TOKENS = 50


def environment() -> None:
    """Runs this again with a Python that has the libraries."""
    if os.environ.get("HARDCASE_IN_ENVIRONMENT"):
        return
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    interpreter = sys.argv[3] if len(sys.argv) > 3 else None
    if interpreter is None:
        cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
        venv = cache / "hardcase-tests" / "adapters"
        if not (venv / "bin" / "python").exists():
            subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([venv / "bin" / "pip", "install", "--quiet", *LIBRARIES], check=True)
        interpreter = str(venv / "bin" / "python")
    environ = os.environ | {"HARDCASE_IN_ENVIRONMENT": "1", "HF_HUB_OFFLINE": "1"}
    sys.exit(subprocess.run([interpreter, *sys.argv], env=environ).returncode)


environment()
import llama_cpp  # noqa: E402
import numpy  # noqa: E402
import peft  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402


def one(folder: pathlib.Path, pattern: str) -> pathlib.Path:
    found = sorted(folder.glob(pattern))
    return found[0] if len(found) == 1 else sys.exit(f"{folder} has {len(found)} of {pattern}, and one is needed")


def log_softmax(logits: numpy.ndarray) -> numpy.ndarray:
    logits = logits.astype(numpy.float64)
    logits = logits - logits.max()
    return logits - numpy.log(numpy.exp(logits).sum())


def by_llama(path: str, lora: str | None, tokens: list[list[int]]) -> list[numpy.ndarray]:
    model = llama_cpp.Llama(path, lora_path=lora, n_ctx=512, logits_all=True, verbose=False)
    said = []
    for prompt in tokens:
        model.reset()
        model.eval(prompt)
        said.append(log_softmax(numpy.array(model.scores[len(prompt) - 1])))
    return said


def by_torch(model: torch.nn.Module, tokens: list[list[int]]) -> list[numpy.ndarray]:
    with torch.no_grad():
        return [log_softmax(model(input_ids=torch.tensor([prompt])).logits[0, -1].float().numpy()) for prompt in tokens]


folder = pathlib.Path(sys.argv[2])
gguf, form = one(folder, "*.gguf"), one(folder, "*-peft")
config = json.loads((form / "adapter_config.json").read_text())
if config.get("alora_invocation_tokens"):
    sys.exit("it is an alora, which llama-cpp-python lets act on everything: export a lora")
base = one(folder, "*.README.md").read_text().split("which was at `")[1].split("`")[0]
named = pathlib.Path(sys.argv[1])
where, how = (str(named.parent), {"gguf_file": named.name}) if named.is_file() else (str(named), {})
tokenizer = transformers.AutoTokenizer.from_pretrained(where, **how)
tokens = [tokenizer(prompt)["input_ids"] for prompt in PROMPTS]
plain = transformers.AutoModelForCausalLM.from_pretrained(where, dtype=torch.float32, **how).eval()
without = by_torch(plain, tokens)
adapted = peft.PeftModel.from_pretrained(plain, str(form)).eval()
missing = [name for name, value in adapted.named_parameters() if "lora_B" in name and not value.abs().sum()]
assert not missing, f"these layers have no weights of the adapter: {missing[:3]}"
with_it = by_torch(adapted, tokens)
worst, least = 0.0, 1.0
for prompt, ours, theirs, before, after in zip(PROMPTS, by_llama(base, None, tokens), by_llama(base, str(gguf), tokens), without, with_it):
    # Of the likeliest tokens alone: what is all but impossible is noise.
    likely = numpy.argsort(after)[-TOKENS:]
    off = float(numpy.abs((theirs - ours)[likely] - (after - before)[likely]).mean())
    moved = float(numpy.abs((after - before)[likely]).mean())
    apart = float(numpy.abs((ours - before)[likely]).mean())
    alike = float(numpy.corrcoef((theirs - ours)[likely], (after - before)[likely])[0, 1])
    print(f"{prompt!r}: the adapter moves the likeliest {TOKENS} tokens by {moved:.3f}; in that, PEFT and llama.cpp differ by {off:.3f} (correlation {alike:.3f}), without it by {apart:.3f}")
    assert moved > 0.01, "the adapter changes nothing"
    worst = max(worst, off / max(moved, 1.0))
    least = min(least, alike)
assert worst <= TOLERANCE, f"PEFT and llama.cpp differ by {worst:.3f} of what the adapter moves"
assert least >= ALIKE, f"what the adapter moves correlates by {least:.3f} only"
print(f"ran with torch {torch.__version__}, transformers {transformers.__version__}, peft {peft.__version__}, llama-cpp-python {llama_cpp.__version__}")
