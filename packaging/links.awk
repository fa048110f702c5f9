# Turns the links of a document (`file`, as in the sources) into links to what is installed: dashboards are in another folder,
# the changelog may have another name (`changes`), and what is not installed is named without a link.

function home(path) {
    if (path ~ /^dashboards(\/|$)/) return path ~ /\/(check|tests)(\/|$)|\.sh$/ ? "" : "../../dropkeep/" path
    if (path == "CHANGELOG.md") return changes
    return path ~ /^docs(\/|$)|^README\.md$|^config(\/dropkeep\.toml)?$/ ? path : ""
}

# The folders of `path` without . and .., from that of the document.
function resolved(path,    parts, n, i, kept, m, result) {
    n = split(folder path, parts, "/")
    for (i = 1; i <= n; i++) {
        if (parts[i] == ".." && m > 0) m--
        else if (parts[i] != "." && parts[i] != "") kept[++m] = parts[i]
    }
    for (i = 1; i <= m; i++) result = result (i > 1 ? "/" : "") kept[i]
    return result
}

function place(target,    path, anchor, at) {
    if (target ~ /^(#|[a-z]+:)/) return target
    at = index(target, "#")
    path = at ? substr(target, 1, at - 1) : target
    anchor = at ? substr(target, at) : ""
    path = resolved(path)
    at = home(path)
    if (at == path) return target
    return at == "" ? "" : up at anchor
}

BEGIN {
    folder = file
    sub(/[^\/]*$/, "", folder)
    up = folder
    gsub(/[^\/]+\//, "../", up)
}

{ text = text $0 "\n" }

END {
    while ((at = index(text, "](")) && (end = index(substr(text, at), ")"))) {
        before = substr(text, 1, at - 1)
        target = substr(text, at + 2, end - 3)
        text = substr(text, at + end)
        there = place(target)
        if (there != "") {
            done = done before "](" there ")"
        } else {
            # The last [ is that of the link. An image is left out with it.
            done = done before
            match(done, /!?\[[^\[]*$/)
            label = substr(done, RSTART)
            sub(/^!?\[/, "", label)
            done = substr(done, 1, RSTART - 1) label " (in the sources)"
        }
    }
    printf "%s", done text
}
