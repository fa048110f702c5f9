//! *Archive mail*: the profiles, and the wizard that sets one up, step by step.
//!
//! - `draft` is what somebody has said so far, `drafts` keeps them: in memory, for the session, for a while. No secret that
//!   was typed is in an address or in a page.
//! - `step` are the steps in their order: `server`, `test`, `folders`, `recipients`, `keeping`, `rehearsal` and `finish`
//!   each make the page of one and take what was typed there. `sheet` is a page while it is made, with its fields; `shell`
//!   is what is around it.
//! - `walk` goes from one to the next, `asking` asks the appliance: what is wrong is said by the checks that every profile
//!   passes, at the field that it is about.
//! - `profiles` lists them, shows one, and lets one go.
//! - `texts` has the words.

mod asking;
mod draft;
mod drafts;
mod finish;
mod folders;
mod keeping;
mod profiles;
mod recipients;
mod rehearsal;
mod server;
mod sheet;
mod shell;
mod step;
mod summary;
mod test;
mod texts;
mod walk;

use actix_web::http::Method;

use self::drafts::Drafts;
use super::visitor::{Answered, Handler, Visitor, handler};

/// The pages, with what answers each.
pub fn pages() -> Vec<(Method, &'static str, Handler)> {
    const LIST: &str = "/console/archive-mail";
    const STEP: &str = "/console/archive-mail/{draft}/{step}";
    const REMOVE: &str = "/console/profiles/{name}/remove";
    let drafts = Drafts::default();
    vec![
        (Method::GET, LIST, with(&drafts, profiles::list)),
        (Method::POST, LIST, with(&drafts, walk::begin)),
        (Method::GET, STEP, with(&drafts, walk::show)),
        (Method::POST, STEP, with(&drafts, walk::take)),
        (
            Method::GET,
            "/console/archive-mail/{draft}/{step}/events",
            with(&drafts, walk::events),
        ),
        (Method::GET, "/console/profiles/{name}", handler(profiles::show)),
        (Method::GET, REMOVE, handler(profiles::ask_to_remove)),
        (Method::POST, REMOVE, handler(profiles::remove)),
    ]
}

fn with<A>(drafts: &Drafts, answer: fn(Drafts, Visitor) -> A) -> Handler
where
    A: Future<Output = Answered> + 'static,
{
    let drafts = drafts.clone();
    Box::new(move |visitor| Box::pin(answer(drafts.clone(), visitor)))
}
