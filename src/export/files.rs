//! Messages become files, and what is done is noted: in batches, for which the disk is waited for once.

use std::{
    fs::File,
    io::{BufWriter, Seek, SeekFrom, Write},
    path::PathBuf,
    time::{Duration, Instant, SystemTime},
};

use roaring::RoaringTreemap;

use super::{
    ExportError, Format,
    destination::{Destination, UNFINISHED},
    folder::Folder,
    manifest::{Manifest, ManifestLine},
};
use crate::{
    archive::{Entry, MessageId},
    formats::{
        maildir,
        manifest::{MANIFEST, OF_MBOX},
        mbox_out, names_out,
    },
    identify::Summary,
    reading::view,
};

/// How much is written before the disk is waited for: whichever comes first.
const MESSAGES: u64 = 1000;
const BYTES: u64 = 64 << 20;
const TIME: Duration = Duration::from_secs(3);

/// The files of one user.
pub struct Files<'p> {
    place: &'p Destination,
    /// Where the manifest is, and from where its lines name files; `None`: the directory itself.
    folder: Option<Folder>,
    /// The folder in it that was written to last, by its names.
    last: Option<(String, Folder)>,
    form: Form,
    manifest: Manifest,
    done: RoaringTreemap,
    batch: Batch,
}

enum Form {
    Eml,
    Maildir,
    Mbox(Mbox),
}

struct Mbox {
    name: String,
    path: PathBuf,
    out: BufWriter<File>,
    length: u64,
}

/// What is written, and not noted yet.
#[derive(Default)]
struct Batch {
    lines: Vec<u8>,
    messages: u64,
    bytes: u64,
    begun: Option<Instant>,
}

impl<'p> Files<'p> {
    /// The files of the user whose folder has this name, as an earlier export left them. `check` is given the id and
    /// SHA-256, in hexadecimal, of each message that is done.
    ///
    /// # Errors
    /// Those of `check`, or the files cannot be read and written.
    pub fn open(
        place: &'p Destination,
        format: Format,
        name: &str,
        mut check: impl FnMut(MessageId, &str) -> Result<(), ExportError>,
    ) -> Result<Self, ExportError> {
        let (folder, manifest, mbox) = match format {
            Format::Mbox => (None, format!("{name}{OF_MBOX}"), Some(format!("{name}.mbox"))),
            Format::Eml | Format::Maildir => (Some(enter(place.root(), name)?), MANIFEST.into(), None),
        };
        let within = folder.as_ref().unwrap_or(place.root());
        if format == Format::Maildir {
            for part in maildir::PARTS {
                enter(within, part)?;
            }
        }
        let mut form = match (format, mbox) {
            (_, Some(name)) => Form::Mbox(Mbox::open(within, name)?),
            (Format::Maildir, None) => Form::Maildir,
            (_, None) => Form::Eml,
        };
        // An mbox may be shorter than its manifest says where somebody else cut it.
        let (available, mut end) = match &form {
            Form::Mbox(mbox) => (Some(mbox.length), 0),
            _ => (None, 0),
        };
        let mut done = RoaringTreemap::new();
        let manifest = Manifest::open(within, &manifest, |line| {
            if let Some(available) = available {
                match line.end() {
                    Some(line_end) if line.offset == Some(end) && line_end <= available => end = line_end,
                    _ => return Ok(false),
                }
            }
            check(line.id, &line.sha256)?;
            done.insert(line.id.0);
            Ok(true)
        })?;
        if let Form::Mbox(mbox) = &mut form {
            mbox.cut(end)?;
        }
        Ok(Self {
            place,
            folder,
            last: None,
            form,
            manifest,
            done,
            batch: Batch::default(),
        })
    }

    /// Which messages are done.
    pub fn done(&self) -> &RoaringTreemap {
        &self.done
    }

    /// Whether messages are best written in the order of their dates: in an mbox people see it.
    pub fn are_in_order(&self) -> bool {
        matches!(self.form, Form::Mbox(_))
    }

