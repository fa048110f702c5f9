//! Tables whose rows come in no order, or are very many and small: packed, and written where their neighbours are.
//!
//! A B-tree over keys that come at random has a page of its own to change for each row, and a third of each page is
//! empty. So a settled table is several: new rows go into `fresh`, a small B-tree that is always at hand. Once that has
//! so many rows, a stretch of them is moved on into the *chunks* of the first level: values of up to a page, each with
//! the rows from its key on, packed against each other. When that level has so many chunks, a stretch of those moves on
//! into the next one, which is larger by as much. The stretches go round through the keys: where one ended, the next
//! begins. So the rows that move at a time are neighbours, several of them go into each chunk, and what a row costs
//! does not grow with the table.
//!
//! All of it is in the transaction of the group that writes. A row of an upper level hides one of the same key below.
//! What is damaged stays where it is, and rows that would have to go into a damaged chunk stay above it.
//!
//! - [`Packing`]: what a table of this kind says of its rows
//! - `fresh`: the bytes of a fresh row
//! - `chunk`: the bytes of a chunk, `writer` makes them
//! - `range`: rows in order, up or down, merged from all levels
//! - `sweep`: moving a stretch of rows one level on
//! - [`Settled`]: the table as others use it; [`TakingOver`] packs one of an older version

mod chunk;
mod fresh;
mod packing;
mod range;
mod sweep;
mod table;
mod taking_over;
mod writer;

#[cfg(test)]
mod tests;

pub(super) use chunk::key_bytes;
#[cfg(fuzzing)]
pub(super) use chunk::{seal, unpack};
pub use packing::Packing;
pub(super) use packing::{put_difference, put_number, take_bytes, take_difference, take_number};
pub use range::Direction;
pub use table::{Reached, Settled};
pub(super) use taking_over::{Became, TakingOver};
