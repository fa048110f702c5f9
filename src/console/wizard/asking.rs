//! What is asked of the appliance for a draft: whether it is right, how its server is, and what it would archive.

use std::io;

use actix_web::{HttpResponse, http::StatusCode};
use bytes::Bytes;
use maud::Markup;

use super::{
    draft::{Draft, PASSWORD, Rehearsed, Tested},
    drafts::Drafts,
    rehearsal,
    shell::NoKey,
    step::Step,
    test,
};
use crate::{
    api::{Failure, Form, ProfileSetup, Reply, Request, Spoken, Written},
    console::{frame::Place, visitor::Visitor},
    web::{Bytewise, Refused, cut},
};

/// What the forms of a session bear, by which its drafts are known.
pub fn session(visitor: &Visitor) -> &str {
    visitor.face.who.as_ref().map_or("", |who| who.token.as_str())
}

/// Everything a request was answered with, and how it failed.
async fn asked(visitor: &Visitor, request: Request) -> Result<(Vec<Reply>, Option<Failure>), Refused> {
    visitor.require(Place::Profiles)?;
    visitor.visit.ask_for_what_there_is(request).await
}

/// How profiles are set up: all, or one.
pub async fn setups(visitor: &Visitor, name: Option<String>) -> Result<Vec<ProfileSetup>, Refused> {
    visitor.require(Place::Profiles)?;
    let replies = visitor.ask(Request::Profiles { name, secrets: false }).await?;
    let setups = replies.into_iter().filter_map(|reply| match reply {
        Reply::Setup(setup) => Some(*setup),
        _ => None,
    });
    Ok(setups.collect())
}

/// All that is wrong with a draft.
pub async fn check(visitor: &Visitor, draft: &Draft) -> Result<Vec<Failure>, Refused> {
    let request = Request::CheckProfile {
        name: draft.like.clone(),
        profile: draft.written(),
    };
    let (replies, first) = asked(visitor, request).await?;
    let more = replies.into_iter().filter_map(|reply| match reply {
        Reply::AlsoWrong(failure) => Some(failure),
        _ => None,
    });
    Ok(first.into_iter().chain(more).collect())
}

/// Why no secret could be kept, whatever it is.
pub async fn no_key(visitor: &Visitor) -> Result<NoKey, Refused> {
    // One that would be right if there is a key.
    let profile = r#"{"name": "a profile with a password",
        "server": {"access": "imap", "host": "localhost", "username": "x", "password": "x"}}"#;
    let request = Request::CheckProfile {
        name: None,
        profile: Written {
            text: Spoken::new(profile),
            form: Form::Json,
        },
    };
    let failure = asked(visitor, request).await?.1;
    Ok(NoKey(
        failure.filter(|failure| failure.key.as_deref() == Some(PASSWORD)),
    ))
}

/// Asks for a code by which somebody logs in, or, where there is one, for what they got by it.
pub async fn log_in_by_code(
    visitor: &Visitor,
    draft: &Draft,
    code: Option<Spoken>,
) -> Result<(Vec<Reply>, Option<Failure>), Refused> {
    let request = Request::LogInByCode {
        name: draft.like.clone(),
        profile: draft.written_before_log_in(),
        code,
    };
    asked(visitor, request).await
}

fn request_of(draft: &Draft, step: Step) -> Request {
    let name = draft.like.clone();
    match step {
        Step::Rehearsal => Request::Rehearse {
            name,
            profile: Some(draft.written()),
        },
        _ => Request::TestProfile {
            name,
            profile: Some(draft.written_for_test()),
        },
    }
}

/// Tests or rehearses a draft to the end.
pub async fn try_out(visitor: &Visitor, drafts: &Drafts, number: &str, step: Step) -> Result<(), Refused> {
    let Some(draft) = drafts.with(session(visitor), number, |draft| draft.clone()) else {
        return Ok(());
    };
    visitor.require(Place::Profiles)?;
    let mut answer = visitor.visit.begin(request_of(&draft, step)).await?;
    let mut trying = Trying::new(visitor, drafts, number, step);
    loop {
        match answer.next().await.ok_or_else(cut)? {
            Reply::Done => return Ok(()),
            reply => drop(trying.take(reply)),
        }
        if trying.ended {
            return Ok(());
        }
    }
}

/// The same, while somebody looks on.
pub async fn watched(mut visitor: Visitor, drafts: &Drafts, number: &str, step: Step) -> Result<HttpResponse, Refused> {
    visitor.require(Place::Profiles)?;
    let Some(draft) = drafts.with(session(&visitor), number, |draft| draft.clone()) else {
        return Err(Refused::new(StatusCode::GONE));
    };
    let mut answer = visitor.visit.begin(request_of(&draft, step)).await?;
    let first = answer.next().await.ok_or_else(cut)?;
    let mut trying = Trying::new(&visitor, drafts, number, step);
    let as_events = Bytewise {
        kind: "text/event-stream",
        file: None,
    };
    if let Reply::Failed(_) = first {
        let end = trying.take(first).unwrap_or_default();
        return Ok(HttpResponse::Ok().content_type(as_events.kind).body(end));
    }
    let line = move |reply| Ok::<_, io::Error>(trying.take(reply));
    as_events.answer(&mut visitor.visit, Some(first), answer, line)
}

/// A draft that is being tried out: what comes is kept with it, and told.
struct Trying {
    face: crate::console::frame::Face,
    drafts: Drafts,
    session: String,
    number: String,
    step: Step,
    tested: Tested,
    ended: bool,
}

impl Trying {
    fn new(visitor: &Visitor, drafts: &Drafts, number: &str, step: Step) -> Self {
        Self {
            face: visitor.face.clone(),
            drafts: drafts.clone(),
            session: session(visitor).to_owned(),
            number: number.to_owned(),
            step,
            tested: Tested::default(),
            ended: false,
        }
    }

    /// Takes a reply; gives what whoever looks on is told.
    fn take(&mut self, reply: Reply) -> Option<Bytes> {
        match reply {
            Reply::Step(step) => {
                let line = test::line(&self.face, &step);
                self.tested.steps.push(step);
                Some(event("add", line))
            }
            Reply::Rehearsing { done, expected, users } => {
                Some(event("put", rehearsal::so_far(&self.face, done, expected, &users)))
            }
            Reply::Tested(found) | Reply::Rehearsed(found) => Some(self.end(*found, None)),
            Reply::Failed(failure) => Some(self.end(serde_json::Value::Null, Some(failure))),
            _ => None,
        }
    }

    fn end(&mut self, found: serde_json::Value, failure: Option<Failure>) -> Bytes {
        self.ended = true;
        let mut tested = std::mem::take(&mut self.tested);
        // Those that nobody took in time are in it, too.
        if let Ok(steps) = serde_json::from_value(found["steps"].clone()) {
            tested.steps = steps;
        }
        let step = self.step;
        self.drafts.with(&self.session, &self.number, move |draft| {
            if step == Step::Rehearsal {
                let keys = serde_json::Value::Null;
                rehearsal::keep(draft, Rehearsed { found, failure, keys });
            } else {
                (tested.found, tested.failure) = (found, failure);
                draft.keep_test(tested);
            }
        });
        event("end", maud::html! {})
    }
}

/// An event, as a browser has it, which takes each kind of line end for one.
fn event(name: &str, data: Markup) -> Bytes {
    let lines: Vec<_> = data
        .0
        .split(['\r', '\n'])
        .map(|line| format!("data: {line}\n"))
        .collect();
    format!("event: {name}\n{}\n", lines.concat()).into()
}
