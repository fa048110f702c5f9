//! A profile in words: a table of what it says, and of what holds where it says nothing.

use maud::{Markup, html};
use serde_json::Value;

use super::{keeping, recipients, server, sheet::texts, step::Step, texts::Texts};
use crate::console::{frame::Face, texts as words};

/// A row: what it is about, and what holds for that; empty where that is not worth a row.
type Row = (&'static str, String);

/// The table of a profile with these keys.
pub fn table(face: &Face, keys: &Value) -> Markup {
    let w = texts(face);
    let profile = Profile { keys, w, t: face.t() };
    let parts = [
        (Step::Server, profile.server()),
        (Step::Folders, profile.folders()),
        (Step::Recipients, profile.recipients()),
        (Step::Keeping, profile.keeping()),
    ];
    html! {
        div.scroll tabindex="0" role="group" aria-label=(w.in_words) {
            table.in-words {
                @for (step, rows) in parts {
                    tbody {
                        tr { th.part scope="rowgroup" colspan="2" { (step.title(w)) } }
                        @for (about, holds) in rows.into_iter().filter(|(_, holds)| !holds.is_empty()) {
                            tr { th scope="row" { (about) } td { bdi { (holds) } } }
                        }
                    }
                }
            }
        }
    }
}

struct Profile<'k> {
    keys: &'k Value,
    w: &'static Texts,
    t: &'static words::Texts,
}

impl Profile<'_> {
    fn get(&self, key: &str) -> &Value {
        key.split('.').fold(self.keys, |value, part| &value[part])
    }

    /// As it stands there, a list with commas; empty where there is nothing.
    fn text(&self, key: &str) -> String {
        match self.get(key) {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            Value::Array(list) => {
                let entries = list
                    .iter()
                    .map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned));
                entries.collect::<Vec<_>>().join(", ")
            }
            value => value.to_string(),
        }
    }

    /// What that is called; of a word that is none of these, the word itself.
    fn called(&self, key: &str, usual: &str, choices: &[(&str, &str)]) -> String {
        let word = match self.text(key) {
            none if none.is_empty() => usual.to_owned(),
            word => word,
        };
        let called = choices.iter().find(|(known, _)| *known == word);
        called.map_or(word.clone(), |(_, called)| (*called).to_owned())
    }

    fn is_on(&self, key: &str, usual: bool) -> String {
        match self.get(key).as_bool().unwrap_or(usual) {
            true => self.t.yes.to_owned(),
            false => self.t.no.to_owned(),
        }
    }

    fn server(&self) -> Vec<Row> {
        let w = self.w;
        let accesses = server::accesses(w).map(|(word, name, _)| (word, name));
        let usual = server::usual_port(&self.text("server.access"));
        let port = Some(self.text("server.port")).filter(|port| !port.is_empty());
        let by_token = self.get("server.oauth2").is_object();
        let verify = [
            ("system", w.verify_system),
            ("pin", w.verify_pin),
            ("none", w.verify_none),
        ];
        vec![
            (w.host, self.text("server.host")),
            (w.access, self.called("server.access", "", &accesses)),
            (w.port, port.or(usual.map(|port| port.to_string())).unwrap_or_default()),
            (w.username, self.text("server.username")),
            (w.log_in, if by_token { w.by_token } else { w.by_password }.to_owned()),
            (w.endpoint, self.text("server.oauth2.token_endpoint")),
            (w.client_id, self.text("server.oauth2.client_id")),
            (w.verify, self.called("server.tls.verify", "system", &verify)),
            (w.pin, self.text("server.tls.pin")),
        ]
    }

    fn folders(&self) -> Vec<Row> {
        let w = self.w;
        let include = self.text("folders.include");
        let subscribed = self
            .get("folders.subscribed")
            .as_bool()
            .map(|_| self.is_on("folders.subscribed", false));
        vec![
            (
                w.include,
                if include.is_empty() {
                    "INBOX".to_owned()
                } else {
                    include
                },
            ),
            (w.exclude, self.text("folders.exclude")),
            (w.subscribed, subscribed.unwrap_or_default()),
        ]
    }

    fn recipients(&self) -> Vec<Row> {
        let w = self.w;
        let unknown = match self.get("recipients.unknown.user").as_str() {
            Some(user) => format!("{} {user}", w.unknown_user),
            None => self.called("recipients.unknown", "catchall", &recipients::unknowns(w)),
        };
        let envelope_at = match self.get("recipients.envelope_at") {
            Value::Null => String::new(),
            _ => self.called("recipients.envelope_at", "top", &recipients::places(w)),
        };
        vec![
            (w.local_domains, self.text("recipients.local_domains")),
            (w.own_addresses, self.text("recipients.own_addresses")),
            (w.unknown, unknown),
            (w.create_limit, self.text("recipients.create_limit")),
            (w.steps, self.called("recipients.use", "auto", &recipients::steps(w))),
            (w.envelope_headers, self.text("recipients.envelope_headers")),
            (w.envelope_at, envelope_at),
            (w.trusted_received, self.text("recipients.trusted_received")),
            (
                w.journal,
                self.called("recipients.journal", "never", &recipients::journals(w)),
            ),
            (w.journal_from, self.text("recipients.journal_from")),
            (w.strip_prefix, self.text("recipients.strip_prefix")),
            (w.unwrap, self.text("recipients.unwrap")),
            (w.senders, self.is_on("recipients.senders", true)),
            (w.plus_addressing, self.is_on("recipients.plus_addressing", true)),
        ]
    }

    fn keeping(&self) -> Vec<Row> {
        let w = self.w;
        let deletion = [("never", w.delete_never), ("archived", w.delete_archived)];
        vec![
            (w.deletion, self.called("delete.when", "never", &deletion)),
            (w.delete_after, self.text("delete.after")),
            (w.move_to, self.text("delete.move_to")),
            (w.schedule, self.called("schedule", "manual", &keeping::schedules(w))),
            (w.timezone, self.text("timezone")),
            (w.pause, self.text("pause")),
            (w.timeout, self.text("server.timeout")),
            (w.stall_timeout, self.text("stall_timeout")),
            (w.connections, self.text("connections")),
        ]
    }
}
