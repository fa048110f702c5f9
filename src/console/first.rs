//! The first account: as long as there is none, `serve` prints a link for whoever reads what it prints, by which the first
//! administrator is made. Of the link's token only the digest is kept. It ends with its first use, once there is an account,
//! and with the process.

use std::sync::Arc;

use actix_web::http::StatusCode;
use maud::html;
use parking_lot::Mutex;
use subtle::ConstantTimeEq;

use super::{
    account::new_password,
    answers::{html as page_of, see},
    filled::{Filled, Mistake},
    form::Form,
    frame::{CODES, Face, Place},
    visitor::Answered,
};
use crate::{
    access::{Token, words::Digest},
    api::{Failure, Spoken},
    gate::{Credentials, Gate},
    http::Asked,
    web::{self, Door, Refused, address},
};

/// A link that makes the first account, where there is one. Cloned, it is the same.
#[derive(Clone, Default)]
pub struct FirstAccount(Arc<Mutex<Option<Digest>>>);

impl FirstAccount {
    /// The path of a new link, where there is no account; the one before counts no more.
    ///
    /// # Errors
    /// The store cannot be read, or the machine gives no random numbers.
    pub fn link(&self, gate: &Gate) -> Result<Option<String>, Failure> {
        if gate.has_accounts()? {
            return Ok(None);
        }
        let token = Token::new().map_err(|error| Failure::new(crate::api::Exit::Errors, error))?;
        *self.0.lock() = Some(token.digest());
        Ok(Some(format!("/console/first/{}", token.reveal())))
    }

    fn is(&self, shown: &str) -> bool {
        let known = *self.0.lock();
        known.is_some_and(|known| known.ct_eq(&Token::shown(shown).digest()).into())
    }

    /// Takes the link, which counts no more.
    fn take(&self, shown: &str) -> bool {
        let is = self.is(shown);
        if is {
            *self.0.lock() = None;
        }
        is
    }

    fn put_back(&self, shown: &str) {
        *self.0.lock() = Some(Token::shown(shown).digest());
    }
}

fn over(face: &Face) -> Refused {
    let t = face.t();
    Refused::new(StatusCode::NOT_FOUND)
        .because(t.link_is_over)
        .do_so(t.do_link_is_over)
}

/// Whether the link counts, and there still is no account.
fn counts(door: &Door, first: &FirstAccount, asked: &Asked) -> Result<bool, Refused> {
    let has_accounts = door.appliance()?.gate().has_accounts();
    let failed = |error| Refused::failed(&actix_web::http::Method::GET, Failure::from(error));
    Ok(first.is(asked.named("token")) && !has_accounts.map_err(failed)?)
}

pub async fn ask((door, first): (Door, FirstAccount), asked: Asked, face: Face) -> Answered {
    if !counts(&door, &first, &asked)? {
        return Err(over(&face));
    }
    Ok(form(&face, &asked, &Form::default(), None))
}

fn form(face: &Face, asked: &Asked, sent: &Form, mistake: Option<&Mistake>) -> actix_web::HttpResponse {
    let t = face.t();
    let action = asked.request.path();
    let filled = Filled::of(action, sent, mistake);
    let body = html! {
        p { (t.first_means) }
        form.card.narrow method="post" action=(action) {
            (filled.field("name", t.account_name, "text", "", "username"))
            (new_password(face, filled))
            button.main type="submit" { (t.make_account) }
        }
    };
    let status = mistake.map_or(StatusCode::OK, |mistake| mistake.status);
    page_of(status, face.page_of("plain", Place::Nowhere, t.first_account, body))
}

/// Makes the first administrator, logs them in, and offers them one-time codes.
pub async fn make((door, first): (Door, FirstAccount), asked: Asked, face: Face) -> Answered {
    let sent = Form::of_body(&asked)?;
    let link = asked.named("token");
    let name = sent.get("name");
    if !counts(&door, &first, &asked)? || !first.take(link) {
        return Err(over(&face));
    }
    let again = |mistake: Result<Mistake, Refused>| {
        // Nothing was made by it.
        first.put_back(link);
        Ok(form(&face, &asked, &sent, Some(&mistake?)))
    };
    let action = asked.request.path();
    if sent.as_typed("password") != sent.as_typed("again") {
        return again(Ok(Mistake::new(action, "again", face.t().not_alike)));
    }
    let (gate, from) = (door.appliance()?.gate(), address(&asked.request));
    let password = Spoken::new(sent.as_typed("password"));
    if let Err(failure) = gate.first_account(name, password.clone(), &from).await {
        let refused = Refused::failed(asked.request.method(), failure);
        return again(Mistake::of(face.look.language, action, &["name", "password"], refused));
    }
    let shown = Credentials {
        name: name.to_owned(),
        password,
        code: None,
    };
    let logged_in = gate.log_in(&shown, &from).await?;
    let mut response = see(CODES);
    web::set_cookie(&mut response, &asked, logged_in.token.reveal(), "")?;
    Ok(response)
}
