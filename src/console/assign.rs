//! Addresses of ours that nobody has: which ones, and giving one to somebody, step by step; then the mail for it that is in
//! the archive already is counted, and filed.

use std::sync::Arc;

use maud::{Markup, html};

use super::{
    answers::see,
    form::{link, path},
    frame::{Face, Place},
    look::local,
    parts::{Live, button, moment, notice},
    texts::assign::{self, Texts},
    visitor::{Answered, Visitor},
    words,
};
use crate::{
    api::{AddressListLine, Origin, Reply, Request, UserLine},
    ids::RunId,
    report::{Run, RunState},
    web::{Refused, Unknown, address_lists, cut, unknown_addresses},
};

/// Where mail that is in the archive already is counted and filed.
pub const MAIL: &str = "/console/reroute";
/// Addresses of the list, users that are proposed, and users for whom something would be filed that are named.
const UNKNOWN: usize = 100;
const PROPOSED: usize = 500;
const NAMED: usize = 50;

fn texts(visitor: &Visitor) -> &'static Texts {
    assign::of(visitor.face.look.language)
}

/// Where a step of an address is.
fn step(address: &str, step: &str) -> String {
    path(&["unknown", address, step])
}

/// The list, by how often they were named.
pub async fn list(visitor: Visitor) -> Answered {
    let (t, a) = (visitor.t(), texts(&visitor));
    let Unknown {
        addresses: unknown,
        ignored,
    } = unknown_addresses(&visitor.visit).await?;
    let more = |all: usize| {
        let more = all.saturating_sub(UNKNOWN) as u64;
        html! { @if more > 0 { p.hint { (t.and_more) " " (words::number(visitor.face.look.language, more)) } } }
    };
    let body = html! {
        @if let Some(done) = visitor.said_done() { (notice("good", html! { p { (done) } })) }
        p { (t.unknown_means) }
        @if unknown.is_empty() { p.nothing { (t.none_unknown) } } @else {
            (addresses(&visitor.face, unknown.iter().take(UNKNOWN).map(|one| (&*one.address, one.messages))))
            (more(unknown.len()))
        }
        @if !ignored.is_empty() {
            section aria-labelledby="ignored" {
                h2 #ignored { (a.ignored_title) }
                p { (a.ignored_means) }
                ul { @for address in ignored.iter().take(UNKNOWN) { li { a href=(path(&["unknown", address])) { bdi { (address) } } } } }
                (more(ignored.len()))
            }
        }
    };
    Ok(visitor.page(Place::Runs, t.unknown_addresses, body))
}

/// Addresses, each with how often it was named, and a way to give it to somebody.
pub fn addresses<'a>(face: &Face, counted: impl Iterator<Item = (&'a str, u64)>) -> Markup {
    let (t, language) = (face.t(), face.look.language);
    let a = assign::of(language);
    html! {
        table.few {
            thead { tr { th scope="col" { (t.address) } th.number scope="col" { (t.messages_named) } th scope="col" { span.unseen { (a.assign) } } } }
            tbody {
                @for (address, messages) in counted {
                    tr {
                        th scope="row" { bdi { (address) } }
                        td.number { (words::number(language, messages)) }
                        td { a href=(path(&["unknown", address])) { (a.assign) span.unseen { ": " (address) } } }
                    }
                }
            }
        }
    }
}

