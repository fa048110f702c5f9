"""What a message says, read with Python's email package and its codecs.

An independent reading: it shares no line with the program.

    shown.py make FOLDER    writes messages in many charsets there, and prints a JSON line for each: its file, and what it says
    shown.py read FOLDER    prints a JSON line for each message there: its SHA-256, and which of its parts were read whole
"""

import base64
import hashlib
import html
import json
import os
import sys
from email.header import decode_header, make_header
from email.parser import BytesParser
from email.policy import compat32
from urllib.parse import quote

GREETINGS = {
    "Grüße aus Köln": """iso-8859-1 iso-8859-15 windows-1252 cp1252 latin1 ibm437:cp437 cp437 ibm850:cp850 cp850 cp858 ibm852:cp852
        cp852 cp857 cp861 cp863 cp865 macintosh:mac_roman x-mac-roman:mac_roman x-mac-ce:mac_latin2 iso-8859-2 iso-8859-9
        iso-8859-10 iso-8859-14 iso-8859-16 windows-1250 windows-1254 windows-1257 cp775 utf-8 utf-7 unicode-1-1-utf-7:utf-7
        utf-16 utf-16le utf-16be unknown-8bit:latin1 x-unknown:utf-8 default:latin1 us-ascii:latin1 utf8 gb18030""",
    "Привет из Москвы": """koi8-r koi8-u windows-1251 cp1251 iso-8859-5 ibm866:cp866 cp866 cp855 x-mac-cyrillic:mac_cyrillic
        utf-8 utf-7 gb2312 shift_jis euc-jp""",
    "Γειά σου": "iso-8859-7 windows-1253 cp737 x-mac-greek:mac_greek",
    "שלום": "iso-8859-8 iso-8859-8-i:iso8859_8 windows-1255 cp862",
    "مرحبا": "iso-8859-6 windows-1256 cp720",
    "สวัสดี": "tis-620 iso-8859-11 windows-874:cp874 cp874",
    "şğı": "iso-8859-9 windows-1254 iso-8859-3 cp857 x-mac-turkish:mac_turkish",
    "こんにちは、世界": """iso-2022-jp iso-2022-jp-1:iso2022_jp_1 iso-2022-jp-2:iso2022_jp_2 iso-2022-jp-3:iso2022_jp_3
        iso-2022-jp-ext:iso2022_jp_ext cp50220:iso2022_jp cp50221:iso2022_jp shift_jis x-sjis:shift_jis cp932 windows-31j:cp932
        ms932 euc-jp x-euc-jp:euc_jp cp51932:euc_jp utf-8 utf-16 gb18030""",
    "안녕하세요": """euc-kr ks_c_5601-1987 ksc5601:euc_kr cp949 uhc:cp949 ms949 windows-949:cp949 iso-2022-kr utf-8 utf-7
        iso-2022-jp-2:iso2022_jp_2""",
    "你好，世界": "gb2312 gbk gb18030 cp936 hz-gb-2312:hz x-gbk:gbk utf-8 utf-7 iso-2022-jp-2:iso2022_jp_2",
    "你好臺灣": "big5 x-big5:big5 cp950 big5-hkscs:big5hkscs big5hkscs utf-8",
}


def folded(label, octets):
    """Encoded words of few bytes each: characters are cut."""
    if octets[:1] in (b"\x1b", b"~", b"+", b"\xff") or b"\x1b" in octets or b"\x0e" in octets:
        pieces = [octets]
    else:
        pieces = [octets[at : at + 7] for at in range(0, len(octets), 7)]
    return "\r\n ".join(f"=?{label}?B?{base64.b64encode(piece).decode()}?=" for piece in pieces)


def make(folder):
    count = 0
    for text, labels in GREETINGS.items():
        for entry in labels.split():
            label, _, codec = entry.partition(":")
            try:
                octets = text.encode(codec or label)
            except (LookupError, UnicodeEncodeError):
                continue
            count += 1
            path = os.path.join(folder, f"{count:03}.eml")
            header = (
                f"From: {folded(label, octets)} <s@sender.example>\r\nTo: jane@example.com\r\n"
                f"Subject: {folded(label, octets)}\r\nMessage-ID: <{count}@sender.example>\r\nMIME-Version: 1.0\r\n"
                "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
                f"--b\r\nContent-Type: text/plain; charset=\"{label}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                f"{base64.b64encode(octets).decode()}\r\n"
                f"--b\r\nContent-Type: application/octet-stream\r\n"
                f"Content-Disposition: attachment; filename*={label}''{quote(octets, safe='')}\r\n\r\nx\r\n--b--\r\n"
            )
            with open(path, "wb") as file:
                file.write(header.encode())
            print(json.dumps({"sha256": hashlib.sha256(header.encode()).hexdigest(), "label": label, "text": text}))


def whole(text):
    return "\ufffd" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def read_header(message, names):
    """Whether every field of these names is read whole."""
    for name, value in message.items():
        if name.lower() in names and not whole(str(make_header(decode_header(value)))):
            return False
    return True


def read_text(message):
    for part in message.walk():
        if part.get_content_maintype() == "text":
            octets = part.get_payload(decode=True) or b""
            text = octets.decode(part.get_content_charset() or "ascii")
            if not whole(text) or not whole(html.unescape(text)):
                return False
    return True


def read_names(message):
    for part in message.walk():
        name = part.get_filename()
        if name and not whole(str(make_header(decode_header(name)))):
            return False
    return True


def attempt(read, *arguments):
    """What cannot be read is not read whole."""
    try:
        return read(*arguments)
    except Exception:
        return False


def read(folder):
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            octets = file.read()
        message = BytesParser(policy=compat32).parsebytes(octets)
        raw = [value for _, value in message.raw_items()]
        print(json.dumps({
            "sha256": hashlib.sha256(octets).hexdigest(),
            "from": attempt(read_header, message, ["from"]),
            "to": attempt(read_header, message, ["to"]),
            "cc": attempt(read_header, message, ["cc"]),
            "subject": attempt(read_header, message, ["subject"]),
            "headers": all(isinstance(value, str) and whole(value) for value in raw),
            "text": attempt(read_text, message),
            "parts": attempt(read_names, message),
        }))


{"make": make, "read": read}[sys.argv[1]](sys.argv[2])
