//! Mail: what is read in it, for whom it is, and mail that is hardly mail.

mod addresses;
mod any_mail;
mod bad_mail;
mod delivered;
mod for_whom;
mod former_identities;
mod long_mail;
mod reports;
mod routing;
mod shown;
#[path = "../support/mod.rs"]
mod support;
mod who_got_what;
