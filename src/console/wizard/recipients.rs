//! The fourth step: for whom messages are. What the test saw is shown on some of them.

use std::collections::BTreeMap;

use maud::{Markup, html};
use serde_json::Value;

use super::{
    draft::{Draft, ToMake},
    sheet::Sheet,
    test::saying,
    texts::Texts,
};
use crate::{
    config::Recipients,
    console::{
        form::Form,
        parts::{moment, notice},
        said::{failed, said},
        words,
    },
    said::Said,
};

/// Unknown addresses that users can be made of at once.
pub const MOST_USERS: usize = 50;

pub fn body(sheet: &Sheet<'_>) -> Markup {
    let (w, draft) = (sheet.w(), sheet.draft);
    html! {
        p { (w.recipients_mean) }
        (seen(sheet))
        div.card {
            (sheet.lines("recipients.local_domains", w.local_domains, w.local_domains_hint))
            (sheet.lines("recipients.own_addresses", w.own_addresses, w.own_addresses_hint))
            (unknown(sheet))
        }
        details.card open[has_more(draft) || is_wrong_below(sheet)] {
            summary { (w.more_rules) }
            (more(sheet))
        }
        div.actions { button type="submit" name="go" value="try" { (w.try_rules) } span.hint { (w.try_rules_means) } }
    }
}

/// What becomes of a message in which nobody is known.
pub fn unknowns(w: &'static Texts) -> [(&'static str, &'static str); 4] {
    [
        ("catchall", w.unknown_catchall),
        ("create", w.unknown_create),
        ("skip", w.unknown_skip),
        ("user", w.unknown_user),
    ]
}

/// Where recipients come from.
pub fn steps(w: &'static Texts) -> [(&'static str, &'static str); 4] {
    [
        ("auto", w.steps_auto),
        ("envelope", w.steps_envelope),
        ("headers", w.steps_headers),
        ("all", w.steps_all),
    ]
}

/// Whose journal reports are believed.
pub fn journals(w: &'static Texts) -> [(&'static str, &'static str); 3] {
    [
        ("never", w.journal_never),
        ("from", w.journal_from_hosts),
        ("always", w.journal_always),
    ]
}

/// Where envelope fields stand.
pub fn places(w: &'static Texts) -> [(&'static str, &'static str); 2] {
    [("top", w.at_top), ("end", w.at_end)]
}

fn unknown(sheet: &Sheet<'_>) -> Markup {
    let (w, draft) = (sheet.w(), sheet.draft);
    let unknown = draft.get("recipients.unknown");
    let (chosen, user) = match unknown["user"].as_str() {
        Some(user) => ("user", user),
        None => (unknown.as_str().unwrap_or("catchall"), ""),
    };
    html! {
        (sheet.select("recipients.unknown", w.unknown, w.unknown_hint, chosen, &unknowns(w)))
        (sheet.line("recipients.unknown.user", w.unknown_user_name, w.unknown_user_hint, user))
        (sheet.text("recipients.create_limit", w.create_limit, w.create_limit_hint))
    }
}

fn more(sheet: &Sheet<'_>) -> Markup {
    let (w, draft) = (sheet.w(), sheet.draft);
    let headers_hint = format!("{} {}", w.envelope_headers_hint, usual_headers());
    let select =
        |key: &str, label, hint, choices: &[(&str, &str)]| sheet.select(key, label, hint, &draft.text(key), choices);
    html! {
        (select("recipients.use", w.steps, w.steps_hint, &steps(w)))
        (sheet.lines("recipients.envelope_headers", w.envelope_headers, &headers_hint))
        (select("recipients.envelope_at", w.envelope_at, w.envelope_at_hint, &places(w)))
        (sheet.text("recipients.trusted_received", w.trusted_received, w.trusted_received_hint))
        (select("recipients.journal", w.journal, w.journal_hint, &journals(w)))
        (sheet.lines("recipients.journal_from", w.journal_from, w.journal_from_hint))
        (sheet.lines("recipients.strip_prefix", w.strip_prefix, w.strip_prefix_hint))
        (sheet.lines("recipients.unwrap", w.unwrap, w.unwrap_hint))
        (sheet.switch("recipients.senders", w.senders, true))
        (sheet.switch("recipients.plus_addressing", w.plus_addressing, true))
    }
}

const MORE: [&str; 10] = [
    "use",
    "envelope_headers",
    "envelope_at",
    "trusted_received",
    "journal",
    "journal_from",
    "strip_prefix",
    "unwrap",
    "senders",
    "plus_addressing",
];

/// Whether rules are set that most do not need.
fn has_more(draft: &Draft) -> bool {
    MORE.iter().any(|key| !draft.keys["recipients"][*key].is_null())
}

fn is_wrong_below(sheet: &Sheet<'_>) -> bool {
    let keys = sheet.wrong.iter().filter_map(|wrong| wrong.key.as_deref());
    let mut below = keys.filter_map(|key| key.strip_prefix("recipients.")?.split(['.', '[']).next());
    below.any(|key| MORE.contains(&key))
}

