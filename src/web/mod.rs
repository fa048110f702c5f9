//! The API for those who have accounts, as a guest of the HTTP server: JSON below `/api/v1`, which `document` describes.
//!
//! - `door` says who asks: by the cookie of a session or an application password; and asks the appliance in their name.
//!   Nothing here reads the archive by itself: whatever is answered came by `Appliance::answer`, which decides what they
//!   may see, and notes it.
//! - `session`, `mail`, `message`, `profiles`, `runs`, `users`, `upkeep`, `accounts` and `audit` have an address each, or some.
//! - `refused` is why somebody gets no answer; `stream` hands out answers while they are made.

mod accounts;
mod audit;
mod document;
mod door;
mod mail;
mod message;
mod notices;
mod profiles;
mod refused;
mod routes;
mod runs;
mod session;
mod stream;
mod take;
mod upkeep;
mod users;

pub use self::{
    audit::{as_csv as audit_csv, entries as audit_entries},
    document::document,
    door::{Answered, Door, Part, REASON, Visit, address, cut, refuse_other_sites, shown_cookie},
    mail::{hits, page},
    message::{attachment, raw},
    refused::Refused,
    routes::routes,
    session::set_cookie,
    stream::{Bytewise, bytes},
    take::{take, take_these},
    users::{Unknown, UnknownAddress, address_lists, unknown_addresses},
};
