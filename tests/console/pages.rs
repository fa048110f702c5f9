//! Each page for each role: what it shows, what it does not, and what browsers are told to refuse in it.

use std::time::{Duration, Instant};

use crate::{
    people::{NAMES, log_in, message, peopled, submit},
    site::{Client, Reply},
    support::{PATIENCE, wait_for},
};

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A page without mail is no longer, in bytes, and its first byte comes by then.
const LARGEST: usize = 100_000;
const SOON: Duration = Duration::from_millis(50);

/// The pages, and what a user, an auditor and an administrator get. Jane's archive was given to the user, Bob's to the
/// administrator.
fn table() -> Vec<(String, [u16; 3])> {
    let all = |path: &str| (path.to_owned(), [200; 3]);
    let administrators = |path: &str| (path.to_owned(), [403, 403, 200]);
    let of_jane = message(1);
    vec![
        all("/console/mail"),
        all("/console/mail?q=words1"),
        ("/console/mail?open=999999".into(), [404; 3]),
        ("/console/mail?open=2".into(), [200, 200, 404]),
        ("/console/archives/jane?open=2".into(), [200, 200, 404]),
        ("/console/mail?open=x".into(), [400; 3]),
        ("/console/export?chosen=1".into(), [400; 3]),
        all("/console/archives"),
        all("/console/account"),
        all("/console/account/codes"),
        ("/console/archives/jane".into(), [200, 200, 404]),
        ("/console/archives/bob".into(), [404, 200, 200]),
        ("/console/archives/nobody".into(), [404; 3]),
        (of_jane.clone(), [200, 200, 404]),
        (format!("{of_jane}?view=text"), [200, 200, 404]),
        (format!("{of_jane}/headers"), [200, 200, 404]),
        (format!("{of_jane}/journal"), [403, 200, 403]),
        (message(2), [404, 200, 200]),
        (message(100), [404; 3]),
        ("/console/mail/x".into(), [404; 3]),
        ("/console/audit".into(), [403, 200, 200]),
        administrators("/console/overview"),
        administrators("/console/runs"),
        administrators("/console/runs/1"),
        ("/console/runs/999".into(), [403, 403, 404]),
        administrators("/console/unknown"),
        administrators("/console/unknown/new%40example.com"),
        administrators("/console/reroute"),
        administrators("/console/people/import"),
        ("/console/audit?since=x".into(), [403, 400, 400]),
        ("/console/runs?until=x".into(), [403, 403, 400]),
        administrators("/console/people"),
        administrators("/console/people?find=jane&address=new%40example.com"),
        administrators("/console/people/accounts/jane"),
        ("/console/people/accounts/nobody".into(), [403, 403, 404]),
        administrators("/console/people/accounts/jane/remove"),
        administrators("/console/store"),
        administrators("/console/archive-mail"),
        ("/console/archive-mail/0/server".into(), [403, 403, 410]),
        ("/console/archive-mail/0/test/events".into(), [403, 403, 410]),
        ("/console/archive-mail/0/nothing".into(), [403, 403, 404]),
        administrators("/console/profiles/company"),
        ("/console/profiles/company/remove".into(), [403, 403, 409]),
        ("/console/profiles/nobody".into(), [403, 403, 404]),
    ]
}

/// That nothing but our own files styles it or runs in it.
fn is_strict(path: &str, reply: &Reply) {
    let page = reply.text();
    assert_eq!(reply.field("content-security-policy"), POLICY, "{path}");
    assert_eq!(reply.field("content-type"), "text/html; charset=utf-8", "{path}");
    assert_eq!(reply.field("cache-control"), "no-store", "{path}");
    assert_eq!(page.matches("<script").count(), 1, "{path}");
    assert!(page.contains("<script defer src=\"/console/static/console-"), "{path}");
    assert!(!page.contains("<style") && !page.contains(" style="), "{path}: {page}");
    for tag in page
        .split('<')
        .skip(1)
        .filter_map(|rest| rest.split_once('>').map(|(tag, _)| tag))
    {
        let mut attributes = tag.split_whitespace().skip(1);
        assert!(
            !attributes.any(|attribute| attribute.starts_with("on")),
            "{path}: {tag}"
        );
        for address in ["href=\"", "src=\"", "action=\""] {
            let address = tag.split_once(address).map(|(_, rest)| rest);
            assert!(
                address.is_none_or(|rest| rest.starts_with("/console") || rest.starts_with("#")),
                "{path}: {tag}"
            );
        }
    }
}

