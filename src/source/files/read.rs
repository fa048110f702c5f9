//! The bytes of a message out of its file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::atomic::AtomicBool,
};

use rustix::fs::OFlags;

use super::entries::{reason, why_not_followed};
use crate::{
    formats::{
        BEGINNING, Looks, Mbox, MboxKind, emlx,
        kind::{ends_in_cr, has_header, why_no_mail},
        looks,
    },
    said::{Said, said},
    source::{Aside, UnfetchedWhy},
};

/// Opens a regular file. Links are not followed, and what is not a file is not waited for.
///
/// # Errors
/// Why it cannot be read, in words.
pub fn open(path: &Path) -> Result<File, UnfetchedWhy> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => UnfetchedWhy::NotAnswered,
        _ => UnfetchedWhy::Unreadable(reason(&error)),
    };
    let kind = fs::symlink_metadata(path).map_err(unreadable)?.file_type();
    if kind.is_symlink() {
        return Err(UnfetchedWhy::Unreadable(why_not_followed(path)));
    }
    if !kind.is_file() {
        return Err(UnfetchedWhy::Unreadable("it is no regular file".into()));
    }
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(flags.bits() as i32);
    options.open(path).map_err(unreadable)
}

/// A message out of a file.
#[derive(PartialEq, Eq, Debug, Default)]
pub struct Message {
    pub bytes: Vec<u8>,
    /// When it came, in seconds since 1970 UTC, where its place tells.
    pub delivered: Option<i64>,
    /// What its place tells besides.
    pub aside: Option<Box<Aside>>,
    /// The notices about its place.
    pub notice: Option<Said>,
}

/// What is known of a file before it is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    Nothing,
    /// Whoever imports says that it is a message: something in it must be a header.
    Eml,
    /// It is a message whatever it holds, because of where it lies.
    Message,
    /// An export of our own wrote it; even without bytes it is a message.
    Exported,
}

/// Reads a file that is one message, of the size at which it was listed.
///
/// # Errors
/// It cannot be read, has grown or become shorter since, or is no mail.
pub fn message(path: &Path, size: u64, told: Told) -> Result<Message, UnfetchedWhy> {
    let unreadable = |error: io::Error| UnfetchedWhy::Unreadable(reason(&error));
    let mut file = open(path)?;
    let mut bytes = Vec::new();
    (&mut file)
        .take(BEGINNING as u64)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    let shrank = || UnfetchedWhy::Unreadable("it became shorter while it was read; import it again".into());
    // Before it is judged by how it begins: what is left of it may look like something else.
    if (bytes.len() as u64) < size.min(BEGINNING as u64) {
        return Err(shrank());
    }
    let mut may_hold_more = false;
    let is_emlx = match looks(&bytes) {
        _ if told == Told::Exported || (told == Told::Message && !bytes.is_empty()) => false,
        Looks::Emlx => true,
        // A file named as a message may have its `From ` line still; it is kept as it is.
        Looks::Message => false,
        Looks::Mbox => {
            may_hold_more = true;
            false
        }
        Looks::Neither(_) if told == Told::Eml && why_no_mail(&bytes).is_none() && has_header(&bytes) => false,
        Looks::Neither(why) => return Err(UnfetchedWhy::NoMail(why.into())),
    };
    // There is no room for more than it was to have: it was not counted on.
    let read = bytes.len() as u64;
    bytes.reserve_exact(usize::try_from(size.saturating_sub(read)).unwrap_or_default());
    (&mut file)
        .take((size + 1).saturating_sub(read))
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > size {
        return Err(UnfetchedWhy::Unreadable(
            "it grew while it was read; import it again".into(),
        ));
    }
    if (bytes.len() as u64) < size {
        return Err(shrank());
    }
    let mut message = Message {
        bytes,
        ..Message::default()
    };
    if is_emlx {
        message.delivered = emlx::unwrap(&mut message.bytes).map_err(UnfetchedWhy::NoMail)?;
        if path.to_string_lossy().to_lowercase().ends_with(".partial.emlx") {
            message.aside = Aside::remark(partial());
        }
    }
    if may_hold_more {
        let mbox = Mbox::open(file, MboxKind::Auto, None, &AtomicBool::new(false)).map_err(unreadable)?;
        let (count, lines) = (mbox.messages(), mbox.doubtful().0);
        message.notice = (count > 1 || lines > 0).then(|| several(&path.display().to_string(), count));
    }
    if matches!(told, Told::Nothing | Told::Eml) && ends_in_cr(&message.bytes) {
        let ends = message.bytes.iter_mut().filter(|byte| **byte == b'\r');
        ends.for_each(|byte| *byte = b'\n');
        let notice = lines_end_in_cr(&path.display().to_string());
        message.notice = Some(match message.notice.take() {
            Some(before) => said!(And, "{0}; {1}", before, notice),
            None => notice,
        });
    }
    Ok(message)
}

