//! A bound on memory that counts what is asked for, touched or not.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering},
};

/// The most bytes that may be asked for at once.
const ONE: usize = 24 << 20;

/// The most bytes that may be held together, corpus and all.
const ALL: usize = 384 << 20;

/// The system's allocator. Whoever asks it for too much ends the process, which libFuzzer takes for a crash.
#[derive(Debug)]
pub struct Bounded {
    held: AtomicUsize,
}

impl Bounded {
    pub const fn new() -> Self {
        Self {
            held: AtomicUsize::new(0),
        }
    }

    fn take(&self, size: usize) {
        let held = self.held.fetch_add(size, Ordering::Relaxed) + size;
        if size > ONE || held > ALL {
            // libFuzzer's hook reports the panic, and needs memory itself.
            self.held.fetch_sub(size, Ordering::Relaxed);
            panic!("{size} bytes are asked for, beside {} held", held - size);
        }
    }
}

impl Default for Bounded {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: all is done by the system's allocator, with what it was given.
unsafe impl GlobalAlloc for Bounded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.take(layout.size());
        // SAFETY: the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.take(layout.size());
        // SAFETY: the caller's.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        self.held.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        self.take(size);
        self.held.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's.
        unsafe { System.realloc(place, layout, size) }
    }
}
