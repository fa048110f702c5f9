//! The `dropkeep` binary. All of it is in the library.

/// A message passes through several threads, and what one of them allocates another one frees. With glibc's allocator that
/// was a fifth of the processor time of an import.
#[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Its settings, where it looks for them. A few heaps that threads share, and what was given up goes back to the system
/// within a second: memory is to be small, on a machine with many cores too.
// SAFETY: a pointer to a string of C, by the name and type that jemalloc declares; nobody else has this name.
#[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
#[used]
#[unsafe(export_name = "_rjem_malloc_conf")]
static SETTINGS: &[u8; 46] = b"narenas:8,dirty_decay_ms:500,muzzy_decay_ms:0\0";

/// As in `0.1.0 (098d000abc, modified)`; in a source tarball `0.1.0`.
#[cfg(git_checkout)]
const VERSION: &str = git_version::git_version!(
    prefix = concat!(env!("CARGO_PKG_VERSION"), " ("),
    suffix = ")",
    args = ["--always", "--exclude=*", "--abbrev=10", "--dirty=, modified"],
    fallback = env!("CARGO_PKG_VERSION")
);
#[cfg(not(git_checkout))]
const VERSION: &str = env!("CARGO_PKG_VERSION");

fn main() -> std::process::ExitCode {
    dropkeep::cli::run(VERSION)
}
