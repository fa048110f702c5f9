//! Mail in files, for imports: a source that a run goes through as it goes through a server. Its folders are the places
//! with mail under the paths that were named; its copies have no name by which a later run would know them again.
//!
//! Files are read on threads that may wait for the disk; what they read comes over a bounded channel.

mod entries;
mod exports;
mod places;
mod read;

use std::{
    collections::VecDeque,
    ffi::{OsStr, OsString},
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::mpsc;

use self::{
    entries::stopped,
    exports::{Manifest, Noted, not_noted},
    places::{Kind, Place},
    read::{Message, Told, lines_end_in_cr},
};
use super::{Announced, CopyRef, Fetched, OpenFolder, SourceError, Unfetched, UnfetchedWhy};
use crate::{
    formats::{Format, Mbox, MboxFrom, MboxKind, maildir},
    ids::UserId,
    said::{Said, said},
};

/// Messages that are read and not yet taken.
const READ_AHEAD: usize = 16;

/// What is to be imported.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Import {
    /// Absolute.
    pub paths: Vec<PathBuf>,
    pub format: Format,
    pub mbox: MboxKind,
    /// What counts where it is in doubt whether a line separates the messages of an mbox.
    pub mbox_from: Option<MboxFrom>,
    /// Whose all of it is; `None` where that is decided for each message.
    pub owner: Option<Owner>,
}

/// The user for whom everything in an import is filed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owner {
    /// The user's number and name.
    pub user: UserId,
    pub name: Arc<str>,
    /// Nobody else gets it; otherwise also those whom the profile's rules find.
    pub alone: bool,
}

/// The files of an import, read through.
#[derive(Debug)]
pub struct FilesSession {
    import: Import,
    /// Those not yet opened, in their order.
    places: VecDeque<Place>,
    open: Option<Arc<Opened>>,
    /// What is to be told beside the outcomes of copies.
    notices: Vec<Said>,
    /// The manifest that was read last, and where it is: a user's places stand one behind the other.
    manifest: Option<(PathBuf, Arc<Manifest>)>,
}

/// A place that was opened.
#[derive(Debug)]
struct Opened {
    what: What,
    /// What the export says that it is in.
    manifest: Option<Arc<Manifest>>,
}

#[derive(Debug)]
enum What {
    Files(Place),
    Mbox(Mbox),
}

impl FilesSession {
    pub fn new(import: Import) -> Self {
        Self {
            import,
            places: VecDeque::new(),
            open: None,
            notices: Vec::new(),
            manifest: None,
        }
    }

    /// The notices about what was opened and read since it was last asked for.
    pub(super) fn take_notices(&mut self) -> Vec<Said> {
        std::mem::take(&mut self.notices)
    }

    /// The names of the places with mail, in the order in which they are to be opened. Two may have one name.
    pub(super) async fn folders(&mut self) -> Result<Vec<String>, SourceError> {
        let Import {
            paths, format, owner, ..
        } = self.import.clone();
        let find = move |stop: &AtomicBool| places::places(&paths, format, owner.is_some(), stop);
        let places = blocking("the paths", find).await?;
        self.places = places.into();
        Ok(self.places.iter().map(|place| place.name.clone()).collect())
    }

