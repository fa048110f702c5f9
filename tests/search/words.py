"""Words of a text, as docs/search.md describes them, written from that description.

A word is a run of letters and digits, with marks on them. Scripts that put no spaces between words are cut into pairs of
neighbouring characters, and the last character of a run alone. Words are the same whatever their case and accents.
"""

import re
import unicodedata
from functools import lru_cache

LONGEST = 96
WITHOUT_SPACES = (
    "THAI", "LAO", "MYANMAR", "KHMER", "CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC", "HANGZHOU", "KANGXI",
    "HALFWIDTH KATAKANA", "HALFWIDTH HANGUL",
)
TYPED_OTHERWISE = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ı": "i", "ŧ": "t", "þ": "th", "ŋ": "n",
    "ĸ": "k", "ς": "σ",
}


@lru_cache(maxsize=None)
def is_accent(char):
    """A mark on a letter: accents, and the points of Hebrew and Arabic; not those that make another letter in Japanese."""
    name = unicodedata.name(char, "")
    return unicodedata.category(char) in ("Mn", "Me") and (
        name.startswith(("HEBREW ", "ARABIC ")) or name.startswith("COMBINING ") and "KATAKANA" not in name
    )


@lru_cache(maxsize=None)
def is_invisible(char):
    is_variant = "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"
    return unicodedata.category(char) == "Cf" or char == "\u034f" or is_variant


@lru_cache(maxsize=None)
def kind(char):
    """`pairs`, `word`, `within` (may stand in a word) or `apart`."""
    category, name = unicodedata.category(char), unicodedata.name(char, "")
    is_of_pairs = name.startswith(WITHOUT_SPACES)
    if is_invisible(char) or category[0] == "M" and not is_of_pairs:
        return "within"
    # Radicals are symbols, and stand for letters in PDF files.
    if category[0] in "LNM" or name.startswith("KANGXI"):
        return "pairs" if is_of_pairs else "word"
    return "apart"


@lru_cache(maxsize=1 << 16)
def fold(word):
    """A word as it is compared."""
    if word.isascii():
        return word.lower()[:LONGEST]
    kept = "".join(char for char in word if not is_invisible(char))
    letters = "".join(char for char in unicodedata.normalize("NFKD", kept) if not is_accent(char))
    lower = "".join(char for char in letters.lower() if not is_accent(char))
    folded = "".join(TYPED_OTHERWISE.get(char, char) for char in unicodedata.normalize("NFC", lower))
    return folded.encode()[:LONGEST].decode(errors="ignore")


def words(text):
    """The words of a text in their order."""
    return [fold(word) for word in cut(text)]


def cut(text):
    """The same as they stand in it."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
        text = re.sub("[\uff66-\uff9f]+", lambda run: unicodedata.normalize("NFKC", run[0]), text)
    found, run, pairs = [], "", False
    for char in text + " ":
        is_kind = kind(char)
        if is_kind == "within":
            run += char if run else ""
            continue
        if run and (is_kind == "apart" or (is_kind == "pairs") != pairs):
            found += in_pairs(run) if pairs else [run]
            run = ""
        if is_kind != "apart":
            run, pairs = run + char, is_kind == "pairs"
    return found


def in_pairs(run):
    seen = []
    for char in run:
        if kind(char) == "within":
            seen[-1] += char
        else:
            seen.append(char)
    return ["".join(seen[at : at + 2]) for at in range(len(seen))]
