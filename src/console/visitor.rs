//! Somebody who was let in and asks for a page.

use actix_web::{
    HttpResponse,
    http::{Method, StatusCode},
};
use futures_util::future::LocalBoxFuture;
use maud::Markup;
use subtle::ConstantTimeEq;

use super::{
    answers::{html, see},
    filled::{Filled, Mistake},
    form::{Form, link},
    frame::{Face, Place},
    texts::Texts,
};
use crate::{
    access::{Token, words::digest},
    api::{Made, Reply, Request, UserLine},
    web::{Refused, Visit},
};

/// What is answered.
pub type Answered = Result<HttpResponse, Refused>;

pub struct Visitor {
    pub visit: Visit,
    pub face: Face,
    /// Of the address.
    pub query: Form,
    /// Of the body, where one is sent.
    pub form: Form,
    /// Why that could not be taken.
    pub mistake: Option<Mistake>,
}

/// What answers somebody who was let in.
pub type Handler = Box<dyn Fn(Visitor) -> LocalBoxFuture<'static, Answered> + Send + Sync>;

/// That, of a function.
pub fn handler<A>(handler: fn(Visitor) -> A) -> Handler
where
    A: Future<Output = Answered> + 'static,
{
    Box::new(move |visitor| Box::pin(handler(visitor)))
}

/// What the forms of a session bear: other sites do not know it, and it says nothing of the session's own token.
pub fn form_token(session: &Token) -> String {
    hex::encode(digest("dropkeep form 1", session.reveal().as_bytes()))
}

/// Whether a form has the token of the session in which it came.
pub fn bears(form: &Form, token: &str) -> bool {
    let given = form.get("token");
    !token.is_empty() && bool::from(given.as_bytes().ct_eq(token.as_bytes()))
}

impl Visitor {
    pub fn t(&self) -> &'static Texts {
        self.face.t()
    }

    /// The name of their account.
    pub fn name(&self) -> String {
        self.visit.account.name.clone()
    }

    pub fn page(&self, place: Place, title: &str, body: Markup) -> HttpResponse {
        let status = self.mistake.as_ref().map_or(StatusCode::OK, |mistake| mistake.status);
        html(status, self.face.page(place, title, body))
    }

    /// The form that is sent to `action`, as it is to be shown.
    pub fn filled(&self, action: &str) -> Filled<'_> {
        let sent = match self.visit.asked.request.method() == Method::POST {
            true => &self.form,
            false => &self.query,
        };
        Filled::of(action, sent, self.mistake.as_ref())
    }

    /// Whoever sent a form with these fields that was refused: they see its page again, with what they typed.
    ///
    /// # Errors
    /// What was refused is no matter of what was typed.
    pub fn mistaken(mut self, fields: &[&'static str], refused: Refused) -> Result<Self, Refused> {
        let action = self.visit.asked.request.path().to_owned();
        self.mistake = Some(Mistake::of(self.face.look.language, &action, fields, refused)?);
        Ok(self)
    }

    /// Refuses a page that the navigation does not show them. `access` decides what they may ask for; some of it has a page of
    /// its own for one's own account.
    ///
    /// # Errors
    /// It is not for them.
    pub fn require(&self, place: Place) -> Result<(), Refused> {
        match self.face.who.as_ref().is_some_and(|who| who.may_go(place)) {
            true => Ok(()),
            false => Err(Refused::new(StatusCode::FORBIDDEN)),
        }
    }

    /// All replies to a request.
    ///
    /// # Errors
    /// They may not make it, or it failed.
    pub async fn ask(&self, request: Request) -> Result<Vec<Reply>, Refused> {
        self.visit.ask(request).await
    }

    /// The same of whoever typed two passwords that are not alike.
    pub fn not_alike(mut self) -> Self {
        let action = self.visit.asked.request.path().to_owned();
        self.mistake = Some(Mistake::new(&action, "again", self.t().not_alike));
        self
    }

    /// The users whose archives they may read; for an administrator, all.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub async fn users(&self) -> Result<Vec<UserLine>, Refused> {
        let replies = self.ask(Request::Users).await?.into_iter();
        let users = replies.filter_map(|reply| match reply {
            Reply::User(line) => Some(line),
            _ => None,
        });
        Ok(users.collect())
    }

    /// The secrets that a request made.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub async fn made(&self, request: Request) -> Result<Vec<Made>, Refused> {
        let replies = self.ask(request).await?.into_iter();
        let made = replies.filter_map(|reply| match reply {
            Reply::Made(made) => Some(made),
            _ => None,
        });
        Ok(made.collect())
    }

    /// Sends them to a page that says what was done.
    pub fn done(&self, path: &str, done: &str) -> HttpResponse {
        see(&link(path, &[("done", done)]))
    }

    /// What was done just now, where the address says so.
    pub fn said_done(&self) -> Option<&'static str> {
        let t = self.t();
        Some(match self.query.get("done") {
            "saved" => t.done_saved,
            "removed" => t.done_removed,
            "ended" => t.done_ended,
            "begun" => t.done_begun,
            "interrupted" => t.done_interrupted,
            "password" => t.done_password,
            "codes_off" => t.done_codes_off,
            _ => return None,
        })
    }
}
