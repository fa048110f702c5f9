//! What was exported is imported as it was: everybody has what they had, and nothing of it is an error.

use super::*;

const FORMATS: [&str; 3] = ["eml", "mbox", "maildir"];

/// The digest and the date of each message, by user.
fn all(appliance: &Appliance) -> BTreeMap<String, BTreeSet<(String, String)>> {
    let lists = appliance.lists().into_iter().map(|(user, list)| {
        let messages = list.iter().map(|line| (text(line, "sha256"), text(line, "date")));
        (user, messages.collect())
    });
    lists.collect()
}

/// An archive with mail that its own header says nothing of, or that no file of mail would be; and the folder of its
/// exports.
fn exported() -> (Appliance, TempDir) {
    let report = "From: a@sender.example\nTo: all@example.com\nX-MS-Journal-Report:\nSubject: no report\n\nSender: x\n";
    let files = Files::new([
        ("in/cur/1767225600.a", to_jane("for jane")),
        ("in/cur/1767225601.b", "nothing of a header".to_owned()),
        (
            "in/cur/1767225602.c",
            "To: jane@example.com\n\nno end of the line".to_owned(),
        ),
        (
            "in/cur/1767225603.d",
            "To: jane@example.com\r\nBcc: john@example.com\r\n\r\nFrom here\r\n>From there\r\n".to_owned(),
        ),
        ("in/cur/1767225604.e", format!("\u{feff}{}\n", to_jane("marked"))),
        (
            "in/cur/1767225605.f",
            format!("To: jane@example.com\n\nx\r{FROM}\rFrom: x\rTo: x\r\rhello\r"),
        ),
        ("in/cur/1767225606.g", format!("{FROM}\n{}", to_jane("with a line"))),
        ("in/cur/1767225607.h", report.replace("all@", "jane@")),
        ("in/new/1767225608.i", "\n\nTo: nobody@example.com\n\nx\n".to_owned()),
    ]);
    let appliance = appliance();
    import(&appliance, &[], &files.path("in"), 0);
    let folder = tempfile::tempdir().expect("a folder");
    for format in FORMATS {
        let dir = folder.path().join(format);
        appliance.done(&["export", dir.to_str().expect("a name"), "--format", format]);
        fs::write(dir.join("README.txt"), "what this is\n").expect("a file");
        fs::write(dir.join("SHA256SUMS"), "00  jane\n").expect("a file");
    }
    (appliance, folder)
}

#[test]
fn an_export_is_imported_whole_and_everybody_has_what_they_had() {
    let (before, folder) = exported();
    let expected = all(&before);
    let filings: u64 = expected.values().map(|list| list.len() as u64).sum();
    for format in FORMATS {
        let dir = folder.path().join(format);
        let appliance = appliance();
        let run = import(&appliance, &[], &dir, 0);
        assert_eq!(
            (&run["errors"], &run["notices"]),
            (&serde_json::json!([]), &serde_json::json!([])),
            "{format}"
        );
        assert_eq!(number(&run, "filings"), filings, "{format}: {run:#}");
        assert_eq!(all(&appliance), expected, "{format}");
        let again = import(&appliance, &[], folder.path(), 0);
        assert_eq!(
            (number(&again, "filings"), number(&again, "failed")),
            (0, 0),
            "{format}: all of them"
        );
        assert_eq!(all(&appliance), expected, "{format}");
    }
}

fn with_users(users: &[&str]) -> Appliance {
    let appliance = Appliance::new(DROPKEEP, &Profile::unasked().toml());
    for user in users {
        appliance.done(&["users", "add", user, &format!("{user}@example.com")]);
    }
    appliance
}

fn errors(run: &Value) -> Vec<String> {
    let errors = run["errors"].as_array().expect("errors");
    errors.iter().map(|error| text(error, "error")).collect()
}

/// An export of each format of an archive with a message for each of these users.
fn exported_of(users: &[&str]) -> (Appliance, TempDir) {
    let of = |user: &str| to_jane(user).replace("jane@", &format!("{user}@"));
    let files = Files::new(users.iter().map(|user| (format!("in/{user}.eml"), of(user))));
    let appliance = with_users(users);
    import(&appliance, &[], &files.path("in"), 0);
    let folder = tempfile::tempdir().expect("a folder");
    for format in FORMATS {
        let dir = folder.path().join(format);
        appliance.done(&["export", dir.to_str().expect("a name"), "--format", format]);
    }
    (appliance, folder)
}

