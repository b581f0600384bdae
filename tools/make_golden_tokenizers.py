"""Makes tests/golden/tokenizers: small vocabularies of each tokenizer kind, texts, and the reference's ids.

The vocabulary of `siglip` is that of tests/golden/texts/siglip (make_golden_texts.py), and its ids end in </s>.
Run with an environment that has the packages of tests/golden/requirements.txt.
"""

import argparse
import json
import pathlib
import random
import tempfile

from tokenizers import AddedToken, Tokenizer, normalizers, pre_tokenizers, trainers
from transformers import CLIPTokenizer, GemmaTokenizer, Siglip2Tokenizer, SiglipTokenizer

CORPUS = """a photo of a cat. two dogs playing in the snow; a red bicycle leaning on a wall
the quick brown fox jumps over the lazy dog it's what they've said we'll see i'm don't you'd
un café à la crème naïve façade über straße garçon señor smørrebrød pâté jalapeño
красная машина на улице зелёное дерево ΟΔΥΣΣΕΥΣ οδός 東京の写真 猫と犬 天安门 北京
1234 567 89 $19.99 50% #hashtag @user http://example.org/path?x=1 (parentheses) [brackets]
photo photograph photographer photography photographic dog dogs doggy cat cats catty""".splitlines()

PIECES = ["a photo of ", "cat", "Dogs", " ", "  ", "\t", "\n", "\u00a0", "\u3000", "'s", "'ll", "'LL", "'", "don't",
          "CAFÉ", "cafe\u0301", "é", "e\u0301", "ΟΔΥΣΣΕΥΣ", "İstanbul", "ǅ", "ẞ", "straße", "ﬁ", "½", "²", "٣", "१२", "Ⅷ", "東京",
          "猫", "👩‍👩‍👧", "🙂", "\u200b", "\u200d", "<|startoftext|>", "<|endoftext|>", "<|ENDOFTEXT|>", "<eos>", "<pad>",
          "<bos>", "<unk>", "<mask>", "<start_of_turn>", "\u2581", "▁▁", "1234", "12.5", "$", "!!!", "—", "…", "\u0301", "x\u0308",
          "I", "ı", "K", "Å", "ﷺ", "क्षि", "\U0001d400", "_", "-", "http://x.y", "photographers", "zzzz", "Ω"]


def texts(seed: int, count: int) -> list[str]:
    rng = random.Random(seed)
    made = ["", " ", "a", "a photo of a cat", "A Photo OF a Cat", "  leading and trailing  ", "\n\n", "'s", "it's 5 o'clock"]
    while len(made) < count:
        made.append("".join(rng.choice(PIECES) for _ in range(rng.randint(1, 12))))
    return made


def clip(folder: pathlib.Path) -> Tokenizer:
    reference = CLIPTokenizer()
    tokenizer = reference.backend_tokenizer
    trainer = trainers.BpeTrainer(vocab_size=700, end_of_word_suffix="</w>", show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(CORPUS, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    # Every byte also ends a word, as in the real vocabulary.
    tokens = [t for t in model["vocab"]]
    tokens += [c + "</w>" for c in sorted(pre_tokenizers.ByteLevel.alphabet()) if c + "</w>" not in model["vocab"]]
    tokens = [t for t in tokens if t not in ("<|startoftext|>", "<|endoftext|>")] + ["<|startoftext|>", "<|endoftext|>"]
    made = CLIPTokenizer(vocab={t: i for i, t in enumerate(tokens)}, merges=[tuple(m) for m in model["merges"]])
    made.save_pretrained(folder)
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def gemma(folder: pathlib.Path, kind: type, all_bytes: bool) -> Tokenizer:
    trained = Tokenizer.from_str(GemmaTokenizer().backend_tokenizer.to_str())
    trained.normalizer = normalizers.Sequence([normalizers.Lowercase(), normalizers.Replace(" ", "\u2581")])
    trainer = trainers.BpeTrainer(vocab_size=600, show_progress=False)
    trained.train_from_iterator(CORPUS, trainer)
    model = json.loads(trained.to_str())["model"]
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    byte_tokens = [f"<0x{b:02X}>" for b in range(256) if all_bytes or b % 2 == 0]
    learned = [t for t in model["vocab"] if t not in special]
    vocab = {t: i for i, t in enumerate(special + byte_tokens + learned)}
    made = kind(vocab=vocab, merges=[tuple(m) for m in model["merges"]])
    made.add_tokens([AddedToken("<start_of_turn>", normalized=False), AddedToken("\u2581\u2581", normalized=True)])
    made.save_pretrained(folder)
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def is_tied(tokenizer: SiglipTokenizer, text: str) -> bool:
    """Whether two ways to split it are equally good: rounding decides, and it differs between versions of the library."""
    model = tokenizer.sp_model
    ways = model.nbest_encode(tokenizer.canonicalize_text(text.lower()), nbest_size=2)
    scores = [sum(model.get_score(i) for i in way) for way in ways]
    return len(scores) == 2 and abs(scores[0] - scores[1]) < 1e-4


def write_cases(folder: pathlib.Path, cases: list[tuple[str, list[int]]]) -> None:
    listed = [{"text": text, "ids": ids} for text, ids in cases]
    (folder / "cases.json").write_text(json.dumps(listed, ensure_ascii=True, separators=(",", ":")) + "\n")
    print(folder.name, len(cases), "texts")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default=pathlib.Path(__file__).parents[1] / "tests" / "golden" / "tokenizers", type=pathlib.Path)
    out = parser.parse_args().out
    kinds = {"clip": clip,
             "gemma": lambda folder: gemma(folder, GemmaTokenizer, True),
             "siglip2": lambda folder: gemma(folder, Siglip2Tokenizer, True),
             "gemma_without_some_bytes": lambda folder: gemma(folder, GemmaTokenizer, False)}
    for seed, (name, make) in enumerate(kinds.items()):
        with tempfile.TemporaryDirectory() as scratch:
            tokenizer = make(pathlib.Path(scratch))
            target = out / name
            target.mkdir(parents=True, exist_ok=True)
            file = json.loads((pathlib.Path(scratch) / "tokenizer.json").read_text())
        (target / "tokenizer.json").write_text(json.dumps(file, ensure_ascii=False, separators=(",", ":")) + "\n")
        write_cases(target, [(t, tokenizer.encode(t, add_special_tokens=False).ids) for t in texts(seed, 400)])
    siglip = SiglipTokenizer(str(out.parent / "texts" / "siglip" / "spiece.model"), model_max_length=1 << 20)
    (out / "siglip").mkdir(exist_ok=True)
    long = ["photographers " * 200, "\u00e9\U0001f642\u4e00 " * 100, "1234567890" * 100, "zzzz" * 300]
    short = [t for t in texts(len(kinds), 420) if not is_tied(siglip, t)]
    write_cases(out / "siglip", [(t, siglip(t)["input_ids"]) for t in short + long])


if __name__ == "__main__":
    main()