    /// Writes a message.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&mut self, entry: &Entry, raw: &[u8]) -> Result<(), ExportError> {
        let mut line = ManifestLine {
            id: entry.id,
            file: String::new(),
            offset: None,
            length: None,
            size: raw.len() as u64,
            sha256: view::hex(entry.message.sha256),
            date: view::time(entry.date),
            folder: entry.folder.clone(),
            why: entry.filing.why.as_str().to_owned(),
        };
        match &mut self.form {
            Form::Mbox(mbox) => {
                line.file.clone_from(&mbox.name);
                line.offset = Some(mbox.length);
                line.length = Some(mbox.write(raw, entry.date)?);
            }
            form => {
                line.file = match form {
                    Form::Maildir => names_out::maildir(entry.date, entry.id, line.size),
                    _ => {
                        let summary = Summary::of(raw);
                        names_out::eml(entry.date, &summary.subject, entry.id)
                    }
                };
                self.put(&line.file, raw, entry.date)?;
            }
        }
        self.batch.add(&line)
    }

    /// Writes a file that gets its name, folders included, once it is whole.
    fn put(&mut self, name: &str, raw: &[u8], date: i64) -> Result<(), ExportError> {
        let root = self.place.root();
        let (folders, name) = name.rsplit_once('/').unwrap_or(("", name));
        if self.last.as_ref().is_none_or(|(last, _)| last != folders) {
            let mut names = folders.split('/').filter(|name| !name.is_empty());
            let first = names.next().unwrap_or(".");
            let outermost = enter(self.folder.as_ref().unwrap_or(root), first)?;
            let innermost = names.try_fold(outermost, |folder, name| enter(&folder, name))?;
            self.last = Some((folders.to_owned(), innermost));
        }
        let Some((_, folder)) = &self.last else { return Ok(()) };
        let path = folder.path().join(name);
        let put = || {
            let mut file = root.create(UNFINISHED)?;
            file.write_all(raw)?;
            dated(&file, date);
            drop(file);
            root.rename(UNFINISHED, folder, name)
        };
        put().map_err(ExportError::io("writing", &path))
    }

    /// Whether so much is written that it should be kept.
    pub fn is_due(&self) -> bool {
        let batch = &self.batch;
        let long = batch.begun.is_some_and(|begun| begun.elapsed() >= TIME);
        batch.messages >= MESSAGES || batch.bytes >= BYTES || long
    }

    /// Waits until what was written is on disk, and notes it as done. Answers how many messages and bytes
    /// that was.
    ///
    /// # Errors
    /// It may not be on disk; it is exported again when the export goes on.
    pub fn keep(&mut self) -> Result<(u64, u64), ExportError> {
        let batch = std::mem::take(&mut self.batch);
        if batch.messages > 0 {
            match &mut self.form {
                Form::Mbox(mbox) => mbox.sync()?,
                Form::Eml | Form::Maildir => self.place.sync()?,
            }
            self.manifest.append(&batch.lines)?;
        }
        Ok((batch.messages, batch.bytes))
    }
}

impl Batch {
    fn add(&mut self, line: &ManifestLine) -> Result<(), ExportError> {
        let added = serde_json::to_writer(&mut self.lines, line);
        added.map_err(|error| ExportError::Fault(format!("{error}; this is a bug in dropkeep")))?;
        self.lines.push(b'\n');
        self.messages += 1;
        self.bytes += line.size;
        self.begun.get_or_insert_with(Instant::now);
        Ok(())
    }
}

impl Mbox {
    fn open(folder: &Folder, name: String) -> Result<Self, ExportError> {
        let path = folder.path().join(&name);
        let open = || {
            let file = folder.open(&name)?;
            file.metadata().map(|metadata| (metadata.len(), file))
        };
        let (length, file) = open().map_err(ExportError::unusable(&path))?;
        Ok(Self {
            name,
            out: BufWriter::with_capacity(1 << 18, file),
            path,
            length,
        })
    }

    /// Cuts off what is not noted.
    fn cut(&mut self, length: u64) -> Result<(), ExportError> {
        self.length = length;
        let file = self.out.get_mut();
        let cut = file.set_len(length).and_then(|()| file.seek(SeekFrom::Start(length)));
        cut.map(drop).map_err(ExportError::io("cutting", &self.path))
    }

    /// Bytes written.
    fn write(&mut self, raw: &[u8], date: i64) -> Result<u64, ExportError> {
        let written = mbox_out::write(&mut self.out, raw, date).map_err(ExportError::io("writing", &self.path))?;
        self.length += written;
        Ok(written)
    }

    fn sync(&mut self) -> Result<(), ExportError> {
        let synced = self.out.flush().and_then(|()| self.out.get_ref().sync_data());
        synced.map_err(ExportError::io("syncing", &self.path))
    }
}

/// A folder within one; what is in its place is told.
fn enter(folder: &Folder, name: &str) -> Result<Folder, ExportError> {
    folder
        .enter(name)
        .map_err(ExportError::unusable(&folder.path().join(name)))
}

/// Gives a file its message's date.
fn dated(file: &File, date: i64) {
    let since_1970 = Duration::from_secs(date.unsigned_abs());
    let modified = match date {
        0.. => SystemTime::UNIX_EPOCH.checked_add(since_1970),
        _ => SystemTime::UNIX_EPOCH.checked_sub(since_1970),
    };
    if let Some(modified) = modified
        && let Err(error) = file.set_modified(modified)
    {
        // What mail programs show when a Maildir is copied; not every file system keeps it.
        tracing::debug!(%error, "a file has another date than its message");
    }
}
