#!/usr/bin/env python3
"""Writes tests/chat_templates/NAME.json: what Hugging Face makes of the judge's turns, token for token.

    tests/chat_templates.py [TEST_DATA]     (by default ../shared; $HARDCASE_TEST_DATA)
    tests/chat_templates.py --templates FOLDER

Vocabulary and chat template are read from the GGUF files of the test data. A tokenizer of the `tokenizers` library is built from the
vocabulary in the form in which the model's makers publish it (pre-tokenizer, normalizer, added tokens); the turns go through
`apply_chat_template` of `transformers`. Where a file has no merges (the SentencePiece kind), they come of the scores as in `transformers`' own
conversion. The second form writes FOLDER/expected.json: what `transformers` renders of a few chats with every *.jinja of the folder, for
`HARDCASE_CHAT_TEMPLATES=FOLDER cargo test --lib every_template`. Makes its own virtual environment from PyPI at the first run. `cargo test --lib chat_template` compares.
"""

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGES = ["transformers==5.24.0", "tokenizers==0.23.3", "gguf==0.19.0", "jinja2==3.1.6"]

MODELS = {
    "smollm2": "models/SmolLM2-135M-Instruct.Q4_1.gguf",
    "qwen3": "models/vocab/qwen3.gguf",
    "gemma3": "models/vocab/gemma3.gguf",
    "llama3_1": "models/vocab/llama3_1.gguf",
    "mistral": "models/vocab/mistral.gguf",
}

# What a judge is asked. One label's tokens begin another's.
PROMPT = {
    "question": "What is the message about?",
    "guideline": "Look at what is asked for.\n\nIf in doubt: other.",
    "labels": [["1", "a bill or a payment"], ["10", "a card: lost, stolen"], ["other", ""]],
}
EXAMPLES = [["My card is gone, what now?", 1], ["Hello there!", 2]]
TEXTS = [
    "I was charged twice for 12 items on 3/4.",
    "“Café” or naïve — don't they?  2024's 😀 日本語 ok",
    "(what) is this...",
]


def in_environment():
    """Runs this file again where its packages are."""
    folder = Path(os.environ.get("HARDCASE_VENV", Path(tempfile.gettempdir()) / "hardcase-chat-templates"))
    python = folder / "bin" / "python"
    if Path(sys.prefix) == folder:
        return
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    os.execv(python, [str(python), __file__, *sys.argv[1:]])


def merges_of(vocab, scores):
    """As `generate_merges` of transformers' convert_slow_tokenizer: a piece's merges are all its halves, in the order of the scores."""
    merges = []
    for piece, i in vocab.items():
        halves = []
        for at in range(1, len(piece)):
            left, right = piece[:at], piece[at:]
            if left in vocab and right in vocab:
                halves.append((left, right, scores[i]))
        merges += sorted(halves, key=lambda h: (vocab[h[0]], vocab[h[1]]))
    merges.sort(key=lambda h: h[2], reverse=True)
    return [(left, right) for left, right, _ in merges]