/// One address: to whom it could be given.
pub async fn page(visitor: Visitor) -> Answered {
    let (t, a) = (visitor.t(), texts(&visitor));
    let (face, language) = (&visitor.face, visitor.face.look.language);
    let address = visitor.visit.named("address");
    let known = unknown_addresses(&visitor.visit).await?;
    let is_ignored = known.ignored.iter().any(|one| one == address);
    let named = known
        .addresses
        .iter()
        .find(|one| one.address == address)
        .map(|one| one.messages);
    let users = visitor.users().await?;
    let lists = address_lists(&visitor.visit).await?.into_iter();
    let list = lists.rev().find(|list| list.address.as_str() == address);
    let changed_here = users.iter().filter(|user| user.can_be_changed()).take(PROPOSED);
    let has_managed = users.iter().any(|user| user.managed && !user.retired);
    let (given, made) = (step(address, "give"), step(address, "make"));
    let (give, make) = (visitor.filled(&given), visitor.filled(&made));
    let local = address.split('@').next().unwrap_or_default();
    let body = html! {
        p.back { a href="/console/unknown" { "← " (a.back_to_unknown) } }
        @if is_ignored { (notice("note", html! { p { (a.is_ignored) } })) }
        @if let Some(named) = named { p { (words::messages(language, named)) " " (a.named_by) } }
        section.card aria-labelledby="to-user" {
            h2 #to-user { (a.to_user) }
            // What somebody typed all the same stays, with what is wrong with it.
            @if !users.iter().any(UserLine::can_be_changed) && give.invalid("user").is_none() {
                p { (a.nobody_to_give_to) @if has_managed { " " (a.managed_means) " " code { "dropkeep reload" } "." } }
            } @else {
                form method="post" action=(given) {
                    (face.token())
                    datalist #users { @for user in changed_here { option value=(user.name) {} } }
                    div.field {
                        label for="user" { (t.user_title) }
                        input #user name="user" list="users" value=(give.value("user", "")) required autocomplete="off"
                            aria-invalid=[give.invalid("user")] aria-describedby=[give.described("user", Some("user-hint"))];
                        (give.said("user"))
                        p.hint #user-hint { (a.to_user_means) @if has_managed { " " (a.managed_means) " " code { "dropkeep reload" } "." } }
                    }
                    button.main type="submit" { (a.assign) }
                }
            }
        }
        section.card aria-labelledby="to-new" {
            h2 #to-new { (a.to_new_user) }
            form method="post" action=(made) {
                (face.token())
                (make.field("name", t.name, "text", local, "off"))
                button type="submit" { (t.add_user) }
            }
        }
        section.card aria-labelledby="to-list" {
            h2 #to-list { (a.to_list) }
            (list_form(&visitor, address, list.as_ref()))
        }
        section.card aria-labelledby="to-nobody" {
            h2 #to-nobody { (a.ignore_title) }
            p { (a.ignore_means) }
            @let (text, no_longer) = if is_ignored { (a.ignore_no_longer, "1") } else { (a.ignore, "") };
            (button(face, &step(address, "ignore"), "", text, &[("no_longer", no_longer)]))
        }
    };
    Ok(visitor.page(Place::Runs, address, body))
}

/// The list that the address is, or could be.
fn list_form(visitor: &Visitor, address: &str, list: Option<&AddressListLine>) -> Markup {
    let (face, a) = (&visitor.face, texts(visitor));
    let action = step(address, "list");
    let filled = visitor.filled(&action);
    let users = list.map(|list| list.users.join("\n")).unwrap_or_default();
    if list.is_some_and(|list| list.origin == Origin::File) {
        return html! { p { (a.list_of_file) " " code { "dropkeep reload" } "." } pre tabindex="0" { (users) } };
    }
    html! {
        form method="post" action=(action) {
            (face.token())
            div.field {
                label for="members" { (a.members) }
                textarea #members name="users" rows="4" spellcheck="false" required
                    aria-invalid=[filled.invalid("users")] aria-describedby=[filled.described("users", Some("members-hint"))] {
                    "\n" (filled.value("users", &users))
                }
                (filled.said("users"))
                p.hint #members-hint { (a.to_list_means) }
            }
            button type="submit" { @if list.is_some() { (a.change_list) } @else { (a.make_list) } }
        }
        @if list.is_some() { (button(face, &action, "", a.remove_list, &[("remove", "1")])) }
    }
}

/// Gives it to a user who is there.
pub async fn give(visitor: Visitor) -> Answered {
    let user = visitor.form.get("user").to_owned();
    assign(visitor, user, false, &["user"]).await
}

