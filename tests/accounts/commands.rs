//! What `accounts` does and prints.

use serde_json::{Value, json};

use crate::{
    site::{PASSWORD, Site},
    support::appliance::text,
};

#[test]
fn accounts_are_added_listed_and_changed() {
    for served in [false, true] {
        let site = Site::new();
        let serving = served.then(|| site.appliance.serve());
        site.add("Root", &["--role", "administrator"]);
        site.add(
            "jane@example.com",
            &["--role", "user", "--archive", "jane", "--archive", "bob"],
        );
        let line = |name: &str, role: &str, archives: Value, disabled: bool| json!({"name": name, "role": role, "archives": archives, "disabled": disabled, "totp": false});
        assert_eq!(
            site.accounts(),
            [
                line("jane@example.com", "user", json!(["jane", "bob"]), false),
                line("Root", "administrator", json!([]), false)
            ]
        );
        // The same name, whatever its case.
        let again = site.typed(
            &["accounts", "add", "ROOT", "--role", "user", "--password-stdin"],
            PASSWORD,
        );
        assert_eq!(again.status.code(), Some(2));
        site.done(&["accounts", "disable", "root"]);
        site.done(&["accounts", "take", "jane@example.com", "bob"]);
        site.done(&["accounts", "role", "jane@example.com", "auditor"]);
        assert_eq!(
            site.accounts(),
            [
                line("jane@example.com", "auditor", json!(["jane"]), false),
                line("Root", "administrator", json!([]), true)
            ]
        );
        site.done(&["accounts", "enable", "root"]);
        site.done(&["accounts", "give", "root", "bob"]);
        site.done(&["accounts", "remove", "jane@example.com"]);
        assert_eq!(site.accounts(), [line("Root", "administrator", json!(["bob"]), false)]);
        let text = site.done(&["accounts"]).text();
        assert!(
            text.contains("NAME") && text.contains("administrator") && text.contains("bob"),
            "{text}"
        );
        if let Some(serving) = serving {
            serving.stop().expect(0);
        }
    }
}

#[test]
fn what_is_wrong_is_refused_and_changes_nothing() {
    let site = Site::new();
    site.add("root", &["--role", "administrator"]);
    let before = site.accounts();
    for arguments in [
        &["accounts", "disable", "nobody"][..],
        &["accounts", "give", "root", "nobody"],
        &["accounts", "give", "nobody", "jane"],
        &["accounts", "take", "root", "jane"],
        &["accounts", "role", "root", "king"],
        &["accounts", "applications", "nobody"],
        &["accounts", "applications", "root", "--remove", "x"],
        &["accounts", "sessions", "nobody"],
        &["accounts", "sessions", "root", "--end-one", "x"],
        // Standard input is no terminal.
        &["accounts", "password", "root"],
        &["accounts", "add", "jane", "--role", "user"],
        &["accounts", "add", "jane"],
    ] {
        let refused = site.run(arguments).expect(2);
        assert!(!refused.stderr.is_empty(), "{arguments:?}");
    }
    for (name, password) in [
        ("owner", PASSWORD),
        ("a b", PASSWORD),
        ("jane", ""),
        ("jane", "tiny one"),
        ("jane.longname", "jane.longname"),
    ] {
        let arguments = ["accounts", "add", name, "--role", "user", "--password-stdin"];
        let refused = site.typed(&arguments, &format!("{password}\n"));
        assert_eq!(refused.status.code(), Some(2), "{name} {password:?}");
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(
            password.is_empty() || name == password || !said.contains(password),
            "{said}"
        );
    }
    assert_eq!(site.accounts(), before);
}

#[test]
fn codes_are_asked_for_once_the_app_has_shown_one() {
    let site = Site::new();
    site.add("root", &["--role", "administrator"]);
    let totp = |site: &Site| site.accounts()[0]["totp"].as_bool().expect("yes or no");
    let wrong = site.typed(&["accounts", "totp", "root"], "000000x\n");
    assert_eq!(wrong.status.code(), Some(2));
    assert!(!totp(&site), "a secret that did not arrive shuts nobody out");
    // The secret is shown before the code is asked for: begun here, read there.
    let begun = site.typed(&["accounts", "totp", "root", "--json"], "000000x\n");
    let shown: Value = serde_json::from_slice(&begun.stdout).expect("the secret");
    assert!(
        text(&shown["totp"], "address").starts_with("otpauth://totp/dropkeep:root?secret="),
        "{shown}"
    );
    site.done(&["accounts", "totp", "root", "--off"]);
    assert!(!totp(&site));
}

#[test]
fn a_program_has_its_own_password() {
    let site = Site::new();
    site.add("jane", &["--role", "user", "--archive", "jane"]);
    let made = site
        .done(&["accounts", "applications", "jane", "--add", "phone", "--json"])
        .json();
    let password = text(&made, "application_password");
    assert_eq!(password.replace('-', "").len(), 32, "{password}");
    site.run(&["accounts", "applications", "jane", "--add", "phone"])
        .expect(2);
    let listed = site.done(&["accounts", "applications", "jane", "--json"]).json();
    assert_eq!(
        (text(&listed, "name"), &listed["used"]),
        ("phone".to_owned(), &Value::Null)
    );
    assert!(!listed.to_string().contains(&password));
    site.done(&["accounts", "applications", "jane", "--remove", "phone"]);
    assert!(
        site.done(&["accounts", "applications", "jane", "--json"])
            .lines()
            .is_empty()
    );
    assert!(site.done(&["accounts", "sessions", "--json"]).lines().is_empty());
}

#[test]
fn accounts_and_their_log_come_back_with_a_backup() {
    let site = Site::new();
    site.add("jane", &["--role", "auditor", "--archive", "jane"]);
    let backup = site.path("backup");
    site.done(&["backup", backup.to_str().expect("a name")]);
    let (accounts, log) = (site.accounts(), site.log());
    site.add("late", &["--role", "user"]);
    std::fs::rename(site.appliance.data(), site.path("lost")).expect("it is gone");
    site.done(&["restore", backup.to_str().expect("a name")]);
    assert_eq!(site.accounts(), accounts);
    assert_eq!(site.log()[..log.len() - 1], log[..log.len() - 1]);
    site.done(&["verify"]);
}