#[test]
fn each_page_is_for_whom_it_is_and_shows_nobody_more() {
    let site = peopled();
    let people: Vec<_> = NAMES.iter().map(|name| log_in(&site, name, "").0).collect();
    for (path, expected) in table() {
        for ((name, client), expected) in NAMES.iter().zip(&people).zip(expected) {
            let reply = client.get(&path);
            assert_eq!(reply.status, expected, "{name}: {path}: {}", reply.text());
            is_strict(&path, &reply);
            assert!(reply.body.len() < LARGEST, "{path}: {}", reply.body.len());
            shows_only_what_one_may(name, &path, &reply.text());
        }
        // Nobody in particular is asked who they are, and comes back.
        let reply = site.stranger().get(&path).expect(303);
        assert!(
            reply.field("location").starts_with("/console/log-in?to=%2Fconsole%2F"),
            "{path}"
        );
        assert!(reply.body.is_empty(), "{path}");
    }
}

fn shows_only_what_one_may(name: &str, path: &str, page: &str) {
    // What stands for mail of each set of users: secret3 is Jane's and Bob's.
    let forbidden: &[usize] = match name {
        "jane" => &[0, 2, 4, 6],
        "rita" => &[],
        _ => &[0, 1, 4, 5],
    };
    for set in forbidden {
        assert!(
            !page.contains(&format!("secret{set}")),
            "{name}: {path} shows message {set}"
        );
        assert!(
            !page.contains(&format!("sender{set}@")),
            "{name}: {path} counts message {set}"
        );
    }
    let hidden: &[&str] = match name {
        "jane" => &["overview", "archive-mail", "runs", "people", "store", "audit"],
        "rita" => &["overview", "archive-mail", "runs", "people", "store"],
        _ => &[],
    };
    for place in hidden {
        assert!(
            !page.contains(&format!("href=\"/console/{place}")),
            "{name}: {path} leads to {place}"
        );
    }
    if name == "jane" {
        assert!(!page.contains("rita") && !page.contains("bob@"), "{path}");
    }
}

#[test]
fn a_message_of_others_is_as_one_that_was_never_there() {
    let site = peopled();
    let (jane, _) = log_in(&site, "jane", "");
    let page = |path: &str, id: &str| {
        let reply = jane.get(path).expect(404).text();
        reply.replace(id, "ID")
    };
    for below in ["", "/body", "/headers", "/source", "/download", "/parts/1", "/nested/1"] {
        let (others, none) = (format!("/console/mail/3{below}"), format!("/console/mail/9003{below}"));
        assert_eq!(
            page(&others, "3").replace("900ID", "ID"),
            page(&none, "9003").replace('3', "ID"),
            "{below}"
        );
    }
}

