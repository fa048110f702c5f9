//! How all of it stands, in words first: each profile, the archive, and what somebody should look at.

use jiff::Timestamp;
use maud::{Markup, html};

use super::{
    form::{link, path},
    frame::{Face, Place},
    growth::{self, Lately, backed_up},
    parts::{button, figure, moment, moment_or, notice},
    said::{english, said},
    schedule,
    visitor::{Answered, Visitor},
    words,
};
use crate::{
    api::{ApplianceLine, LastRun, ProfileLine, Reply, Request},
    clock,
    said::Said,
    web::{Refused, cut},
};

/// Of the disk, what should be free: a twentieth.
const FREE: u64 = 20;

/// How the appliance stands, and each profile.
pub async fn standing(visitor: &Visitor) -> Result<(ApplianceLine, Vec<ProfileLine>), Refused> {
    let (mut profiles, mut appliance) = (Vec::new(), None);
    for reply in visitor.ask(Request::Status).await? {
        match reply {
            Reply::Profile(line) => profiles.push(*line),
            Reply::Appliance(line) => appliance = Some(*line),
            _ => {}
        }
    }
    Ok((appliance.ok_or_else(cut)?, profiles))
}

pub async fn page(visitor: Visitor) -> Answered {
    // Asked together they are noted together.
    let (standing, lately) = futures_util::join!(standing(&visitor), Lately::of(&visitor));
    let ((appliance, profiles), lately) = (standing?, lately?);
    let t = visitor.t();
    let mut troubles = troubles(&visitor.face, &appliance, &profiles);
    troubles.extend(
        lately
            .backup_trouble(&visitor.face, &appliance)
            .map(|said| ("warn", html! { (said) })),
    );
    let body = html! {
        @if let Some(done) = visitor.said_done() { (notice("good", html! { p { (done) } })) }
        @if troubles.is_empty() {
            // Where no profile archives anything, nothing is said to be well.
            @if !profiles.is_empty() { (notice("good", html! { p { (t.all_well) } })) }
        } @else {
            section aria-labelledby="look" {
                h2 #look { (t.look_at) }
                @for (kind, trouble) in &troubles { (notice(kind, html! { p { (trouble) } })) }
            }
        }
        section aria-labelledby="profiles" {
            h2 #profiles { (t.profiles) }
            @if profiles.is_empty() {
                p.nothing { (t.no_profiles) " " a href=(Place::Profiles.address()) { (t.archive_mail) } }
            }
            ul.cards {
                @for profile in &profiles { li.card { (card(&visitor.face, profile)) } }
            }
        }
        (lately.troubles(&visitor.face))
        (lately.charts(&visitor.face))
        section aria-labelledby="archive" {
            h2 #archive { (t.the_archive) }
            (archive(&visitor.face, &appliance, &lately))
        }
    };
    Ok(visitor.page(Place::Overview, t.overview, body))
}

fn card(face: &Face, profile: &ProfileLine) -> Markup {
    let (t, language) = (face.t(), face.look.language);
    let (kind, state) = match profile.state.as_str() {
        "running" => ("note", t.state_running),
        "failing" => ("bad", t.failing),
        _ => ("good", t.idle),
    };
    html! {
        h3 { bdi { (profile.profile) } " " span.state.(kind) { (state) } }
        @if let Some(run) = profile.run {
            p {
                (t.archives_now) " " (words::number(language, profile.seen)) " " (t.out_of) " "
                (words::number(language, profile.expected)) ". "
                a href={ "/console/runs/" (run) } { (t.watch_it) }
            }
        }
        @if let Some(failing) = &profile.failing {
            @let times = words::count(language, failing.times.into(), [t.failed_time, t.failed_times]);
            p { (times) " " (moment(face, failing.since)) ": " (said(face, &Said::kept(&failing.why, &failing.said))) }
            p { (said(face, &Said::kept(&failing.what_to_do, &failing.advised))) }
        }
        dl.figures {
            (figure(t.last_run, last(face, profile.last.as_ref())))
            (figure(t.schedule, schedule::shown(face, &profile.schedule)))
            (figure(t.next_run, next(face, profile)))
            (figure(t.still_open, html! { (profile.open.map_or_else(|| t.not_known.to_owned(), |open| words::messages(language, open))) }))
        }
        div.actions {
            @if profile.run.is_some() {
                (button(face, &path(&["profiles", &profile.profile, "interrupt"]), "", t.stop, &[]))
            } @else {
                (button(face, &path(&["profiles", &profile.profile, "run"]), "", t.run_now, &[]))
            }
            a href=(link("/console/runs", &[("profile", &profile.profile)])) { (t.its_runs) }
        }
    }
}

