//! Keeping mapped pages from counting as ours.
//!
//! LMDB reads through a map of the file, and a page once read stays in the process's resident set though it is only the
//! system's cache. Over a long run, or one look through a table, that would be the whole catalog. So as long as anybody
//! reads, a thread looks how much is mapped, and lets it go where it is much; what is needed again comes back out of
//! the cache. Once nobody reads any more, memory that was given up is given back to the system.

use std::{
    cell::Cell,
    fs, mem,
    os::unix::fs::FileExt,
    path::Path,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread::{self, Thread},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use rustix::mm::{Advice, madvise};

use crate::mapped;

/// What counts as resident in this process, in bytes: files that are mapped, and memory of its own. Nothing where the
/// system does not say.
#[derive(Clone, Copy, Default)]
struct Resident {
    mapped: u64,
    own: u64,
}

impl Resident {
    /// Of proc_pid_statm(5), which costs a fraction of what proc_pid_status(5) does.
    fn now() -> Self {
        static STATM: OnceLock<Option<fs::File>> = OnceLock::new();
        let statm = STATM.get_or_init(|| fs::File::open("/proc/self/statm").ok());
        let mut text = [0; 128];
        let read = statm.as_ref().and_then(|statm| statm.read_at(&mut text, 0).ok());
        let pages = str::from_utf8(&text[..read.unwrap_or_default()]).unwrap_or_default();
        let mut pages = pages
            .split_ascii_whitespace()
            .skip(1)
            .map_while(|pages| pages.parse::<u64>().ok());
        let (all, shared) = (pages.next().unwrap_or_default(), pages.next().unwrap_or_default());
        let page = rustix::param::page_size() as u64;
        Self {
            mapped: shared * page,
            own: all.saturating_sub(shared) * page,
        }
    }
}

/// Lets go of the pages that are mapped of a file, or of the files in a folder. Not being able to changes nothing that
/// is read.
pub(super) fn release(path: &Path) {
    let Ok(path) = path.canonicalize() else { return };
    release_where(|file| file.starts_with(&path));
}

fn release_where(is_meant: impl Fn(&Path) -> bool) {
    let Ok(maps) = fs::read_to_string("/proc/self/maps") else {
        return;
    };
    let is_meant = |line: &&str| line.find('/').is_some_and(|at| is_meant(Path::new(&line[at..])));
    for (start, end) in maps.lines().filter(is_meant).filter_map(range) {
        // SAFETY: the range is a shared, read-only map of a file: MADV_DONTNEED drops page table entries, and
        // whoever reads there next, also at this moment, finds the same bytes.
        let released = unsafe { madvise(start as *mut _, end - start, Advice::LinuxDontNeed) };
        if let Err(error) = released {
            tracing::debug!(%error, "the catalog's pages stay resident");
        }
    }
}

/// Has the system begin to read what is mapped here, which is much and about to be read from end to end.
pub(super) fn will_need(bytes: &[u8]) {
    let page = rustix::param::page_size();
    let start = bytes.as_ptr() as usize & !(page - 1);
    let end = bytes.as_ptr() as usize + bytes.len();
    // SAFETY: the range is that of a slice, widened to whole pages, and MADV_WILLNEED changes nothing in it. Not being
    // able to begin makes reading no worse.
    let _ = unsafe { madvise(start as *mut _, end - start, Advice::WillNeed) };
}

/// Bytes mapped of the archive up to which nothing is let go, unless more is [allowed](allow).
const MOST: u64 = 16 << 20;
static MAPPED: Mapped = Mapped {
    allowed: AtomicU64::new(MOST),
    others: AtomicU64::new(0),
};

/// How much may be mapped, in bytes.
struct Mapped {
    /// Of the archive.
    allowed: AtomicU64,
    /// What stayed when all of that was last let go: the program itself, which is tens of megabytes.
    others: AtomicU64,
}

impl Mapped {
    fn is_much(&self, mapped: u64) -> bool {
        mapped.saturating_sub(self.others.load(Ordering::Relaxed)) >= self.allowed.load(Ordering::Relaxed)
    }
}

/// Bytes of memory up to which the allocator keeps what was given up, and how often it is made to give it back above
/// that.
const MOST_OWN: u64 = 128 << 20;
const OWN_PAUSE: Duration = Duration::from_millis(500);
/// How often it is looked while somebody reads, as out of the system's cache a map fills by gigabytes a second; and
/// after how many looks at nobody no more.
const PAUSE: Duration = Duration::from_millis(10);
const QUIET: u32 = 100;

static TOUCHED: AtomicBool = AtomicBool::new(false);
static WATCHER: OnceLock<Option<Thread>> = OnceLock::new();
/// After how many pages that it had to be given a thread looks. With a page, the system maps all that it has at hand in
/// one piece, which may be two megabytes.
const LOOK_AFTER: i64 = 8;
/// Held by whoever lets go: the others wait, and map nothing more meanwhile.
static LETTING_GO: Mutex<()> = Mutex::new(());

/// Lets so much be mapped before it is let go: for a process that looks up much and holds little besides.
pub(super) fn allow(bytes: u64) {
    MAPPED.allowed.store(bytes, Ordering::Relaxed);
}

/// Lets go where much is mapped. Gives whether it was.
fn look(resident: Resident) -> bool {
    let is_much = MAPPED.is_much(resident.mapped);
    if is_much {
        release_where(|file| file.ends_with("data.mdb"));
        mapped::release();
        MAPPED.others.store(Resident::now().mapped, Ordering::Relaxed);
    }
    is_much
}

/// Says that a map is about to be read: for each row that is looked up, as it may lie anywhere, and for each page of a
/// row of rows. Costs next to nothing. The watcher may not get its turn, as on a machine with much else to do, and a page
/// that is read brings its neighbours: so whoever reads looks, too.
pub fn touched() {
    if was_given_pages() {
        let _alone = LETTING_GO.lock();
        look(Resident::now());
    }
    if TOUCHED.load(Ordering::Relaxed) || TOUCHED.swap(true, Ordering::Relaxed) {
        return;
    }
    let start = || {
        let watcher = thread::Builder::new().name("pages".into()).spawn(watch);
        let watcher = watcher.inspect_err(|error| tracing::warn!(%error, "no thread to let mapped pages go"));
        Some(watcher.ok()?.thread().clone())
    };
    if let Some(watcher) = WATCHER.get_or_init(start) {
        watcher.unpark();
    }
}

/// Whether this thread was given so many pages since it was last asked that it should look. Where all that it reads is
/// mapped, it never is, and asking costs a tenth of looking.
fn was_given_pages() -> bool {
    thread_local! {
        static SEEN: Cell<i64> = const { Cell::new(0) };
    }
    // SAFETY: the system fills in a structure of numbers, for which all zeros stand for a value.
    let usage = unsafe {
        let mut usage = mem::zeroed::<libc::rusage>();
        (libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage) == 0).then_some(usage)
    };
    // Where it does not say, each look-up is one too many.
    let given = usage.map(|usage| usage.ru_minflt + usage.ru_majflt);
    SEEN.with(|seen| {
        let given = given.unwrap_or_else(|| seen.get() + LOOK_AFTER);
        let is_much = given - seen.get() >= LOOK_AFTER;
        if is_much {
            seen.set(given);
        }
        is_much
    })
}

