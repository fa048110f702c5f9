//! `/users` and `/unknown`: whose mail there is, and which addresses are nobody's.

use std::{cmp::Reverse, collections::HashMap};

use actix_web::HttpResponse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    door::{Answered, Visit, cut},
    profiles::Changed,
    refused::Refused,
};
use crate::{
    api::{AddressListLine, Reply, Request, UserLine},
    report::RunFilter,
};

/// Runs whose protocols are looked at for unknown addresses, and addresses that are named of all of them.
/// Runs that met any: those that met none count for nothing, however many there are.
const RUNS: usize = 500;
const UNKNOWN: usize = 1000;

/// The users.
#[derive(Serialize, ToSchema)]
pub struct Users {
    users: Vec<UserLine>,
}

/// The users whose archives may be read; for an administrator, all.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", responses((status = 200, body = Users)))]
pub async fn list(visit: Visit) -> Answered {
    let users = visit
        .ask(Request::Users)
        .await?
        .into_iter()
        .filter_map(|reply| match reply {
            Reply::User(line) => Some(line),
            _ => None,
        });
    Ok(HttpResponse::Ok().json(Users { users: users.collect() }))
}

/// A user who is to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    name: String,
    /// Addresses, and patterns such as `*@example.com`.
    addresses: Vec<String>,
}

/// Add a user. `dropkeep reroute` files for them what is in the archive already.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", request_body = NewUser, responses((status = 201)))]
pub async fn add(visit: Visit) -> Answered {
    let NewUser { name, addresses } = visit.body()?;
    let request = Request::AddUser {
        name,
        addresses,
        no_count: true,
    };
    visit.ask(request).await?;
    Ok(HttpResponse::Created().finish())
}

/// The addresses of a user.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Addresses {
    addresses: Vec<String>,
}

/// Give a user who is not in the configuration other addresses. Who was retired gets mail again.
#[utoipa::path(put, path = "/api/v1/users/{name}", tag = "users", params(("name" = String, Path)),
    request_body = Addresses, responses((status = 204)))]
pub async fn change(visit: Visit) -> Answered {
    let Addresses { addresses } = visit.body()?;
    let name = visit.named("name").to_owned();
    visit.ask(Request::ChangeUser { name, addresses }).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Retire a user, as `retire` does: an archive is never removed.
#[utoipa::path(delete, path = "/api/v1/users/{name}", tag = "users", params(("name" = String, Path)),
    responses((status = 204)))]
pub async fn retire_so(visit: Visit) -> Answered {
    retire(visit).await
}

/// A table of users.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// A line for each: a name and addresses, with commas between them, as in a users file.
    csv: String,
    /// Only say what would become of them.
    #[serde(default)]
    dry_run: bool,
}

/// Add and change users as a table says: all of it, or nothing. Users whom it does not name stay as they are.
#[utoipa::path(post, path = "/api/v1/users/import", tag = "users", request_body = Table,
    responses((status = 200, body = Changed)))]
pub async fn import(visit: Visit) -> Answered {
    let Table { csv, dry_run } = visit.body()?;
    let request = Request::ImportUsers { csv, dry_run };
    Ok(HttpResponse::Ok().json(Changed::of(visit.ask(request).await?)))
}

/// Another name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Renamed {
    to: String,
}

/// Rename a user. The archive and the addresses stay theirs.
#[utoipa::path(post, path = "/api/v1/users/{name}/rename", tag = "users", params(("name" = String, Path)),
    request_body = Renamed, responses((status = 204)))]
pub async fn rename(visit: Visit) -> Answered {
    let Renamed { to } = visit.body()?;
    let name = visit.named("name").to_owned();
    visit.ask(Request::RenameUser { name, to }).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Retire a user: nothing new is filed for them, and their archive stays.
#[utoipa::path(post, path = "/api/v1/users/{name}/retire", tag = "users", params(("name" = String, Path)),
    responses((status = 204)))]
pub async fn retire(visit: Visit) -> Answered {
    let name = visit.named("name").to_owned();
    visit.ask(Request::RetireUser { name }).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The lists.
#[derive(Serialize, ToSchema)]
pub struct AddressLists {
    lists: Vec<AddressListLine>,
}

/// The lists, of the configuration and of the catalog: addresses whose mail several users get.
#[utoipa::path(get, path = "/api/v1/lists", tag = "users", responses((status = 200, body = AddressLists)))]
pub async fn lists(visit: Visit) -> Answered {
    let lists = address_lists(&visit).await?;
    Ok(HttpResponse::Ok().json(AddressLists { lists }))
}

/// The lists.
///
/// # Errors
/// Whoever asks may not see them, or they cannot be read.
pub async fn address_lists(visit: &Visit) -> Result<Vec<AddressListLine>, Refused> {
    let replies = visit.ask(Request::AddressLists).await?.into_iter();
    let lists = replies.filter_map(|reply| match reply {
        Reply::AddressList(line) => Some(line),
        _ => None,
    });
    Ok(lists.collect())
}

/// The users of a list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Members {
    users: Vec<String>,
}

/// Have these users get the mail to an address that no user has, in place of those of the list so far. Lists of the configuration
/// are changed there.
#[utoipa::path(put, path = "/api/v1/lists/{address}", tag = "users", params(("address" = String, Path)),
    request_body = Members, responses((status = 204)))]