#[test]
fn what_one_may_not_do_is_refused_whoever_made_the_form() {
    let site = peopled();
    let posts = [
        "/console/profiles/company/run",
        "/console/profiles/company/interrupt",
        "/console/people/users",
        "/console/people/import",
        "/console/people/import/now",
        "/console/unknown/new%40example.com/give",
        "/console/unknown/new%40example.com/make",
        "/console/unknown/new%40example.com/ignore",
        "/console/unknown/new%40example.com/list",
        "/console/reroute/count",
        "/console/reroute/file",
        "/console/reroute/stop",
        "/console/people/users/jane/rename",
        "/console/people/users/jane/retire",
        "/console/people/accounts",
        "/console/people/accounts/jane/password",
        "/console/people/accounts/rita/role",
        "/console/people/accounts/rita/remove",
        "/console/store/index",
        "/console/store/compact",
        "/console/store/compact/stop",
        "/console/store/verify",
        "/console/store/verify/stop",
        "/console/archive-mail",
        "/console/archive-mail/0/server",
        "/console/profiles/company/remove",
    ];
    let fields = [
        ("name", "x"),
        ("account", "x"),
        ("to", "y"),
        ("role", "administrator"),
        ("addresses", "x@example.com"),
        ("password", "another password"),
        ("again", "another password"),
    ];
    for name in ["jane", "rita"] {
        let (client, _) = log_in(&site, name, "");
        for path in posts {
            let reply = crate::people::submit(&client, path, &fields);
            assert_eq!(reply.status, 403, "{name}: {path}: {}", reply.text());
        }
    }
    let accounts = site.own(serde_json::json!("accounts"));
    assert_eq!(
        accounts.iter().filter(|reply| reply.get("account").is_some()).count(),
        NAMES.len()
    );
}

#[test]
fn the_first_byte_of_a_page_comes_soon() {
    let site = peopled();
    let (anna, _) = log_in(&site, "anna", "");
    for path in [
        "mail",
        "mail?q=words2",
        "archives/bob",
        "overview",
        "runs",
        "people",
        "audit",
        "store",
        "account",
    ] {
        let path = format!("/console/{path}");
        // However busy the machine is, one of many is not held up by others.
        let mut least = Duration::MAX;
        let is_soon = wait_for(PATIENCE, || {
            least = least.min(first_byte(&anna, &path));
            least < SOON
        });
        assert!(is_soon, "{path}: {least:?}");
    }
}

fn first_byte(client: &Client, path: &str) -> Duration {
    use std::io::Read;
    let began = Instant::now();
    let mut stream = client.begin("GET", path, "", b"").expect("a request");
    stream.read_exact(&mut [0]).expect("an answer");
    began.elapsed()
}

#[test]
fn pages_are_in_the_language_and_the_theme_that_somebody_chose() {
    let site = peopled();
    let stranger = site.stranger();
    let page = |fields: &str| stranger.ask("GET", "/console/log-in", fields, b"").expect(200).text();
    assert!(page("").contains("<html lang=\"en\" data-theme=\"auto\">"));
    let german = page("Accept-Language: de-DE,de;q=0.9,en;q=0.5\r\n");
    assert!(
        german.contains("<html lang=\"de\"") && german.contains("Anmelden") && !german.contains("Log in"),
        "{german}"
    );
    let form = [("language", "de"), ("theme", "dark"), ("here", "/console/log-in")];
    let kept = crate::people::send(&stranger, "/console/look", &form).expect(303);
    assert_eq!(kept.field("location"), "/console/log-in");
    let cookies: Vec<_> = kept.header.iter().filter(|(name, _)| name == "set-cookie").collect();
    assert_eq!(cookies.len(), 2);
    for (_, cookie) in cookies {
        assert!(cookie.contains("HttpOnly; SameSite=Strict; Max-Age="), "{cookie}");
    }
    let chosen = page("Accept-Language: en\r\nCookie: dropkeep-language=de; dropkeep-theme=dark\r\n");
    assert!(chosen.contains("<html lang=\"de\" data-theme=\"dark\">"), "{chosen}");
    assert!(page("Cookie: dropkeep-language=\"><x; dropkeep-theme=x\r\n").contains("lang=\"en\" data-theme=\"auto\""));
}

#[test]
fn our_own_files_are_kept_by_browsers_and_others_are_not_there() {
    let site = peopled();
    let stranger = site.stranger();
    let page = stranger.get("/console/log-in").text();
    for (before, kind) in [
        ("stylesheet\" href=\"", "text/css; charset=utf-8"),
        ("script defer src=\"", "text/javascript; charset=utf-8"),
        ("type=\"image/svg+xml\" href=\"", "image/svg+xml"),
    ] {
        let path = crate::people::between(&page, before, "\"");
        let file = stranger.get(path).expect(200);
        assert_eq!(file.field("content-type"), kind);
        assert!(file.field("cache-control").contains("immutable"));
        assert!(file.body.len() < LARGEST);
    }
    stranger.get("/console/static/console-0000000000000000.css").expect(404);
    stranger.get("/console/static/..%2f..%2fetc%2fpasswd").expect(404);
}

