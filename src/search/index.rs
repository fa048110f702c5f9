//! The index as it is on disk: opened, made, and up to where of the ledger it reaches.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;
use serde::Deserialize;
use tantivy::{IndexReader, IndexSettings, ReloadPolicy, Searcher, TantivyError, schema::Schema};

use super::{
    SearchError,
    counted::CountedLast,
    evaluate::Part,
    files::Files,
    numbers::{AtHand, Numbers},
    phrases::PhrasesLast,
    schema::{FORM, Fields, tokenizers},
};
use crate::archive::{GroupNumber, Mark, touched};

/// The file that names all others.
const META: &str = "meta.json";

/// The files that each segment has.
const KINDS: [&str; 6] = ["fast", "fieldnorm", "idx", "pos", "store", "term"];

/// What a commit of the index says of itself: it has what the archive had up to there, and nothing less.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Reach {
    form: u32,
    /// Which archive, in hexadecimal; empty for one that was not written to since archives have numbers.
    archive: String,
    group: u64,
    /// The digest of that group, in hexadecimal.
    chain: String,
}

impl Reach {
    pub fn new(archive: String, mark: Mark) -> Self {
        Self {
            form: FORM,
            archive,
            group: mark.group.0,
            chain: hex::encode(mark.chain),
        }
    }

    /// As the payload of a commit.
    pub(super) fn to_json(&self) -> String {
        let Self {
            form,
            archive,
            group,
            chain,
        } = self;
        serde_json::json!({"form": form, "archive": archive, "group": group, "chain": chain}).to_string()
    }

    /// Up to where it reaches in this archive; `None` where it is another archive's, or another form.
    pub fn mark(&self, archive: &str) -> Option<Mark> {
        let mut chain = [0; 32];
        hex::decode_to_slice(&self.chain, &mut chain).ok()?;
        (self.form == FORM && self.archive == archive).then_some(Mark {
            group: GroupNumber(self.group),
            chain,
        })
    }
}

/// An opened index. Whoever clones it reads the same.
#[derive(Clone)]
pub struct Index {
    pub(super) inner: tantivy::Index,
    reader: IndexReader,
    fields: Fields,
    path: PathBuf,
    files: Option<Files>,
    numbers: AtHand,
    counted: CountedLast,
    phrases: PhrasesLast,
    /// Up to where searches find all, as of when this was taken up; the files may reach further by now.
    found: Arc<Mutex<Option<Reach>>>,
}

/// The index as it was committed last, to be searched, however long one searches.
pub struct View {
    pub(super) searcher: Searcher,
    pub(super) fields: Fields,
    /// Those of each of its parts.
    pub(super) numbers: Vec<Arc<Numbers>>,
    pub(super) counted: CountedLast,
    pub(super) phrases: PhrasesLast,
}

impl View {
    pub(super) fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        let parts = self.searcher.segment_readers().iter().zip(&self.numbers);
        parts.map(|(segment, numbers)| Part {
            segment,
            numbers,
            phrases: &self.phrases,
        })
    }
}

impl Index {
    /// Opens the index in this folder; `None` where there is none.
    ///
    /// # Errors
    /// It is damaged, which it is also where it has other fields, or cannot be read.
    pub fn open(path: &Path) -> Result<Option<Self>, SearchError> {
        if !path.join(META).exists() {
            return Ok(None);
        }
        let failed = || SearchError::of("opening the search index", path);
        let files = directory(path)?;
        let inner = tantivy::Index::open(files.clone()).map_err(failed())?;
        let (schema, fields) = Fields::schema();
        if inner.schema() != schema {
            return Err(SearchError::Damaged {
                path: path.into(),
                detail: "it has other fields".into(),
            });
        }
        Self::over(inner, fields, path, Some(files)).map(Some)
    }

