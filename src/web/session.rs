//! `/session` and `/me`: logging in and out, and who is logged in.

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{HeaderValue, SET_COOKIE},
    },
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    door::{Answered, Door, Visit, address, body, cookie, cut, refuse_other_sites},
    refused::Refused,
};
use crate::{
    api::{Reply, Request, Role, Spoken},
    gate::Credentials,
    http::Asked,
};

/// What somebody shows to log in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogIn {
    /// Of the account.
    name: String,
    #[schema(value_type = String, format = Password)]
    password: Spoken,
    /// A one-time code or a recovery code, where the account has them.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    code: Option<Spoken>,
}

/// Who is logged in.
#[derive(Serialize, ToSchema)]
pub struct Me {
    name: String,
    role: Role,
    /// The users whose archives were given to the account. An auditor reads those of all others, too.
    archives: Vec<String>,
    /// Whether one-time codes are asked for.
    totp: bool,
    /// The account can do nothing but set up one-time codes, which its role demands.
    must_set_up_totp: bool,
    /// Whatever reads mail must say why, in the header field `Dropkeep-Reason`.
    needs_reason: bool,
}

/// Log in: begins a session, whose cookie is set. It ends when it is not used for a while, and some time after it began
/// (`[access]`).
#[utoipa::path(post, path = "/api/v1/session", tag = "session", security(()), request_body = LogIn,
    responses((status = 201, body = Started, headers(("Set-Cookie" = String)))))]
pub async fn log_in(door: Door, asked: Asked) -> Answered {
    refuse_other_sites(&asked.request)?;
    let LogIn { name, password, code } = body(&asked)?;
    let shown = Credentials { name, password, code };
    let logged_in = door
        .appliance()?
        .gate()
        .log_in(&shown, &address(&asked.request))
        .await?;
    let account = logged_in.account;
    let started = Started {
        name: account.name,
        role: account.role,
        must_set_up_totp: account.enrols,
    };
    let mut response = HttpResponse::Created().json(started);
    set_cookie(&mut response, &asked, logged_in.token.reveal(), "")?;
    Ok(response)
}

/// Whose session began.
#[derive(Serialize, ToSchema)]
pub struct Started {
    name: String,
    role: Role,
    /// The session is for nothing but setting up one-time codes, which the role demands.
    must_set_up_totp: bool,
}

/// Log out: ends the session whose cookie is shown.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", responses((status = 204)))]
pub async fn log_out(visit: Visit) -> Answered {
    let Some(token) = &visit.token else {
        let refused = Refused::bad("an application password has no session that could be ended");
        return Err(refused.do_so("Remove the application password."));
    };
    let ended = visit.appliance().gate().log_out(token, &visit.account.address).await;
    ended.map_err(|failure| visit.failed(failure))?;
    let mut response = HttpResponse::NoContent().finish();
    set_cookie(&mut response, &visit.asked, "", "; Max-Age=0")?;
    Ok(response)
}

/// Sets the cookie of a session.
///
/// # Errors
/// The value cannot stand in a header.
pub fn set_cookie(response: &mut HttpResponse, asked: &Asked, value: &str, more: &str) -> Result<(), Refused> {
    let secure = if asked.over_tls { "; Secure" } else { "" };
    let name = cookie(asked);
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{more}");
    let cookie = HeaderValue::from_str(&cookie).map_err(|_| Refused::new(StatusCode::INTERNAL_SERVER_ERROR))?;
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(())
}

/// Who is logged in.
#[utoipa::path(get, path = "/api/v1/me", tag = "session", responses((status = 200, body = Me)))]
pub async fn me(visit: Visit) -> Answered {
    let name = visit.account.name.clone();
    let replies = visit.ask(Request::Account { name }).await?;
    let line = replies.into_iter().find_map(|reply| match reply {
        Reply::Account(line) => Some(line),
        _ => None,
    });
    let line = line.ok_or_else(cut)?;
    Ok(HttpResponse::Ok().json(Me {
        name: line.name,
        role: line.role,
        archives: line.archives,
        totp: line.totp,
        must_set_up_totp: visit.account.enrols,
        needs_reason: visit.account.needs_reason,
    }))
}
