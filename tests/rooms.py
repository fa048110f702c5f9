#!/usr/bin/env python3
"""Checks that the rooms of the house know their place: which module uses which.

A room is a module right below src. The table "Rooms" in ARCHITECTURE.md lists them from top to bottom, each with the rooms
that it may use. This fails for an import against the table, for a room that may use one above it, and for files of one
room that use each other in a circle. Code that only tests compile does not count.

    tests/rooms.py [folder of the repository]
    tests/rooms.py --uses [folder]      lists what each room uses, instead of checking it
"""
import re
import sys
from pathlib import Path

# Paths of a file, whether imported or written out where they are used. A re-export is a use only if the file needs the name
# itself: whoever goes through it uses what stands behind it.
PATH = re.compile(r"(?<![\w:])(crate|super|self)((?:\s*::\s*\w+)+)")
USE = re.compile(r"(?<!\w)(pub(?:\([^)]*\))?\s+)?use\s+([^;]+);")
DECLARED = re.compile(r"(?<!\w)(?:pub(?:\([^)]*\))?\s+)?mod\s+(\w+)\s*;")
TESTS = re.compile(r"#\[test\]|#\[cfg\(test\)\]|#\[cfg\(all\(test\b[^\]]*\]")
NOT_CODE = re.compile(
    r"//[^\n]*|/\*.*?\*/|\bpub\(in [\w:]+\)|\bb?r(#*)\".*?\"\1|\bb?\"(?:[^\"\\]|\\.)*\"|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\\n]|\\(?:u\{\w+\}|x\w\w|.))'", re.S
)


class File:
    """A source file: its module, and what it imports and writes out as a path."""

    def __init__(self, path, module, text):
        self.path, self.module = path, module
        self.names, self.globs, self.paths, self.test_modules = {}, [], [], set()
        code = without_tests(blank(text, NOT_CODE), self.test_modules)
        body = blank(code, USE)
        for use in USE.finditer(code):
            for offset, steps, name in tree(use.group(2)):
                line = code.count("\n", 0, use.start(2) + offset) + 1
                if name == "*":
                    self.globs.append(steps)
                else:
                    self.names[name] = steps
                if not use.group(1) or (name != "*" and re.search(rf"\b{name}\b", body)):
                    self.paths.append((line, steps))
        for found in PATH.finditer(body):
            steps = [found.group(1), *re.findall(r"\w+", found.group(2))]
            self.paths.append((code.count("\n", 0, found.start()) + 1, steps))


def blank(text, what):
    """The text with every match turned into spaces, so that lines keep their numbers."""
    return what.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)


def without_tests(code, test_modules):
    """Blanks each item behind `#[cfg(test)]`, and notes the modules that are declared so."""
    pieces, at = [], 0
    for attribute in TESTS.finditer(code):
        if attribute.start() < at:
            continue
        end, depth = attribute.end(), 0
        while end < len(code):
            letter = code[end]
            depth += letter in "{(["
            depth -= letter in "})]"
            end += 1
            if depth == 0 and letter in ";}":
                break
        item = code[attribute.start() : end]
        test_modules.update(DECLARED.findall(item))
        pieces += [code[at : attribute.start()], re.sub(r"[^\n]", " ", item)]
        at = end
    return "".join([*pieces, code[at:]])


def tree(text):
    """The paths of a `use`: where each stands, its steps, and the name by which it is known."""
    found, prefix, steps, stack = [], [], [], []
    for token in [*re.finditer(r"\w+|[{},*]", text), None]:
        word = token.group() if token else ","
        if word == "{":
            stack.append(prefix)
            prefix, steps = prefix + steps, []
        elif word in ",}":
            if steps:
                names = [name for _, name in steps]
                renamed = names.index("as") if "as" in names else len(names)
                path = [name for _, name in prefix] + [n for n in names[:renamed] if n != "self" or not prefix]
                found.append((steps[0][0], path if path[-1] != "*" else path[:-1], names[-1] if path[-1] != "*" else "*"))
                if names == ["self"] and prefix:
                    found[-1] = (steps[0][0], path, path[-1])
            steps = []
            prefix = stack.pop() if word == "}" else prefix
        else:
            steps.append((token.start(), word))
    return found


def read(root):
    """All files of src that are not tests alone, by their module."""
    files, tests = {}, set()
    source = root / "src"
    for path in sorted(source.rglob("*.rs")):
        steps = list(path.relative_to(source).with_suffix("").parts)
        if steps[-1] == "mod":
            steps.pop()
        file = File(path.relative_to(root), tuple(steps), path.read_text())
        files[file.module] = file
        inside = file.module if file.module not in [("lib",), ("main",)] else ()
        tests.update(inside + (name,) for name in file.test_modules)
        if path.stem == "tests" or path.stem.endswith("_tests"):
            tests.add(file.module)
    return {
        module: file for module, file in files.items() if not any(module[: len(test)] == test for test in tests)
    }


def where(files, file, steps, seen=()):
    """The module whose file stands behind a path of `file`; None for another crate or a local name."""
    if (file.module, tuple(steps)) in seen:
        return None
    seen = (*seen, (file.module, tuple(steps)))
    module = () if file.module in [("lib",), ("main",)] else file.module
    if steps[0] == "crate":
        module, steps = (), steps[1:]
    else:
        while steps and steps[0] in ("self", "super"):
            module = module[:-1] if steps[0] == "super" else module
            steps = steps[1:]
    return behind(files, module, steps, seen)