    /// Makes an empty index in this folder, in place of what is there.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn make(path: &Path) -> Result<Self, SearchError> {
        clear(path)?;
        let failed = || SearchError::of("making a search index", path);
        let (schema, fields) = Fields::schema();
        let files = directory(path)?;
        let settings = IndexSettings {
            // There is nothing in it.
            docstore_compress_dedicated_thread: false,
            ..IndexSettings::default()
        };
        let made = tantivy::Index::create(files.clone(), schema, settings);
        Self::over(made.map_err(failed())?, fields, path, Some(files))
    }

    /// An empty index in memory, for tests.
    ///
    /// # Errors
    /// The library refuses its fields.
    pub fn in_memory() -> Result<Self, SearchError> {
        let (schema, fields): (Schema, Fields) = Fields::schema();
        Self::over(tantivy::Index::create_in_ram(schema), fields, Path::new("memory"), None)
    }

    fn over(mut inner: tantivy::Index, fields: Fields, path: &Path, files: Option<Files>) -> Result<Self, SearchError> {
        inner.set_tokenizers(tokenizers());
        let failed = || SearchError::of("reading the search index", path);
        // Before there is a reader, which has that at least.
        let found = reach_of(&inner).map_err(failed())?;
        let reader = inner.reader_builder().reload_policy(ReloadPolicy::Manual).try_into();
        Ok(Self {
            reader: reader.map_err(failed())?,
            found: Arc::new(Mutex::new(found)),
            inner,
            fields,
            path: path.into(),
            files,
            numbers: AtHand::default(),
            counted: CountedLast::default(),
            phrases: PhrasesLast::default(),
        })
    }

    /// What anybody found damaged in it since it was opened, this process.
    pub fn damage(&self) -> Option<SearchError> {
        self.damaged(self.files.as_ref()?.damage()?)
    }

    /// The same for whoever searched: also what was lost only now.
    pub fn look(&self) -> Option<SearchError> {
        self.damaged(self.files.as_ref()?.look()?)
    }

    /// Why it could not be written: of the library's words, and of what its files met where those hide it.
    pub(super) fn unwritten(&self, doing: &'static str) -> impl FnOnce(TantivyError) -> SearchError {
        let (path, files) = (self.path.clone(), self.files.clone());
        move |error| match SearchError::of(doing, path.clone())(error) {
            said @ (SearchError::Library { .. } | SearchError::Io { .. }) => {
                match files.and_then(|files| files.failure()) {
                    Some(failure) => SearchError::io(doing, path)(failure),
                    None => said,
                }
            }
            said => said,
        }
    }

    /// Lets another thread write it: none that has this one writes it any more.
    pub(super) fn let_go(&self) {
        if let Some(files) = &self.files {
            files.let_go();
        }
    }

    fn damaged(&self, detail: String) -> Option<SearchError> {
        let path = self.path.clone();
        Some(SearchError::Damaged { path, detail })
    }

    /// Whether both are the same, opened once.
    pub fn is(&self, other: &Self) -> bool {
        let both = self.files.as_ref().zip(other.files.as_ref());
        both.is_some_and(|(files, others)| files.is(others))
    }

    /// Reads all files that a search may read, as long as `go_on` says so, and says which are damaged.
    ///
    /// # Errors
    /// It cannot be said which files there are.
    pub fn damaged_files(&self, go_on: &dyn Fn() -> bool) -> Result<Vec<String>, SearchError> {
        let Some(files) = &self.files else {
            return Ok(Vec::new());
        };
        let searched = || {
            let segments = self.inner.searchable_segment_ids();
            segments.map_err(SearchError::of("reading the search index", &self.path))
        };
        let segments = searched()?;
        let segment_of = |name: &str| segments.iter().find(|segment| name.starts_with(&segment.uuid_string()));
        let mut damaged = Vec::new();
        // The library takes some that are missing for empty.
        for segment in &segments {
            let names = KINDS.map(|kind| format!("{}.{kind}", segment.uuid_string()));
            let missing = names.iter().filter(|name| !self.path.join(name).exists());
            damaged.extend(missing.map(|name| (segment, format!("{name}: it is missing"))));
        }
        for entry in fs::read_dir(&self.path).map_err(SearchError::io("reading", &self.path))? {
            if !go_on() {
                break;
            }
            let name = entry.map_err(SearchError::io("reading", &self.path))?.file_name();
            let Some((name, segment)) = name.to_str().and_then(|name| Some((name, segment_of(name)?))) else {
                continue;
            };
            touched();
            let read = files.check(Path::new(name)).err();
            damaged.extend(read.map(|error| (segment, format!("{name}: {error}"))));
        }
        if !damaged.is_empty() {
            // What was merged meanwhile is gone, and nobody searches in it any more.
            let still = searched()?;
            damaged.retain(|(segment, _)| still.contains(segment));
        }
        Ok(damaged.into_iter().map(|(_, detail)| detail).collect())
    }

    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What to search in.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn view(&self) -> Result<View, SearchError> {
        let searcher = self.searcher();
        let numbers = self.numbers.of(&searcher);
        Ok(View {
            numbers: numbers.map_err(SearchError::of("reading the search index", &self.path))?,
            searcher,
            fields: self.fields,
            counted: self.counted.clone(),
            phrases: self.phrases.clone(),
        })
    }

    /// All documents: the index as it was committed last.
    pub fn searcher(&self) -> Searcher {
        // Its files are mapped, as the catalog is.
        touched();
        self.reader.searcher()
    }

    /// Takes up what was committed since, with what a search wants at hand of it.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn reload(&self) -> Result<(), SearchError> {
        {
            // Held, so that nobody puts an older one in place of a newer one.
            let mut found = self.found.lock();
            let reach = self.reach()?;
            let reloaded = self.reader.reload();
            reloaded.map_err(SearchError::of("reading the search index", &self.path))?;
            *found = reach;
        }
        self.view().map(drop)
    }

    /// Up to where searches find all at this moment.
    pub fn found(&self) -> Option<Reach> {
        self.found.lock().clone()
    }

    /// What the last commit says of itself; `None` before the first, or where it says nothing that can be read.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn reach(&self) -> Result<Option<Reach>, SearchError> {
        reach_of(&self.inner).map_err(SearchError::of("reading the search index", &self.path))
    }
}

