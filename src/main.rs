//! The `dropkeep` binary. All of it is in the library.

fn main() -> std::process::ExitCode {
    dropkeep::cli::run()
}
