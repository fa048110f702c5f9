#!/bin/bash
# tantivy 0.27.0: the first thing that a writer does after an index was opened gets the number of the last commit (Stamper::stamp
# gives the number that it was made with). Where that is a deletion, the last commit deleted something from a segment, and that
# segment is merged before the next commit, the deletion is lost: the document is found after the commit, for good. The same
# deletion as the second thing that the writer does works. Expected from memory: what is deleted before a commit is gone after it.
#
# So an index in which documents are replaced by deletion and addition has some twice, after restarts, now and then.
# `writer.run([])` after opening takes the number, and does nothing else.
set -euo pipefail
version=0.27.0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cargo init --quiet --name finding --vcs none . 2>/dev/null
cargo add --quiet "tantivy@=$version" --no-default-features --features mmap 2>/dev/null
cat > src/main.rs <<'RUST'
use tantivy::{
    Index, IndexWriter, Term,
    collector::Count,
    doc,
    indexer::NoMergePolicy,
    query::TermQuery,
    schema::{INDEXED, IndexRecordOption, Schema},
};

/// How often document 3 is found after it was deleted.
fn found(is_first: bool) -> tantivy::Result<usize> {
    let mut schema = Schema::builder();
    let id = schema.add_u64_field("id", INDEXED);
    let index = Index::create_in_ram(schema.build());
    let open = || -> tantivy::Result<IndexWriter> {
        let writer = index.writer_with_num_threads(1, 15_000_000)?;
        writer.set_merge_policy(Box::new(NoMergePolicy));
        Ok(writer)
    };
    let mut writer = open()?;
    writer.add_document(doc!(id => 1u64))?;
    writer.add_document(doc!(id => 2u64))?;
    writer.commit()?;
    let first = index.searchable_segment_ids()?;
    writer.add_document(doc!(id => 3u64))?;
    writer.add_document(doc!(id => 4u64))?;
    writer.commit()?;
    writer.delete_term(Term::from_field_u64(id, 4));
    writer.commit()?;
    drop(writer);

    let mut writer = open()?;
    if !is_first {
        writer.run([])?;
    }
    writer.delete_term(Term::from_field_u64(id, 3));
    let mut segments = first.clone();
    segments.extend(index.searchable_segment_ids()?.into_iter().filter(|segment| !first.contains(segment)));
    assert_eq!(segments.len(), 2);
    writer.merge(&segments).wait()?;
    writer.commit()?;
    let query = TermQuery::new(Term::from_field_u64(id, 3), IndexRecordOption::Basic);
    index.reader()?.searcher().search(&query, &Count)
}

fn main() -> tantivy::Result<()> {
    println!("deleted second after opening, merged, committed: found {} times", found(false)?);
    println!("deleted first after opening, merged, committed: found {} times", found(true)?);
    Ok(())
}
RUST
seen=$(cargo run --quiet 2>/dev/null)
expected='deleted second after opening, merged, committed: found 0 times
deleted first after opening, merged, committed: found 1 times'
echo "tantivy $version:"
echo "$seen"
[ "$seen" = "$expected" ] || { echo "This has changed; seen before:"; echo "$expected"; exit 1; }
