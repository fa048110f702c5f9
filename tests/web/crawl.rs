//! Somebody with a session goes through everything that there is, and gets nothing of others.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::site::{Site, USERS};

#[test]
fn who_tries_every_address_with_every_number_and_name_gets_nothing_of_others() {
    let site = Site::with_mail();
    site.indexed();
    site.add("jane", "user", &["jane"]);
    site.add("bob", "user", &["bob"]);
    site.add("walter", "administrator", &[]);
    let jane = site.log_in("jane");
    let document: Value = site.stranger().get("/api/v1/openapi.json").expect(200).json();
    let messages = 1_usize << USERS.len();
    let numbers: Vec<String> = (0..=messages + 3).map(|number| number.to_string()).collect();
    let names: Vec<String> = USERS
        .iter()
        .map(|name| (*name).to_owned())
        .chain(["walter", "company", "%40catchall", "x"].map(str::to_owned))
        .collect();
    let mut asked = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            for address in filled(path, &numbers, &names) {
                let own_end = ["delete", "put", "post"].contains(&method.as_str())
                    && (address.contains("/accounts/jane") || address == "/api/v1/session");
                if !own_end {
                    asked.insert((method.to_uppercase(), address));
                }
            }
        }
    }
    for query in [
        "",
        "secret*",
        "words*",
        "user:bob",
        "user:rita OR bob",
        "from:sender4",
        "NOT to:jane",
        "id:1",
        "file*",
    ] {
        let query = query.replace(' ', "%20").replace(':', "%3A");
        asked.insert(("GET".to_owned(), format!("/api/v1/search?q={query}&limit=1000")));
        asked.insert(("GET".to_owned(), format!("/api/v1/search?q={query}&user=bob")));
    }
    let count = asked.len();
    for (method, address) in asked {
        let reply = jane.ask(&method, &address, "Content-Type: application/json\r\n", b"");
        let text = reply.text();
        assert!(reply.status < 500, "{method} {address}: {text}");
        for set in (0..messages).filter(|set| set & 1 == 0) {
            for word in ["secret", "words", "sender", "file"] {
                let others = format!("{word}{set}");
                assert!(!text.contains(&others), "{method} {address}: {others} in {text}");
            }
        }
        // Only what she may read names others.
        let is_mail = address.starts_with("/api/v1/messages/")
            || address.starts_with("/api/v1/search")
            || address.contains("/jane/");
        let quoted = |name: &str| address.contains(name);
        let named = ["rita", "walter"]
            .into_iter()
            .find(|name| text.contains(name) && !quoted(name));
        assert!(is_mail || named.is_none(), "{method} {address}: {named:?} in {text}");
    }
    println!("{count} addresses");
    assert!(count > 200, "{count}");
    // Nothing was changed by it.
    site.log_in("bob").get("/api/v1/me").expect(200);
    site.log_in("walter").get("/api/v1/accounts/jane").expect(200);
}

/// An address with each number and name in each of its places.
fn filled(path: &str, numbers: &[String], names: &[String]) -> Vec<String> {
    let mut open = vec![path.to_owned()];
    let mut done = Vec::new();
    while let Some(path) = open.pop() {
        let Some((before, rest)) = path.split_once('{') else {
            done.push(path);
            continue;
        };
        let (name, after) = rest.split_once('}').expect("a name");
        let few = ["1".to_owned(), "2".to_owned()];
        let values = match name {
            "id" | "run" => numbers,
            "n" => &few,
            _ => names,
        };
        open.extend(values.iter().map(|value| format!("{before}{value}{after}")));
    }
    done
}