/// What the test saw in the newest messages.
fn seen(sheet: &Sheet<'_>) -> Markup {
    let (w, draft) = (sheet.w(), sheet.draft);
    let Some(tested) = draft.current_test() else {
        return notice("warn", html! { p { (w.not_tested) } });
    };
    let proposal = &tested.found["proposal"];
    let tried = draft.tried();
    html! {
        @if tested.found["recipients"]["messages"].as_u64().unwrap_or(0) == 0 {
            (notice("note", html! { p { (w.no_messages_seen) } }))
        } @else {
            section.card aria-labelledby="seen" {
                h2 #seen { (w.seen_in_newest) }
                (knowledge(sheet, &tested.found["recipients"]))
                @if draft.keys["recipients"] == tested.proposed && tested.proposed != tested.recipients {
                    p { (w.proposal_is_in) }
                }
                @if tried.is_null() { p { (w.rules_changed) } } @else { (examples(sheet, tried)) }
                @if let Some(toml) = proposal["toml"].as_str().filter(|toml| !toml.is_empty()) {
                    details {
                        summary { (w.proposal) }
                        pre { (toml) }
                        p.hint { (w.proposal_means) }
                        @if draft.keys["recipients"] != tested.proposed {
                            button type="submit" name="go" value="proposal" { (w.take_proposal) }
                        }
                    }
                }
            }
            @if !tried.is_null() { (users(sheet, tried)) }
        }
    }
}

/// By what the recipients of the newest messages were found.
fn knowledge(sheet: &Sheet<'_>, found: &Value) -> Markup {
    let w = sheet.w();
    let language = sheet.face.look.language;
    let count = |key: &str| found[key].as_u64().unwrap_or(0);
    let ways = [
        ("journal", w.by_journal),
        ("envelope", w.by_envelope),
        ("received", w.by_received),
        ("addressees", w.by_addressees),
        ("none", w.by_nothing),
    ];
    html! {
        p {
            (words::messages(language, count("messages"))) " " (w.were_looked_at) " "
            @for (key, words_for) in ways.iter().filter(|(key, _)| count(key) > 0) {
                span.badge { (words::number(language, count(key))) " " (words_for) } " "
            }
        }
        @if let Some(remedy) = found["remedy"].as_str().filter(|_| found["bcc"] != "known") {
            p { (w.no_envelope) " " (said(sheet.face, &Said::kept(remedy, &saying(&found["remedy_said"])))) }
        }
    }
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// Some of the messages: this one would go to …, because ….
fn examples(sheet: &Sheet<'_>, tried: &Value) -> Markup {
    let w = sheet.w();
    let messages = tried["messages"].as_array().map_or(&[][..], Vec::as_slice);
    html! {
        ul.examples {
            @for message in messages {
                li {
                    p {
                        (w.message_from) " " bdi { (message["from"].as_str().unwrap_or(w.no_sender)) }
                        @if let Some(date) = message["date"].as_str().and_then(|date| date.parse().ok()) {
                            ", " (moment(sheet.face, date))
                        }
                        ": "
                    }
                    @let users = message["users"].as_array().map_or(&[][..], Vec::as_slice);
                    ul {
                        @for user in users {
                            li {
                                (w.would_go_to) " " strong { bdi { (text(user, "user")) } } ", " (w.because) " "
                                @match user["address"].as_str() {
                                    Some(address) => {
                                        strong { (text(user, "field")) } " " (w.names) " " bdi { (address) }
                                    },
                                    None => (w.nobody_is_known),
                                }
                            }
                        }
                        @if users.is_empty() { li { (w.would_stay) } }
                    }
                    @let unknown = message["unknown_addresses"].as_array().into_iter().flatten();
                    @let unknown: Vec<_> = unknown.filter_map(Value::as_str).collect();
                    @if !unknown.is_empty() { p.hint { (w.unknown_in_it) " " bdi { (unknown.join(", ")) } } }
                }
            }
        }
    }
}

/// The addresses that nobody has, to be made users of.
fn users(sheet: &Sheet<'_>, tried: &Value) -> Markup {
    let (w, language) = (sheet.w(), sheet.face.look.language);
    let unknown = unknown_addresses(tried);
    html! {
        @if !unknown.is_empty() {
            section.card aria-labelledby="unknown" {
                h2 #unknown { (w.nobody_has) }
                p { (w.make_users_means) }
                div.scroll tabindex="0" role="group" aria-label=(w.nobody_has) {
                    table.fields {
                        thead {
                            tr {
                                th scope="col" { (w.make_it) } th scope="col" { (w.address) }
                                th.number scope="col" { (w.messages_named) } th scope="col" { (w.user_name) }
                            }
                        }
                        tbody {
                            @for (row, one) in unknown.iter().enumerate() {
                                @let typed = sheet.draft.to_make.get(one.address);
                                @let fault = typed.and_then(|typed| typed.not_made.as_ref());
                                @let fault_id = format!("not-made-{row}");
                                tr {
                                    td {
                                        input type="checkbox" name="make" value=(one.address)
                                            aria-label={ (w.make_it) " " (one.address) }
                                            checked[typed.map_or(one.is_ours, |typed| typed.is_wanted)];
                                    }
                                    th scope="row" { bdi { (one.address) } }
                                    td.number { (words::number(language, one.copies)) }
                                    td {
                                        input name={ "name-" (one.address) } autocomplete="off"
                                            value=(typed.map_or(one.name, |typed| &typed.name))
                                            aria-label={ (w.user_name) " " (one.address) }
                                            aria-invalid=[fault.map(|_| "true")] aria-describedby=[fault.map(|_| &fault_id)];
                                        @if let Some(why) = fault { p.fault id=(fault_id) { (failed(sheet.face, why)) } }
                                    }
                                }
                            }
                        }
                    }
                }
                button type="submit" name="go" value="users" { (w.make_users) }
            }
        }
    }
}

/// An address that nobody has.
pub struct Unknown<'t> {
    pub address: &'t str,
    copies: u64,
    is_ours: bool,
    /// The name that is proposed.
    name: &'t str,
}

