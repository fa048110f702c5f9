"""Messages as they are searched, read with Python's email package: each field a list of values, each value a list of words.

An independent reading: it shares no line with the program.
"""

import codecs
import hashlib
import html
import re
from datetime import timedelta, timezone
from email.header import decode_header
from email.parser import BytesParser
from email.policy import compat32
from email.utils import getaddresses, parsedate_to_datetime
from html.parser import HTMLParser

from words import fold, words

ADDRESSES = {"from": ["from"], "to": ["to"], "cc": ["cc"], "bcc": ["bcc"], "list": ["list-id", "list-post"]}
ENVELOPE = ["x-envelope-to", "envelope-to", "x-original-to", "delivered-to", "x-delivered-to", "x-rcpt-to"]
RECIPIENT = ENVELOPE + ["to", "cc", "bcc"]
TEXTS = ["subject", "body", "filename", "attachment"]
ANYWHERE = ["subject", "from", "to", "cc", "bcc", "recipient", "body", "filename", "attachment"]
# What may stand in a line of text without ending a word.
INLINE = set("a abbr acronym b bdo big cite code del dfn em font i ins kbd mark nobr q s samp small span strike strong sub sup tt u "
             "var wbr".split())


class Message:
    def __init__(self, octets):
        self.digest = hashlib.sha256(octets).hexdigest()
        self.size = len(octets)
        parsed = BytesParser(policy=compat32).parsebytes(octets)
        self.kinds = [part.get_content_type() for part in parsed.walk()]
        self.parts = [part for part in parsed.walk() if not part.is_multipart()]
        self.likely = next((name for name in map(charset, self.parts) if name), None)
        self.fields = [(name.lower(), value) for name, value in parsed.raw_items()]
        self.date = date(self.first("date"))
        self.ids = [re.sub(r"[<>\s]", "", value) for name, value in self.fields if name == "message-id"][:1]
        # By the name of a field: its values, each a list of words; the same of whole addresses and domains.
        self.values = {name: [] for name in [*ADDRESSES, "recipient", *TEXTS]}
        self.whole = {name: set() for name in [*ADDRESSES, "recipient"]}
        self.raw = {name: [] for name in self.values}
        # An attachment that only the program reads.
        self.has_unread = False
        self.has_attachment = False
        self.read_header()
        self.read_parts(parsed)

    def first(self, wanted):
        return next((value for name, value in self.fields if name == wanted), None)

    def put(self, field, text):
        self.raw[field].append(text)
        self.values[field].append(words(text))

    def read_header(self):
        subject = self.first("subject")
        if subject is not None:
            self.put("subject", readable(subject, self.likely))
        for field, names in [*ADDRESSES.items(), ("recipient", RECIPIENT)]:
            for name, value in self.fields:
                if name in names:
                    self.read_addresses(field, value)

    def read_addresses(self, field, value):
        if "@" not in value and "=?" not in value:
            # Nobody is named, and what stands there is found as it stands.
            self.put(field, readable(value, self.likely))
            return
        for name, address in pairs(value):
            name, address = readable(name, self.likely), readable(address, self.likely)
            # Delivered-To: mailing list dev@example.org
            words_before, _, address = address.rpartition(" ") if '"' not in address else ("", "", address)
            name = f"{name} {words_before}"
            local, at, domain = address.rpartition("@")
            domain = unicode_domain(domain.rstrip("."))
            self.put(field, f"{name} {local}{at}{domain}")
            # People put addresses into names, too.
            for local, domain in [(local, domain), *re.findall(r"([\w.+=-]+)@(\w[\w.-]*\w)", name)]:
                if not local or not domain:
                    continue
                self.whole[field].update([fold_all(f"{local}@{domain}"), fold_all(local) + "@"])
                labels = fold_all(domain).split(".")
                self.whole[field].update("@" + ".".join(labels[at:]) for at in range(len(labels) - 1))

    def read_parts(self, parsed):
        for place, part in enumerate(leaves(parsed)):
            kind, name = part.get_content_type(), filename(part, self.likely)
            if name:
                self.put("filename", name)
            is_attached = part.get_content_disposition() == "attachment"
            self.has_attachment |= is_attached or name is not None
            # What says that it has parts, and has none, is text.
            is_text = kind in ("text/plain", "text/html") or kind.startswith("multipart/")
            if is_text and not is_attached and (not name or place == 0):
                self.put("body", text_of(part))
            else:
                text = text_of_file(part, kind, name or "")
                if text is None:
                    self.has_unread = True
                elif text:
                    self.put("attachment", text)


