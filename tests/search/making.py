"""Queries made from the mail itself, the same each time: fifty of each of twenty kinds."""

import random
import re
import unicodedata
from datetime import datetime, timezone

from words import cut, kind

OF_EACH = 50


class Maker:
    def __init__(self, messages, seed):
        self.messages = messages
        self.random = random.Random(seed)
        self.letters = sorted({value for message in messages for value in self.foreign(message)})

    def queries(self):
        """Their texts, each with the name of its kind."""
        kinds = [self.word, self.two_words, self.three_words, self.phrase, self.subject, self.body, self.subject_phrase, self.sender,
                 self.domain, self.recipient, self.address, self.period, self.before_or_after, self.size, self.prefix, self.inner,
                 self.otherwise_written, self.without, self.either, self.rest]
        for make in kinds:
            made = set()
            for _ in range(1000):
                if len(made) < OF_EACH and (query := make()):
                    made.add(query)
            # A mailbox without such mail yields fewer: others of the first kind make up for them.
            for query in sorted(made):
                yield make.__name__, query

    def message(self):
        return self.random.choice(self.messages)

    def foreign(self, message):
        """Words in a script without spaces, or with accents."""
        for field in ("subject", "body"):
            for text in message.raw[field]:
                if not text.isascii():
                    for run in re.findall(r"\w+", text[:20_000]):
                        if not run.isascii() and 1 < len(run) < 30 and "�" not in run:
                            yield run

    def text(self, field, message=None):
        return self.random.choice((message or self.message()).raw[field] or [""])

    def words_of(self, field, message=None):
        """Words as they stand in a value of a message."""
        return [word for word in cut(self.text(field, message)[:50_000]) if len(word) < 60]

    def a_word(self, field=None, message=None):
        words = self.words_of(field or self.random.choice(["subject", "body", "body", "from"]), message)
        return self.plain(self.random.choice(words)) if words else None

    @staticmethod
    def plain(word):
        """A word that the language does not take for something else."""
        return None if word in ("OR", "NOT", "AND") else word

    def all_of(self, makers):
        made = [make() for make in makers]
        return " ".join(made) if all(made) else None

    def word(self):
        return self.a_word()

    def two_words(self):
        message = self.message()
        return self.all_of([lambda: self.a_word(message=message)] * 2)

    def three_words(self):
        message = self.message()
        return self.all_of([lambda: self.a_word("body", message)] * 3)

    def phrase(self, field="body"):
        """Two to five words in a row with what stands between them."""
        text = self.text(field)[:50_000]
        words = list(re.finditer(r"\w+", text))
        if len(words) < 2:
            return None
        first = self.random.randrange(len(words) - 1)
        last = min(len(words) - 1, first + self.random.randint(1, 4))
        said = text[words[first].start() : words[last].end()]
        said = re.sub(r'[\s"\\]+', " ", said)
        return f'"{said}"' if len(said) < 200 and said.isprintable() else None

    def subject(self):
        word = self.a_word("subject")
        return word and f"subject:{word}"

    def body(self):
        word = self.a_word("body")
        return word and f"body:{word}"

    def subject_phrase(self):
        phrase = self.phrase("subject")
        return phrase and f"subject:{phrase}"

    def an_address(self, field):
        wholes = sorted(whole for whole in self.message().whole[field] if not whole.startswith("@"))
        whole = self.random.choice(wholes) if wholes else None
        return whole if whole and re.fullmatch(r"[\w.+=-]+@[\w.-]+", whole) else None

    def sender(self):
        address = self.an_address("from")
        return address and f"from:{address}"

    def domain(self):
        """A domain of an address or one above it."""
        field = self.random.choice(["from", "to", "recipient", "list", "cc"])
        wholes = sorted(whole for whole in self.message().whole[field] if whole.startswith("@"))
        domain = self.random.choice(wholes) if wholes else ""
        if not re.fullmatch(r"@[\w.-]+\.[a-z]{2,}", domain):
            return None
        return f"{field}:{self.random.choice([domain, domain[1:]])}"

    def recipient(self):
        field = self.random.choice(["to", "cc", "recipient", "list"])
        said = self.a_word(field) if self.random.random() < 0.5 else self.an_address(field)
        return said and f"{field}:{said}"

    def address(self):
        return self.an_address(self.random.choice(["from", "to", "recipient"]))

    def day(self):
        second = self.message().date
        return second and datetime.fromtimestamp(max(0, second), timezone.utc)

    def period(self):
        first, last = self.day(), self.day()
        if not first or not last:
            return None
        form = self.random.choice(["%Y", "%Y-%m", "%Y-%m-%d"])
        first, last = sorted([first.strftime(form), last.strftime(form)])
        return f"date:{self.random.choice([first, f'{first}..{last}'])}"

    def before_or_after(self):
        day, word = self.day(), self.a_word()
        return day and word and f"{word} {self.random.choice(['before', 'after'])}:{day:%Y-%m-%d}"

    def size(self):
        size = max(1, self.message().size + self.random.randint(-1, 1))
        bound = self.random.choice([f"{size}", f"{size // 1024 + 1}K"])
        return f"{self.random.choice(['larger', 'smaller'])}:{bound}"

    def prefix(self):
        word = self.a_word()
        if not word or len(word) < 3 or kind(word[0]) == "pairs":
            return None
        return word[: self.random.randint(2, len(word))] + "*"

    def inner(self):
        """One letter, or any number of them, in the middle of a word."""
        word = self.a_word("subject")
        if not word or len(word) < 4 or kind(word[0]) == "pairs" or not word.isascii():
            return None
        at = self.random.randrange(2, len(word))
        wild = self.random.choice([word[:at] + "?" + word[at + 1 :], word[:at] + "*" + word[at + 1 :]])
        return f"subject:{wild}"

    def otherwise_written(self):
        """With other accents, in other cases; and in scripts without spaces, a piece of what stands there."""
        if not self.letters:
            return None
        word = self.random.choice(self.letters)
        if kind(word[0]) == "pairs":
            at = self.random.randrange(len(word))
            return word[at : at + self.random.randint(1, 4)]
        bare = "".join(char for char in unicodedata.normalize("NFD", word) if not unicodedata.combining(char))
        return self.random.choice([word.upper(), word.lower(), bare, unicodedata.normalize("NFD", word)])

    def without(self):
        word, other = self.a_word(), self.random.choice([self.a_word("body"), self.sender(), self.subject()])
        return word and other and f"{word} {self.random.choice(['-', 'NOT '])}{other}"

    def either(self):
        words = [self.a_word() for _ in range(4)]
        if not all(words):
            return None
        one, two, three, four = words
        return self.random.choice([
            f"{one} OR {two}",
            f"{one} {two} OR {three} {four}",
            f"({one} OR {two}) ({three} OR {four})",
            f"{one} -({two} OR subject:{three})",
            f"({one} OR ({two} -{three})) NOT {four}",
        ])

    def rest(self):
        """Names of files, codes and web addresses as they stand there, Message-IDs, and whether something is attached."""
        message = self.message()
        which = self.random.randrange(4)
        if which == 0:
            word = self.a_word("filename", message)
            return word and f"filename:{word}"
        if which == 1:
            return f"message-id:{message.ids[0]}" if message.ids and re.fullmatch(r"[\w.@$+-]+", message.ids[0]) else None
        if which == 2:
            word = self.a_word("subject", message)
            return word and f"{word} has:attachment"
        codes = re.findall(r"(?<!\S)[A-Za-z0-9]+(?:[/_+=&%#'.-]+[A-Za-z0-9]+)+(?!\S)", self.text("body", message)[:20_000])
        return self.random.choice(codes) if codes else None
