#!/usr/bin/env python3
"""Draws docs/protocol.svg, the picture in README.md: a protocol as a terminal shows it.

    ONCE=1 make demo | examples/picture.py > docs/protocol.svg

Of long lists it shows the first lines. The picture has its own dark background, so it is readable on light pages too.
"""

import re
import sys
from html import escape

COMMAND = "$ dropkeep archive company"
SHOWN = {"user": 4, "unknown": 3}
CELL, LINE, MARGIN, BAR = 8.4, 20, 18, 34
COLOURS = {"command": "#7ee787", "state": "#e6edf3", "count": "#e6edf3", "user": "#a5d6ff", "unknown": "#ffa657"}


def kind(line):
    if line.startswith("$ "):
        return "command"
    if line.startswith("run "):
        return "state"
    if re.match(r"    \S.*: [\d,]+ archived", line):
        return "user"
    if "example.com (" in line or "nobody has" in line or "no user has" in line:
        return "unknown"
    return "count"


def shortened(lines):
    """The lines with their kinds; of each long list the first, and an ellipsis."""
    seen = dict.fromkeys(SHOWN, 0)
    for line in lines:
        what = kind(line)
        if what in SHOWN:
            seen[what] += 1
            if seen[what] > SHOWN[what]:
                if seen[what] == SHOWN[what] + 1:
                    yield what, line[: len(line) - len(line.lstrip())] + "…"
                continue
        yield what, line


def main():
    lines = sys.stdin.read().splitlines()
    if COMMAND not in lines:
        sys.exit(f"there is no line '{COMMAND}' in this output: ONCE=1 make demo | examples/picture.py")
    lines = lines[lines.index(COMMAND) :]
    lines = lines[: lines.index("") if "" in lines else len(lines)]
    drawn = list(shortened(line for line in lines if not line.startswith("dropkeep: ")))
    width = round(2 * MARGIN + CELL * max(60, *(len(line) for _, line in drawn)))
    height = BAR + 2 * MARGIN + LINE * len(drawn)
    print(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'role="img" aria-label="The protocol of a run in a terminal">\n'
        f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="9" fill="#0d1117" stroke="#6e7681"/>\n'
        '<g fill="#6e7681"><circle cx="20" cy="18" r="5"/><circle cx="38" cy="18" r="5"/><circle cx="56" cy="18" r="5"/></g>\n'
        '<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="14">'
    )
    for row, (what, line) in enumerate(drawn):
        text = line.lstrip(" ")
        x, y = MARGIN + CELL * (len(line) - len(text)), BAR + MARGIN + LINE * row + 10
        weight = ' font-weight="bold"' if what in ("command", "state") else ""
        # The length is given, so that columns stand below each other in whatever font there is.
        print(
            f'<text x="{x:.1f}" y="{y}" textLength="{CELL * len(text):.1f}" fill="{COLOURS[what]}"{weight} '
            f'xml:space="preserve">{escape(text)}</text>'
        )
    print("</g>\n</svg>")


main()