fn unknown_addresses(tried: &Value) -> Vec<Unknown<'_>> {
    let listed = tried["unknown_addresses"].as_array().into_iter().flatten();
    listed
        .filter(|one| one["retired_user"].is_null())
        .filter_map(Unknown::of)
        .take(MOST_USERS)
        .collect()
}

impl<'t> Unknown<'t> {
    fn of(one: &'t Value) -> Option<Self> {
        let address = one["address"].as_str()?;
        Some(Self {
            address,
            copies: one["copies"].as_u64().unwrap_or(0),
            is_ours: one["local"] == true || one["candidate"] == true,
            name: address.split('@').next().unwrap_or(address),
        })
    }
}

/// What was typed for users that can be made. What was wrong with one is so until something else is typed.
fn take_users(form: &Form, draft: &mut Draft) {
    let wanted: Vec<_> = form.all("make").collect();
    let typed: BTreeMap<_, _> = form.under("name-").take(MOST_USERS).collect();
    // Without the table, nothing was said of any.
    if typed.is_empty() {
        draft.to_make.values_mut().for_each(|one| one.not_made = None);
        return;
    }
    let before = std::mem::take(&mut draft.to_make);
    let of_row = |(address, name): (&str, &str)| {
        let is_wanted = wanted.contains(&address);
        let same = before.get(address).filter(|one| is_wanted && one.name == name);
        let one = ToMake {
            name: name.to_owned(),
            is_wanted,
            not_made: same.and_then(|one| one.not_made.clone()),
        };
        (address.to_owned(), one)
    };
    draft.to_make = typed.into_iter().map(of_row).collect();
}

/// What came of the users that were to be made.
pub fn made(sheet: &Sheet<'_>) -> Markup {
    let (w, draft) = (sheet.w(), sheet.draft);
    html! {
        @if !draft.made.is_empty() {
            (notice("good", html! {
                p { (w.users_made) } ul { @for name in &draft.made { li { bdi { (name) } } } }
            }))
        }
    }
}

/// The users that could not be made, and why.
pub fn not_made(sheet: &Sheet<'_>) -> Markup {
    let w = sheet.w();
    let not_made: Vec<_> = sheet.draft.not_made().collect();
    html! {
        @if !not_made.is_empty() {
            (notice("bad", html! {
                p { strong { (w.users_not_made) } }
                ul { @for (address, why) in not_made { li { bdi { (address) } ": " (failed(sheet.face, why)) } } }
            }))
        }
    }
}

/// Takes what was typed.
pub fn take(form: &Form, draft: &mut Draft) {
    take_users(form, draft);
    let before = draft.keys["recipients"].clone();
    for key in [
        "local_domains",
        "own_addresses",
        "envelope_headers",
        "journal_from",
        "strip_prefix",
        "unwrap",
    ] {
        draft.set_lines(&format!("recipients.{key}"), form.get(&format!("recipients.{key}")));
    }
    for (key, usual) in [("use", "auto"), ("envelope_at", "top"), ("journal", "never")] {
        let key = format!("recipients.{key}");
        let chosen = form.get(&key);
        draft.set_text(&key, if chosen == usual { "" } else { chosen });
    }
    for key in ["trusted_received", "create_limit"] {
        draft.set_number(&format!("recipients.{key}"), form.get(&format!("recipients.{key}")));
    }
    for key in ["senders", "plus_addressing"] {
        let key = format!("recipients.{key}");
        let is_on = form.get(&key) == "yes";
        draft.set(&key, if is_on { Value::Null } else { false.into() });
    }
    let unknown = match form.get("recipients.unknown") {
        "catchall" => Value::Null,
        "user" => serde_json::json!({"user": form.get("recipients.unknown.user")}),
        word => word.into(),
    };
    draft.set("recipients.unknown", unknown);
    if draft.keys["recipients"] != before {
        draft.has_rules = true;
    }
}

/// The headers that count where none is named.
fn usual_headers() -> String {
    Recipients::default().envelope_headers.join(", ")
}