#[test]
fn users_who_are_called_as_folders_of_mail_programs_and_files_beside_an_export_are_not_left_out() {
    let sets: [&[&str]; 3] = [
        &["cur", "new", "jane"],
        &["cur", "tmp", "README", "SHA256SUMS", "dropkeep-export"],
        &[
            "Messages",
            "Attachments",
            "README.mbox",
            "jane",
            "jane.mbox",
            "a.msf",
            "jane.manifest.jsonl",
        ],
    ];
    for users in sets {
        let (before, folder) = exported_of(users);
        let expected = all(&before);
        assert!(users.iter().all(|user| expected[*user].len() == 1), "{expected:?}");
        for format in FORMATS {
            let appliance = with_users(users);
            let run = import(&appliance, &[], &folder.path().join(format), 0);
            assert_eq!(run["errors"], serde_json::json!([]), "{users:?} {format}");
            assert_eq!(all(&appliance), expected, "{format}: {run:#}");
        }
    }
}

#[test]
fn a_user_of_an_export_who_is_not_there_and_a_folder_that_it_does_not_name_are_named() {
    let (_, folder) = exported_of(&["jane", "bob"]);
    for format in FORMATS {
        let dir = folder.path().join(format);
        let ending = if format == "mbox" { ".mbox" } else { "" };
        let [from, to] = ["bob", "robert"].map(|user| format!("{user}{ending}"));
        fs::rename(dir.join(&from), dir.join(&to)).expect("a folder");
        let appliance = with_users(&["jane", "bob"]);
        let run = import(&appliance, &[], &dir, 1);
        let told = errors(&run);
        let says = |name: &str, words: &str| {
            let place = dir.join(name).display().to_string() + ":";
            told.iter().any(|error| error.contains(&place) && error.contains(words))
        };
        assert!(
            says(&from, "it is missing, though") && says(&to, "does not name it"),
            "{format}: {told:?}"
        );
        assert_eq!(
            (told.len(), &run["state"]),
            (2, &"completed_with_errors".into()),
            "{told:?}"
        );
        assert_eq!(number(&run, "filings"), 2, "{format}: by the rules");
    }
}

/// Whoever looks at the exit code alone is not to believe it whole. Its messages are archived all the same.
#[test]
fn an_export_that_was_altered_does_not_end_as_completed() {
    type Alter = fn(&Path);
    let alterations: [(&str, Alter); 5] = [
        ("nothing", |_| {}),
        ("a byte more", |dir| {
            let month = dir.join("jane/2026/01");
            let file = fs::read_dir(month)
                .expect("a folder")
                .next()
                .expect("a file")
                .expect("a file")
                .path();
            let bytes = fs::read(&file).expect("a message");
            fs::write(&file, [&bytes[..], b"x"].concat()).expect("a file");
        }),
        ("a message more", |dir| {
            fs::write(dir.join("jane/2026/01/more.eml"), to_jane("more")).expect("a file")
        }),
        ("a torn manifest", |dir| {
            let manifest = dir.join("jane/manifest.jsonl");
            let bytes = fs::read(&manifest).expect("a manifest");
            fs::write(&manifest, &bytes[..bytes.len() - 9]).expect("a file");
        }),
        ("an empty manifest", |dir| {
            fs::write(dir.join("jane/manifest.jsonl"), "").expect("a file")
        }),
    ];
    for (what, alter) in alterations {
        let message = to_jane("jane").replace("\nTo:", "\nDate: Thu, 1 Jan 2026 12:00:00 +0000\nTo:");
        let files = Files::new([("in/1.eml", message)]);
        let before = with_users(&["jane"]);
        import(&before, &[], &files.path("in"), 0);
        let dir = files.path("out");
        before.done(&["export", dir.to_str().expect("a name")]);
        alter(&dir);
        let (exit, state) = if what == "nothing" {
            (0, "completed")
        } else {
            (1, "completed_with_errors")
        };
        let appliance = with_users(&["jane"]);
        let run = import(&appliance, &[], &dir, exit);
        assert_eq!(
            (text(&run, "state"), number(&run, "failed")),
            (state.to_owned(), 0),
            "{what}"
        );
        assert_eq!(errors(&run).len(), usize::from(exit == 1), "{what}: {run:#}");
        assert_eq!(
            all(&appliance)["jane"].len(),
            if what == "a message more" { 2 } else { 1 },
            "{what}"
        );
    }
    let (_, folder) = exported_of(&["jane"]);
    fs::write(folder.path().join("eml/more.eml"), to_jane("more")).expect("a file");
    let run = import(&with_users(&["jane"]), &[], &folder.path().join("eml"), 1);
    assert!(
        errors(&run)[0].contains("1 files beside it, the first is more.eml"),
        "{run:#}"
    );
}

