"""Asks mu and notmuch the searches that they understand as dropkeep does, and explains each difference.

    peers.py MAILDIR WORK    reads JSON lines {kind, query, found, perhaps} on standard input; makes their indexes in WORK

`found` are the SHA-256 of the messages that dropkeep found. Prints a JSON line for each peer and kind: how many queries
were asked, how many had the same answer, the differences by what explains them (RULES), and those that nothing explains.
"""

import collections
import hashlib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import unicodedata

from asking import Index
from reading import ADDRESSES, Message, charset, decoded, filename, octets_of_part, text_of
from words import fold

COMPARED = {"word", "two_words", "phrase", "subject", "subject_phrase", "body", "sender", "period", "size", "prefix"}
# In any case: mu takes these for operators.
OPERATORS = re.compile(r"\b(and|or|not|xor|near|adj)\b", re.I)
RULES = {
    "fields": "it does not search Delivered-To and its like, nor what is attached (nor names of files; notmuch: but of attachments)",
    "pages": "mu reads the plain text alone: of a message in HTML it finds nothing; notmuch reads as text whatever is no attachment",
    "words": "what Xapian takes for one word: 7.3, don't, AT&T, a_b, U.S.A. and c++",
    "accents": "notmuch tells é from e",
    "addresses": "of an address, mu finds the name and the whole address, and not its parts",
    "odd": "of a field with a group, a comment, an address in quotes or no address at all, it finds less",
    "kinds": "notmuch takes the kinds of parts, as text/html, for words",
    "charsets": "mu finds nothing in a text that has bytes beyond ASCII and names no charset, or ASCII, or one that nobody knows",
    "bounds": "its size: includes the bound",
    "date": "it reads a date otherwise that is none by RFC 5322, or takes the time at which it first saw the file",
    "not mail": "it takes the file for no mail",
    "several": "several of these at once",
}
# What is in such a field of addresses: a comment, a group, an address in quotes, no address.
ODD = re.compile(r'\(|:.*;|"[^"]*@[^"]*"|"@|\A[^@]*\Z', re.S)
# A tag as notmuch sees it, which may have an odd number of quotes.
TAG = re.compile(r"<(?:[^'\">]|'[^']*(?:'|\Z)|\"[^\"]*(?:\"|\Z))*(?:>|\Z)")
APOSTROPHES = "'\u2019\u201b"
WORD = re.compile(
    rf"(?<!\w)[A-Z](?:\.[A-Z])+(?:\.(?!\w)|(?![\w.]))|\w+(?:(?:[{APOSTROPHES}&\u00b7]|(?<=\d)[,.;](?=\d))\w+)*(?:[+#]{{1,3}}(?!\w))?")


def xapian(text, accents):
    """The words of a text as Xapian cuts it."""
    found = []
    for word in WORD.findall(text):
        if re.fullmatch(r"(?:[A-Z]\.)+[A-Z]?", word) and len(word) > 2:
            word = word.replace(".", "")
        word = re.sub(f"[{APOSTROPHES}]", "'", word)
        found.append(unicodedata.normalize("NFC", word.lower()) if accents else fold(word))
    return [word for word in found if len(word.encode()) <= 64]


def is_unlabelled(part):
    return charset(part) in (None, "ascii") and not octets_of_part(part).isascii()


def said(part):
    """The text of a part for a program that does not read pages."""
    text = decoded(octets_of_part(part), charset(part))
    return TAG.sub(" ", text) if part.get_content_type() == "text/html" else text


class Seen:
    """A message as a peer sees it, by some of the rules."""

    def __init__(self, message, peer, rules):
        self.date, self.size, self.ids, self.has_attachment = message.date, message.size, message.ids, message.has_attachment
        self.whole, self.has_unread = dict(message.whole), False
        raw = dict(message.raw)
        if "odd" in rules:
            for field, names in ADDRESSES.items():
                if any(name in names and ODD.search(value) for name, value in message.fields):
                    raw[field], self.whole[field] = [], set()
        if "fields" in rules:
            raw |= {"recipient": [], "attachment": [], "list": []}
            named = [part for part in message.parts if peer == "notmuch" and part.get_content_disposition() == "attachment"]
            raw["filename"] = [filename(part, message.likely) or "" for part in named]
        texts = [part for part in message.parts
                 if part.get_content_maintype() == "text" and part.get_content_disposition() != "attachment"]
        if "charsets" in rules and any(map(is_unlabelled, texts)):
            raw["body"] = [text_of(part) for part in texts if not is_unlabelled(part)]
        if "pages" in rules:
            if peer == "mu":
                texts = [part for part in texts if part.get_content_type() == "text/plain"]
            else:
                texts = [part for part in message.parts
                         if part.get_content_disposition() != "attachment" and part.get_content_maintype() != "multipart"]
            raw["body"] = [said(part) for part in texts if "charsets" not in rules or not is_unlabelled(part)]
        if peer == "mu" and "addresses" in rules:
            raw |= {field: [text.rpartition(" ")[0] for text in raw[field]] for field in ("from", "to", "cc", "bcc", "recipient")}
        if peer == "notmuch" and "kinds" in rules:
            raw["filename"] = raw["filename"] + message.kinds
        cut = self.cut(peer, rules)
        self.values = {field: [cut(text) for text in texts] for field, texts in raw.items()}

    @staticmethod
    def cut(peer, rules):
        if "words" in rules:
            return lambda text: xapian(text, peer == "notmuch" and "accents" in rules)
        from words import words

        return words


