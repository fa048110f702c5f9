//! `/accounts` and `/sessions`: who logs in, and by what.

use actix_web::HttpResponse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::door::{Answered, Visit, cut};
use crate::api::{AccountLine, AccountWish, ApplicationLine, Made, Reply, Request, Role, SessionLine, Spoken};

/// The accounts.
#[derive(Serialize, ToSchema)]
pub struct Accounts {
    accounts: Vec<AccountLine>,
}

/// All accounts.
#[utoipa::path(get, path = "/api/v1/accounts", tag = "accounts", responses((status = 200, body = Accounts)))]
pub async fn list(visit: Visit) -> Answered {
    let accounts = visit.ask(Request::Accounts).await?.into_iter().filter_map(account_of);
    Ok(HttpResponse::Ok().json(Accounts {
        accounts: accounts.collect(),
    }))
}

/// An account; one's own, or for an administrator any.
#[utoipa::path(get, path = "/api/v1/accounts/{name}", tag = "accounts", params(("name" = String, Path)),
    responses((status = 200, body = AccountLine)))]
pub async fn account(visit: Visit) -> Answered {
    let name = name(&visit);
    let account = visit
        .ask(Request::Account { name })
        .await?
        .into_iter()
        .find_map(account_of);
    Ok(HttpResponse::Ok().json(account.ok_or_else(cut)?))
}

fn account_of(reply: Reply) -> Option<AccountLine> {
    match reply {
        Reply::Account(line) => Some(line),
        _ => None,
    }
}

/// An account that is to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    name: String,
    role: Role,
    /// Users whose archives are given to it.
    #[serde(default)]
    archives: Vec<String>,
    #[schema(value_type = String, format = Password)]
    password: Spoken,
}

/// Add an account.
#[utoipa::path(post, path = "/api/v1/accounts", tag = "accounts", request_body = NewAccount,
    responses((status = 201)))]
pub async fn add(visit: Visit) -> Answered {
    let NewAccount {
        name,
        role,
        archives,
        password,
    } = visit.body()?;
    let wish = AccountWish::Add {
        role,
        archives,
        password,
    };
    visit.ask(Request::ChangeAccount { name, wish }).await?;
    Ok(HttpResponse::Created().finish())
}

/// Remove an account. What it did stays in the audit log.
#[utoipa::path(delete, path = "/api/v1/accounts/{name}", tag = "accounts", params(("name" = String, Path)),
    responses((status = 204)))]
pub async fn remove(visit: Visit) -> Answered {
    done(&visit, AccountWish::Remove).await
}

/// Disable an account: its sessions end, and it cannot log in.
#[utoipa::path(post, path = "/api/v1/accounts/{name}/disable", tag = "accounts", params(("name" = String, Path)),
    responses((status = 204)))]
pub async fn disable(visit: Visit) -> Answered {
    done(&visit, AccountWish::Disable).await
}

/// Let an account log in again.
#[utoipa::path(post, path = "/api/v1/accounts/{name}/enable", tag = "accounts", params(("name" = String, Path)),
    responses((status = 204)))]
pub async fn enable(visit: Visit) -> Answered {
    done(&visit, AccountWish::Enable).await
}

/// Another role.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRole {
    role: Role,
}

/// Give an account another role. Its sessions end.
#[utoipa::path(put, path = "/api/v1/accounts/{name}/role", tag = "accounts", params(("name" = String, Path)),
    request_body = NewRole, responses((status = 204)))]
pub async fn role(visit: Visit) -> Answered {
    let NewRole { role } = visit.body()?;
    done(&visit, AccountWish::Role(role)).await
}

/// Give an account the archive of a user.
#[utoipa::path(put, path = "/api/v1/accounts/{name}/archives/{user}", tag = "accounts",
    params(("name" = String, Path), ("user" = String, Path)), responses((status = 204)))]
pub async fn give(visit: Visit) -> Answered {
    done(&visit, AccountWish::Give(visit.named("user").to_owned())).await
}

