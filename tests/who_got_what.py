"""For whom each message of a mailbox is, read with Python's email package.

An independent reading: it shares no line with the program. Reads a file of messages, each as its length in
ASCII, a line end, and the bytes; and a JSON file of the directory and the profile. Prints a JSON line for each
distinct message: its SHA-256, its identity, its users, and the field that decided.
"""

import hashlib
import json
import re
import sys
from email.parser import BytesParser
from email.policy import compat32
from email.utils import getaddresses

ENVELOPE = ["X-Envelope-To", "Envelope-To", "X-Original-To", "Delivered-To", "X-Delivered-To", "X-RCPT-TO"]
# The fields that docs/decisions/identity.md lists.
ADDED_ON_THE_WAY = set("""
    received return-path delivered-to x-original-to envelope-to delivery-date x-received x-delivered-to x-rcpt-to
    authentication-results received-spf status x-status x-uid x-uidl x-keywords x-imap x-imapbase x-mozilla-status
    x-mozilla-status2 x-mozilla-keys x-gmail-labels x-gm-thrid content-length lines
""".split())


def messages(path):
    with open(path, "rb") as file:
        while line := file.readline():
            yield file.read(int(line))


def normalised(text):
    """The one form in which addresses are compared; None for what is not an address."""
    local, at, domain = text.strip().rpartition("@")
    if not at or not local or not domain or re.search(r"\s", domain):
        return None
    domain = domain.rstrip(".").lower()
    try:
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        pass
    return f"{local.lower()}@{domain}"


def readable(value):
    """A field's value as text: email keeps 8-bit bytes as surrogates."""
    return value.encode("ascii", "surrogateescape").decode("utf-8", "replace")


def addresses_of(fields, names):
    """Every address in the fields of these names."""
    names = {name.lower() for name in names}
    found = []
    for name, value in fields:
        if name.lower() in names:
            value = value.replace("\r", "").replace("\n", " ")
            try:
                pairs = getaddresses([value], strict=False)
            except TypeError:  # before the versions that know `strict`
                pairs = getaddresses([value])
            found += [address for address in (normalised(pair[1]) for pair in pairs) if address]
    return found


def without_comments(text):
    before = None
    while before != text:
        before, text = text, re.sub(r"\([^()]*\)", " ", text)
    return text


def received_for(value):
    """The address in the `for` clause of a Received field."""
    clauses = without_comments(value).rsplit(";", 1)[0]
    return re.findall(r"(?i)(?:^|\s)for\s+<?((?:\"[^\"]*\"|[^\s<>;\"])+@[^\s<>;]+)>?", clauses)


class Reader:
    def __init__(self, settings):
        self.use = settings["use"]
        self.own = {normalised(address) for address in settings["own_addresses"]}
        self.users = {}
        for user in settings["users"]:
            for address in user["addresses"]:
                self.users[normalised(address)] = user["name"]

    def user(self, address):
        local, _, domain = address.rpartition("@")
        base = f"{local.partition('+')[0]}@{domain}"
        return self.users.get(address) or self.users.get(base)

    def counted(self, addresses):
        return [address for address in addresses if address not in self.own]

    def recipients(self, fields):
        """The first step that yields an address: its addresses, and what it was."""
        if self.use != "headers":
            received = [at for at, (name, _) in enumerate(fields) if name.lower() == "received"]
            trusted = fields[: received[0]] if received else []
            for name in ENVELOPE:
                if found := self.counted(addresses_of(trusted, [name])):
                    return found, name
            if received:
                found = {normalised(text) for text in received_for(fields[received[0]][1])}
                found = self.counted(sorted(address for address in found if address))
                if len(found) == 1:
                    return found, "Received"
        names = ["Resent-To", "Resent-Cc", "Resent-Bcc", "To", "Cc", "Bcc", "Apparently-To"]
        if found := self.counted(addresses_of(fields, names)):
            return found, "header"
        return [], "none"

    def read(self, message):
        # compat32 keeps fields as they stand; raw_items, unlike items, without guessing charsets.
        parsed = BytesParser(policy=compat32).parsebytes(message, headersonly=True)
        fields = [(name, readable(value)) for name, value in parsed.raw_items()]
        found, decided = self.recipients(fields)
        senders = self.counted(addresses_of(fields, ["From", "Sender", "Resent-From"]))
        users = {self.user(address) for address in found + senders} - {None}
        return sorted(users) or ["@catchall"], decided, found, senders


def identity(message):
    """What copies of one message have in common however they were delivered."""
    text = message.replace(b"\r\n", b"\n")
    text = text[:-1] if text.endswith(b"\n") else text
    header, end, body = text.partition(b"\n\n")
    if text.startswith(b"\n"):
        header, end, body = b"", b"", text
    kept, dropping = [], False
    for line in header.split(b"\n"):
        if line[:1] not in (b" ", b"\t"):
            name = line.partition(b":")[0].rstrip().lower().decode("ascii", "replace")
            dropping = name in ADDED_ON_THE_WAY or name.startswith(("x-envelope-", "arc-"))
        if not dropping:
            kept.append(line)
    return hashlib.sha256(b"\n".join(kept) + end + body).hexdigest()


def main():
    with open(sys.argv[2], encoding="utf-8") as file:
        reader = Reader(json.load(file))
    seen = set()
    for message in messages(sys.argv[1]):
        digest = hashlib.sha256(message).hexdigest()
        if digest in seen:
            continue
        seen.add(digest)
        users, decided, found, senders = reader.read(message)
        line = {
            "sha256": digest,
            "identity": identity(message),
            "users": users,
            "decided": decided,
            "recipients": found,
            "senders": senders,
        }
        # What is not text prints as escapes.
        print(json.dumps(line, ensure_ascii=True))


if __name__ == "__main__":
    main()