#[test]
fn what_is_not_there_and_what_only_takes_forms_has_a_page_of_ours() {
    let site = peopled();
    let (anna, _) = log_in(&site, "anna", "");
    for (path, status) in [
        ("/console/nothing", 404),
        ("/console/", 404),
        ("/console/runs/1/nothing", 404),
        ("/console/unknown/new%40example.com/give", 405),
        ("/console/account/codes/confirm", 405),
        ("/console/look", 405),
    ] {
        let reply = anna.get(path).expect(status);
        let page = reply.text();
        assert!(
            page.contains("<h1>Not found</h1>") && page.contains("href=\"/console/runs\""),
            "{path}: {page}"
        );
        assert_eq!(reply.field("allow"), if status == 405 { "POST" } else { "" }, "{path}");
        assert!(page.contains("name=\"here\" value=\"/console\""), "{path}: {page}");
        let asked = site.stranger().get(path).expect(303);
        assert_eq!(
            asked.field("location"),
            "/console/log-in?to=%2Fconsole&over=1",
            "{path}"
        );
    }
    // The secret stands on a page that no link leads to, and a wrong code is shown on another one.
    let here = "/console/account/codes";
    let begun = submit(&anna, "/console/account/codes/begin", &[("here", here)])
        .expect(200)
        .text();
    let wrong = submit(
        &anna,
        "/console/account/codes/confirm",
        &[("here", here), ("code", "000000")],
    );
    let wrong = wrong.expect(400).text();
    for page in [begun, wrong] {
        let heres = page.matches("name=\"here\"").count();
        let of_codes = page.matches(&format!("name=\"here\" value=\"{here}\"")).count();
        assert!(heres > 1 && heres == of_codes, "{page}");
    }
}

#[test]
fn each_image_of_a_page_had_the_whole_message_read_anew() {
    const IMAGES: usize = 400;
    let site = peopled();
    let named: String = (0..IMAGES).map(|at| format!("<img src=\"cid:{at}@x\">\r\n")).collect();
    let part = |at: usize| {
        let kind = if at == 0 { "image/svg+xml" } else { "image/png" };
        format!(
            "--r\r\nContent-Type: {kind}\r\nContent-ID: <{at}@x>\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n"
        )
    };
    let parts: String = (0..IMAGES).map(part).collect();
    site.import(&format!(
        "From: a@example.org\r\nTo: jane@example.com\r\nSubject: images\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/related; boundary=r\r\n\r\n--r\r\nContent-Type: text/html\r\n\r\n{named}\r\n{parts}--r--\r\n"
    ));
    let entries = || {
        let filter = serde_json::json!({"audit": {"account": "jane", "check": false}});
        let replies = site.own(filter);
        let noted = replies.iter().filter_map(|reply| reply["audited"]["action"].as_str());
        noted.filter(|action| ["show", "attachment"].contains(action)).count()
    };
    let jane = log_in(&site, "jane", "").0;
    for page in ["/console/mail/9/body", "/console/mail/9/print"] {
        let before = entries();
        let page = jane.get(page).expect(200).text();
        assert_eq!(
            page.matches("<img src=\"data:image/png;base64,iVBORw0KGgo=\"").count(),
            IMAGES - 1
        );
        assert!(!page.contains("svg"), "{page}");
        assert_eq!(entries(), before + 1);
    }
}

#[test]
fn the_reason_of_one_was_noted_for_who_logged_in_next() {
    let site = peopled();
    let (_, reply) = log_in(&site, "rita", "");
    let mut cookies = reply.header.iter().filter(|(name, _)| name == "set-cookie");
    let forgotten = |cookie: &str| cookie.starts_with("dropkeep-reason=;") && cookie.contains("Max-Age=0");
    assert!(cookies.any(|(_, cookie)| forgotten(cookie)), "{:?}", reply.header);
}
