//! The first account, made by the link that `serve` prints; and codes as an app shows them.

use std::process::Command;

use serde_json::json;

use crate::{
    people::{between, send},
    site::{Client, PASSWORD, Site},
    support::{PATIENCE, wait_for},
};

/// The code that an app with this secret shows now.
pub fn code(secret: &str) -> String {
    let script = "import base64, hashlib, hmac, struct, sys, time\n\
                  key = base64.b32decode(sys.argv[1])\n\
                  mac = hmac.new(key, struct.pack('>Q', int(time.time()) // 30), hashlib.sha1).digest()\n\
                  at = mac[-1] & 15\n\
                  print('%06d' % ((struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 10**6))";
    let output = Command::new("python3")
        .args(["-c", script, secret])
        .output()
        .expect("python3");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The path of the link that it prints before it is ready, where it prints one.
pub fn link(site: &Site) -> Option<String> {
    let said = || site.serving.running.stderr();
    assert!(
        wait_for(PATIENCE, || said().contains("dropkeep is ready")),
        "{}",
        said()
    );
    let said = said();
    let line = said.lines().find(|line| line.contains("/console/first/"))?;
    Some(format!("/console/first/{}", between(line, "/console/first/", " ")))
}

#[test]
fn the_link_that_is_printed_makes_one_administrator() {
    let site = Site::of_profile("", "", &[]);
    let link = link(&site).expect("a link");
    let stranger = site.stranger();
    let fields = |name, password, again| [("name", name), ("password", password), ("again", again)];
    for wrong in [
        link[..link.len() - 1].to_owned(),
        link.to_lowercase(),
        "/console/first/x".into(),
    ] {
        stranger.get(&wrong).expect(404);
        send(&stranger, &wrong, &fields("anna", PASSWORD, PASSWORD)).expect(404);
    }
    assert!(
        stranger
            .get(&link)
            .expect(200)
            .text()
            .contains("There is no account yet.")
    );
    assert!(
        send(&stranger, &link, &fields("anna", PASSWORD, "another"))
            .expect(400)
            .text()
            .contains("not alike")
    );
    assert!(
        send(&stranger, &link, &fields("an na", PASSWORD, PASSWORD))
            .expect(400)
            .text()
            .contains("value=\"an na\"")
    );
    send(&stranger, &link, &fields("anna", "short", "short")).expect(400);
    let made = send(&stranger, &link, &fields("anna", PASSWORD, PASSWORD)).expect(303);
    assert_eq!(made.field("location"), "/console/account/codes");
    let anna = Client {
        field: format!(
            "Cookie: {}",
            made.field("set-cookie").split(';').next().expect("a cookie")
        ),
        ..stranger.clone()
    };
    assert!(
        anna.get("/console/account/codes")
            .expect(200)
            .text()
            .contains("Set up one-time codes")
    );
    // Where nothing is archived, the overview does not say that all is well.
    let page = anna.get("/console/overview").expect(200).text();
    assert!(
        page.contains("Nothing is archived") && !page.contains("All is well"),
        "{page}"
    );
    // It counts once.
    stranger.get(&link).expect(404);
    send(&stranger, &link, &fields("eve", PASSWORD, PASSWORD)).expect(404);
    let entries = site.own(json!({"audit": {"action": "account-add", "check": false}}));
    let entry = entries.iter().find_map(|entry| entry.get("audited")).expect("an entry");
    assert_eq!(
        (&entry["account"], &entry["address"]),
        (&json!("anna"), &json!("127.0.0.1"))
    );
}

#[test]
fn while_there_is_no_account_the_log_in_says_where_the_link_is() {
    let site = Site::new("", &[]);
    let stranger = site.stranger();
    let asked = "/console/log-in?to=%2Fconsole&over=1";
    assert!(
        stranger
            .get(asked)
            .expect(200)
            .text()
            .contains("There is no account yet")
    );
    site.add("anna", "administrator", &[]);
    let page = stranger.get(asked).expect(200).text();
    assert!(
        !page.contains("There is no account yet") && !page.contains("come back to where you were"),
        "{page}"
    );
    let elsewhere = stranger
        .get("/console/log-in?to=%2Fconsole%2Fruns&over=1")
        .expect(200)
        .text();
    assert!(elsewhere.contains("come back to where you were"), "{elsewhere}");
}

#[test]
fn the_link_ends_once_there_is_an_account() {
    let site = Site::new("", &[]);
    let link = link(&site).expect("a link");
    site.add("anna", "administrator", &[]);
    site.stranger().get(&link).expect(404);
    let fields = [("name", "eve"), ("password", PASSWORD), ("again", PASSWORD)];
    send(&site.stranger(), &link, &fields).expect(404);
}
