//! The first step: which server, how it is reached, and how one logs in.

use maud::{Markup, html};
use serde_json::{Value, json};

use super::{
    draft::{CLIENT_SECRET, Draft, PASSWORD, REFRESH_TOKEN, unlike},
    sheet::{Sheet, Way},
    texts::Texts,
};
use crate::{
    api::Failure,
    config::Access,
    console::{form::Form, said::of_field, words},
};

/// In an address that is to be completed.
const TENANT: &str = "TENANT";

/// What is filled in for those who take no passwords.
struct Preset {
    host: &'static str,
    endpoint: &'static str,
    grant: &'static str,
    scope: Option<&'static str>,
}

fn preset(word: &str) -> Option<Preset> {
    match word {
        "microsoft" => Some(Preset {
            host: "outlook.office365.com",
            endpoint: "https://login.microsoftonline.com/TENANT/oauth2/v2.0/token",
            grant: "client_credentials",
            scope: Some("https://outlook.office365.com/.default"),
        }),
        "google" => Some(Preset {
            host: "imap.gmail.com",
            endpoint: "https://oauth2.googleapis.com/token",
            grant: "refresh_token",
            scope: None,
        }),
        _ => None,
    }
}

/// The kinds of access: a word, what it is called, and what it means.
pub fn accesses(w: &'static Texts) -> [(&'static str, &'static str, &'static str); 6] {
    [
        ("imap-ssl", "IMAP, TLS", w.means_imap_ssl),
        ("imap-tls", "IMAP, STARTTLS", w.means_imap_tls),
        ("imap", "IMAP", w.means_imap),
        ("pop3-ssl", "POP3, TLS", w.means_pop3_ssl),
        ("pop3-tls", "POP3, STLS", w.means_pop3_tls),
        ("pop3", "POP3", w.means_pop3),
    ]
}

/// The port that usually goes with an access.
pub fn usual_port(access: &str) -> Option<u16> {
    let access: Option<Access> = serde_json::from_value(access.into()).ok();
    access.map(Access::default_port)
}

pub fn body(sheet: &Sheet<'_>) -> Markup {
    let (w, draft) = (sheet.w(), sheet.draft);
    let access = draft.text("server.access");
    let ways = accesses(w).map(|(word, name, means)| Way {
        word,
        name,
        means,
        fills: usual_port(word).map(|port| port.to_string()),
    });
    let port = match draft.text("server.port") {
        none if none.is_empty() => usual_port(&access).map_or(none, |port| port.to_string()),
        given => given,
    };
    html! {
        p { (w.server_means) }
        div.two {
            div.card { (sheet.ways("server.access", w.access, &access, &ways)) }
            div.card {
                (sheet.text("server.host", w.host, w.host_hint))
                (sheet.line("server.port", w.port, w.port_hint, &port))
                (sheet.text("server.username", w.username, w.username_hint))
            }
            div.card { (log_in(sheet)) }
            div.card { (tls(sheet)) }
        }
    }
}

fn log_in(sheet: &Sheet<'_>) -> Markup {
    let (w, draft) = (sheet.w(), sheet.draft);
    let by = if draft.by_token { "token" } else { "password" };
    let ways = [
        Way::new("password", w.by_password, w.means_by_password),
        Way::new("token", w.by_token, w.means_by_token),
    ];
    html! {
        (sheet.ways("log_in", w.log_in, by, &ways))
        (sheet.secret(PASSWORD, w.password, ""))
        details open[draft.by_token] {
            summary { (w.token_details) }
            p { (w.presets_mean) }
            div.actions {
                button type="submit" name="go" value="microsoft" { (w.preset_microsoft) }
                button type="submit" name="go" value="google" { (w.preset_google) }
            }
            (sheet.text("server.oauth2.token_endpoint", w.endpoint, w.endpoint_hint))
            (sheet.text("server.oauth2.client_id", w.client_id, w.client_id_hint))
            (sheet.secret(CLIENT_SECRET, w.client_secret, w.client_secret_hint))
            (sheet.select("server.oauth2.grant", w.grant, w.grant_hint, &draft.text("server.oauth2.grant"),
                &[("refresh_token", w.grant_refresh_token), ("client_credentials", w.grant_client_credentials)]))
            (sheet.secret(REFRESH_TOKEN, w.refresh_token, w.refresh_token_hint))
            (by_code(sheet))
            (sheet.text("server.oauth2.scope", w.scope, w.scope_hint))
        }
    }
}

/// How somebody logs in to get a refresh token, in place of pasting it.
fn by_code(sheet: &Sheet<'_>) -> Markup {
    let w = sheet.w();
    html! {
        div #code {
            @if let Some(code) = &sheet.draft.code {
                p {
                    (w.code_open) " "
                    a href=(code.address) target="_blank" rel="noopener noreferrer" { (code.address) } ". "
                    (w.code_type) " " strong.secret { (code.typed) } " " (w.code_then)
                    " " (w.code_lasts) " " (words::seconds(sheet.face.look.language, code.lasts)) "."
                }
                button type="submit" name="go" value="logged-in" { (w.has_logged_in) }
            } @else {
                button type="submit" name="go" value="code" { (w.by_code) }
                p.hint { (w.by_code_means) }
            }
        }
    }
}

