"""Sends mail to a server whose recipe is tried, and looks for whom dropkeep takes what it delivered.

    check.py loopback                               brings the loopback of a new network namespace up
    check.py RECIPE MAILDIR RULES DROPKEEP          prints a line, and what was wrong; ends with 1 then
"""

import fcntl
import json
import smtplib
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PEOPLE = ["jane", "bob", "carl"]
FORGED = "".join(
    f"{name}: bob@example.com\r\n"
    for name in ["Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To", "X-RCPT-TO"]
)
RECEIVED = (
    "Received: from x (x [192.0.2.1]) by mx.example.com (Postfix) with ESMTP id A for <bob@example.com>;\r\n"
    "\tMon, 01 Jan 2024 10:00:00 +0000\r\n"
)
# Recipients, what the sender wrote above the rest, for whom it is. To is always jane, who need not be a recipient.
CASES = {
    "one": (["jane"], "", {"jane"}),
    "two": (["jane", "bob"], "", {"jane", "bob"}),
    "three": (["jane", "bob", "carl"], "", {"jane", "bob", "carl"}),
    "blind": (["bob"], "", {"bob"}),
    "tag": (["bob+news"], "", {"bob"}),
    "unknown": (["nobody"], "", {"@catchall"}),
    "forged": (["carl"], FORGED + RECEIVED, {"carl"}),
    "forged-above": (["carl", "jane"], RECEIVED + FORGED, {"carl", "jane"}),
    "comma": (['"x,bob"'], "", {"@catchall"}),
    "blank": (['"x bob"'], "", {"@catchall"}),
    "bracket": (['"x <bob"'], "", {"@catchall"}),
}


def loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        # SIOCGIFFLAGS and SIOCSIFFLAGS with IFF_UP (netdevice(7)).
        request = struct.pack("16sH14x", b"lo", 0)
        (flags,) = struct.unpack("16xH14x", fcntl.ioctl(control, 0x8913, request))
        fcntl.ioctl(control, 0x8914, struct.pack("16sH14x", b"lo", flags | 1))


def until(what, seconds=60):
    end = time.monotonic() + seconds
    while not (found := what()):
        if time.monotonic() > end:
            return found
        time.sleep(0.1)
    return found


def is_up():
    try:
        with smtplib.SMTP("127.0.0.1", 25, local_hostname="client.example.org", timeout=10):
            return True
    except OSError:
        return False


def send(name, recipients, above):
    """False where the server refuses an odd recipient, as some do."""
    text = (
        f"{above}Message-ID: <{name}@example.org>\r\nX-Case: {name}\r\nFrom: s@example.org\r\nTo: jane@example.com\r\n"
        f"Subject: {name}\r\nDate: Mon, 01 Jan 2024 10:00:00 +0000\r\n\r\n{name}\r\n"
    )
    with smtplib.SMTP("127.0.0.1", 25, local_hostname="client.example.org", timeout=60) as session:
        session.ehlo()
        for command in ["MAIL FROM:<s@example.org>", *(f"RCPT TO:<{local}@example.com>" for local in recipients)]:
            code, answer = session.docmd(command)
            if '"' in command and 500 <= code < 600:
                return False
            if code != 250:
                sys.exit(f"{command}: {code} {answer}")
        code, answer = session.data(text)
        if code != 250:
            sys.exit(f"{name}: {code} {answer}")
    return True


def main(recipe, maildir, rules, dropkeep):
    if not until(is_up):
        sys.exit(f"{recipe}: the server does not answer")
    cases = {name: case for name, case in CASES.items() if send(name, *case[:2])}
    rules = Path(rules).read_text()
    expected = sum(len(recipients) for recipients, _, _ in cases.values()) if "# a copy each\n" in rules else len(cases)
    until(lambda: len(list(Path(maildir).glob("new/*"))) >= expected)
    files = sorted(Path(maildir).glob("new/*"))

    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "dropkeep.toml")
        config.write_text(
            'data_dir = "data"\n'
            + "".join(f'[[user]]\nname = "{name}"\naddresses = ["{name}@example.com"]\n' for name in PEOPLE)
            + '[[profile]]\nname = "p"\n'
            + '[profile.server]\naccess = "imap"\nhost = "127.0.0.1"\nusername = "all"\npassword = "x"\n'
            + f"[profile.recipients]\n{rules}\n"
        )
        explain = [dropkeep, "--config", config, "--json", "explain", "--profile", "p", *files]
        lines = subprocess.run(explain, check=True, capture_output=True, text=True).stdout.splitlines()
    found = {name: set() for name in cases}
    for file, line in zip(files, lines, strict=True):
        name = file.read_bytes().split(b"\nX-Case: ")[1].split()[0].decode()
        found[name] |= {user["user"] for user in json.loads(line)["users"]}
    wrong = [
        f"{name}: {sorted(found[name])}, not {sorted(want)}"
        for name, (_, _, want) in cases.items()
        if found[name] != want
    ]
    if len(files) != expected:
        wrong.append(f"{expected} files were to come")
    print(f"{recipe}: {len(files)} files, " + ("; ".join(wrong) or "each for its own"))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(loopback() if sys.argv[1:] == ["loopback"] else main(*sys.argv[1:]))
