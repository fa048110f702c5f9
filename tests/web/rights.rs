//! Who gets what: each kind of account, with each set of archives given to it, asks for everything.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    site::{Client, ROLES, Site, USERS},
    take::taken,
};

/// An account of a role, to which the archives of these users were given.
struct Account {
    role: &'static str,
    given: Vec<&'static str>,
    client: Client,
}

impl Account {
    /// Whether it may read the archive of a user.
    fn reads(&self, user: &str) -> bool {
        self.role == "auditor" || self.given.contains(&user)
    }

    /// Whether it may read message `id`, which is for the users whose bits are in the number before it.
    fn reads_message(&self, id: usize) -> bool {
        let set = id.wrapping_sub(1);
        let sets = 1 << USERS.len();
        set < sets && (self.role == "auditor" || (0..USERS.len()).any(|at| set >> at & 1 == 1 && self.reads(USERS[at])))
    }
}

fn accounts(site: &Site) -> Vec<Account> {
    let mut accounts = Vec::new();
    for role in ROLES {
        for set in 0..1_usize << USERS.len() {
            let given: Vec<_> = (0..USERS.len())
                .filter(|at| set >> at & 1 == 1)
                .map(|at| USERS[at])
                .collect();
            let name = format!("{role}{set}");
            site.add(&name, role, &given);
            let client = site.log_in(&name);
            accounts.push(Account { role, given, client });
        }
    }
    accounts
}

#[test]
fn nobody_gets_what_they_may_not_see() {
    let site = Site::with_mail();
    site.indexed();
    let (mut asked, messages) = (0, 1 << USERS.len());
    for account in accounts(&site) {
        let who = format!("{} of {:?}", account.role, account.given);
        let mut get = |path: &str| {
            asked += 1;
            account.client.get(path)
        };
        for id in (0..=messages + 2).chain([1_000_000]) {
            for what in ["", "/raw", "/attachments/1", "/attachments/2"] {
                let reply = get(&format!("/api/v1/messages/{id}{what}"));
                if account.reads_message(id) {
                    let reply = reply.expect(200);
                    let text = reply.text();
                    // Of those who have it, only those are named whose archives may be read. Addressees are what the
                    // message says.
                    if what.is_empty() {
                        let users = reply.json()["users"].as_array().unwrap().clone();
                        let users = users.iter().map(|user| user["user"].as_str().unwrap().to_owned());
                        assert!(
                            users
                                .filter(|user| user != "@catchall")
                                .all(|user| account.reads(&user)),
                            "{who}: {text}"
                        );
                    }
                } else {
                    let reply = reply.expect(404);
                    let detail = format!("there is no message {id}; `list` shows the ids");
                    assert_eq!(reply.json()["detail"], json!(detail), "{who}");
                }
            }
            let reply = get(&format!("/api/v1/messages/{id}/journal"));
            let expected = match (account.role, account.reads_message(id)) {
                ("auditor", true) => 200,
                ("auditor", false) => 404,
                _ => 403,
            };
            assert_eq!(reply.status, expected, "{who}: journal of {id}");
            let reply = get(&format!("/api/v1/export?ids={id}"));
            assert_eq!(
                reply.status,
                if account.reads_message(id) { 200 } else { 404 },
                "{who}: export of {id}"
            );
        }
        for name in USERS.into_iter().chain(["nobody", "@catchall", "%40catchall"]) {
            let reply = get(&format!("/api/v1/users/{name}/messages"));
            let may = account.reads(name) || (name.ends_with("catchall") && account.role == "auditor");
            if may && name != "nobody" {
                let ids: BTreeSet<_> = ids(&reply.expect(200).json(), "messages");
                let of = |id: &usize| match USERS.iter().position(|user| *user == name) {
                    Some(at) => (id - 1) >> at & 1 == 1,
                    None => *id == 1,
                };
                assert_eq!(ids, (1..=messages).filter(of).collect(), "{who}: {name}");
            } else {
                let text = reply.expect(404).text();
                let hidden = USERS.iter().filter(|user| **user != name && !account.reads(user));
                assert!(hidden.into_iter().all(|user| !text.contains(user)), "{who}: {text}");
            }
        }
        let readable: BTreeSet<usize> = (1..=messages).filter(|id| account.reads_message(*id)).collect();
        for (query, found) in [
            ("", readable.clone()),
            ("secret*", readable.clone()),
            ("words3", readable.iter().copied().filter(|id| *id == 4).collect()),
            (
                "user%3Ajane",
                readable
                    .iter()
                    .copied()
                    .filter(|id| account.reads("jane") && (id - 1) & 1 == 1)
                    .collect(),
            ),
            (
                "from%3Asender5",
                readable.iter().copied().filter(|id| *id == 6).collect(),
            ),
        ] {
            let reply = get(&format!("/api/v1/search?q={query}&limit=100")).expect(200).json();
            assert_eq!(ids(&reply, "results"), found, "{who}: {query}");
            assert_eq!(reply["total"], found.len(), "{who}: {query}");
            let taken = taken(&get(&format!("/api/v1/export?q={query}")).expect(200).body);
            assert!(taken.keys().eq(&found), "{who}: {query}: {:?}", taken.keys());
            let facets = reply["facets"]["users"].as_array().unwrap().iter();
            let named = facets.filter_map(|user| user["name"].as_str());
            assert!(
                named.into_iter().all(|user| user == "@catchall" || account.reads(user)),
                "{who}: {reply}"
            );
        }
        let users = get("/api/v1/users").expect(200).json();
        let listed: BTreeSet<_> = users["users"]
            .as_array()
            .unwrap()
            .iter()
            .map(|user| user["name"].as_str().unwrap())
            .collect();
        for user in USERS {
            let may = account.role == "administrator" || account.reads(user);
            assert_eq!(listed.contains(user), may, "{who}: {listed:?}");
        }
    }
    println!("{asked} requests");
    assert!(asked > 1_500, "{asked}");
}