pub async fn put_list(visit: Visit) -> Answered {
    let Members { users } = visit.body()?;
    if users.is_empty() {
        return Err(Refused::bad("`users` names nobody; DELETE removes the list"));
    }
    change_list(&visit, users).await
}

/// Remove a list that is kept in the catalog. Nothing of what was filed by it is taken away.
#[utoipa::path(delete, path = "/api/v1/lists/{address}", tag = "users", params(("address" = String, Path)),
    responses((status = 204)))]
pub async fn remove_list(visit: Visit) -> Answered {
    change_list(&visit, Vec::new()).await
}

async fn change_list(visit: &Visit, users: Vec<String>) -> Answered {
    let address = visit.named("address").to_owned();
    visit.ask(Request::ChangeList { address, users }).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// An address of ours that no user has.
#[derive(Serialize, ToSchema)]
pub struct UnknownAddress {
    pub address: String,
    /// Messages that named it.
    pub messages: u64,
}

/// Addresses that no user has.
#[derive(Serialize, ToSchema)]
pub struct Unknown {
    pub addresses: Vec<UnknownAddress>,
    /// Those that are ignored; they are not among the others.
    pub ignored: Vec<String>,
}

/// The addresses of ours that no user had when they came, nor has now, the most frequent 1,000 of the newest 500 runs that met
/// any; and those that are ignored.
#[utoipa::path(get, path = "/api/v1/unknown", tag = "users", responses((status = 200, body = Unknown)))]
pub async fn unknown(visit: Visit) -> Answered {
    Ok(HttpResponse::Ok().json(unknown_addresses(&visit).await?))
}

/// Ignore an address that nobody has: protocols and lists name it no more. Mail to it goes where `unknown` of the profile says,
/// as before.
#[utoipa::path(put, path = "/api/v1/unknown/{address}/ignored", tag = "users", params(("address" = String, Path)),
    responses((status = 204)))]
pub async fn ignore(visit: Visit) -> Answered {
    change_ignored(&visit, true).await
}

/// Report an address again that was ignored.
#[utoipa::path(delete, path = "/api/v1/unknown/{address}/ignored", tag = "users", params(("address" = String, Path)),
    responses((status = 204)))]
pub async fn ignore_no_longer(visit: Visit) -> Answered {
    change_ignored(&visit, false).await
}

async fn change_ignored(visit: &Visit, ignored: bool) -> Answered {
    let address = visit.named("address").to_owned();
    visit.ask(Request::Ignore { address, ignored }).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Whose an address becomes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Assigned {
    user: String,
    /// Add the user with it.
    #[serde(default)]
    new: bool,
}

/// Give an address to one user more: one who is there and not in the configuration, or a new one. `POST /api/v1/reroutes` says
/// what of the archive is for them (`dry_run`), and files it.
#[utoipa::path(post, path = "/api/v1/unknown/{address}/assign", tag = "users", params(("address" = String, Path)),
    request_body = Assigned, responses((status = 200, body = Changed)))]
pub async fn assign(visit: Visit) -> Answered {
    let Assigned { user, new } = visit.body()?;
    let request = Request::Assign {
        address: visit.named("address").to_owned(),
        user,
        is_new: new,
    };
    Ok(HttpResponse::Ok().json(Changed::of(visit.ask(request).await?)))
}

/// The addresses of ours that no user had when they came, nor has now, the most frequent first; and those that are ignored.
///
/// # Errors
/// Whoever asks may not read protocols, or these cannot be read.
pub async fn unknown_addresses(visit: &Visit) -> Result<Unknown, Refused> {
    let request = Request::Protocols {
        newest: Some(RUNS),
        filter: RunFilter {
            unknown: true,
            ..RunFilter::default()
        },
        before: None,
    };
    let mut counts: HashMap<String, u64> = HashMap::new();
    // One after the other: a protocol may be long.
    let mut answer = visit.begin(request).await?;
    loop {
        match answer.next().await.ok_or_else(cut)? {
            Reply::Run(run) => {
                for (address, messages) in run.unknown_addresses.most_frequent(UNKNOWN).0 {
                    *counts.entry(address.to_owned()).or_default() += messages;
                }
            }
            Reply::Failed(failure) => return Err(visit.failed(failure)),
            Reply::Done => break,
            _ => {}
        }
    }
    for reply in visit.ask(Request::Users).await? {
        let Reply::User(user) = reply else { continue };
        for address in user.addresses.iter().filter(|_| !user.retired) {
            counts.remove(address.as_str());
        }
    }
    for list in address_lists(visit).await?.iter().filter(|list| list.in_force) {
        counts.remove(list.address.as_str());
    }
    let ignored = visit.ask(Request::Ignored).await?.into_iter();
    let ignored: Vec<_> = ignored
        .filter_map(|reply| match reply {
            Reply::Ignored(address) => Some(address),
            _ => None,
        })
        .collect();
    for address in &ignored {
        counts.remove(address);
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|(one, of_one), (other, of_other)| (Reverse(of_one), one).cmp(&(Reverse(of_other), other)));
    counts.truncate(UNKNOWN);
    let addresses = counts
        .into_iter()
        .map(|(address, messages)| UnknownAddress { address, messages });
    Ok(Unknown {
        addresses: addresses.collect(),
        ignored,
    })
}