class Mu:
    name = "mu"

    def __init__(self, maildir, work):
        self.home = os.path.join(work, "mu")
        self.env = dict(os.environ, HOME=work, XDG_CACHE_HOME=work, TZ="UTC")
        self.run("init", f"--maildir={os.path.dirname(maildir)}")
        self.run("index", "--quiet")

    def run(self, command, *arguments):
        return subprocess.run(["mu", command, f"--muhome={self.home}", *arguments], capture_output=True, text=True, env=self.env)

    def ask(self, kind, query):
        if kind == "size":
            field, bound = query.split(":")
            query = f"size:{bound}.." if field == "larger" else f"size:..{bound}"
        answer = self.run("find", "--fields", "l", query)
        # 4: nothing found.
        assert answer.returncode in (0, 2, 4), answer
        return [line for line in answer.stdout.split("\n") if line]


class Notmuch:
    name = "notmuch"

    def __init__(self, maildir, work):
        config = os.path.join(work, "notmuch.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"[database]\npath={os.path.dirname(maildir)}\n[user]\nname=x\nprimary_email=x@example.com\n[new]\ntags=unread\n")
        self.env = dict(os.environ, NOTMUCH_CONFIG=config, TZ="UTC")
        subprocess.run(["notmuch", "new", "--quiet"], capture_output=True, env=self.env, check=True)

    def ask(self, kind, query):
        if kind == "size":
            return None
        # In quotes no word is brought to its stem.
        if kind in ("word", "two_words", "subject", "body"):
            field, colon, said = query.rpartition(":")
            query = " ".join(f'{field}{colon}"{word}"' for word in said.split())
        if kind == "prefix":
            # Without fields it looks among Message-IDs, tags and folders, too.
            query = " or ".join(f"{field}:{query}" for field in ("subject", "from", "to", "attachment", "body"))
        answer = subprocess.run(["notmuch", "search", "--output=files", query], capture_output=True, text=True, env=self.env, check=True)
        return [line for line in answer.stdout.split("\n") if line]


def is_comparable(kind, query):
    if kind not in COMPARED or OPERATORS.search(query):
        return False
    said = query.split(":", 1)[-1] if kind in ("subject", "subject_phrase", "body") else query
    if kind in ("phrase", "subject_phrase"):
        # mu takes whatever stands between spaces for a word of the phrase.
        return re.fullmatch(r'"[^\W_]+( [^\W_]+)*"', said) is not None
    if kind == "prefix":
        return re.fullmatch(r"[^\W_]+\*", said) is not None
    return kind in ("sender", "period", "size") or re.fullmatch(r"[^\W_]+( [^\W_]+)*", said) is not None


class Explaining:
    """Which rule gives a peer's answer."""

    def __init__(self, messages, peer, mail):
        self.messages, self.peer, self.mail = messages, peer, mail
        self.indexes, self.answers = {}, {}

    def found(self, rules, query):
        if (rules, query) not in self.answers:
            self.answers[rules, query] = self.index(rules).ask(query)[0]
        return self.answers[rules, query]

    def index(self, rules):
        if rules not in self.indexes:
            seen = [Seen(message, self.peer, rules) for message in self.messages]
            cut = Seen.cut(self.peer, rules)
            self.indexes[rules] = Index(seen, cut)
        return self.indexes[rules]

    def explain(self, kind, query, number, theirs):
        """The rule for a message that only one of both finds."""
        if number not in self.mail:
            return "not mail"
        if kind == "size":
            bound = int(query.split(":")[1].rstrip("K")) * (1024 if query.endswith("K") else 1)
            return "bounds" if self.messages[number].size == bound else None
        if kind == "period":
            return "date" if self.messages[number].date is None else None
        rules = ["fields", "pages", "words"] + (["addresses", "charsets", "odd"] if self.peer == "mu" else ["accents", "kinds", "odd"])
        for several in [*itertools.combinations(rules, 1), *itertools.combinations(rules, 2), tuple(rules)]:
            if (number in self.found(several, query)) == theirs:
                return several[0] if len(several) == 1 else "several"
        return None


def main():
    maildir, work = os.path.abspath(sys.argv[1]), sys.argv[2]
    digests, messages, numbers = {}, [], {}
    for name in sorted(os.listdir(maildir)):
        with open(os.path.join(maildir, name), "rb") as file:
            octets = file.read()
        digest = hashlib.sha256(octets).hexdigest()
        digests[name] = digest
        if digest not in numbers:
            numbers[digest] = len(messages)
            messages.append(Message(octets))
    asked = [json.loads(line) for line in sys.stdin]
    for peer in (Mu, Notmuch):
        if not shutil.which(peer.name):
            print(json.dumps({"peer": peer.name, "skipped": "it is not installed"}))
            continue
        os.makedirs(os.path.join(work, peer.name), exist_ok=True)
        peer = peer(maildir, os.path.join(work, peer.name))
        found = lambda kind, query: {numbers[digests[os.path.basename(path)]] for path in peer.ask(kind, query)}
        explaining = Explaining(messages, peer.name, found("", "*" if peer.name == "notmuch" else "size:0.."))
        tables = collections.defaultdict(collections.Counter)
        unexplained = collections.defaultdict(list)
        for line in asked:
            kind, query = line["kind"], line["query"]
            if not is_comparable(kind, query) or (kind == "size" and peer.name == "notmuch"):
                continue
            theirs = found(kind, query)
            ours = {numbers[digest] for digest in line["found"]}
            tables[kind]["asked"] += 1
            tables[kind]["same"] += ours == theirs
            for number in sorted(ours ^ theirs):
                rule = explaining.explain(kind, query, number, number in theirs)
                tables[kind][rule or "unexplained"] += 1
                if rule is None:
                    unexplained[kind].append([query, messages[number].digest[:16], "theirs" if number in theirs else "ours"])
        for kind, table in tables.items():
            print(json.dumps({"peer": peer.name, "kind": kind, **table, "list": unexplained[kind]}))


if __name__ == "__main__":
    main()