def leaves(entity):
    """The parts that are no multipart; an enclosed message is one."""
    if entity.get_content_maintype() != "multipart" or not entity.is_multipart():
        return [entity]
    return [leaf for part in entity.get_payload() for leaf in leaves(part)]


NO_TEXT = ("image/", "audio/", "video/", "font/", "application/pgp-")
# What programs write that do not know what they send.
ANYTHING = ("application/octet-stream", "application/binary", "application/unknown", "text/plain")
NAMES_OF_SIGNATURES = (".asc", ".sig", ".gpg", ".pgp", ".p7s", ".p7m", ".pem", ".crt", ".key")


def text_of_file(part, kind, name):
    """What an attachment says; None where it is a file that this reader does not open."""
    if kind == "message/rfc822":
        inner = part.get_payload()
        return "\n".join(nested(inner[0])) if isinstance(inner, list) and inner else ""
    if kind.startswith("message/") and isinstance(part.get_payload(), list):
        return "\n".join(str(inner) for inner in part.get_payload())
    if kind.startswith(NO_TEXT):
        return ""
    octets = octets_of_part(part)
    is_packed = octets.startswith((b"PK", b"{\\rtf", b"\xd0\xcf\x11\xe0", b"\x78\x9f\x3e\x22")) or b"%PDF-" in octets[:1024]
    if is_packed or (kind in ANYTHING and name.lower().endswith((".htm", ".html", ".eml"))):
        return None
    if kind in ANYTHING and name.lower().endswith(NAMES_OF_SIGNATURES):
        return ""
    if not kind.startswith(("text/", "message/")) and kind not in ANYTHING:
        return None
    # Characters that no text has.
    odd = sum(octet < 32 and octet not in b"\t\n\r\x0b\x0c\x1b" or octet == 127 for octet in octets[:4096])
    return "" if odd * 100 > len(octets[:4096]) else text_of(part)


def charset(part):
    try:
        name = part.get_content_charset()
        return codecs.lookup(name).name if name and part.get_content_maintype() == "text" else None
    except (LookupError, ValueError, UnicodeError):
        return None


# What the web reads for these, which is more than they say.
WIDER = {"ascii": None, "iso8859-1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949"}


def decoded(octets, name):
    """Bytes as text: in the charset they say, in UTF-8, or as the web takes them for."""
    name = WIDER.get(name, name)
    for attempt in [name or "utf-8", "utf-8"]:
        try:
            return octets.decode(attempt)
        except (LookupError, UnicodeError):
            pass
    return octets.decode("cp1252" if name in (None, "utf-8") else name, "replace")


def octets_of(value):
    return value.encode("ascii", "surrogateescape") if isinstance(value, str) else value


def readable(value, likely):
    """What a field says: encoded words, and bytes beyond ASCII that stand there as they are."""
    value = re.sub(r"\r?\n[ \t]", " ", value).replace("\r", " ").replace("\n", " ")
    try:
        text = decoded(octets_of(value), None)
    except UnicodeEncodeError:
        text = value
    if any("\udc80" <= char <= "\udcff" for char in value):
        octets = octets_of(value)
        try:
            text = octets.decode()
        except UnicodeDecodeError:
            text = decoded(octets, likely)
    elif "\x1b$" in value:
        text = octets_of(value).decode("iso2022_jp", "replace")
    if "=?" not in text:
        return text
    said = []
    try:
        for piece, name in decode_header(text):
            try:
                name = codecs.lookup(name).name if name else None
            except LookupError:
                name = None
            said.append(decoded(piece, name) if isinstance(piece, bytes) else piece)
    except Exception:
        return text
    return "".join(said)


