//! Files within a ZIP, unpacked one at a time and never whole: how much comes out of them is bounded together.

use std::io::{BufReader, Cursor, Read};

use zip::{ZipArchive, read::ZipFile, result::ZipError};

use super::output::Stop;

/// Files of a ZIP that are looked at.
pub(super) const FILES: usize = 1000;
/// Bytes that are unpacked of one, and of all in an attachment.
const LARGEST: u64 = 48 << 20;
const ALL: u64 = 256 << 20;

/// What may still be unpacked of an attachment.
pub(super) struct Allowance(u64);

impl Default for Allowance {
    fn default() -> Self {
        Self(ALL)
    }
}

/// A ZIP that is open.
pub(super) struct Zipped<'z> {
    archive: ZipArchive<Cursor<&'z [u8]>>,
}

/// A file of it, as it is unpacked.
pub(super) struct Unpacked<'a, 'z> {
    file: std::io::Take<ZipFile<'a, Cursor<&'z [u8]>>>,
    allowance: &'a mut Allowance,
}

impl Read for Unpacked<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.allowance.0 = self.allowance.0.saturating_sub(count as u64);
        Ok(count)
    }
}

impl<'z> Zipped<'z> {
    pub fn open(bytes: &'z [u8]) -> Result<Self, Stop> {
        match ZipArchive::new(Cursor::new(bytes)) {
            Ok(archive) => Ok(Self { archive }),
            Err(_) => Err(Stop::broken("it is a broken ZIP file")),
        }
    }

    /// How many files there are in it.
    pub fn len(&self) -> usize {
        self.archive.len()
    }

    /// The names of its files, in their order, as long as they are names.
    pub fn names(&self) -> Vec<String> {
        let names = self.archive.file_names().take(FILES);
        names.map(|name| name.map(Into::into).unwrap_or_default()).collect()
    }

    /// Whether the file at this place says that it is longer than what is unpacked of one.
    pub fn is_long(&self, place: usize) -> bool {
        self.archive
            .by_index_data(place)
            .is_ok_and(|file| file.size() >= LARGEST)
    }

    /// Opens the file at this place. Of a longer one than is unpacked, the beginning is read.
    pub fn file<'a>(
        &'a mut self,
        place: usize,
        allowance: &'a mut Allowance,
    ) -> Result<BufReader<Unpacked<'a, 'z>>, Stop> {
        if allowance.0 == 0 {
            return Err(Stop::broken("more is packed into it than is unpacked"));
        }
        let file = self.archive.by_index(place).map_err(|error| {
            Stop::broken(match error {
                ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => "it is encrypted",
                ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_) => {
                    "it is packed in a way that is not known"
                }
                _ => "it has a broken file packed into it",
            })
        })?;
        let file = file.take(LARGEST.min(allowance.0));
        Ok(BufReader::new(Unpacked { file, allowance }))
    }

    /// All of the file at this place.
    pub fn bytes(&mut self, place: usize, allowance: &mut Allowance) -> Result<Vec<u8>, Stop> {
        let mut bytes = Vec::new();
        let mut file = self.file(place, allowance)?;
        match file.read_to_end(&mut bytes) {
            Ok(_) if bytes.len() as u64 == LARGEST => Err(Stop::broken("a file that is packed into it is too large")),
            Ok(_) => Ok(bytes),
            Err(_) => Err(Stop::broken("it has a broken file packed into it")),
        }
    }
}
