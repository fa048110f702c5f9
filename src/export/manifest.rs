//! What is done of a user's export: a line of JSON per message, appended once the message is on disk.

use std::{
    fs::File,
    io::{BufReader, Seek, SeekFrom, Write},
    path::PathBuf,
};

use super::{ExportError, folder::Folder};
pub use crate::formats::manifest::ManifestLine;
use crate::formats::manifest::read_line;

/// A manifest that is gone on with.
pub struct Manifest {
    path: PathBuf,
    file: File,
}

impl Manifest {
    /// Opens a manifest and hands its lines to `each`, until that says that one is not to stay. From there, or from
    /// where it cannot be read, it is cut off: what stood there is exported again.
    ///
    /// # Errors
    /// Those of `each`, or the file cannot be read and written.
    pub fn open(
        folder: &Folder,
        name: &str,
        mut each: impl FnMut(&ManifestLine) -> Result<bool, ExportError>,
    ) -> Result<Self, ExportError> {
        let path = &folder.path().join(name);
        let mut file = folder.open(name).map_err(ExportError::unusable(path))?;
        let failed = |error| ExportError::io("reading", path)(error);
        let mut reader = BufReader::with_capacity(1 << 16, &file);
        let mut good = 0;
        let mut text = Vec::new();
        loop {
            let (length, line) = read_line(&mut reader, &mut text).map_err(failed)?;
            match line {
                Some(line) if each(&line)? => good += length as u64,
                _ => break,
            }
        }
        let length = file.metadata().map_err(failed)?.len();
        if length > good {
            tracing::debug!(manifest = %path.display(), bytes = length - good, "its end is cut off");
            file.set_len(good)
                .map_err(|error| ExportError::io("cutting", path)(error))?;
        }
        file.seek(SeekFrom::Start(good)).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// Appends lines.
    ///
    /// # Errors
    /// Not all of them could be written; a torn one is cut off when it is opened next.
    pub fn append(&mut self, lines: &[u8]) -> Result<(), ExportError> {
        let written = self.file.write_all(lines);
        written.map_err(|error| ExportError::io("writing", &self.path)(error))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use jiff::Timestamp;

    use super::*;
    use crate::archive::MessageId;

    fn line(id: MessageId) -> ManifestLine {
        ManifestLine {
            id,
            file: "jane.mbox".into(),
            offset: Some(id.0 * 10),
            length: Some(10),
            size: 3,
            sha256: "00".into(),
            date: Timestamp::UNIX_EPOCH,
            folder: "INBOX\n".into(),
            why: "To".into(),
        }
    }

    const NAME: &str = "manifest.jsonl";

    fn ids(folder: &Folder, until: MessageId) -> Vec<MessageId> {
        let mut ids = Vec::new();
        let opened = Manifest::open(folder, NAME, |line| {
            ids.push(line.id);
            Ok(line.id < until)
        });
        drop(opened.unwrap());
        ids
    }

    fn text(ids: &[MessageId]) -> Vec<u8> {
        ids.iter()
            .flat_map(|id| [&serde_json::to_vec(&line(*id)).unwrap()[..], b"\n"].concat())
            .collect()
    }

    #[test]
    fn a_torn_end_is_cut_off_wherever_it_was_torn() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        let folder = Folder::at(folder.path()).unwrap();
        let (whole, two) = (
            text(&[MessageId(1), MessageId(2), MessageId(3)]),
            text(&[MessageId(1), MessageId(2)]),
        );
        for length in two.len()..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(ids(&folder, MessageId(9)), [1, 2].map(MessageId));
            assert_eq!(fs::read(&path).unwrap(), two);
        }
        // What a power cut can leave.
        for tail in [&b"\0\0\0\0\n"[..], b"\0\0", b"{}\n", &text(&[MessageId(4)])[1..]] {
            fs::write(&path, [&two, tail].concat()).unwrap();
            assert_eq!(ids(&folder, MessageId(9)), [1, 2].map(MessageId));
            assert_eq!(fs::read(&path).unwrap(), two);
        }
        let mut manifest = Manifest::open(&folder, NAME, |_| Ok(true)).unwrap();
        manifest.append(&text(&[MessageId(3)])).unwrap();
        assert_eq!(fs::read(&path).unwrap(), whole);
    }

    #[test]
    fn from_a_line_that_is_not_to_stay_on_it_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        let folder = Folder::at(folder.path()).unwrap();
        fs::write(&path, text(&[MessageId(1), MessageId(2), MessageId(3)])).unwrap();
        assert_eq!(ids(&folder, MessageId(2)), [1, 2].map(MessageId));
        assert_eq!(fs::read(&path).unwrap(), text(&[MessageId(1)]));
        assert_eq!(line(MessageId(4)).end(), Some(50));
    }
}
