//! dropkeep archives multidrop mailboxes: it fetches them over IMAP and POP3, finds out for whom each message is, and
//! files it once and for good into each person's archive.
//!
//! The journey of a message, and the modules in its order:
//!
//! - [`profile`]: a supervisor keeps each profile running; a run's connections fetch from
//! - [`source`]: the mail servers, over IMAP and POP3, or files, whose [`formats`] it reads; [`token`] has what some of
//!   them take in place of a password;
//! - [`identify`]: what was fetched gets its digests, its date and its recipients (pure functions);
//! - [`route`]: the router maps addresses to users and hands the message to
//! - [`archive`]: the users' archives, whose filings the committer writes and syncs; only then is the copy done;
//! - [`report`]: the protocol of the run, metrics, health; [`notify`] reports it by mail and webhook.
//!
//! Around it: [`cli`] are the commands, [`control`] is the socket over which they reach a running appliance,
//! [`appliance`] the only wiring. Requests and replies are in [`api`], [`access`] decides who may ask what, [`gate`] is where
//! people with accounts come in, and
//! `reading` answers what the store alone can, and [`search`] finds mail by its words, which [`extract`] reads, those of
//! what is attached included. [`explain`] says why a message is whose, and [`export`] gets the archives out in
//! [`formats`] that other programs read. [`config`] is the configuration, `kept` has the profiles that the catalog keeps beside those of its file. [`message`] has the words that all stages
//! share, [`said`] what is said to people, in English and by codes for other languages. [`net`] dials servers. [`http`] is a server, [`monitoring`] what it serves to anybody: metrics and
//! health; [`web`] what it serves to accounts: the API; and [`console`] its pages for people.
//! [`harmless`] shows foreign text, [`child`] is this program as a child process that may crash, [`account`] names the
//! accounts of the machine, [`version`] is which dropkeep this is, [`panics`] says what is survived. [`durable`]
//! replaces files so that a crash leaves them whole, [`mapped`] reads files that may be lost meanwhile, [`patience`] waits
//! for what another process holds for a moment, [`held`] counts what is held in memory. [`fault`] and
//! [`clock`] let tests break off any step and set the time of day.

pub mod access;
pub mod account;
pub mod api;
pub mod appliance;
pub mod archive;
mod by_text;
mod child;
pub mod cli;
pub mod clock;
mod compaction;
pub mod config;
pub mod console;
pub mod control;
mod durable;
mod errand;
pub mod explain;
pub mod export;
pub mod extract;
pub mod fault;
pub mod formats;
pub mod gate;
pub mod harmless;
mod held;
pub mod http;
pub mod identify;
pub mod ids;
mod kept;
mod mapped;
pub mod message;
pub mod monitoring;
pub mod net;
pub mod notify;
pub mod panics;
mod patience;
pub mod profile;
pub mod reading;
pub mod report;
mod reroute;
pub mod route;
pub mod said;
pub mod search;
pub mod source;
pub mod token;
pub mod version;
pub mod web;
