//! The fourth step: for whom messages are. What the test saw is shown on some of them.

use maud::{Markup, html};
use serde_json::Value;

use super::{draft::Draft, sheet::Sheet, test::saying, texts::Texts};
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
                @for (address, why) in &sheet.draft.not_made { p.fault { bdi { (address) } ": " (failed(sheet.face, why)) } }
                div.scroll tabindex="0" role="group" aria-label=(w.nobody_has) {
                    table {
                        thead {
                            tr {
                                th scope="col" { (w.make_it) } th scope="col" { (w.address) }
                                th.number scope="col" { (w.messages_named) } th scope="col" { (w.user_name) }
                            }
                        }
                        tbody {
                            @for one in &unknown {
                                tr {
                                    td {
                                        input type="checkbox" name="make" value=(one.address)
                                            aria-label={ (w.make_it) " " (one.address) } checked[one.is_ours];
                                    }
                                    th scope="row" { bdi { (one.address) } }
                                    td.number { (words::number(language, one.copies)) }
                                    td {
                                        input name={ "name-" (one.address) } value=(one.name) autocomplete="off"
                                            aria-label={ (w.user_name) " " (one.address) };
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

/// The users that are to be made: a name and an address each.
pub fn to_make(form: &Form) -> Vec<(String, String)> {
    let made = form.all("make").take(MOST_USERS);
    made.map(|address| (form.get(&format!("name-{address}")).to_owned(), address.to_owned()))
        .collect()
}

/// Takes what was typed.
pub fn take(form: &Form, draft: &mut Draft) {
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
