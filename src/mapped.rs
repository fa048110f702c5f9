//! Files that are read through a map and may be lost meanwhile: cut off by somebody, or on a disk that fails. The system
//! tells whoever reads there by SIGBUS, and that would end the process, with all else that it is about. Here what is lost
//! reads as zeros from then on, and the owner is told. So it is for files that can be made anew, and whose owner asks
//! before anything comes of what was read.

use std::{
    fs::File,
    io,
    mem::MaybeUninit,
    ops::Deref,
    ptr, slice,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, munmap};

/// Maps at a time.
const MOST: usize = 4096;

/// Where a map lies, and who is told if it is lost. The handler reads this at any moment; a map that is being read
/// keeps its place.
struct Place {
    /// 0 where there is none.
    start: AtomicUsize,
    end: AtomicUsize,
    lost: AtomicPtr<AtomicBool>,
}

static PLACES: [Place; MOST] = [const {
    Place {
        start: AtomicUsize::new(0),
        end: AtomicUsize::new(0),
        lost: AtomicPtr::new(ptr::null_mut()),
    }
}; MOST];
/// Held by whoever maps, unmaps, or goes through all maps.
static CHANGING: Mutex<()> = Mutex::new(());

/// A file as it was when it was mapped.
pub struct Map {
    place: Option<&'static Place>,
    start: *const u8,
    length: usize,
    /// Where the handler writes.
    _lost: Arc<AtomicBool>,
}

// SAFETY: it is read only, and unmapped once.
unsafe impl Send for Map {}
// SAFETY: as above.
unsafe impl Sync for Map {}
// SAFETY: it stays where it is mapped as long as this is there.
unsafe impl stable_deref_trait::StableDeref for Map {}

impl Map {
    /// Maps all of a file. `lost` becomes true when something of it cannot be read any more, before any byte of what
    /// stands there instead is seen.
    ///
    /// # Errors
    /// It cannot be mapped, or too much is.
    pub fn of(file: &File, lost: &Arc<AtomicBool>) -> io::Result<Self> {
        catch_losses()?;
        let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        let mut map = Self {
            place: None,
            start: ptr::NonNull::dangling().as_ptr(),
            length,
            _lost: lost.clone(),
        };
        // There is no map without a byte.
        if length == 0 {
            return Ok(map);
        }
        let _alone = CHANGING.lock();
        let place = PLACES.iter().find(|place| place.start.load(Ordering::Relaxed) == 0);
        let place = place.ok_or_else(|| io::Error::other("too many files of the index are open"))?;
        // SAFETY: a new map, at a place that the system chooses.
        let start = unsafe { mmap(ptr::null_mut(), length, ProtFlags::READ, MapFlags::SHARED, file, 0) }?;
        map.start = start.cast();
        place.lost.store(Arc::as_ptr(lost).cast_mut(), Ordering::Relaxed);
        place.end.store(start as usize + length, Ordering::Relaxed);
        place.start.store(start as usize, Ordering::Release);
        map.place = Some(place);
        Ok(map)
    }
}

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: so much is mapped there, or nothing is wanted.
        unsafe { slice::from_raw_parts(self.start, self.length) }
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        let Some(place) = self.place else { return };
        let _alone = CHANGING.lock();
        place.start.store(0, Ordering::Release);
        // SAFETY: this map, which nobody reads any more.
        let unmapped = unsafe { munmap(self.start.cast_mut().cast(), self.length) };
        if let Err(error) = unmapped {
            tracing::debug!(%error, "a file stays mapped");
        }
    }
}

/// Lets go of the pages that are mapped: they come back out of the system's cache when they are read again.
pub fn release() {
    let _alone = CHANGING.lock();
    for place in &PLACES {
        let start = place.start.load(Ordering::Relaxed);
        if start == 0 {
            continue;
        }
        let length = place.end.load(Ordering::Relaxed) - start;
        // SAFETY: a shared, read-only map of a file, which stays as long as this holds the lock: MADV_DONTNEED drops
        // page table entries, and whoever reads there next finds the same bytes; or zeros as before, where it is lost.
        let released = unsafe { madvise(start as *mut _, length, Advice::LinuxDontNeed) };
        if let Err(error) = released {
            tracing::debug!(%error, "pages of a file stay resident");
        }
    }
}

/// What was done at SIGBUS before.
static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();

