"""The language of searches: a query is parsed and answered with the messages that it finds.

An answer has two sets: the messages that are found for certain, and those of which this reader cannot say it, because
they hold what it does not read (an attachment, a date).
"""

import datetime
import re
from collections import defaultdict

from reading import ANYWHERE, fold_all, unicode_domain
from words import fold, words

TOKEN = re.compile(r'\s*(\(|\)|-(?=\S)|(?:[a-z-]+:)?"[^"]*"|[^\s()]+)')
FIELD = re.compile(r"(from|to|cc|bcc|recipient|subject|body|filename|attachment|has|before|after|date|larger|smaller|list|"
                   r"message-id):(.*)", re.S)
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


class Index:
    """Of all messages: where each word stands."""

    def __init__(self, messages, words=words):
        self.messages = messages
        self.words = words
        self.all = frozenset(range(len(messages)))
        self.none = frozenset()
        self.of_word = defaultdict(lambda: defaultdict(set))
        self.of_whole = defaultdict(lambda: defaultdict(set))
        for number, message in enumerate(messages):
            for field, values in message.values.items():
                for word in {word for value in values for word in value}:
                    self.of_word[field][word].add(number)
            for field, wholes in message.whole.items():
                for whole in wholes:
                    self.of_whole[field][whole].add(number)
        self.unread = frozenset(number for number, message in enumerate(messages) if message.has_unread)
        self.undated = frozenset(number for number, message in enumerate(messages) if message.date is None)

    def ask(self, query):
        tokens = TOKEN.findall(query)
        answer, rest = self.either(tokens)
        assert not rest, (query, rest)
        return answer

    def either(self, tokens):
        (yes, perhaps), tokens = self.both(tokens)
        while tokens and tokens[0] == "OR":
            (also, also_perhaps), tokens = self.both(tokens[1:])
            yes, perhaps = yes | also, perhaps | also_perhaps
        return (yes, perhaps - yes), tokens

    def both(self, tokens):
        yes, possible = self.all, self.all
        while tokens and tokens[0] not in (")", "OR"):
            (one, one_perhaps), tokens = self.one(tokens)
            yes, possible = yes & one, possible & (one | one_perhaps)
        return (yes, possible - yes), tokens

    def one(self, tokens):
        head, tokens = tokens[0], tokens[1:]
        if head in ("-", "NOT"):
            (yes, perhaps), tokens = self.one(tokens)
            return (self.all - yes - perhaps, perhaps), tokens
        if head == "(":
            answer, tokens = self.either(tokens)
            return answer, tokens[1:]
        return self.term(head), tokens

    def term(self, term):
        field, text = "", term
        if found := FIELD.fullmatch(term):
            field, text = found.groups()
        if field in ("before", "after", "date"):
            return self.dated(field, text)
        if field in ("larger", "smaller"):
            bound = int(text.rstrip("KMG")) * UNITS[text.lstrip("0123456789")]
            is_such = (lambda size: size > bound) if field == "larger" else (lambda size: size < bound)
            return self.such(lambda message: is_such(message.size)), self.none
        if field == "has":
            return self.such(lambda message: message.has_attachment), self.none
        if field == "message-id":
            return self.such(lambda message: text.strip("<>") in message.ids), self.none
        fields = [field] if field else ANYWHERE
        yes = frozenset().union(*(self.in_field(one, text) for one in fields))
        return yes, (self.unread - yes if "attachment" in fields else self.none)

    def such(self, is_such):
        return frozenset(number for number, message in enumerate(self.messages) if is_such(message))

    def dated(self, field, text):
        begin, end = period(text.split("..")[0]) if text else (None, None)
        if ".." in text:
            last = text.split("..")[1]
            begin, end = (begin if text.split("..")[0] else None), (period(last)[1] if last else None)
        elif field == "before":
            begin, end = None, begin
        elif field == "after":
            begin, end = begin, None
        within = lambda second: second is not None and (begin is None or begin <= second) and (end is None or second < end)
        return self.such(lambda message: within(message.date)), self.undated

    def in_field(self, field, text):
        is_phrase = text.startswith('"')
        text = text.strip('"')
        if not is_phrase and ("*" in text or "?" in text):
            pattern = re.compile(".*".join(".".join(re.escape(fold(piece)) for piece in part.split("?")) for part in text.split("*")),
                                 re.S)
            found = (numbers for word, numbers in self.of_word[field].items() if pattern.fullmatch(word))
            return frozenset().union(*found)
        if field in self.messages[0].whole and not is_phrase:
            wholes = wholes_of(text)
            if wholes:
                return frozenset().union(*(self.of_whole[field].get(whole, ()) for whole in wholes))
        row = self.words(text)
        if not row:
            return self.none
        single = len(row) == 1 and len(row[0]) == 1 and len(self.words(row[0] + row[0])) == 2
        if single:
            # One character of a script in pairs: any pair that begins with it.
            found = (numbers for word, numbers in self.of_word[field].items() if word.startswith(row[0]))
            return frozenset().union(*found)
        # The row may end within a run of a script in pairs.
        is_open = len(row[-1]) == 1 and len(self.words(row[-1] + row[-1])) == 2
        if len(row) > 1 and is_open and len(row[-2]) == 2 and row[-2][1] == row[-1]:
            row, is_open = row[:-1], False
        having = [self.of_word[field].get(word, set()) for word in row[: -1 if is_open else None]]
        candidates = set.intersection(*map(set, having))
        return frozenset(number for number in candidates if self.in_a_row(number, field, row, is_open))

    def in_a_row(self, number, field, row, is_open):
        if len(row) == 1:
            return True
        whole = row[: -1 if is_open else None]
        for value in self.messages[number].values[field]:
            at = -1
            while row[0] in value[at + 1 :]:
                at = value.index(row[0], at + 1)
                last = value[at + len(whole) : at + len(row)]
                if value[at : at + len(whole)] == whole and (not is_open or last and last[0].startswith(row[-1])):
                    return True
        return False


def wholes_of(text):
    """What a term asks for whole: an address, the @ and a domain, or a local part and the @; nothing where it asks for words."""
    local, at, domain = text.rpartition("@")
    if at and not domain:
        return [fold_all(local) + "@"]
    if at:
        return [fold_all(f"{local}@{unicode_domain(domain)}")]
    if re.fullmatch(r"[^@\s/]+\.[^\W\d_]{2,}", text):
        return ["@" + fold_all(unicode_domain(text)), fold_all(text) + "@"]
    return []


def period(text):
    """The seconds since 1970 in UTC with which a year, a month or a day begins, and the next one."""
    numbers = [int(number) for number in text.split("-")]
    begin = datetime.datetime(*(numbers + [1, 1])[:3], tzinfo=datetime.timezone.utc)
    if len(numbers) == 1:
        end = begin.replace(year=begin.year + 1)
    elif len(numbers) == 2:
        end = (begin + datetime.timedelta(days=32)).replace(day=1)
    else:
        end = begin + datetime.timedelta(days=1)
    return int(begin.timestamp()), int(end.timestamp())