def pairs(value):
    value = re.sub(r"[\r\n]+", " ", value)
    # List-Post says what to do: <mailto:list@example.org>.
    value = re.sub(r"<mailto:", "<", value, flags=re.I)
    try:
        return getaddresses([value], strict=False)
    except TypeError:  # before the versions that know `strict`
        return getaddresses([value])


def unicode_domain(domain):
    try:
        return ".".join(
            label.encode().decode("idna") if label.lower().startswith("xn--") else label for label in domain.split("."))
    except UnicodeError:
        return domain


def fold_all(text):
    return re.sub(r"[^\W_]+", lambda word: fold(word[0]), text.lower())


def date(value):
    """Seconds since 1970; None where nothing says it clearly: no zone, or one that is nowhere."""
    try:
        read = parsedate_to_datetime(value)
        if read.tzinfo is None:
            read = read.replace(tzinfo=timezone.utc) if "-0000" in value else None
        is_clear = read and read.year > 1970 and abs(read.utcoffset()) <= timedelta(hours=14)
        return int(read.timestamp()) if is_clear else None
    except (TypeError, ValueError, OverflowError, IndexError, AttributeError):
        return None


def filename(part, likely):
    try:
        name = part.get_filename()
    except Exception:
        return None
    return readable(str(name), likely) if name else None


def octets_of_part(part):
    try:
        return part.get_payload(decode=True) or b""
    except Exception:
        return b""


def text_of(part):
    octets, name = octets_of_part(part), charset(part)
    if part.get_content_type() != "text/html":
        return decoded(octets, name)
    said = re.search(rb"charset\s*=\s*[\"']?([\w-]+)", octets[:1024])
    if not name and said:
        try:
            name = codecs.lookup(said[1].decode()).name
        except LookupError:
            pass
    return page(decoded(octets, name))


def nested(message):
    """What an enclosed message says: its subject, whom it names, its date, its texts, and its files."""
    said = []
    for name, value in message.raw_items():
        if name.lower() in ("subject", "from", "to", "cc", "date"):
            said.append(readable(value, None))
    for part in leaves(message):
        name = filename(part, None) or ""
        is_text = part.get_content_type() in ("text/plain", "text/html")
        said += [name, text_of(part) if is_text else text_of_file(part, part.get_content_type(), name) or ""]
    return said


class Page(HTMLParser):
    """What a person reads of a page, and behind it where its links lead."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.said, self.links, self.silent = [], [], 0

    def handle_starttag(self, tag, attributes):
        self.silent += tag in ("script", "style")
        self.said.append("" if tag in INLINE else " ")
        for name, value in attributes:
            if name == "alt" and value:
                self.said.append(f" {value} ")
            found = re.match(r"\s*(?:(https?|ftp)|(?:mailto|tel)):(.*)", value or "", re.S | re.I)
            if name == "href" and tag in ("a", "area") and found:
                self.links.append((found[1] + ":" if found[1] else "") + found[2])

    handle_startendtag = handle_starttag

    def handle_endtag(self, tag):
        self.silent = max(0, self.silent - (tag in ("script", "style")))
        self.said.append("" if tag in INLINE else " ")

    def handle_data(self, data):
        if not self.silent:
            self.said.append(data)


def page(text):
    """A page as it is read, without script and style."""
    reader = Page()
    try:
        reader.feed(text)
        reader.close()
    except Exception:
        return html.unescape(re.sub(r"<[^>]*>", " ", text))
    return "\n".join(["".join(reader.said), *reader.links])