/// Each of two who are named in a header has a copy, in each format, also where the archive has them already.
#[test]
fn mail_to_two_known_users_is_imported_as_it_was_exported() {
    let to_two =
        |number: u32| to_jane(&number.to_string()).replace("jane@example.com", "jane@example.com, bob@example.com");
    let files = Files::new((1..4).map(|number| (format!("in/{number}.eml"), to_two(number))));
    let users = || with_users(&["jane", "bob"]);
    let before = users();
    import(&before, &[], &files.path("in"), 0);
    let expected = all(&before);
    assert_eq!((expected["jane"].len(), expected["bob"].len()), (3, 3));
    for format in FORMATS {
        let dir = files.path(format);
        before.done(&["export", dir.to_str().expect("a name"), "--format", format]);
        for (appliance, filings) in [(&users(), 6), (&before, 0)] {
            let run = import(appliance, &[], &dir, 0);
            let told = (number(&run, "failed"), number(&run, "filings"));
            assert_eq!(told, (0, filings), "{format}: {run:#}");
            assert_eq!(all(appliance), expected, "{format}");
        }
    }
}

/// What somebody names is a user's folder, or a file in it.
#[test]
fn a_part_of_an_export_is_known_for_one() {
    let (before, folder) = exported();
    let janes = &all(&before)["jane"];
    for part in ["eml/jane", "mbox/jane.mbox", "maildir/jane"] {
        let appliance = appliance();
        let run = import(&appliance, &[], &folder.path().join(part), 0);
        assert_eq!(run["errors"], serde_json::json!([]), "{part}");
        let holding = all(&appliance);
        assert_eq!(&holding["jane"], janes, "{part}");
        assert!(
            holding.iter().all(|(user, list)| user == "jane" || list.is_empty()),
            "{part}: {holding:?}"
        );
    }
}

#[test]
fn what_differs_from_the_manifest_is_named_and_goes_by_the_rules() {
    let (_, folder) = exported();
    let dir = folder.path().join("maildir/jane/cur");
    let mut files: Vec<_> = fs::read_dir(&dir)
        .expect("files")
        .map(|file| file.expect("a file").path())
        .collect();
    files.sort();
    let changed = fs::read(&files[0]).expect("a message");
    fs::write(&files[0], [&changed[..], b"and more\n"].concat()).expect("a file");
    fs::remove_file(&files[1]).expect("a file");
    // A mail program marks it as answered.
    fs::rename(&files[2], files[2].to_str().expect("a name").replace(":2,S", ":2,RS")).expect("a file");
    fs::write(dir.join("new.eml"), "To: john@example.com\nSubject: added\n\nx\n").expect("a file");
    let run = import(&appliance(), &[], &folder.path().join("maildir"), 1);
    let told = errors(&run);
    assert_eq!((told.len(), number(&run, "failed")), (3, 0), "{run:#}");
    for word in ["SHA-256", "missing: 1, the first is", "does not list it"] {
        assert!(told.iter().any(|error| error.contains(word)), "{word}: {told:?}");
    }

    let mbox = folder.path().join("mbox/jane.mbox");
    let bytes = fs::read(&mbox).expect("an mbox");
    let at = memchr::memmem::find(&bytes, b"for jane").expect("a subject");
    let mut other = bytes[..bytes.len() - 1].to_vec();
    other[at] = b'F';
    fs::write(&mbox, &other).expect("an mbox");
    let run = import(&appliance(), &[], &mbox, 1);
    let told = errors(&run);
    for words in ["SHA-256", "missing: 1, the first is"] {
        assert!(told.iter().any(|error| error.contains(words)), "{words}: {told:?}");
    }

    let marker = folder.path().join("eml/dropkeep-export.json");
    fs::write(&marker, "{\"dropkeep_export\": 99, \"folders\": {}}").expect("a marker");
    let run = import(&appliance(), &[], &folder.path().join("eml"), 1);
    assert!(errors(&run).iter().any(|error| error.contains("version 99")), "{run:#}");
}

#[test]
fn a_user_whom_nobody_knows_is_named() {
    let (_, folder) = exported();
    let appliance = Appliance::new(DROPKEEP, &Profile::unasked().toml());
    let run = import(&appliance, &[], &folder.path().join("mbox"), 0);
    let notices = run["notices"].to_string();
    assert!(
        notices.contains("no such user") && notices.contains("jane") && notices.contains("john"),
        "{notices}"
    );
    assert_eq!(number(&run, "failed"), 0);
}
