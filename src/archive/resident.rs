//! Keeping mapped pages from counting as ours.
//!
//! LMDB reads through a map of the file, and a page once read stays in the process's resident set
//! though it is but the system's cache. Over a long run that would be the whole catalog. So from time to time
//! the map's pages are let go; those needed again come back out of the cache.

use std::{fs, path::Path};

use rustix::mm::{Advice, madvise};

/// Bytes of files that count as resident in this process; 0 where the system does not say.
pub(super) fn mapped() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssFile:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or_default() << 10
}

/// Lets go of the pages that are mapped of `path`, a file or all files in a folder. Not being able to changes nothing
/// that is read.
pub(super) fn release(path: &Path) {
    let Ok(path) = path.canonicalize() else { return };
    let Ok(maps) = fs::read_to_string("/proc/self/maps") else {
        return;
    };
    for (start, end) in maps.lines().filter(|line| is_of(line, &path)).filter_map(range) {
        // SAFETY: the range is a shared, read-only map of a file: MADV_DONTNEED drops page table entries, and
        // whoever reads there next, also at this moment, finds the same bytes.
        let released = unsafe { madvise(start as *mut _, end - start, Advice::LinuxDontNeed) };
        if let Err(error) = released {
            tracing::debug!(%error, "the catalog's pages stay resident");
        }
    }
}

/// Whether a map is of a file that is `path` or lies in it.
fn is_of(line: &str, path: &Path) -> bool {
    line.find('/')
        .is_some_and(|at| Path::new(&line[at..]).starts_with(path))
}

/// The addresses of a shared, read-only map: `7f00-7fff r--s …`.
fn range(line: &str) -> Option<(usize, usize)> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let is_shared_and_read_only = rest.starts_with("r--s");
    let parse = |text| usize::from_str_radix(text, 16).ok();
    parse(start).zip(parse(end)).filter(|_| is_shared_and_read_only)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_shared_read_only_maps_are_let_go() {
        assert_eq!(
            range("7f00-8000 r--s 00000000 fe:00 12 /data.mdb"),
            Some((0x7f00, 0x8000))
        );
        assert_eq!(range("7f00-8000 rw-s 00000000 fe:00 12 /data.mdb"), None);
        assert_eq!(range("7f00-8000 r--p 00000000 fe:00 12 /data.mdb"), None);
        assert_eq!(range("nonsense"), None);
        let line = "7f00-8000 r--s 00000000 fe:00 12          /a b/volumes/000001/data.mdb";
        for (path, is) in [
            ("/a b/volumes", true),
            ("/a b/volumes/000001/data.mdb", true),
            ("/a b/vol", false),
        ] {
            assert_eq!(is_of(line, Path::new(path)), is, "{path}");
        }
    }
}
