#!/usr/bin/env python3
"""Seconds that PEFT on PyTorch takes for an epoch of LoRA on a language model of SmolLM-135M's shape, random numbers, loss on the last token:
the peer of `cargo bench --bench causal -- 135m lora DOCUMENTS 0 LENGTH 6`.

    python3 benches/training/versus_peft.py [DOCUMENTS] [LENGTH] [float32|bfloat16]

Needs torch, transformers and peft; in a folder of its own: python3 -m venv V && V/bin/pip install torch transformers peft
"""

import resource
import sys
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

documents = int(sys.argv[1]) if len(sys.argv) > 1 else 400
length = int(sys.argv[2]) if len(sys.argv) > 2 else 300
dtype = getattr(torch, sys.argv[3] if len(sys.argv) > 3 else "float32")
batch = 16
torch.manual_seed(1)

config = LlamaConfig(
    vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9,
    num_key_value_heads=3, tie_word_embeddings=True,
)
model = LlamaForCausalLM(config).to(dtype)
targets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
model = get_peft_model(model, LoraConfig(r=16, lora_alpha=16, target_modules=targets))
model.train()
optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=5e-4)
texts = torch.randint(0, config.vocab_size, (documents, length))
labels = torch.arange(documents) % 2
candidates = torch.tensor([300, 400])

begun = time.time()
for first in range(0, documents, batch):
    part = texts[first : first + batch]
    # Only the last token's logits are computed.
    logits = model(input_ids=part, logits_to_keep=1).logits[:, -1, candidates]
    loss = torch.nn.functional.cross_entropy(logits.float(), labels[first : first + batch])
    optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimiser.step()
seconds = time.time() - begun
gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(f"PEFT, PyTorch {torch.__version__}, {dtype}: {documents} documents of {length} tokens in {seconds:.1f} s, {gib:.2f} GiB at most")