/// The notices about what old programs of the Macintosh wrote.
pub fn lines_end_in_cr(path: &str) -> Said {
    said!(
        LinesEndInCr,
        "{0}: its lines end in CR alone, as on old Macintoshes; its mail is archived with LF instead",
        path
    )
}

/// The notices about an mbox that is named as a message.
fn several(path: &str, count: usize) -> Said {
    said!(
        PerhapsMbox,
        "{0}: by its name it is one message, and it is archived as one; as an mbox it would be {1} or more: if it is one, \
         import it with `--format mbox`",
        path,
        count
    )
}

fn partial() -> Said {
    said!(
        PartOfMessage,
        "it is only part of a message: Apple Mail keeps its attachments elsewhere, or never fetched them. It is archived \
         without them; save it whole (in Mail: Message, Save As) or fetch it from its server, and import that too"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_mbox_that_is_named_as_a_message_is_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.eml");
        let one = "From a@example.com Thu Jan  1 00:00:00 2026\nSubject: x\n\nx\n\n";
        for (text, expected) in [(one.to_owned(), None), (one.repeat(2), Some("would be 2 or more"))] {
            for text in [text.clone(), text.replace('\n', "\r")] {
                fs::write(&path, &text).unwrap();
                for told in [Told::Nothing, Told::Eml] {
                    let read = message(&path, text.len() as u64, told).unwrap();
                    let notice = read.notice.unwrap_or_default();
                    assert_eq!(
                        notice.contains("--format mbox"),
                        expected.is_some(),
                        "{text:?}: {notice}"
                    );
                    assert!(notice.contains(expected.unwrap_or_default()), "{text:?}: {notice}");
                    assert_eq!(read.bytes.len(), text.len());
                }
            }
        }
    }

    /// What is read of a file that was listed with another size is perhaps half of a message.
    #[test]
    fn a_file_that_changed_since_it_was_listed_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.eml");
        for length in [0, 100, BEGINNING, 2 * BEGINNING] {
            let mut text = b"Subject: x\n\n".to_vec();
            text.resize(length.max(text.len()), b'x');
            fs::write(&path, &text).unwrap();
            let size = text.len() as u64;
            for told in [Told::Nothing, Told::Eml, Told::Message] {
                assert_eq!(message(&path, size, told).unwrap().bytes, text);
                for (listed, word) in [(size - 1, "grew"), (size + 1, "shorter"), (size + (1 << 20), "shorter")] {
                    let Err(UnfetchedWhy::Unreadable(words)) = message(&path, listed, told) else {
                        panic!("{size} bytes are read of {listed}");
                    };
                    assert!(words.contains(word), "{size} of {listed}: {words}");
                }
            }
        }
        fs::write(&path, b"").unwrap();
        let emptied = message(&path, 7, Told::Nothing);
        assert!(matches!(&emptied, Err(UnfetchedWhy::Unreadable(_))), "{emptied:?}");
        let empty = message(&path, 0, Told::Nothing);
        assert!(matches!(&empty, Err(UnfetchedWhy::NoMail(_))), "{empty:?}");
    }
}