/// Has losses caught from now on.
fn catch_losses() -> io::Result<()> {
    static ONLY_ONCE: Mutex<()> = Mutex::new(());
    let _alone = ONLY_ONCE.lock();
    if BEFORE.get().is_some() {
        return Ok(());
    }
    let mut before = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: asks what is done at present, into room for it.
    if unsafe { libc::sigaction(libc::SIGBUS, ptr::null(), before.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the system has filled it in.
    let before = BEFORE.get_or_init(|| unsafe { before.assume_init() });
    let mut action = *before;
    action.sa_sigaction = lost as *const () as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: `lost` is a handler of this form, and calls nothing that a handler must not.
    match unsafe { libc::sigaction(libc::SIGBUS, &raw const action, ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Called where a thread reads what is not there any more, and it reads once more when this returns.
extern "C" fn lost(signal: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the system gives it so with SA_SIGINFO.
    let address = unsafe { (*info).si_addr() } as usize;
    let place = PLACES.iter().find(|place| {
        let start = place.start.load(Ordering::Acquire);
        start != 0 && (start..place.end.load(Ordering::Relaxed)).contains(&address)
    });
    if let Some(place) = place {
        // SAFETY: the map that is being read has this as long as it has its place.
        unsafe { (*place.lost.load(Ordering::Relaxed)).store(true, Ordering::SeqCst) };
        let page = address - address % rustix::param::page_size();
        let length = place.end.load(Ordering::Relaxed) - page;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
        // SAFETY: zeros, from that page to the end of that map, in place of what cannot be read.
        let zeros = unsafe { libc::mmap(page as *mut _, length, libc::PROT_READ, flags, -1, 0) };
        if zeros != libc::MAP_FAILED {
            return;
        }
    }
    // Somebody else's: what would have been done, when it is read once more.
    if let Some(before) = BEFORE.get() {
        // SAFETY: this was the action.
        unsafe { libc::sigaction(signal, &raw const *before, ptr::null_mut()) };
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    const PAGE: usize = 4096;

    fn file(pages: usize) -> File {
        use std::io::Write;
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7; pages * PAGE]).unwrap();
        file
    }

    #[test]
    fn what_was_cut_off_reads_as_zeros_and_its_owner_is_told() {
        let (mine, others) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (cut, whole) = (file(4), file(1));
        let map = Map::of(&cut, &mine).unwrap();
        let other = Map::of(&whole, &others).unwrap();
        assert!(map.iter().all(|byte| *byte == 7));
        cut.set_len(2 * PAGE as u64).unwrap();
        assert!(map[..2 * PAGE].iter().all(|byte| *byte == 7));
        assert!(!mine.load(Ordering::SeqCst));
        assert!(map[2 * PAGE..].iter().all(|byte| *byte == 0));
        assert!(mine.load(Ordering::SeqCst));
        release();
        assert_eq!((map[0], map[3 * PAGE], other[0]), (7, 0, 7));
        assert!(!others.load(Ordering::SeqCst));
        assert!(Map::of(&tempfile::tempfile().unwrap(), &mine).unwrap().is_empty());
    }

    #[test]
    fn places_are_given_back() {
        let lost = Arc::default();
        for _ in 0..2 * MOST {
            Map::of(&file(1), &lost).unwrap();
        }
    }

    /// What others map ends the process as it always did. This one starts itself for it.
    #[test]
    fn losses_of_others_are_theirs() {
        const CHILD: &str = "DROPKEEP_TEST_LOSES";
        if std::env::var_os(CHILD).is_some() {
            let lost = Arc::default();
            let _mine = Map::of(&file(1), &lost).unwrap();
            let theirs = file(1);
            // SAFETY: a new map, which nobody else has.
            let map = unsafe { mmap(ptr::null_mut(), PAGE, ProtFlags::READ, MapFlags::SHARED, &theirs, 0) };
            theirs.set_len(0).unwrap();
            // SAFETY: reads what is mapped; that it is not there any more is what this is about.
            let read = unsafe { map.unwrap().cast::<u8>().read_volatile() };
            panic!("{read}");
        }
        let name = "mapped::tests::losses_of_others_are_theirs";
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        let ended = child.args(["--exact", name]).env(CHILD, "1").output().unwrap();
        assert_eq!(ended.status.signal(), Some(libc::SIGBUS), "{ended:?}");
    }
}