/// Makes a list of it, or changes or removes the one there is.
pub async fn list_of(visitor: Visitor) -> Answered {
    let address = visitor.visit.named("address").to_owned();
    let typed = visitor.form.get("users").split(['\n', ',']).map(str::trim);
    let users: Vec<_> = typed.filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let (removes, names) = (!visitor.form.get("remove").is_empty(), users.join(", "));
    if users.is_empty() && !removes {
        let refused = Refused::bad(texts(&visitor).names_nobody);
        return page(visitor.mistaken(&["users"], refused)?).await;
    }
    let users = if removes { Vec::new() } else { users };
    let request = Request::ChangeList {
        address: address.clone(),
        users,
    };
    if let Err(refused) = visitor.ask(request).await {
        return page(visitor.mistaken(&["users"], refused)?).await;
    }
    if removes {
        return Ok(visitor.done("/console/people", "removed"));
    }
    // As above.
    let _ = begin(&visitor, true).await;
    Ok(see(&link(MAIL, &[("address", &address), ("user", &names)])))
}

/// Has it reported no more, or reported again.
pub async fn ignore(visitor: Visitor) -> Answered {
    let request = Request::Ignore {
        address: visitor.visit.named("address").to_owned(),
        ignored: visitor.form.get("no_longer").is_empty(),
    };
    visitor.ask(request).await?;
    Ok(visitor.done("/console/unknown", "saved"))
}

/// Gives it to a new user.
pub async fn make(visitor: Visitor) -> Answered {
    let user = visitor.form.get("name").to_owned();
    assign(visitor, user, true, &["name"]).await
}