fn ids(reply: &Value, list: &str) -> BTreeSet<usize> {
    let list = reply[list].as_array().unwrap_or_else(|| panic!("{reply}"));
    list.iter().map(|line| line["id"].as_u64().unwrap() as usize).collect()
}

const NEW_PROFILE: &str =
    r#"{"name":"new","server":{"access":"imap","host":"127.0.0.1","port":1,"username":"u","password":"p"}}"#;
const UNSAVED: &str = r#"{"profile":{"name":"unsaved","server":{"access":"imap","host":"127.0.0.1","port":1,"username":"u",
    "password":"p"}}}"#;

#[test]
fn what_is_for_those_who_run_dropkeep_is_for_them_alone() {
    let site = Site::with_mail();
    for role in ROLES {
        site.add(role, role, &[]);
    }
    site.add("other", "user", &[]);
    for role in ROLES {
        let client = site.log_in(role);
        for (method, path, body, expected) in [
            ("GET", "/api/v1/runs", "", [403, 403, 200]),
            ("GET", "/api/v1/runs/1", "", [403, 403, 200]),
            ("GET", "/api/v1/runs/1/events", "", [403, 403, 200]),
            ("GET", "/api/v1/runs/99", "", [403, 403, 404]),
            ("GET", "/api/v1/unknown", "", [403, 403, 200]),
            (
                "POST",
                "/api/v1/unknown/found%40example.com/assign",
                r#"{"user":"found","new":true}"#,
                [403, 403, 200],
            ),
            ("PUT", "/api/v1/unknown/spam%40example.com/ignored", "", [403, 403, 204]),
            (
                "DELETE",
                "/api/v1/unknown/spam%40example.com/ignored",
                "",
                [403, 403, 204],
            ),
            ("GET", "/api/v1/lists", "", [403, 403, 200]),
            (
                "PUT",
                "/api/v1/lists/list%40example.com",
                r#"{"users":["found"]}"#,
                [403, 403, 204],
            ),
            ("DELETE", "/api/v1/lists/list%40example.com", "", [403, 403, 204]),
            ("POST", "/api/v1/verifications", r#"{"percent":50}"#, [403, 403, 200]),
            ("GET", "/api/v1/verifications/last", "", [403, 403, 200]),
            ("GET", "/api/v1/verifications/events", "", [403, 403, 200]),
            ("POST", "/api/v1/verifications/interrupt", "", [403, 403, 204]),
            ("POST", "/api/v1/compactions", "", [403, 403, 200]),
            ("GET", "/api/v1/compactions/events", "", [403, 403, 200]),
            ("POST", "/api/v1/compactions/interrupt", "", [403, 403, 204]),
            ("GET", "/api/v1/index", "", [403, 403, 200]),
            ("GET", "/api/v1/index/events", "", [403, 403, 200]),
            ("POST", "/api/v1/reroutes", r#"{"dry_run":true}"#, [403, 403, 200]),
            (
                "POST",
                "/api/v1/reroutes",
                r#"{"dry_run":true,"query":"id:1 body:words1"}"#,
                [403, 403, 403],
            ),
            ("GET", "/api/v1/reroutes/events", "", [403, 403, 200]),
            ("POST", "/api/v1/reroutes/interrupt", "", [403, 403, 204]),
            ("GET", "/api/v1/profiles", "", [403, 403, 200]),
            ("GET", "/api/v1/status", "", [403, 403, 200]),
            ("POST", "/api/v1/profiles/company/runs", "", [403, 403, 202]),
            ("POST", "/api/v1/profiles/company/interrupt", "", [403, 403, 204]),
            ("POST", "/api/v1/notices/test", "", [403, 403, 400]),
            ("GET", "/api/v1/profiles/company", "", [403, 403, 200]),
            ("POST", "/api/v1/profiles", NEW_PROFILE, [403, 403, 201]),
            ("PUT", "/api/v1/profiles/new", NEW_PROFILE, [403, 403, 204]),
            ("POST", "/api/v1/profiles/new/test", "", [403, 403, 200]),
            ("POST", "/api/v1/profiles/new/propose", "", [403, 403, 409]),
            ("POST", "/api/v1/profiles/new/dry-run", "", [403, 403, 200]),
            ("POST", "/api/v1/profiles/test", UNSAVED, [403, 403, 200]),
            ("POST", "/api/v1/profiles/import", r#"{"toml":""}"#, [403, 403, 400]),
            ("DELETE", "/api/v1/profiles/new", "", [403, 403, 204]),
            ("GET", "/api/v1/accounts", "", [403, 403, 200]),
            ("GET", "/api/v1/accounts/other", "", [403, 403, 200]),
            ("GET", "/api/v1/accounts/nobody", "", [403, 403, 404]),
            ("GET", "/api/v1/accounts/other/sessions", "", [403, 403, 200]),
            ("GET", "/api/v1/accounts/other/applications", "", [403, 403, 200]),
            ("GET", "/api/v1/sessions", "", [403, 403, 200]),
            ("POST", "/api/v1/accounts/other/disable", "", [403, 403, 204]),
            ("POST", "/api/v1/accounts/other/enable", "", [403, 403, 204]),
            ("PUT", "/api/v1/accounts/other/archives/jane", "", [403, 403, 204]),
            ("DELETE", "/api/v1/accounts/other/archives/jane", "", [403, 403, 204]),
            (
                "PUT",
                "/api/v1/accounts/other/role",
                r#"{"role":"auditor"}"#,
                [403, 403, 204],
            ),
            ("DELETE", "/api/v1/accounts/other", "", [403, 403, 204]),
            (
                "POST",
                "/api/v1/users",
                r#"{"name":"new","addresses":["new@example.com"]}"#,
                [403, 403, 201],
            ),
            (
                "PUT",
                "/api/v1/users/new",
                r#"{"addresses":["newest@example.com"]}"#,
                [403, 403, 204],
            ),
            (
                "POST",
                "/api/v1/users/import",
                r#"{"csv":"new,new@example.com","dry_run":true}"#,
                [403, 403, 200],
            ),
            ("POST", "/api/v1/users/new/rename", r#"{"to":"newer"}"#, [403, 403, 204]),
            ("POST", "/api/v1/users/newer/retire", "", [403, 403, 204]),
            ("DELETE", "/api/v1/users/newer", "", [403, 403, 204]),
            ("GET", "/api/v1/audit", "", [403, 200, 200]),
        ] {
            let at = ROLES.iter().position(|known| *known == role).unwrap();
            let reply = client.ask(method, path, "Content-Type: application/json\r\n", body.as_bytes());
            assert_eq!(reply.status, expected[at], "{role}: {method} {path}: {}", reply.text());
            let stranger = site
                .stranger()
                .ask(method, path, "Content-Type: application/json\r\n", body.as_bytes());
            assert_eq!(stranger.status, 401, "{method} {path}");
        }
        // One's own.
        for path in ["", "/sessions", "/applications"] {
            client.get(&format!("/api/v1/accounts/{role}{path}")).expect(200);
        }
    }
    let admin = site.log_in("administrator");
    let log = admin.get("/api/v1/audit?limit=1000").expect(200).json();
    let entries = log["entries"].as_array().unwrap().clone();
    let refused = entries.iter().filter(|entry| entry["outcome"] == "refused").count();
    assert!(refused > 40, "{refused}");
    let mut rest = admin
        .ask("GET", "/api/v1/audit?account=auditor", "Accept: text/csv\r\n", b"")
        .expect(200)
        .text();
    assert!(
        rest.lines().count() > 20 && rest.lines().skip(1).all(|line| line.contains("auditor")),
        "{rest}"
    );
    assert!(rest.starts_with("number,at,account,"), "{rest}");
    rest.clear();
    let newest = admin.get("/api/v1/audit?limit=2&newest_first=true").expect(200).json();
    let numbers = |page: &Value| -> Vec<u64> {
        let entries = page["entries"].as_array().expect("entries").iter();
        entries
            .map(|entry| entry["number"].as_u64().expect("a number"))
            .collect()
    };
    let first = numbers(&newest);
    assert!(first[0] == first[1] + 1 && first[1] > 20, "{newest}");
    let cursor = newest["next"].as_str().expect("more");
    let later = admin
        .get(&format!("/api/v1/audit?limit=2&newest_first=true&cursor={cursor}"))
        .expect(200)
        .json();
    assert_eq!(numbers(&later), [first[1] - 1, first[1] - 2]);
    let page = admin.get("/api/v1/audit?limit=3").expect(200).json();
    let next = admin
        .get(&format!(
            "/api/v1/audit?limit=3&cursor={}",
            page["next"].as_str().expect("more")
        ))
        .expect(200)
        .json();
    assert_eq!(
        next["entries"][0]["number"].as_u64(),
        page["entries"][2]["number"].as_u64().map(|number| number + 1)
    );
}

#[test]
fn a_list_in_pages_has_each_message_once_newest_first_while_mail_comes_in() {
    let site = Site::new("", &[]);
    site.add("jane", "user", &["jane"]);
    let mail = |minute: usize| {
        site.import(&format!(
            "Date: Mon, 5 Jan 2026 10:{minute:02}:00 +0000\r\nFrom: x@example.org\r\nTo: jane@example.com\r\nSubject: s{minute}\r\n\r\nx\r\n"
        ));
    };
    (0..7).for_each(mail);
    let jane = site.log_in("jane");
    let (mut subjects, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = jane
            .get(&format!("/api/v1/users/jane/messages?limit=2{cursor}"))
            .expect(200)
            .json();
        let lines = page["messages"].as_array().unwrap().clone();
        assert!((1..=2).contains(&lines.len()));
        subjects.extend(lines.iter().map(|line| line["subject"].as_str().unwrap().to_owned()));
        if subjects.len() == 2 {
            mail(10);
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(subjects, ["s6", "s5", "s4", "s3", "s2", "s1", "s0"]);
    jane.get("/api/v1/users/jane/messages?cursor=x").expect(400);
}