    /// Opens the next place of this name.
    pub(super) async fn open(&mut self, folder: &str) -> Result<OpenFolder, SourceError> {
        self.open = None;
        let next = self.places.iter().position(|place| place.name == folder);
        let place = next.and_then(|next| self.places.remove(next));
        let place = place.ok_or_else(|| unreadable(folder, "it was not found before"))?;
        let manifest = self.manifest_of(&place).await?;
        let is_ours = manifest.is_some();
        let what = match place.kind {
            Kind::Unreadable(why) => return Err(unreadable(place.path.display(), why)),
            Kind::OfSeveral(users) => {
                let path = place.path.display().to_string();
                return Err(SourceError::OfSeveral { path, users });
            }
            Kind::Mbox => {
                // It is known how our own are written.
                let kind = if is_ours { MboxKind::Mboxrd } else { self.import.mbox };
                let from = self.import.mbox_from.filter(|_| !is_ours);
                let shown = place.path.display().to_string();
                let open = move |stop: &AtomicBool| match read::open(&place.path) {
                    Ok(file) => Mbox::open(file, kind, from, stop),
                    Err(UnfetchedWhy::Unreadable(why)) => Err(io::Error::other(why)),
                    Err(_) => Err(io::ErrorKind::NotFound.into()),
                };
                let mut mbox = blocking(&shown, open).await?;
                if is_ours {
                    mbox.doubt_nothing();
                }
                self.notices.extend(about(&mbox, &shown, from));
                What::Mbox(mbox)
            }
            Kind::Folder { .. } | Kind::Files(_) | Kind::Maildir => What::Files(place),
        };
        let exists = match &what {
            What::Mbox(mbox) => mbox.messages(),
            // They are counted when they are listed.
            What::Files(_) => 0,
        };
        self.open = Some(Arc::new(Opened { what, manifest }));
        Ok(OpenFolder {
            name: folder.to_owned(),
            uidvalidity: None,
            uidnext: None,
            exists: u32::try_from(exists).unwrap_or(u32::MAX),
        })
    }

    /// What an export says of a place in it. One without a manifest was reported when it was found.
    async fn manifest_of(&mut self, place: &Place) -> Result<Option<Arc<Manifest>>, SourceError> {
        let Some(within) = place.within.clone() else {
            return Ok(None);
        };
        let path = within.manifest.clone();
        if let Some((last, manifest)) = &self.manifest
            && *last == path
        {
            return Ok(Some(manifest.clone()));
        }
        // Before the next one takes as much.
        self.manifest = None;
        let shown = path.display().to_string();
        let load = move |stop: &AtomicBool| match Manifest::load(&within, stop) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Ok(Err(entries::reason(&error))),
            loaded => loaded.map(Ok),
        };
        match blocking(&shown, load).await? {
            Ok(manifest) => {
                let manifest = Arc::new(manifest);
                self.manifest = Some((path, manifest.clone()));
                Ok(Some(manifest))
            }
            Err(why) => {
                self.notices.push(said!(
                    ManifestUnread,
                    "{0}: {1}; the messages that it lists are imported like any other mail",
                    shown,
                    Said::from(why)
                ));
                Ok(None)
            }
        }
    }

    fn opened(&self) -> Result<Arc<Opened>, SourceError> {
        self.open
            .clone()
            .ok_or_else(|| unreadable("the folder", "none is open"))
    }

    pub(super) async fn listing(&mut self) -> Result<Vec<CopyRef>, SourceError> {
        let opened = self.opened()?;
        match &opened.what {
            What::Mbox(mbox) => {
                let count = u32::try_from(mbox.messages()).map_err(|error| unreadable("the mbox", error))?;
                // What is before the first message and no mail is number 0.
                let first = if mbox.stray() > 0 { 0 } else { 1 };
                Ok((first..=count).map(CopyRef::Number).collect())
            }
            What::Files(place) => {
                let place = place.clone();
                let shown = place.path.display().to_string();
                let names = blocking(&shown, move |stop| list(&place, stop)).await?;
                Ok(names.into_iter().map(|name| CopyRef::File(name.into())).collect())
            }
        }
    }

    pub(super) async fn sizes(&mut self, copies: &[CopyRef]) -> Result<Vec<Announced>, SourceError> {
        let (opened, copies) = (self.opened()?, copies.to_vec());
        let sizes = move |_: &AtomicBool| {
            let announced = copies.into_iter().filter_map(|copy| {
                let size = opened.size(&copy)?;
                Some(Announced {
                    copy,
                    size,
                    facts: None,
                })
            });
            Ok(announced.collect())
        };
        blocking("the sizes", sizes).await
    }

    /// Reads a window of copies. What is not mail, or cannot be read, is returned with the reason.
    pub(super) async fn fetch(
        &mut self,
        window: &[Announced],
        sink: &mut (dyn FnMut(Fetched) + Send),
    ) -> Result<Vec<Unfetched>, SourceError> {
        let (opened, window) = (self.opened()?, window.to_vec());
        let asked = window.len();
        let is_eml = self.import.format == Format::Eml;
        let (send, mut read) = mpsc::channel(READ_AHEAD);
        let reading = tokio::task::spawn_blocking(move || {
            for one in window {
                let message = opened.read(&one, is_eml);
                // Nobody takes it where the run was interrupted.
                if send.blocking_send((one.copy, message)).is_err() {
                    return;
                }
            }
        });
        let mut unfetched = Vec::new();
        let mut answered = 0;
        while let Some((copy, message)) = read.recv().await {
            answered += 1;
            match message {
                Ok(message) => {
                    self.notices.extend(message.notice);
                    sink(Fetched {
                        copy,
                        bytes: message.bytes.into(),
                        internal_date: message.delivered,
                        aside: message.aside,
                    });
                }
                Err(why) => unfetched.push(Unfetched { copy, why }),
            }
        }
        match reading.await {
            Ok(()) if answered == asked => Ok(unfetched),
            _ => Err(panicked()),
        }
    }
}

