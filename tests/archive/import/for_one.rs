//! `import --user`: somebody's old mail is filed for that person, whatever stands in it.

use std::{fs, path::Path};

use serde_json::Value;

use crate::import::{
    Files, appliance,
    support::{
        appliance::{Appliance, PROFILE, Profile, assert_adds_up, number, text},
        generator::{company, user_tables},
    },
    to_jane,
};

fn message(from: &str, to: &str, subject: &str) -> String {
    format!("From: {from}\nTo: {to}\nSubject: {subject}\nMessage-ID: <{subject}@old.example>\n\nhello\n")
}

/// Jane's old mail: of a list, of an address that nobody has any more, to a colleague, and to herself.
fn old_mail() -> Files {
    Files::new([
        ("mail/1.eml", message("a@list.example", "members@list.example", "list")),
        (
            "mail/2.eml",
            message("b@sender.example", "j.maiden@example.com", "maiden"),
        ),
        ("mail/3.eml", message("jane@example.com", "john@example.com", "to-john")),
        ("mail/4.eml", to_jane("to-jane")),
    ])
}

fn import(appliance: &Appliance, options: &[&str], path: &Path, exit: i32) -> Value {
    let path = path.to_str().expect("a name");
    let run = appliance.run(&[&["import", "--json", path], options].concat());
    let run = run.expect(exit).json();
    assert_adds_up(&run);
    run
}

/// Who has a message of this subject, and why, sorted by name.
fn holders(appliance: &Appliance, subject: &str) -> Vec<(String, String)> {
    let lines = appliance
        .done(&["list", "--all", "--subject", subject, "--json"])
        .lines();
    lines
        .iter()
        .map(|line| (text(line, "user"), text(line, "why")))
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(user, why)| ((*user).into(), (*why).into()))
        .collect()
}

const SUBJECTS: [&str; 4] = ["list", "maiden", "to-john", "to-jane"];

#[test]
fn old_mail_of_one_person_was_filed_for_whoever_it_names() {
    let (appliance, files) = (appliance(), old_mail());
    let mail = files.path("mail");
    let run = import(&appliance, &["--user", "jane"], &mail, 0);
    assert_eq!(
        (text(&run, "profile"), text(&run, "import_user")),
        ("@import".into(), "jane".into())
    );
    assert_eq!((number(&run, "archived"), number(&run, "unknown")), (4, 0));
    assert_eq!(
        (&run["unknown_addresses"], &run["notices"]),
        (&serde_json::json!({}), &serde_json::json!([]))
    );
    for subject in SUBJECTS {
        assert_eq!(holders(&appliance, subject), pairs(&[("jane", "import --user")]));
    }
    let again = import(&appliance, &["--user", "jane"], &mail, 0);
    assert_eq!((number(&again, "archived"), number(&again, "duplicates")), (0, 4));
    // For another one it is the same mail, stored once.
    let other = import(&appliance, &["--user", "ada"], &mail, 0);
    assert_eq!(number(&other, "archived"), 4);
    let ids = |user: &str| -> Vec<u64> {
        let lines = appliance.done(&["list", "--user", user, "--json"]).lines();
        lines.iter().map(|line| number(line, "id")).collect()
    };
    assert_eq!(ids("jane"), ids("ada"));

    let runs = appliance.done(&["protocols", "--profile", "@import", "--json"]).lines();
    assert_eq!(runs.len(), 3);
    let said = appliance.done(&["protocols", &number(&run, "run").to_string()]).text();
    assert!(
        said.contains(&format!("import of {}, for jane", mail.display())),
        "{said}"
    );
    let id = ids("jane")[0].to_string();
    let shown = appliance.done(&["show", &id]).text();
    assert!(shown.contains("import --user"), "{shown}");
    let explained = appliance.done(&["explain", &id]).text();
    assert!(
        explained.contains("imported with --user: no rules were applied"),
        "{explained}"
    );
    assert!(
        explained.contains("for jane, by import --user, archived "),
        "{explained}"
    );
    // Nobody asked for rules, so there are none to say for whom it would be besides.
    let explained = appliance.done(&["explain", &id, "--json"]).json();
    assert_eq!(
        (&explained["profile"], &explained["would_add"]),
        (&Value::Null, &serde_json::json!([]))
    );
    appliance.done(&["protocols", "--profile", "@reroute"]);
}

