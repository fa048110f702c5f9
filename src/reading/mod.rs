//! Answers that the store and the index of it can give: lists, searches, messages, users, accounts, protocols. Blocking:
//! for a thread that may wait for the disk. They are limited to the archives that whoever asks may read.

mod accounts;
mod audit;
mod growth;
mod list;
mod message;
mod protocols;
mod rows;
mod safe_html;
mod search;
mod take;
mod tell;
mod users;
pub mod view;

use std::ops::ControlFlow;

use self::tell::End;
pub use self::{
    accounts::find_account,
    message::message,
    protocols::protocol_of as protocol,
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
        Request::Protocols { newest, filter, before } => protocols::protocols(store, *newest, filter, *before, tell),
        Request::Protocol { run } => protocols::protocol(store, *run, tell),
        Request::Ignored => users::ignored(store, tell),
        Request::Users => users::users(store, archives, tell),
        Request::List { user, newest, filter } => list::list(store, archives, user.as_deref(), *newest, filter, tell),
        Request::Page { user, after, limit } => list::page(store, archives, user, after.as_deref(), *limit, tell),
        Request::Search(asked) => search::search(store, index, archives, asked, tell),
        Request::Raw { id, named } => message::raw(store, archives, *id, *named, tell),
        Request::Show {
            id,
            journal,
            full,
            images,
        } => {
            let how = message::How {
                envelopes: *journal,
                full: *full,
                images: *images,
            };
            message::show(store, archives, *id, how, tell)
        }
        Request::Part { id, part } => message::part(store, archives, *id, *part, tell),
        Request::Take(taken) => take::take(store, index, archives, taken, tell),
        Request::Journals { id } => message::journals(store, archives, *id, tell),
        Request::Accounts => accounts::accounts(store, tell),
        Request::Account { name } => accounts::account(store, name, tell),
        Request::Applications { account } => accounts::applications(store, account, tell),
        Request::Growth { before } => growth::growth(store, before, tell),
        Request::Audit(filter) => audit::audit(store, filter, tell),
        _ => Err(Failure::usage("this request needs a running appliance").into()),
    };
    match answered {
        Ok(()) | Err(End::NobodyReads) => Ok(()),
        Err(End::Failed(failure)) => Err(failure),
    }
}

#[cfg(test)]
mod tests;