impl Opened {
    /// `None` for a file that is gone. What cannot be read has no size; why is said when it is read.
    fn size(&self, copy: &CopyRef) -> Option<u64> {
        match (&self.what, copy) {
            (What::Mbox(_), CopyRef::Number(0)) => Some(0),
            (What::Mbox(mbox), CopyRef::Number(number)) => mbox.size(*number as usize - 1),
            (What::Files(place), CopyRef::File(name)) => match place.locate(Path::new(name)) {
                Ok(path) => match fs::symlink_metadata(path) {
                    Ok(found) if found.is_file() => Some(found.len()),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                    _ => Some(0),
                },
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(_) => Some(0),
            },
            _ => None,
        }
    }

    /// A copy. `is_eml`: files are messages, because whoever imports says so.
    fn read(&self, one: &Announced, is_eml: bool) -> Result<Message, UnfetchedWhy> {
        let unreadable = |error: io::Error| UnfetchedWhy::Unreadable(entries::reason(&error));
        let manifest = self.manifest.as_deref();
        match (&self.what, &one.copy) {
            (What::Mbox(mbox), CopyRef::Number(0)) => Err(UnfetchedWhy::NoMail(format!(
                "the {} bytes before the first `From ` line are no message{}",
                mbox.stray(),
                mbox.stray_is().map_or_else(String::new, |words| format!(": {words}"))
            ))),
            (What::Mbox(mbox), CopyRef::Number(number)) => {
                let number = *number as usize - 1;
                let message = mbox.read(number).map_err(unreadable)?;
                let noted = manifest.map(|manifest| mbox.stretch(number).and_then(|at| manifest.of_stretch(at)));
                let mut message = Message {
                    bytes: message.bytes,
                    delivered: message.date,
                    ..Message::default()
                };
                message.note(noted);
                Ok(message)
            }
            (What::Files(place), CopyRef::File(name)) => {
                let is_maildir = place.kind == Kind::Maildir;
                let noted = manifest.map(|manifest| manifest.of_file(&place.in_manifest(name)));
                let path = match place.locate(Path::new(name)) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(UnfetchedWhy::NotAnswered),
                    located => located.map_err(unreadable)?,
                };
                let told = match noted {
                    Some(Some(_)) => Told::Exported,
                    _ if is_maildir => Told::Message,
                    _ if is_eml => Told::Eml,
                    _ => Told::Nothing,
                };
                let mut message = read::message(&path, one.size, told)?;
                if is_maildir {
                    message.delivered = path.file_name().and_then(maildir::delivered);
                }
                message.note(noted);
                Ok(message)
            }
            _ => Err(UnfetchedWhy::NotAnswered),
        }
    }
}

impl Message {
    /// Takes what the manifest of its export says of it; `None` where it is in no export, or in none that has a
    /// manifest.
    fn note(&mut self, noted: Option<Option<Noted>>) {
        if let Some(noted) = noted {
            self.delivered = noted.map(|noted| noted.date()).or(self.delivered);
            let aside = noted.map_or_else(not_noted, |noted| noted.settle(&mut self.bytes));
            self.aside = Some(Box::new(aside));
        }
    }
}