/// Take the archive of a user from an account. Its sessions end.
#[utoipa::path(delete, path = "/api/v1/accounts/{name}/archives/{user}", tag = "accounts",
    params(("name" = String, Path), ("user" = String, Path)), responses((status = 204)))]
pub async fn take(visit: Visit) -> Answered {
    done(&visit, AccountWish::Take(visit.named("user").to_owned())).await
}

/// Another password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    #[schema(value_type = String, format = Password)]
    password: Spoken,
    /// The password so far: whoever changes their own has to know it.
    #[schema(value_type = Option<String>, format = Password)]
    #[serde(default)]
    current: Option<Spoken>,
}

/// Set the password of an account. Its sessions end.
#[utoipa::path(put, path = "/api/v1/accounts/{name}/password", tag = "accounts", params(("name" = String, Path)),
    request_body = NewPassword, responses((status = 204)))]
pub async fn password(visit: Visit) -> Answered {
    let NewPassword { password, current } = visit.body()?;
    done(&visit, AccountWish::Password { password, current }).await
}

/// The secret of one-time codes, which is shown this once.
#[derive(Serialize, ToSchema)]
pub struct Codes {
    #[schema(value_type = String)]
    secret: Spoken,
    /// The same as apps read it from a QR code.
    #[schema(value_type = String)]
    address: Spoken,
}

/// Begin one-time codes. They are asked for once they are confirmed.
#[utoipa::path(post, path = "/api/v1/accounts/{name}/totp", tag = "accounts", params(("name" = String, Path)),
    responses((status = 200, body = Codes)))]
pub async fn totp(visit: Visit) -> Answered {
    match made(&visit, AccountWish::Totp).await?.pop() {
        Some(Made::Totp { secret, address }) => Ok(HttpResponse::Ok().json(Codes { secret, address })),
        _ => Err(cut()),
    }
}

/// A one-time code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Code {
    #[schema(value_type = String)]
    code: Spoken,
}

/// Codes for when there is no app at hand, each of which counts once. They are shown this once.
#[derive(Serialize, ToSchema)]
pub struct RecoveryCodes {
    #[schema(value_type = Vec<String>)]
    recovery_codes: Vec<Spoken>,
}

/// Confirm one-time codes: from now on they are asked for.
#[utoipa::path(post, path = "/api/v1/accounts/{name}/totp/confirm", tag = "accounts",
    params(("name" = String, Path)), request_body = Code, responses((status = 200, body = RecoveryCodes)))]
pub async fn confirm_totp(visit: Visit) -> Answered {
    let Code { code } = visit.body()?;
    match made(&visit, AccountWish::ConfirmTotp { code }).await?.pop() {
        Some(Made::RecoveryCodes(recovery_codes)) => Ok(HttpResponse::Ok().json(RecoveryCodes { recovery_codes })),
        _ => Err(cut()),
    }
}

/// Ask for no one-time codes any more.
#[utoipa::path(delete, path = "/api/v1/accounts/{name}/totp", tag = "accounts", params(("name" = String, Path)),
    responses((status = 204)))]
pub async fn no_totp(visit: Visit) -> Answered {
    done(&visit, AccountWish::TotpOff).await
}

/// Application passwords.
#[derive(Serialize, ToSchema)]
pub struct Applications {
    applications: Vec<ApplicationLine>,
}

/// The application passwords of an account, without the passwords.
#[utoipa::path(get, path = "/api/v1/accounts/{name}/applications", tag = "accounts",
    params(("name" = String, Path)), responses((status = 200, body = Applications)))]
pub async fn applications(visit: Visit) -> Answered {
    let account = name(&visit);
    let replies = visit.ask(Request::Applications { account }).await?;
    let applications = replies.into_iter().filter_map(|reply| match reply {
        Reply::Application(line) => Some(line),
        _ => None,
    });
    Ok(HttpResponse::Ok().json(Applications {
        applications: applications.collect(),
    }))
}

