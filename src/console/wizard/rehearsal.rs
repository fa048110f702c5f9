//! The sixth step: a rehearsal over the whole source, which fills a table as it goes.

use maud::{Markup, html};
use serde_json::Value;

use super::{
    draft::{Draft, Rehearsed},
    sheet::{Sheet, texts},
    step::Step,
    test,
};
use crate::{
    console::{frame::Face, parts::notice, said::said, words},
    said::Said,
};

/// Users, unknown addresses, notices and errors that are shown and kept.
const USERS: usize = 200;
const UNKNOWN: usize = 50;
const NOTICES: usize = 20;

pub fn body(sheet: &Sheet<'_>) -> Markup {
    let (w, draft) = (sheet.w(), sheet.draft);
    let address = sheet.address(Step::Rehearsal);
    let again = if draft.rehearsed.is_some() {
        w.rehearse_again
    } else {
        w.rehearse
    };
    html! {
        p { (w.rehearsal_means) }
        form.told method="post" action=(address) data-stream={ (address) "/events" } {
            (sheet.face.token())
            div data-put="" aria-live="polite" {
                @if let Some(rehearsed) = &draft.rehearsed { (outcome(sheet, rehearsed)) }
            }
            p.fault data-cut="" hidden { (w.cut_off) }
            button type="submit" name="go" value="begin" { (again) }
        }
    }
}

/// The table as far as it is.
pub fn so_far(face: &Face, done: u64, expected: u64, users: &[(String, u64)]) -> Markup {
    let (w, language) = (texts(face), face.look.language);
    let all = expected.max(done);
    html! {
        p { (w.looked_at) " " (words::number(language, done)) " " (w.out_of) " " (words::number(language, all)) }
        progress max=(all.max(1)) value=(done) aria-label=(w.looked_at) {}
        (table(face, users.iter().map(|(user, copies)| (user.as_str(), *copies)), &[]))
    }
}

/// Users, and what else is counted, with how many messages each.
fn table<'u>(face: &Face, users: impl Iterator<Item = (&'u str, u64)>, others: &[(&str, u64)]) -> Markup {
    let (w, language) = (texts(face), face.look.language);
    html! {
        table.few {
            thead { tr { th scope="col" { (w.would_be_for) } th.number scope="col" { (w.messages_named) } } }
            tbody {
                @for (user, copies) in users {
                    tr { th scope="row" { bdi { (user) } } td.number { (words::number(language, copies)) } }
                }
            }
            // What is counted beside them is of no user.
            @let others: Vec<_> = others.iter().filter(|(_, copies)| *copies > 0).collect();
            @if !others.is_empty() {
                tbody {
                    tr { th.part scope="rowgroup" colspan="2" { (w.counted_besides) } }
                    @for (what, copies) in others {
                        tr { th scope="row" { (what) } td.number { (words::number(language, *copies)) } }
                    }
                }
            }
        }
    }
}

fn outcome(sheet: &Sheet<'_>, rehearsed: &Rehearsed) -> Markup {
    let (w, language) = (sheet.w(), sheet.face.look.language);
    if let Some(failure) = &rehearsed.failure {
        return sheet.not_tried(failure);
    }
    let found = &rehearsed.found;
    let count = |key: &str| found[key].as_u64().unwrap_or(0);
    let listed = |key: &str| found[key].as_array().map_or(&[][..], Vec::as_slice);
    let users = found["users"].as_object().into_iter().flatten();
    let users = users.map(|(user, copies)| (user.as_str(), copies.as_u64().unwrap_or(0)));
    let kind = match found["state"].as_str() {
        Some("completed") => "good",
        Some("failed") => "bad",
        _ => "warn",
    };
    let others = [
        (w.counted_before, count("archived_before")),
        (w.counted_unknown, count("unknown")),
        (w.counted_skipped, count("skipped")),
        (w.counted_excluded, count("excluded")),
        (w.counted_too_large, count("too_large")),
        (w.counted_failed, count("failed")),
        (w.counted_would_delete, count("would_delete")),
    ];
    html! {
        @if rehearsed.keys != sheet.draft.wanted() { (notice("warn", html! { p { (w.rehearsal_is_old) } })) }
        (notice(kind, html! { p { (words::messages(language, count("seen"))) " " (w.were_looked_at) } }))
        @for error in listed("errors") {
            (notice("bad", html! {
                p { (said(sheet.face, &kept(error, "error", "said"))) }
                @let advice = kept(error, "what_to_do", "advised");
                @if !advice.is_empty() { p { strong { (w.what_to_do) } " " (said(sheet.face, &advice)) } }
            }))
        }
        (table(sheet.face, users, &others))
        @for one in test::listed(&found["notices"], &found["notices_said"]) {
            (notice("note", html! { p { (test::found_here(sheet, &one)) } }))
        }
        @if !listed("unknown_addresses").is_empty() {
            details {
                summary { (w.nobody_has) }
                ul {
                    @for one in listed("unknown_addresses") {
                        @let copies = one["copies"].as_u64().unwrap_or(0);
                        li {
                            bdi { (one["address"].as_str().unwrap_or_default()) } " "
                            span.hint { (words::number(language, copies)) }
                        }
                    }
                }
            }
        }
    }
}

/// What an error says under these keys.
fn kept(error: &Value, text: &str, saying: &str) -> Said {
    Said::kept(error[text].as_str().unwrap_or_default(), &test::saying(&error[saying]))
}

/// Keeps how it went, as far as it is shown.
pub fn keep(draft: &mut Draft, mut rehearsed: Rehearsed) {
    let found = &mut rehearsed.found;
    if let Some(users) = found["users"].as_object_mut() {
        let mut counted: Vec<_> = std::mem::take(users).into_iter().collect();
        counted.sort_by_key(|(_, copies)| std::cmp::Reverse(copies.as_u64()));
        counted.truncate(USERS);
        users.extend(counted);
    }
    for (key, most) in [
        ("unknown_addresses", UNKNOWN),
        ("errors", NOTICES),
        ("notices", NOTICES),
        ("notices_said", NOTICES),
        ("would_delete_copies", 0),
    ] {
        if let Some(list) = found[key].as_array_mut() {
            list.truncate(most);
        }
    }
    rehearsed.keys = draft.wanted();
    draft.rehearsed = Some(rehearsed);
}