fn last(face: &Face, last: Option<&LastRun>) -> Markup {
    let (t, language) = (face.t(), face.look.language);
    html! {
        @if let Some(last) = last {
            a href={ "/console/runs/" (last.run) } { (moment(face, last.started_at)) }
            ", " (words::state(language, last.state)) ", "
            (words::number(language, last.archived)) " " (t.newly_archived)
            @if last.failed > 0 { ", " (words::number(language, last.failed)) " " (t.failed_copies) }
        } @else { (t.none_yet) }
    }
}

fn next(face: &Face, profile: &ProfileLine) -> Markup {
    let t = face.t();
    html! {
        (moment_or(face, profile.next_run, t.by_hand))
        @if profile.watching { ", " (t.watches) }
    }
}

fn archive(face: &Face, line: &ApplianceLine, lately: &Lately) -> Markup {
    let (t, language) = (face.t(), face.look.language);
    let size = |bytes| words::bytes(language, bytes);
    html! {
        dl.figures {
            (figure(t.messages_in_it, html! { (words::number(language, line.messages)) }))
            (figure(t.users_title, html! { a href="/console/people" { (words::number(language, line.users)) } }))
            (figure(t.as_they_came, html! { (size(line.raw_bytes)) }))
            (figure(t.on_disk, html! { (size(line.stored_bytes)) }))
            (figure(growth::texts(face).growth, lately.grown(face, line)))
            @if let (Some(free), Some(all)) = (line.free_bytes, line.disk_bytes) {
                (figure(t.free, html! { (size(free)) " " (t.out_of) " " (size(all)) }))
            }
            @if let Some(index) = &line.index {
                (figure(t.index, html! {
                    @if index.behind > 0 { (words::count(language, index.behind, [t.not_searchable_yet, t.none_searchable_yet])) }
                    @else { (t.index_is_up) }
                }))
            }
            @if let Some(verified) = &line.verified {
                (figure(t.verified, moment_or(face, verified.last, t.not_yet)))
            }
            (figure(growth::texts(face).last_backup, backed_up(face, line.backup.as_ref())))
            (figure(t.runs_since, moment(face, line.since)))
            (figure("dropkeep", html! { (line.version) }))
        }
    }
}

/// What somebody should look at, the worst first.
fn troubles(face: &Face, line: &ApplianceLine, profiles: &[ProfileLine]) -> Vec<(&'static str, Markup)> {
    let (t, language) = (face.t(), face.look.language);
    let mut troubles = Vec::new();
    let mut say = |kind, what: Markup| troubles.push((kind, what));
    if let Some(why) = &line.not_ready {
        say("bad", html! { (t.not_ready) " " (english(face, why)) });
    }
    if let Some(verified) = line.verified.as_ref().filter(|verified| verified.damages > 0) {
        let damages = words::count(language, verified.damages, [t.damage, t.damages]);
        say("bad", html! { (damages) " " (t.damages_found) });
    }
    for profile in profiles.iter().filter(|profile| profile.failing.is_some()) {
        say("bad", html! { bdi { (profile.profile) } " " (t.profile_fails) });
    }
    if let (Some(free), Some(all)) = (line.free_bytes, line.disk_bytes)
        && free < all / FREE
    {
        say("warn", html! { (words::bytes(language, free)) " " (t.disk_is_full) });
    }
    if line.unaccounted_copies != 0 {
        say("bad", html! { (t.unaccounted) });
    }
    for profile in profiles.iter().filter(|profile| is_silent(profile)) {
        let silent = words::seconds(language, profile.silent_seconds);
        say(
            "warn",
            html! { bdi { (profile.profile) } ": " (t.no_progress) " " (silent) },
        );
    }
    for profile in profiles.iter().filter(|profile| is_late(profile, clock::now())) {
        say("warn", html! { bdi { (profile.profile) } " " (t.is_late) });
    }
    if let Some(why) = &line.configuration_refused {
        say("warn", html! { (t.configuration_refused) " " (english(face, why)) });
    }
    if line.verified.as_ref().is_some_and(|verified| verified.late) {
        say("warn", html! { (t.verify_is_late) });
    }
    let index = line
        .index
        .as_ref()
        .filter(|index| !matches!(index.state.as_str(), "following" | "off"));
    if let Some(index) = index {
        let why = index.why.as_deref().unwrap_or_default();
        say("warn", html! { (t.index_stands) " " (english(face, why)) });
    }
    let notes = line.users_retired.iter().chain(&line.not_filed);
    notes.for_each(|note| say("note", said(face, note)));
    troubles
}

/// It has made no progress for half of the time after which it is given up.
fn is_silent(profile: &ProfileLine) -> bool {
    profile.run.is_some() && profile.silent_seconds * 2 > profile.stall_timeout_seconds
}

/// It has not succeeded for three times as long as lies between its runs.
fn is_late(profile: &ProfileLine, now: Timestamp) -> bool {
    let Some(interval) = profile.interval_seconds else {
        return false;
    };
    let since = now.as_second() - profile.last_success.unwrap_or(profile.since).as_second();
    since > 3 * i64::try_from(interval).unwrap_or(i64::MAX / 3).max(60)
}