#[test]
fn the_rules_count_beside_the_user_where_they_are_asked_for() {
    let (appliance, files) = (appliance(), old_mail());
    let options = ["--user", "jane", "--profile", PROFILE];
    let run = import(&appliance, &options, &files.path("mail"), 0);
    assert_eq!(
        (text(&run, "profile"), text(&run, "import_user")),
        (PROFILE.into(), "jane".into())
    );
    assert_eq!((number(&run, "archived"), number(&run, "unknown")), (4, 0));
    assert_eq!(holders(&appliance, "list"), pairs(&[("jane", "import --user")]));
    assert_eq!(holders(&appliance, "maiden"), pairs(&[("jane", "import --user")]));
    assert_eq!(
        holders(&appliance, "to-john"),
        pairs(&[("jane", "From"), ("john", "To")])
    );
    assert_eq!(holders(&appliance, "to-jane"), pairs(&[("jane", "To")]));
    assert_eq!(run["unknown_addresses"], serde_json::json!({"j.maiden@example.com": 1}));
    let listed = appliance
        .done(&["list", "--user", "jane", "--subject", "maiden", "--json"])
        .json();
    let explained = appliance.done(&["explain", &number(&listed, "id").to_string()]).text();
    for words in [
        ", by the rules of profile company:",
        "j.maiden@example.com: counts, but nobody has it",
        "for jane, by import --user, archived ",
        "in one of your domains, but no user has it: j.maiden@example.com",
    ] {
        assert!(explained.contains(words), "{words} in\n{explained}");
    }
}

#[test]
fn a_rerouting_leaves_what_was_imported_for_one_user_alone() {
    let (appliance, files) = (appliance(), old_mail());
    import(&appliance, &["--user", "ada"], &files.path("mail"), 0);
    let before: Vec<_> = SUBJECTS.map(|subject| holders(&appliance, subject)).into();
    for from in ["ada", "@catchall"] {
        let run = appliance.done(&["reroute", "--from", from, "--json"]);
        let run = run.lines().pop().expect("a run");
        assert_eq!((number(&run, "archived"), number(&run, "failed")), (0, 0), "{run:#}");
    }
    assert_eq!(SUBJECTS.map(|subject| holders(&appliance, subject)).to_vec(), before);
    // Mail that a profile archived too is its rules' as ever: who was made since gets it.
    let files = Files::new([(
        "mail/2.eml",
        message("b@sender.example", "j.maiden@example.com", "maiden"),
    )]);
    import(&appliance, &["--profile", PROFILE], &files.path("mail"), 0);
    appliance.done(&["users", "add", "maiden", "j.maiden@example.com"]);
    appliance.done(&["reroute", "--from", "ada"]);
    let expected = [("@catchall", "unknown"), ("ada", "import --user"), ("maiden", "To")];
    assert_eq!(holders(&appliance, "maiden"), pairs(&expected));
}

#[test]
fn an_import_for_one_user_through_the_running_appliance_is_the_same() {
    let (appliance, files) = (appliance(), old_mail());
    let serving = appliance.serve();
    for (archived, duplicates) in [(4, 0), (0, 4)] {
        let run = import(&appliance, &["--user", "jane"], &files.path("mail"), 0);
        assert_eq!(
            (number(&run, "archived"), number(&run, "duplicates")),
            (archived, duplicates)
        );
    }
    let status = appliance.done(&["status", "--json"]).lines();
    assert!(status.iter().all(|line| line["profile"] != "@import"), "{status:#?}");
    serving.stop().expect(0);
}

