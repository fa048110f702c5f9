//! Answers that the store and the index of it can give: lists, searches, messages, users, protocols. Blocking: for a thread that may wait for
//! the disk. They are limited to the archives that whoever asks may read.

mod list;
mod message;
mod protocols;
mod rows;
mod search;
mod tell;
mod users;
pub mod view;

use std::ops::ControlFlow;

use self::tell::End;
pub use self::{
    message::message,
    search::all_found,
    tell::Emit,
    users::{find_user, no_user},
};
use crate::{
    access::Granted,
    api::{Failure, Request},
    archive::Store,
    search::Search,
};

/// Answers a request from the store, and from its index.
///
/// # Errors
/// It names what does not exist, or the store cannot be read.
pub fn answer(store: &Store, index: &Search, granted: &Granted, emit: &mut Emit) -> Result<(), Failure> {
    let mut tell = |reply| match emit(reply) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(End::NobodyReads),
    };
    let (archives, tell) = (granted.archives(), &mut tell);
    let answered = match granted.request() {
        Request::Protocols { newest, filter } => protocols::protocols(store, *newest, filter, tell),
        Request::Protocol { run } => protocols::protocol(store, *run, tell),
        Request::Users => users::users(store, archives, tell),
        Request::List { user, newest, filter } => list::list(store, archives, user.as_deref(), *newest, filter, tell),
        Request::Search(asked) => search::search(store, index, archives, asked, tell),
        Request::Raw { id } => message::raw(store, archives, *id, tell),
        Request::Show { id, journal } => message::show(store, archives, *id, *journal, tell),
        _ => Err(Failure::usage("this request needs a running appliance").into()),
    };
    match answered {
        Ok(()) | Err(End::NobodyReads) => Ok(()),
        Err(End::Failed(failure)) => Err(failure),
    }
}

#[cfg(test)]
mod tests;