fn reach_of(index: &tantivy::Index) -> tantivy::Result<Option<Reach>> {
    let payload = index.load_metas()?.payload;
    Ok(payload.and_then(|payload| serde_json::from_str(&payload).ok()))
}

fn directory(path: &Path) -> Result<Files, SearchError> {
    Files::open(path).map_err(|error| SearchError::of("opening", path)(error.into()))
}

/// Empties the folder, and makes it where it is missing: it may be a link to another disk.
fn clear(path: &Path) -> Result<(), SearchError> {
    let mut made = DirBuilder::new();
    match made.mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(SearchError::io("making", path)(error));
        }
        _ => {}
    }
    // What names the files goes first: without it, the rest is no index.
    let meta = path.join(META);
    match fs::remove_file(&meta) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(SearchError::io("removing", meta)(error));
        }
        _ => {}
    }
    for entry in fs::read_dir(path).map_err(SearchError::io("reading", path))? {
        let entry = entry.map_err(SearchError::io("reading", path))?.path();
        let is_folder = entry.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
        let removed = match is_folder {
            true => fs::remove_dir_all(&entry),
            false => fs::remove_file(&entry),
        };
        removed.map_err(SearchError::io("removing", entry))?;
    }
    Ok(())
}

#[test]
fn an_index_said_it_had_what_searches_did_not_find_yet() {
    let folder = tempfile::tempdir().unwrap();
    let index = Index::make(folder.path()).unwrap();
    let mark = Mark {
        group: GroupNumber(7),
        chain: [1; 32],
    };
    let reach = Reach::new("archive".into(), mark);
    let mut writer: tantivy::IndexWriter = index.inner.writer_with_num_threads(1, 15_000_000).unwrap();
    let mut commit = writer.prepare_commit().unwrap();
    commit.set_payload(&reach.to_json());
    commit.commit().unwrap();
    assert_eq!((index.reach().unwrap().as_ref(), index.found()), (Some(&reach), None));
    index.reload().unwrap();
    assert_eq!(index.found(), Some(reach));
}

#[test]
fn what_was_merged_while_the_index_was_read_was_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let index = Index::make(folder.path()).unwrap();
    let mut writer: tantivy::IndexWriter = index.inner.writer_with_num_threads(1, 15_000_000).unwrap();
    writer.set_merge_policy(Box::new(tantivy::merge_policy::NoMergePolicy));
    for _ in 0..2 {
        writer.add_document(tantivy::TantivyDocument::new()).unwrap();
        writer.commit().unwrap();
    }
    let segments = index.inner.searchable_segment_ids().unwrap();
    let writer = std::cell::RefCell::new(writer);
    let looks = std::cell::Cell::new(0);
    let merging = || {
        if looks.replace(looks.get() + 1) == 0 {
            writer.borrow_mut().merge(&segments).wait().unwrap();
            writer.borrow_mut().garbage_collect_files().wait().unwrap();
        }
        true
    };
    assert_eq!(index.damaged_files(&merging).unwrap(), Vec::<String>::new());
    assert!(looks.get() > 1 && index.inner.searchable_segment_ids().unwrap().len() == 1);
}