/// The notices about an mbox: lines in its messages that look like those between them, and its line ends.
fn about(mbox: &Mbox, path: &str, from: Option<MboxFrom>) -> Vec<Said> {
    let mut notices = Vec::new();
    if mbox.ends_in_cr() {
        notices.push(lines_end_in_cr(path));
    }
    let (count, lines) = mbox.doubtful();
    if count > 0 {
        let places: Vec<_> = lines.iter().map(|line| format!("{path}:{line}")).collect();
        let what = match from {
            Some(_) => said!(TakenForText, "as --mbox-from says, they are taken for text"),
            None => said!(
                PerhapsMessages,
                "they are taken for text, but where the header of a message follows one, the message around it is an error: \
                 import the file with --mbox-from loose if such lines begin messages, with --mbox-from strict if they are \
                 text"
            ),
        };
        notices.push(said!(
            DoubtfulLines,
            "{0} lines inside messages look like the `From ` line that begins a message, the first in {1}; {2}",
            count,
            places.join(", "),
            what
        ));
    }
    notices
}

impl Place {
    /// How the manifest of its export names a listed file.
    fn in_manifest(&self, name: &OsStr) -> String {
        let prefix = self.within.as_ref().map_or("", |within| &within.prefix);
        format!("{prefix}{}", name.to_string_lossy())
    }

    /// Where a listed file is now.
    fn locate(&self, name: &Path) -> io::Result<PathBuf> {
        let path = self.path.join(name);
        if self.kind != Kind::Maildir || fs::symlink_metadata(&path).is_ok() {
            return Ok(path);
        }
        maildir::find(&self.path, name)?.ok_or(io::ErrorKind::NotFound.into())
    }
}

/// The files of a place, sorted, as they are named within it.
fn list(place: &Place, stop: &AtomicBool) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    match &place.kind {
        Kind::Files(named) => return Ok(named.clone()),
        Kind::Maildir => {
            for part in ["cur", "new"] {
                // A copy of a Maildir may lack one that is empty.
                match fs::read_dir(place.path.join(part)) {
                    Ok(entries) => list_part(entries, part, &mut names, stop)?,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Kind::Folder { mboxes, root } => {
            for entry in fs::read_dir(&place.path)? {
                let entry = entry?;
                let name = entry.file_name();
                let is_mbox = mboxes.binary_search(&name).is_ok();
                if !is_mbox && entries::is_candidate(&entry.path(), entry.file_type()?, root) {
                    names.push(name);
                }
                stopped(stop)?;
            }
        }
        Kind::Mbox | Kind::Unreadable(_) | Kind::OfSeveral(_) => {}
    }
    names.sort_unstable();
    Ok(names)
}

/// Hidden files are no messages, whatever put them there.
fn list_part(entries: fs::ReadDir, part: &str, names: &mut Vec<OsString>, stop: &AtomicBool) -> io::Result<()> {
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        if !entry.file_type()?.is_dir() && !name.as_encoded_bytes().starts_with(b".") {
            names.push(Path::new(part).join(name).into_os_string());
        }
        stopped(stop)?;
    }
    Ok(())
}

fn unreadable(path: impl ToString, why: impl ToString) -> SourceError {
    SourceError::File {
        path: path.to_string(),
        why: why.to_string().into(),
    }
}

fn panicked() -> SourceError {
    SourceError::Lost {
        command: "the reading of files".into(),
        words: "it panicked; this is a bug in dropkeep".into(),
    }
}

/// Tells the work on another thread to stop when nobody waits for it any more.
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Does on a thread of its own what waits for the disk. `what` an error names.
async fn blocking<T: Send + 'static>(
    what: &str,
    work: impl FnOnce(&AtomicBool) -> io::Result<T> + Send + 'static,
) -> Result<T, SourceError> {
    let stop = Stop(Arc::default());
    let told = stop.0.clone();
    let done = tokio::task::spawn_blocking(move || work(&told)).await;
    drop(stop);
    done.map_err(|_| panicked())?
        .map_err(|error| unreadable(what, entries::reason(&error)))
}