async fn assign(visitor: Visitor, user: String, is_new: bool, fields: &[&'static str]) -> Answered {
    let address = visitor.visit.named("address").to_owned();
    let request = Request::Assign {
        address: address.clone(),
        user: user.clone(),
        is_new,
    };
    if let Err(refused) = visitor.ask(request).await {
        return page(visitor.mistaken(fields, refused)?).await;
    }
    // Another one that is going on counts for it, or the page offers to count again.
    let _ = begin(&visitor, true).await;
    Ok(see(&link(MAIL, &[("address", &address), ("user", &user)])))
}

/// Begins to file anew what is in the archive, or only to count it. Gives the number of its run, once that is known.
async fn begin(visitor: &Visitor, dry_run: bool) -> Result<Option<RunId>, Refused> {
    let request = Request::Reroute {
        from: None,
        profile: None,
        dry_run,
        query: None,
    };
    let mut answer = visitor.visit.begin(request).await?;
    // It goes on where nobody reads how far it is.
    loop {
        match answer.next().await.ok_or_else(cut)? {
            Reply::Progress { run, .. } => return Ok(Some(run)),
            Reply::Finished { run, .. } => return Ok(Some(run.run)),
            Reply::Failed(failure) => return Err(visitor.visit.failed(failure)),
            Reply::Done => return Ok(None),
            _ => {}
        }
    }
}

/// How it stands with mail that is in the archive already.
enum Standing {
    None,
    /// How many of how many were looked at; with a number, it is filed too.
    GoesOn(RunId, u64, u64),
    Ended(Arc<Run>),
}

async fn standing(visitor: &Visitor) -> Result<Standing, Refused> {
    let mut answer = visitor.visit.begin(Request::WatchReroute).await?;
    Ok(match answer.next().await.ok_or_else(cut)? {
        Reply::Progress {
            run, done, expected, ..
        } => Standing::GoesOn(run, done, expected),
        Reply::Finished { run, .. } => Standing::Ended(run),
        Reply::Failed(failure) => return Err(visitor.visit.failed(failure)),
        _ => Standing::None,
    })
}

/// What of the archive is for somebody who does not have it, now that they have the address.
pub async fn mail(visitor: Visitor) -> Answered {
    let a = texts(&visitor);
    let (address, user) = (visitor.query.get("address"), visitor.query.get("user"));
    let standing = standing(&visitor).await?;
    let body = html! {
        p.back { a href="/console/unknown" { "← " (a.back_to_unknown) } }
        @if !user.is_empty() { (notice("good", html! { p { bdi { (user) } " " (a.has_it) " " bdi { (address) } } })) }
        @match &standing {
            Standing::None => {
                p { (a.not_counted) }
                (count(&visitor, a.count))
            }
            Standing::GoesOn(RunId(0), done, expected) => {
                p { (a.counting) }
                (Live::new("/api/v1/reroutes/events", *done, Some(*expected)).shown(&visitor.face, stop(&visitor.face)))
            }
            Standing::GoesOn(run, ..) => {
                p { (a.filing_goes_on) " " a href={ "/console/runs/" (run) } { (a.watch_it) } }
            }
            Standing::Ended(run) if run.dry_run => (counted(&visitor, run)),
            Standing::Ended(run) => {
                p {
                    (words::messages(visitor.face.look.language, run.counts.archived)) " " (a.are_filed) " "
                    a href={ "/console/runs/" (run.run) } { (a.its_protocol) }
                }
                (count(&visitor, a.count_again))
            }
        }
    };
    Ok(visitor.page(Place::Runs, a.file_title, body))
}

fn count(visitor: &Visitor, text: &str) -> Markup {
    button(&visitor.face, "/console/reroute/count", "", text, &[])
}

/// What was counted, and what files it.
fn counted(visitor: &Visitor, run: &Run) -> Markup {
    let (t, a) = (visitor.t(), texts(visitor));
    let (face, language) = (&visitor.face, visitor.face.look.language);
    let gaining: Vec<_> = run.users.iter().filter(|(_, counts)| counts.archived > 0).collect();
    let kept: u64 = run.kept_by.values().sum();
    html! {
        p.hint { (a.as_of) " " (moment(face, run.finished_at.unwrap_or(run.started_at))) }
        @if run.state == RunState::Interrupted { (notice("warn", html! { p { (a.stopped_early) } })) }
        @if gaining.is_empty() { p { (a.nothing_for_them) } } @else {
            p { strong { (words::messages(language, run.counts.archived)) } " " (a.would_be_filed) }
            table.few {
                thead { tr { th scope="col" { (a.for_whom) } th.number scope="col" { (t.messages_title) } } }
                tbody {
                    @for (user, counts) in gaining.iter().take(NAMED) {
                        tr { th scope="row" { bdi { (user) } } td.number { (words::number(language, counts.archived)) } }
                    }
                }
            }
            @if gaining.len() > NAMED { p.hint { (t.and_more) " " (words::number(language, (gaining.len() - NAMED) as u64)) } }
        }
        @if kept > 0 { p { (words::messages(language, kept)) " " (a.stays_with) } }
        div.actions {
            @if !gaining.is_empty() { (button(face, "/console/reroute/file", "main", a.file_now, &[])) }
            (count(visitor, a.count_again))
        }
    }
}

/// What ends the filing or counting that goes on.
pub fn stop(face: &Face) -> Markup {
    button(face, "/console/reroute/stop", "", face.t().stop, &[])
}

/// Counts again.
pub async fn recount(visitor: Visitor) -> Answered {
    begin(&visitor, true).await?;
    Ok(see(MAIL))
}

/// Files it.
pub async fn file(visitor: Visitor) -> Answered {
    let run = begin(&visitor, false).await?.ok_or_else(cut)?;
    Ok(see(&format!("/console/runs/{run}")))
}

/// Ends the filing or counting that goes on, in good order, and goes back to where that was asked for.
pub async fn interrupt(visitor: Visitor) -> Answered {
    visitor.ask(Request::InterruptReroute).await?;
    Ok(see(local(visitor.form.get("here")).unwrap_or("/console/runs")))
}