fn tls(sheet: &Sheet<'_>) -> Markup {
    let (w, draft) = (sheet.w(), sheet.draft);
    let verify = match draft.text("server.tls.verify") {
        none if none.is_empty() => "system".to_owned(),
        verify => verify,
    };
    let ways = [
        Way::new("system", w.verify_system, w.means_verify_system),
        Way::new("pin", w.verify_pin, w.means_verify_pin),
        Way::new("none", w.verify_none, w.means_verify_none),
    ];
    html! {
        (sheet.ways("server.tls", w.verify, &verify, &ways))
        (sheet.text("server.tls.pin", w.pin, w.pin_hint))
    }
}

/// Takes what was typed.
pub fn take(form: &Form, draft: &mut Draft, names: &[String]) {
    let before = draft.wanted()["server"].clone();
    let usual_before = usual_port(&draft.text("server.access")).map(|port| port.to_string());
    draft.set_text("server.access", form.get("server.access"));
    for key in ["server.host", "server.username"] {
        draft.set(key, form.get(key).into());
    }
    let port = form.get("server.port");
    let usual = usual_port(form.get("server.access")).map(|port| port.to_string());
    let goes_along = [usual, usual_before].iter().flatten().any(|usual| usual == port);
    draft.set_number("server.port", if goes_along { "" } else { port });
    draft.by_token = form.get("log_in") == "token";
    for key in ["token_endpoint", "client_id", "scope"] {
        draft.set_text(
            &format!("server.oauth2.{key}"),
            form.get(&format!("server.oauth2.{key}")),
        );
    }
    if draft.get("server.oauth2").is_object() || draft.by_token {
        draft.set_text("server.oauth2.grant", form.get("server.oauth2.grant"));
    }
    let mut is_new = false;
    for key in [PASSWORD, CLIENT_SECRET, REFRESH_TOKEN] {
        is_new |= draft.set_secret(key, form.as_typed(key));
    }
    take_tls(form, draft);
    if let Some(preset) = preset(form.get("go")) {
        fill_in(draft, &preset);
    }
    if !draft.is_named {
        let name = unlike(&proposed_name(draft), names);
        draft.set("name", name.into());
    }
    if is_new || draft.wanted()["server"] != before {
        draft.tested = None;
    }
}

fn take_tls(form: &Form, draft: &mut Draft) {
    match form.get("server.tls") {
        "none" => draft.set("server.tls", json!({"verify": "none"})),
        "pin" => {
            let pin = Some(form.get("server.tls.pin")).filter(|pin| !pin.is_empty());
            draft.set(
                "server.tls",
                pin.map_or(json!({"verify": "pin"}), |pin| json!({"verify": "pin", "pin": pin})),
            );
        }
        // A file of the machine that its profile names stays.
        _ => match draft.get("server.tls.ca_file").clone() {
            Value::Null => draft.set("server.tls", Value::Null),
            file => draft.set("server.tls", json!({"verify": "system", "ca_file": file})),
        },
    }
}

fn fill_in(draft: &mut Draft, preset: &Preset) {
    draft.by_token = true;
    let pop3 = draft.is_pop3();
    draft.set_text("server.access", if pop3 { "pop3-ssl" } else { "imap-ssl" });
    draft.set("server.port", Value::Null);
    let host = if pop3 {
        preset.host.replace("imap.", "pop.")
    } else {
        preset.host.to_owned()
    };
    draft.set_text("server.host", &host);
    draft.set_text("server.oauth2.token_endpoint", preset.endpoint);
    draft.set_text("server.oauth2.grant", preset.grant);
    draft.set_text("server.oauth2.scope", preset.scope.unwrap_or_default());
}

/// By the mailbox's domain, else by the server's.
fn proposed_name(draft: &Draft) -> String {
    let username = draft.text("server.username");
    let host = draft.text("server.host");
    let domain = username.rsplit_once('@').map_or(host.as_str(), |(_, domain)| domain);
    let labels: Vec<_> = domain.split('.').collect();
    let label = labels
        .iter()
        .rev()
        .nth(1)
        .or(labels.first())
        .copied()
        .unwrap_or_default();
    let is_name = !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let is_number = label.bytes().all(|byte| byte.is_ascii_digit());
    if is_name && !is_number {
        label.to_lowercase()
    } else {
        "mail".to_owned()
    }
}

/// Whether it logs in by a password that nobody has said.
pub fn has_no_password(draft: &Draft) -> bool {
    let of_the_machine = ["server.password_file", "server.password_env"];
    !draft.by_token && !draft.has_secret(PASSWORD) && of_the_machine.iter().all(|key| draft.get(key).is_null())
}

/// What a preset leaves to be completed.
pub fn left_open(draft: &Draft, w: &'static Texts) -> Option<Failure> {
    const KEY: &str = "server.oauth2.token_endpoint";
    let open = draft.by_token && draft.text(KEY).split('/').any(|part| part == TENANT);
    open.then(|| of_field(KEY, w.tenant_is_open))
}

#[test]
fn the_name_that_is_proposed_is_that_of_the_domain() {
    let named = |username: &str, host: &str| {
        let mut draft = Draft::new(&[]);
        draft.set_text("server.username", username);
        draft.set_text("server.host", host);
        proposed_name(&draft)
    };
    assert_eq!(named("all@Example.com", "x"), "example");
    assert_eq!(named("all", "mail.hoster.example"), "hoster");
    assert_eq!(named("all", "localhost"), "localhost");
    for odd in ["", "127.0.0.1", "b ü.cher.x"] {
        assert!(!named("all", odd).contains(' '), "{odd}");
    }
    assert_eq!(named("all", "127.0.0.1"), "mail");
}
