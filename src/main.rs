//! The `dropkeep` binary. All of it is in the library.

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
