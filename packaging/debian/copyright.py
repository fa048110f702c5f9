#!/usr/bin/env python3
"""Writes the Debian package's copyright file (DEP-5) on standard output: dropkeep's own part, and a paragraph for each crate
that is linked in and for each library within one, from what they bring with them.

Ends with an error where a crate has no licence that can be told.
"""
import json, os, re, subprocess, sys

HERE = os.path.dirname(os.path.abspath(__file__))
# Licences of which dropkeep's part has the text, or the system, by the names that DEP-5 gives them.
KNOWN = {"MIT": "Expat", "Apache-2.0": "Apache-2.0", "CC0-1.0": "CC0-1.0"}
CC0 = """License: CC0-1.0
 On Debian systems, the full text of the CC0 1.0 Universal licence is in
 /usr/share/common-licenses/CC0-1.0."""
APACHE = """On Debian systems, the full text of the Apache License, version 2.0, is in
/usr/share/common-licenses/Apache-2.0."""
# The text itself, with the appendix where it is there; Debian wants the reference in its place.
APACHE_TEXT = re.compile(r"(?ms)^[ \t]*Apache License\s+Version 2\.0, January 2004.*?END OF TERMS AND CONDITIONS"
                         r"(\s+APPENDIX: .*?limitations under the License\.)?")
# Libraries that are not written in Rust, by the folder that has them.
LIBRARIES = {"jemalloc": "jemalloc", "liblmdb": "LMDB, the Lightning Memory-Mapped Database", "zstd": "zstd, Zstandard"}
LICENCE_FILE = re.compile(r"(?i)^(licen[cs]e|copying|copyright|unlicense|notice)([-._].*)?$")
NOT_LINKED = {"test", "tests", "bench", "benches", "example", "examples", "fuzz", "doc", "docs", "target"}


def linked():
    """The packages that the program is made of, by cargo's own account."""
    metadata = json.loads(subprocess.run(
        ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", platform()],
        check=True, capture_output=True, text=True).stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"]
    seen, left = {root}, [root]
    while left:
        for dependency in nodes[left.pop()]["deps"]:
            normal = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            if normal and dependency["pkg"] not in seen:
                seen.add(dependency["pkg"])
                left.append(dependency["pkg"])
    seen.remove(root)
    return sorted((packages[id] for id in seen), key=lambda package: (package["name"], package["version"]))


def platform():
    version = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    return re.search(r"^host: (.*)$", version, re.M).group(1)


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def licence_files(folder):
    """The texts of a folder's own licence files. Of a choice that has the GPL in it, that is not taken."""
    names = sorted(name for name in os.listdir(folder) if LICENCE_FILE.match(name))
    paths = (os.path.join(folder, name) for name in names)
    texts = {path: read(path) for path in paths if os.path.isfile(path)}
    free = {path: text for path, text in texts.items() if "GNU GENERAL PUBLIC" not in text[:500]}
    return free or texts


def within(package):
    """Libraries that a crate brings along: folders below its own that have a licence of their own."""
    crate = os.path.dirname(package["manifest_path"])
    for folder, names, _ in os.walk(crate):
        names[:] = sorted(name for name in names if name not in NOT_LINKED and not name.startswith("."))
        if folder != crate and (texts := licence_files(folder)):
            yield os.path.relpath(folder, crate), texts


def holders(texts, otherwise):
    found = []
    for text in texts.values():
        for line in text.splitlines():
            line = line.strip(" \t*#/;-")
            line = re.sub(r"^(Portions )?Copyright( \(c\)| ©|:)*", "", line, flags=re.I) if re.match(
                r"(?i)(portions )?copyright[ :]+(\(c\)|©|[0-9]{4}|[A-Z])", line) else ""
            line = " ".join(line.replace("\xa9", "").split())
            # The licences' own words speak of copyright, too.
            if line and re.search("[A-Za-z]{3}", line) and not re.match(
                    r"(?i)(owner|holder|notice|statement|license|law|and related|interest|in |of |\[|\{|yyyy|<)", line):
                found.append(line)
    return list(dict.fromkeys(found)) or otherwise


def paragraph(text):
    """A text as the lines behind a field."""
    return "\n".join(" " + (line.rstrip() or ".") for line in text.strip().splitlines())


def licence(package, texts, extra):
    """What a crate's licence is called here. Texts that are to follow are put into `extra`."""
    expression = (package["license"] or "").replace("/", " OR ")
    options = [option.strip(" ()") for option in re.split(r"\s+OR\s+", expression)]
    if not options[0]:
        if not texts:
            sys.exit(f"copyright.py: {package['name']} says nothing of its licence")
        options = ["other"]
    known = [option for option in options if option in KNOWN]
    if known:
        return " or ".join(KNOWN[option] for option in known)
    # One of those that are left, with all the texts that come with it.
    parts = [part.strip(" ()") for part in options[0].split(" AND ")]
    names = [KNOWN[part] if part in KNOWN else own(part, package["name"], texts, extra) for part in parts]
    return " and ".join(names)


def own(part, name, texts, extra):
    """A licence with the words that it has in this crate."""
    called = f"{part.replace(' ', '-')}~{name}"
    if not texts:
        sys.exit(f"copyright.py: {name} has no text of its licence {part}")
    extra[called] = "\n\n".join(dict.fromkeys(APACHE_TEXT.sub(APACHE, text).strip() for text in texts.values()))
    return called


def main():
    print(read(os.path.join(HERE, "copyright")).strip())
    paragraphs, extra = [], {}
    for package in linked():
        name = f"{package['name']}-{package['version']}"
        texts = licence_files(os.path.dirname(package["manifest_path"]))
        authors = [author for author in package["authors"] if author] or [f"the authors of {package['name']}"]
        paragraphs.append((f"{name}/*", package["repository"], holders(texts, authors), licence(package, texts, extra), None))
        for folder, texts in within(package):
            called = own("licence", f"{package['name']}-{folder.replace('/', '-')}", texts, extra)
            library = LIBRARIES.get(os.path.basename(folder))
            paragraphs.append((f"{name}/{folder}/*", None, holders(texts, authors), called, library))
    for files, source, copyrights, called, library in paragraphs:
        print(f"\nFiles: {files}\nCopyright: " + "\n           ".join(copyrights) + f"\nLicense: {called}")
        comment = [text for text in (library, source and f"Source: {source}") if text]
        if comment:
            print("Comment: " + "\n ".join(comment))
    if any("CC0-1.0" in called for *_, called, _ in paragraphs):
        print("\n" + CC0)
    for called, text in extra.items():
        print(f"\nLicense: {called}\n{paragraph(text)}")


main()
