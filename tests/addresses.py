"""The addresses in every To, Cc and From field of a mailbox, read with Python's email package.

An independent reading: it shares no line with the program. Reads a file of messages, each as its length in ASCII,
a line end, and the bytes. Prints a JSON line for each: its fields in their order, each with its name, and its
addresses as `email.utils` and as `email.headerregistry` find them (null where that one gives up).
"""

import json
import re
import sys
from email.headerregistry import HeaderRegistry
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import getaddresses

FIELDS = {"to", "cc", "from"}
# What needs no quotes in a local part (RFC 5322, 3.2.3), letters beyond ASCII among it (RFC 6532); dots wherever servers
# take them.
PLAIN = re.compile(r"(?:[\w!#$%&'*+/=?^`{|}~.-]|[^\x00-\x7f\s])+")


def messages(path):
    with open(path, "rb") as file:
        while line := file.readline():
            yield file.read(int(line))


def around(text):
    """Without what some programs write around an address."""
    text = text.strip()
    if text[:1] == text[-1:] == "'":
        text = text[1:-1]
    if text[:1] == "[" and text[-1:] == "]":
        text = re.sub("^[A-Za-z0-9]*:", "", text[1:-1])
    return text.rstrip("'")


def normalised(text):
    """The one form in which addresses are compared; None for what is not an address."""
    local, at, domain = around(text).rpartition("@")
    domain = domain.rstrip(".")
    if not at or not local or not domain or re.search(r"[\s\x00-\x1f\x7f\"<>(),;]", domain):
        return None
    quoted = re.fullmatch(r'"((?:[^"\\]|\\.)*)"', local, re.DOTALL)
    text = re.sub(r"\\(.)", r"\1", quoted[1], flags=re.DOTALL) if quoted else local
    if PLAIN.fullmatch(text):
        local = text
    elif quoted or not re.search(r'["\\]', local):
        local = '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'
    try:
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        pass
    return f"{local.lower()}@{domain.lower()}"


def readable(value):
    """A field's value as text: email keeps 8-bit bytes as surrogates."""
    return value.encode("ascii", "surrogateescape").decode("utf-8", "replace")


def addresses(found):
    return [address for address in map(normalised, found) if address]


def by_utils(value):
    try:
        pairs = getaddresses([value], strict=False)
    except TypeError:  # before the versions that know `strict`
        pairs = getaddresses([value])
    return addresses(pair[1] for pair in pairs)


def by_registry(registry, name, value):
    try:
        return addresses(address.addr_spec for address in registry(name, value).addresses)
    except Exception:  # it does over some broken values
        return None


def main():
    registry = HeaderRegistry()
    for message in messages(sys.argv[1]):
        # compat32 keeps fields as they stand; raw_items, unlike items, without guessing charsets.
        parsed = BytesHeaderParser(policy=compat32).parsebytes(message)
        fields = []
        for name, value in parsed.raw_items():
            if name.lower() in FIELDS:
                value = re.sub(r"[\r\n]", "", readable(value))
                fields.append([name.lower(), by_utils(value), by_registry(registry, name, value)])
        # What is not text prints as escapes.
        print(json.dumps(fields, ensure_ascii=True))


if __name__ == "__main__":
    main()
