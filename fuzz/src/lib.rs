//! What the fuzz targets share: somebody who plays a server, the journey of a session, and a bound on memory.

mod memory;
mod played;
mod secrets;
mod session;

pub use memory::Bounded;
pub use played::Played;
pub use secrets::Watched;
pub use session::{Journey, journey, server};

/// The bytes at the beginning of an input that choose how the rest is read, and the rest. Inputs are made by hand too, so
/// they are letters as well as anything else: a missing one is 0.
pub fn choices<const N: usize>(input: &[u8]) -> ([u8; N], &[u8]) {
    let mut chosen = [0; N];
    let given = input.len().min(N);
    chosen[..given].copy_from_slice(&input[..given]);
    (chosen, &input[given..])
}