def tokenizer(path):
    """The fast tokenizer of a GGUF file, with its chat template."""
    import gguf
    from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    fields = gguf.GGUFReader(path).fields
    read = lambda key, other=None: fields[f"tokenizer.{key}"].contents() if f"tokenizer.{key}" in fields else other
    tokens, types = read("ggml.tokens"), read("ggml.token_type")
    kinds = gguf.TokenType
    added = [i for i, kind in enumerate(types) if kind in (kinds.CONTROL, kinds.USER_DEFINED)]
    if read("ggml.model") == "gpt2":
        pre = read("ggml.pre")
        byte_level = lambda regex: pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=regex)
        llama_3 = (
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}NUMBERS| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
        )
        split = lambda numbers: pre_tokenizers.Split(Regex(llama_3.replace("NUMBERS", numbers)), "isolated")
        before = {
            "smollm": [pre_tokenizers.Digits(individual_digits=True), byte_level(True)],
            "qwen2": [split(""), byte_level(False)],
            "llama-bpe": [split("{1,3}"), byte_level(False)],
        }[pre]
        merges = [tuple(merge.split(" ")) for merge in read("ggml.merges")]
        vocab = {token: i for i, token in enumerate(tokens) if i not in set(added)}
        tok = Tokenizer(models.BPE(vocab, merges, ignore_merges=pre == "llama-bpe"))
        tok.pre_tokenizer = pre_tokenizers.Sequence(before)
        if pre == "qwen2":
            tok.normalizer = normalizers.NFC()
    else:
        pieces = {token: i for i, token in enumerate(tokens) if types[i] in (kinds.NORMAL, kinds.BYTE, kinds.UNKNOWN)}
        # The file has user-defined tokens as text; in the vocabulary their spaces are SentencePiece's.
        mergeable = {token.replace(" ", "▁"): i for i, token in enumerate(tokens) if types[i] != kinds.CONTROL}
        merges = [m for m in merges_of(mergeable, read("ggml.scores")) if {m[0], m[1], m[0] + m[1]} <= pieces.keys()]
        tok = Tokenizer(models.BPE(pieces, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
        spaces = [normalizers.Replace(" ", "▁")]
        if read("ggml.add_space_prefix", True):
            spaces.insert(0, normalizers.Prepend("▁"))
        tok.normalizer = normalizers.Sequence(spaces)
    by_id = sorted(added)
    for i in by_id:
        special = types[i] == kinds.CONTROL
        tok.add_tokens([AddedToken(tokens[i], special=special, normalized=False)])
        if tok.token_to_id(tokens[i]) != i:
            # A model in which a token has another number than its place: put it where it is.
            return with_places(tok, tokens, types, kinds, read)
    return finished(tok, tokens, read)


def with_places(tok, tokens, types, kinds, read):
    """Added tokens keep the numbers of the file: those that lie before the end are part of the vocabulary, as makers' files have them."""
    from tokenizers import AddedToken, Tokenizer

    about = json.loads(tok.to_str())
    about["added_tokens"] = [
        {"id": i, "content": tokens[i], "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
         "special": bool(kind == kinds.CONTROL)}
        for i, kind in enumerate(types) if kind in (kinds.CONTROL, kinds.USER_DEFINED)
    ]
    about["model"]["vocab"] |= {token: i for i, token in enumerate(tokens) if types[i] in (kinds.CONTROL, kinds.USER_DEFINED)}
    placed = Tokenizer.from_str(json.dumps(about))
    wrong = [t["content"] for t in about["added_tokens"] if placed.token_to_id(t["content"]) != t["id"]]
    assert not wrong, wrong
    return finished(placed, tokens, read)


def finished(tok, tokens, read):
    from transformers import PreTrainedTokenizerFast

    name = lambda key: tokens[read(f"ggml.{key}_token_id")] if read(f"ggml.{key}_token_id") is not None else None
    return PreTrainedTokenizerFast(
        tokenizer_object=tok, bos_token=name("bos"), eos_token=name("eos"), chat_template=read("chat_template")
    )


def folded(text):
    return " ".join(text.split())


def instruction():
    labels = "".join(f"\n- {name}: {about}" if about else f"\n- {name}" for name, about in PROMPT["labels"])
    return f"{PROMPT['question']}\n\n{PROMPT['guideline']}\n\nLabels:{labels}\n\nAnswer with one label and nothing else."


def turns(layout, examples, text):
    """The judge's turns, but for its own."""
    say = lambda role, content: {"role": role, "content": content}
    said = [say("system", instruction())] if layout == "system-turn" else []
    for example, label in examples:
        said += [say("user", f"Text: {example}"), say("assistant", f"Label: {PROMPT['labels'][label][0]}")]
    said.append(say("user", f"Text: {folded(text)}".rstrip()))
    if layout == "user-turn":
        said[0]["content"] = f"{instruction()}\n\n{said[0]['content']}"
    return said


def ids(tok, messages, **options):
    made = tok.apply_chat_template(messages, tokenize=True, enable_thinking=False, thinking=False, **options)
    return list(made["input_ids"] if hasattr(made, "keys") else made)


def cases(tok, layouts):
    for layout in layouts:
        for examples in ([], EXAMPLES):
            for text in TEXTS if not examples else TEXTS[:1]:
                messages = turns(layout, examples, text)
                begun = ids(tok, [*messages, {"role": "assistant", "content": "Label:"}], continue_final_message=True)
                whole = ids(tok, [*messages, {"role": "assistant", "content": "Label: 1"}])
                assert whole[: len(begun)] == begun
                after = tok.decode(whole[len(begun) :])
                ends = next(i for i, t in enumerate(whole[len(begun) :]) if t in tok.all_special_ids or t in tok.added_tokens_decoder and tok.added_tokens_decoder[t].special)
                yield {"layout": layout, "examples": len(examples), "text": text, "tokens": begun, "answer": whole[len(begun) : len(begun) + ends + 1]}


def of_folder(folder):
    """What transformers makes of a few chats with every template of a folder."""
    from datetime import datetime

    from transformers.utils.chat_template_utils import _compile_jinja_template

    say = lambda role, content: {"role": role, "content": content}
    asked = [say("user", "Text: I was charged twice.")]
    chats = [
        (asked, True),
        ([say("system", "Which label?"), *asked], True),
        ([say("system", "Which label?"), say("user", "Text: a"), say("assistant", "Label: x"), *asked], True),
        ([say("system", "Which label?"), *asked, say("assistant", "Label: x")], False),
    ]
    expected = []
    for file in sorted(folder.glob("*.jinja")):
        template = _compile_jinja_template(file.read_text())
        # The day that hardcase always tells.
        template.environment.globals["strftime_now"] = datetime(2024, 7, 26).strftime
        for messages, opens in chats:
            names = {"bos_token": "<s>", "eos_token": "</s>", "tools": None, "documents": None, "enable_thinking": False, "thinking": False}
            try:
                text = template.render(messages=messages, add_generation_prompt=opens, **names)
            except Exception:
                text = None
            expected.append({"template": file.name, "turns": [[turn["role"], turn["content"]] for turn in messages], "opens": opens, "text": text})
    assert expected, f"no *.jinja in {folder}"
    (folder / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1))
    print(f"{len({case['template'] for case in expected})} templates, {len(expected)} chats")


def main():
    in_environment()
    if sys.argv[1:2] == ["--templates"]:
        return of_folder(Path(sys.argv[2]))
    data = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("HARDCASE_TEST_DATA", HERE.parent.parent / "shared"))
    folder = HERE / "chat_templates"
    folder.mkdir(exist_ok=True)
    for name, file in MODELS.items():
        tok = tokenizer(data / file)
        layouts = ["user-turn"] if name == "mistral" else ["system-turn", "user-turn"]
        made = {"model": file, "prompt": PROMPT, "examples": EXAMPLES, "cases": list(cases(tok, layouts))}
        lines = ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in made.pop("cases"))
        head = json.dumps(made, ensure_ascii=False, separators=(",", ":"))
        (folder / f"{name}.json").write_text(f'{head[:-1]},"cases":[\n{lines}\n]}}\n')
        print(name, len(lines), repr(tok.decode(json.loads("[" + lines + "]")[0]["tokens"])))


main()