/// A program that is to get a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApplication {
    name: String,
}

/// A password for a program, which is shown this once.
#[derive(Serialize, ToSchema)]
pub struct ApplicationPassword {
    #[schema(value_type = String)]
    password: Spoken,
}

/// Make an application password, for a program that cannot ask for one-time codes. It is shown as
/// `Authorization: Bearer ACCOUNT:PASSWORD`.
#[utoipa::path(post, path = "/api/v1/accounts/{name}/applications", tag = "accounts",
    params(("name" = String, Path)), request_body = NewApplication,
    responses((status = 201, body = ApplicationPassword)))]
pub async fn add_application(visit: Visit) -> Answered {
    let NewApplication { name } = visit.body()?;
    match made(&visit, AccountWish::AddApplication(name)).await?.pop() {
        Some(Made::ApplicationPassword(password)) => Ok(HttpResponse::Created().json(ApplicationPassword { password })),
        _ => Err(cut()),
    }
}

/// Remove an application password: from now on nobody comes in by it.
#[utoipa::path(delete, path = "/api/v1/accounts/{name}/applications/{application}", tag = "accounts",
    params(("name" = String, Path), ("application" = String, Path)), responses((status = 204)))]
pub async fn remove_application(visit: Visit) -> Answered {
    done(
        &visit,
        AccountWish::RemoveApplication(visit.named("application").to_owned()),
    )
    .await
}

/// Sessions that are not over.
#[derive(Serialize, ToSchema)]
pub struct Sessions {
    sessions: Vec<SessionLine>,
}

/// The sessions of all accounts.
#[utoipa::path(get, path = "/api/v1/sessions", tag = "accounts", responses((status = 200, body = Sessions)))]
pub async fn all_sessions(visit: Visit) -> Answered {
    sessions_of(&visit, None).await
}

/// The sessions of an account.
#[utoipa::path(get, path = "/api/v1/accounts/{name}/sessions", tag = "accounts", params(("name" = String, Path)),
    responses((status = 200, body = Sessions)))]
pub async fn sessions(visit: Visit) -> Answered {
    sessions_of(&visit, Some(name(&visit))).await
}

async fn sessions_of(visit: &Visit, account: Option<String>) -> Answered {
    let replies = visit.ask(Request::Sessions { account }).await?;
    let sessions = replies.into_iter().filter_map(|reply| match reply {
        Reply::Session(line) => Some(line),
        _ => None,
    });
    Ok(HttpResponse::Ok().json(Sessions {
        sessions: sessions.collect(),
    }))
}

/// End all sessions of an account.
#[utoipa::path(delete, path = "/api/v1/accounts/{name}/sessions", tag = "accounts",
    params(("name" = String, Path)), responses((status = 204)))]
pub async fn end_sessions(visit: Visit) -> Answered {
    done(&visit, AccountWish::EndSessions(None)).await
}

/// End a session of an account.
#[utoipa::path(delete, path = "/api/v1/accounts/{name}/sessions/{session}", tag = "accounts",
    params(("name" = String, Path), ("session" = String, Path)), responses((status = 204)))]
pub async fn end_session(visit: Visit) -> Answered {
    done(
        &visit,
        AccountWish::EndSessions(Some(visit.named("session").to_owned())),
    )
    .await
}

fn name(visit: &Visit) -> String {
    visit.named("name").to_owned()
}

/// Changes the account in the path; there is nothing to say of it.
async fn done(visit: &Visit, wish: AccountWish) -> Answered {
    made(visit, wish).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Changes the account in the path; gives the secrets that were made by it.
async fn made(visit: &Visit, wish: AccountWish) -> Result<Vec<Made>, super::refused::Refused> {
    let name = name(visit);
    let replies = visit.ask(Request::ChangeAccount { name, wish }).await?;
    let made = replies.into_iter().filter_map(|reply| match reply {
        Reply::Made(made) => Some(made),
        _ => None,
    });
    Ok(made.collect())
}