fn watch() {
    loop {
        let mut quiet = 0;
        let mut given_back = Instant::now();
        while quiet < QUIET {
            thread::sleep(PAUSE);
            let resident = Resident::now();
            let is_much = look(resident);
            if given_back.elapsed() >= OWN_PAUSE && resident.own >= MOST_OWN {
                give_back();
                given_back = Instant::now();
            }
            let is_read = TOUCHED.swap(false, Ordering::Relaxed) || is_much;
            quiet = if is_read { 0 } else { quiet + 1 };
        }
        give_back();
        thread::park();
    }
}

/// Heaps that threads share, at most. By default there are eight for each core, and each keeps what was once needed;
/// with fewer than there are threads at work, they wait for each other.
const HEAPS: i32 = 8;

/// Has the allocator keep less for later. For the beginning of the process.
pub fn be_sparing() {
    // SAFETY: a setting of the allocator, which it takes at any time.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, HEAPS);
    }
}

/// Of jemalloc: all heaps, to be purged.
#[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
const PURGE: &std::ffi::CStr = c"arena.4096.purge";

/// Gives memory back to the system that allocators keep for later: that of the Rust code, and the C library's.
pub fn give_back() {
    // SAFETY: it takes a name, and neither reads nor writes a value. Where another allocator is in use, there is nothing
    // to purge.
    #[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
    unsafe {
        let nothing = std::ptr::null_mut();
        tikv_jemalloc_sys::mallctl(PURGE.as_ptr(), nothing, std::ptr::null_mut(), nothing, 0);
    }
    // SAFETY: it takes the allocator's own locks, and moves nothing.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Does `work`, and lets go of the pages mapped of `path` meanwhile.
pub(super) fn releasing<T>(path: &Path, work: impl FnOnce() -> T) -> T {
    let (done, wait) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            while wait.recv_timeout(PAUSE) == Err(mpsc::RecvTimeoutError::Timeout) {
                release(path);
            }
        });
        let worked = work();
        drop(done);
        worked
    })
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

    /// Bytes that are resident of what this process has mapped of a file.
    fn resident(file: &Path) -> u64 {
        let maps = fs::read_to_string("/proc/self/smaps").unwrap();
        let at = maps.find(file.to_str().unwrap()).unwrap();
        let line = maps[at..].lines().find_map(|line| line.strip_prefix("Rss:")).unwrap();
        line.trim().split(' ').next().unwrap().parse::<u64>().unwrap() << 10
    }

    #[test]
    fn what_is_read_of_a_file_does_not_stay_resident() {
        let folder = tempfile::tempdir().unwrap();
        // By another name than the watcher looks for.
        let file = folder.path().canonicalize().unwrap().join("map");
        let length = 1 << 20;
        fs::write(&file, vec![1; length]).unwrap();
        let open = fs::File::open(&file).unwrap();
        // SAFETY: a new shared map of a file that nobody changes, unmapped nowhere.
        let map = unsafe {
            let flags = (rustix::mm::ProtFlags::READ, rustix::mm::MapFlags::SHARED);
            let map = rustix::mm::mmap(std::ptr::null_mut(), length, flags.0, flags.1, &open, 0).unwrap();
            std::slice::from_raw_parts(map.cast::<u8>(), length)
        };
        let read = || map.iter().step_by(4096).map(|byte| usize::from(*byte)).sum::<usize>();
        for path in [&file, folder.path()] {
            assert_eq!(read(), length / 4096);
            assert_eq!(resident(&file), length as u64);
            release(path);
            assert_eq!(resident(&file), 0);
        }
        let waited = releasing(folder.path(), || {
            read();
            let started = std::time::Instant::now();
            while resident(&file) > 0 && started.elapsed() < Duration::from_secs(30) {
                thread::sleep(PAUSE);
            }
            resident(&file)
        });
        assert_eq!(waited, 0);
    }

    /// One look through a table took all of it into the resident set.
    #[test]
    fn what_is_read_at_one_go_does_not_stay_resident() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().canonicalize().unwrap().join("data.mdb");
        let length = 3 * MOST as usize;
        fs::File::create(&file).unwrap().set_len(length as u64).unwrap();
        let open = fs::File::open(&file).unwrap();
        // SAFETY: a new shared map of a file that nobody changes, unmapped nowhere.
        let map = unsafe {
            let flags = (rustix::mm::ProtFlags::READ, rustix::mm::MapFlags::SHARED);
            let map = rustix::mm::mmap(std::ptr::null_mut(), length, flags.0, flags.1, &open, 0).unwrap();
            std::slice::from_raw_parts(map.cast::<u8>(), length)
        };
        let started = std::time::Instant::now();
        touched();
        while map.iter().step_by(4096).all(|byte| *byte == 0) && resident(&file) >= MOST {
            assert!(started.elapsed() < Duration::from_secs(60), "{} bytes", resident(&file));
            thread::sleep(PAUSE / 5);
        }
    }

    /// Where the watcher did not get its turn, an import into a large archive had 200 MB of it mapped.
    #[test]
    fn whoever_reads_lets_go_by_how_much_is_mapped() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().canonicalize().unwrap().join("data.mdb");
        let pages = 64 * 1024;
        fs::write(&file, vec![1; pages * 4096]).unwrap();
        let open = fs::File::open(&file).unwrap();
        // SAFETY: a new shared map of a file that nobody changes, unmapped nowhere.
        let map = unsafe {
            let flags = (rustix::mm::ProtFlags::READ, rustix::mm::MapFlags::SHARED);
            let map = rustix::mm::mmap(std::ptr::null_mut(), pages * 4096, flags.0, flags.1, &open, 0).unwrap();
            std::slice::from_raw_parts(map.cast::<u8>(), pages * 4096)
        };
        let mut most = 0;
        for look_up in 0..20_000 {
            touched();
            assert_eq!(map[look_up * 7919 % pages * 4096], 1);
            if look_up % 500 == 0 {
                most = most.max(resident(&file));
            }
        }
        // Other tests count, too, and the system maps ahead of them.
        assert!(most < 4 * MOST, "{most} bytes");
    }

    /// With a program of about that size, what was read was let go page by page, and the watcher never rested.
    #[test]
    fn what_stays_mapped_of_the_program_does_not_count() {
        let mapped = Mapped {
            allowed: AtomicU64::new(MOST),
            others: AtomicU64::new(0),
        };
        assert!(mapped.is_much(2 * MOST) && !mapped.is_much(MOST - 1));
        mapped.others.store(2 * MOST, Ordering::Relaxed);
        assert!(!mapped.is_much(2 * MOST) && !mapped.is_much(3 * MOST - 1) && mapped.is_much(3 * MOST));
    }

    #[test]
    fn only_shared_read_only_maps_are_let_go() {
        assert_eq!(
            range("7f00-8000 r--s 00000000 fe:00 12 /data.mdb"),
            Some((0x7f00, 0x8000))
        );
        assert_eq!(range("7f00-8000 rw-s 00000000 fe:00 12 /data.mdb"), None);
        assert_eq!(range("7f00-8000 r--p 00000000 fe:00 12 /data.mdb"), None);
        assert_eq!(range("nonsense"), None);
    }
}