def behind(files, module, steps, seen):
    while steps and module + (steps[0],) in files:
        module, steps = module + (steps[0],), steps[1:]
    here = files.get(module) if module else files.get(("lib",))
    if not steps or here is None:
        return module
    if steps[0] in here.names:
        through = here.names[steps[0]]
        if through[0] not in ("crate", "self", "super"):
            if module + (through[0],) not in files and through[0] not in here.names:
                return module
            through = ["self", *through]
        return where(files, here, [*through, *steps[1:]], seen) or module
    for through in here.globs:
        inner = files.get(module + tuple(through))
        if inner and inner.path and re.search(rf"\b{steps[0]}\b", (ROOT / inner.path).read_text()):
            return inner.module
    return module


def used(files):
    """Each use of another file: the file, the line, the file that it uses."""
    for file in files.values():
        for line, steps in file.paths:
            if steps[0] not in ("crate", "self", "super"):
                # `use answer::Answer` in a module that declares `mod answer`.
                if file.module + (steps[0],) not in files:
                    continue
                steps = ["self", *steps]
            target = where(files, file, steps)
            if target and target in files and target != file.module:
                yield file, line, files[target]


def table(root):
    """The rooms of ARCHITECTURE.md from top to bottom, each with those that it may use, and faults of the table."""
    rooms, faults = {}, []
    text = (root / "ARCHITECTURE.md").read_text()
    part = re.search(r"^#+ Rooms\n(.*?)(?=^#|\Z)", text, re.S | re.M)
    if not part:
        return {}, ["ARCHITECTURE.md: there is no table \"Rooms\""]
    ground = re.search(r"Every room may use ([^.]+)\.", part.group(1).replace("\n", " "))
    ground = set(re.findall(r"`(\w+)`", ground.group(1))) if ground else set()
    rows = [row.split("|") for row in re.findall(r"^\| *(`.*)\|\s*$", part.group(1), re.M)]
    order = [room for row in rows for room in re.findall(r"`(\w+)`", row[0])]
    for row in rows:
        for room in re.findall(r"`(\w+)`", row[0]):
            below = order[order.index(room) + 1 :]
            named = set(re.findall(r"`(\w+)`", row[-1]))
            faults += [f"ARCHITECTURE.md: {room} may use {other}, which is no room below it" for other in named - set(below)]
            rooms[room] = set(below) if "everything below" in row[-1] else named | (ground & set(below))
    return rooms, faults


def circles(edges):
    """Groups of files that reach each other (strongly connected, by Kosaraju, without recursion)."""

    def visit(graph, start, seen):
        out, stack = [], [(start, iter(sorted(graph.get(start, ()))))]
        seen.add(start)
        while stack:
            node, following = stack[-1]
            step = next((next_ for next_ in following if next_ not in seen), None)
            if step is None:
                out.append(node)
                stack.pop()
            else:
                seen.add(step)
                stack.append((step, iter(sorted(graph.get(step, ())))))
        return out

    back, order, seen = {}, [], set()
    for node, targets in edges.items():
        for target in targets:
            back.setdefault(target, set()).add(node)
    for node in sorted(edges):
        if node not in seen:
            order += visit(edges, node, seen)
    seen = set()
    for node in reversed(order):
        if node not in seen:
            group = visit(back, node, seen)
            if len(group) > 1:
                yield sorted(group)


def main():
    arguments = sys.argv[1:]
    uses = arguments[:1] == ["--uses"]
    global ROOT
    ROOT = Path(arguments[uses] if len(arguments) > uses else Path(__file__).parent.parent)
    files = read(ROOT)
    found = list(used(files))
    if uses:
        rooms = {}
        for file, _, target in found:
            rooms.setdefault(file.module[0], set()).add(target.module[0])
        for room in sorted({module[0] for module in files}):
            print(room, "→", " ".join(sorted(rooms.get(room, set()) - {room})))
        return 0

    rooms, faults = table(ROOT)
    for room in sorted({module[0] for module in files} - {"lib", "main"} - set(rooms)):
        faults.append(f"ARCHITECTURE.md: the table of rooms has no row for {room}")
    for room in sorted(set(rooms) - {module[0] for module in files}):
        faults.append(f"ARCHITECTURE.md: the table of rooms has a row for {room}, which is not in src")
    inside, lines = {}, {}
    for file, line, target in found:
        room, other = file.module[0], target.module[0]
        if room == other:
            inside.setdefault(room, {}).setdefault(file.module, set()).add(target.module)
            inside[room].setdefault(target.module, set())
            lines.setdefault((file.module, target.module), f"{file.path}:{line}")
        elif room in rooms and other not in rooms[room]:
            faults.append(f"{file.path}:{line}: {room} may not use {other} ({'::'.join(target.module)})")
    for room, edges in sorted(inside.items()):
        for group in circles(edges):
            faults.append(f"{room}: these files use each other in a circle:")
            for file in group:
                for target in sorted(edges[file] & set(group)):
                    faults.append(f"    {lines[file, target]}: {'::'.join(target)}")
    print("\n".join(faults), end="\n" if faults else "")
    if faults:
        print("\nARCHITECTURE.md, \"Rooms\", says which room may use which.", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
