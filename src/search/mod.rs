//! Finding a message among those archived.

pub mod addresses;
mod among;
mod bits;
mod checking;
mod columns;
mod compile;
mod counted;
mod criteria;
mod document;
mod error;
mod evaluate;
mod facets;
mod files;
mod find;
mod following;
pub mod index;
mod numbers;
mod parse;
mod phrases;
mod plan;
mod query;
mod ranks;
pub mod schema;
mod sealed;
mod searching;
mod shared_out;
mod snippets;
mod standing;
mod terms;
mod times;
mod unread;
pub mod words;
mod worker;

pub use self::{
    checking::{Agreement, Difference, check},
    compile::named,
    counted::Facets,
    document::{Entry, Maker},
    error::{FindError, SearchError},
    find::{Cursor, Found, Hit, PAGE, Wanted, find, find_all},
    index::{Index, Reach, View},
    parse::{QueryError, parse},
    query::{Criterion, Place, Query, Text},
    schema::Fields,
    searching::{Indexing, Search},
    shared_out::each_of,
    snippets::{Marks, Snippet},
    standing::{Stage, Standing},
    unread::unread,
};
