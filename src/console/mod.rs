//! The console: pages for people with a browser, made here, whole; a stylesheet and a little script of our own, from the
//! binary too. Nothing is loaded from elsewhere, and everything but live progress works without the script.
//!
//! - `routes` has the addresses. `visitor` is somebody who was let in (by `web`'s door), what they ask for, and the form that
//!   they sent, which must bear the token of their session.
//! - `frame` is what is around each page: who is logged in, where they may go, language and theme (`look`). `answers` sends it,
//!   with what browsers are told to refuse; `assets` are the stylesheet and the script.
//! - `filled` is a form that could not be taken, as somebody filled it in.
//! - `texts` has all words in both languages, as `bilingual` says, `words` what is counted, dated and measured in them.
//! - `wizard` sets profiles up.
//! - `log_in`, `account`, `mail`, `overview`, `runs`, `people`, `audit` and `store` are the pages, as of mail `search`
//!   (with `asked` and `narrowing`), `message`, and the `body` of one, which a browser shows shut in; `first` is the page that
//!   makes the first account. `handbook` shows the `documents`.

mod account;
mod accounts;
mod answers;
mod asked;
mod assets;
mod assign;
mod audit;
mod beside;
mod bilingual;
mod body;
mod browse;
mod charts;
mod days;
mod documents;
mod filled;
mod first;
mod folded;
mod form;
mod frame;
mod growth;
mod handbook;
mod import;
mod language;
mod lists;
mod log_in;
mod look;
mod message;
mod narrowing;
mod overview;
mod parts;
mod people;
mod routes;
mod rows;
mod runs;
mod said;
mod schedule;
mod search;
mod store;
mod texts;
mod verification;
mod visitor;
mod wizard;
mod words;

pub use self::{first::FirstAccount, routes::routes};
