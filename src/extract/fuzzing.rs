//! The door by which fuzz targets come in.

use super::{kind::Kind, reader};

/// At most `most` bytes of the text of a file, read in this process.
pub fn read(kind: Kind, bytes: &[u8], most: usize) -> String {
    reader::read(kind, bytes, most).0
}