#[test]
fn whose_mail_it_is_must_be_said_and_be_right() {
    let appliance = appliance();
    // From now on the configuration has no John any more.
    appliance.done(&["users", "add", "temp", "temp@example.com"]);
    let others: Vec<_> = company().into_iter().filter(|one| one.name != "john").collect();
    appliance.configure(&(user_tables(&others) + &Profile::unasked().toml()));
    let files = old_mail();
    let mail = files.path("mail");
    let mail = mail.to_str().expect("a name");
    appliance.done(&["users", "retire", "temp"]);
    for (options, words) in [
        (
            &[][..],
            "whose mail is it? --user NAME files all of it for one user; --profile NAME files each message for those whom \
             it names, by that profile's rules (the profiles: company)",
        ),
        (&["--user", "jnae"], "no user is named \"jnae\"; did you mean \"jane\"?"),
        (
            &["--user", "temp"],
            "user \"temp\" is retired, and a retired user gets no more mail: import for another user",
        ),
        (
            &["--user", "john"],
            "user \"john\" is retired, and a retired user gets no more mail: put the user back into the configuration or \
             the users file, or import for another user",
        ),
        (
            &["--user", "@catchall"],
            "@catchall is no person: import with --profile",
        ),
        (&["--user", "jane", "--profile", "compnay"], "did you mean `company`?"),
        (&["--user", "jane", "nowhere"], "nowhere: No such file"),
    ] {
        let refused = appliance.run(&[&["import", mail], options].concat()).expect(2);
        assert!(refused.stderr.contains(words), "{options:?}: {}", refused.stderr);
        assert!(appliance.done(&["list", "--all", "--json"]).lines().is_empty());
    }
}

#[test]
fn a_mistyped_user_made_an_archive() {
    let (appliance, files) = (appliance(), old_mail());
    let mail = files.path("mail");
    let refused = appliance
        .run(&["import", "--user", "jnae", mail.to_str().expect("a name")])
        .expect(2);
    assert_eq!(
        refused.stderr,
        "dropkeep: no user is named \"jnae\"; did you mean \"jane\"?\n"
    );
    assert!(!appliance.data().exists());
}

#[test]
fn an_export_of_several_users_was_filed_for_one() {
    let appliance = appliance();
    let files = old_mail();
    import(&appliance, &["--profile", PROFILE], &files.path("mail"), 0);
    let out = tempfile::tempdir().expect("a folder");
    appliance.done(&["export", out.path().to_str().expect("a name")]);

    let other = crate::import::appliance();
    let run = import(&other, &["--user", "ada"], out.path(), 1);
    assert_eq!(number(&run, "archived"), 0);
    let error = &run["errors"][0];
    let (error, what_to_do) = (text(error, "error"), text(error, "what_to_do"));
    assert!(
        error.contains("for one user: it is an export with the mail of"),
        "{error}"
    );
    assert!(
        what_to_do.starts_with("Nothing of it was imported.") && what_to_do.contains("with --profile"),
        "{what_to_do}"
    );
    // What was one's may be another's, where that is said.
    let run = import(&other, &["--user", "ada"], &out.path().join("john"), 0);
    assert_eq!(number(&run, "archived"), 1);
    assert_eq!(holders(&other, "to-john"), pairs(&[("ada", "import --user")]));
    // As a shell writes `john/*`, which names the manifest too.
    let third = crate::import::appliance();
    let names = fs::read_dir(out.path().join("john")).expect("a folder");
    let names: Vec<_> = names
        .map(|entry| entry.expect("an entry").path().display().to_string())
        .collect();
    assert!(
        names.len() > 1 && names.iter().any(|name| name.ends_with("manifest.jsonl")),
        "{names:?}"
    );
    let mut arguments = vec!["import", "--json", "--user", "ada"];
    arguments.extend(names.iter().map(String::as_str));
    let run = third.done(&arguments).json();
    assert_eq!((number(&run, "archived"), number(&run, "failed")), (1, 0), "{run:#}");
}
