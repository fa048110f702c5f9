//! What `show` and `list` say of a message, held against an independent reading (`shown.py`, on Python's email package
//! and its codecs).

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use crate::support::{
    appliance::{Appliance, PROFILE, Profile, number, text},
    control, corpus,
};
use serde_json::{Value, json};

const READ: [&str; 7] = ["from", "to", "cc", "subject", "headers", "text", "parts"];

fn python(does: &str, folder: &Path) -> Vec<Value> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/shown.py");
    let ran = Command::new("python3").arg(script).arg(does).arg(folder).output();
    let ran = ran.expect("python3");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let lines = String::from_utf8(ran.stdout).expect("text");
    lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// What is listed and shown of each message in a folder, by its SHA-256.
fn shown(folder: &Path) -> BTreeMap<String, (Value, Value)> {
    let appliance = Appliance::for_company(env!("CARGO_BIN_EXE_dropkeep"), &Profile::unasked());
    let path = folder.to_str().expect("a name");
    appliance.done(&["import", "--profile", PROFILE, "--json", path]);
    let serving = appliance.serve();
    let mut shown = BTreeMap::new();
    for (_, list) in appliance.lists() {
        for line in list {
            let request = json!({"show": {"id": number(&line, "id"), "journal": false}});
            let replies = control::ask(&appliance.data(), &request).expect("an answer");
            let reply = replies.into_iter().find_map(|reply| reply.get("shown").cloned());
            let reply = reply.unwrap_or_else(|| panic!("{line}: not shown"));
            shown.insert(text(&line, "sha256"), (line, reply));
        }
    }
    serving.stop();
    shown
}

#[test]
fn text_in_every_charset_that_mail_has_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = python("make", folder.path());
    assert!(made.len() > 100, "{}", made.len());
    let shown = shown(folder.path());
    let mut wrong = Vec::new();
    for message in &made {
        let (label, said) = (text(message, "label"), text(message, "text"));
        let (listed, shown) = &shown[&text(message, "sha256")];
        let from = format!("{said} <s@sender.example>");
        let read = [
            ("list: from", &listed["from"], from.as_str()),
            ("list: subject", &listed["subject"], &said),
            ("from", &shown["from"], &from),
            ("subject", &shown["subject"], &said),
            ("text", &shown["text"], &said),
            ("name", &shown["parts"][1]["name"], &said),
        ];
        let others = read.into_iter().filter(|(_, read, said)| read.as_str() != Some(said));
        wrong.extend(others.map(|(what, read, said)| format!("{label}: {what}: {read}, and not {said:?}")));
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_message_is_listed_and_exported_by_the_date_and_the_subject_that_it_has() {
    let folder = tempfile::tempdir().expect("a folder");
    let to: String = (0..5_000)
        .map(|number| format!("someone{number}@sender.example,\r\n "))
        .collect();
    for (name, date, more) in [
        ("old", "Thu, 13 Feb 1969 23:32:54 -0330", String::new()),
        ("short", "Wed, 20 Dec 95 19:59 CST", String::new()),
        (
            "long",
            "Wed Jan  1 10:00:00 2003",
            format!("Cc: {to}eve@sender.example\r\n"),
        ),
        // Sent later than all archived ones, by a clock that is wrong.
        ("late", "2093-01-02T10:00:00+01:00", String::new()),
    ] {
        let message = format!(
            "{more}From: s@sender.example\r\nTo: jane@example.com\r\nDate: {date}\r\nSubject: the {name} one\r\n\r\nx\r\n"
        );
        fs::write(folder.path().join(format!("{name}.eml")), message).expect("a file");
    }
    let appliance = Appliance::for_company(env!("CARGO_BIN_EXE_dropkeep"), &Profile::unasked());
    appliance.done(&["import", "--profile", PROFILE, folder.path().to_str().expect("a name")]);
    let list = appliance.done(&["list", "--user", "jane", "--json"]).lines();
    let listed: Vec<_> = list
        .iter()
        .map(|line| (text(line, "subject"), text(line, "date")))
        .collect();
    let expected = [
        ("the old one", "1969-02-14T03:02:54Z"),
        ("the short one", "1995-12-21T01:59:00Z"),
        ("the long one", "2003-01-01T10:00:00Z"),
        ("the late one", "2093-01-02T09:00:00Z"),
    ];
    assert_eq!(
        listed,
        expected.map(|(subject, date)| (subject.to_owned(), date.to_owned()))
    );
    let as_text = appliance.done(&["list", "--user", "jane"]).text();
    for (line, as_text) in list.iter().zip(as_text.lines().skip(1)) {
        let shown = appliance
            .done(&["show", &number(line, "id").to_string(), "--json"])
            .json();
        assert_eq!(
            (&line["date"], &line["archived_at"]),
            (&shown["date"], &shown["archived_at"])
        );
        let both = format!("{} (archived {})", text(line, "date"), text(line, "archived_at"));
        let shown = appliance.done(&["show", &number(line, "id").to_string()]).text();
        assert!(
            as_text.contains(&text(line, "date")) && shown.contains(&both),
            "{both}\n{as_text}\n{shown}"
        );
    }
    let out = tempfile::tempdir().expect("a folder");
    let out = out.path().to_str().expect("a name");
    let exported = appliance
        .done(&["export", out, "--user", "jane", "--to", "2003-12-31", "--json"])
        .json();
    assert_eq!(number(&exported, "exported"), 3, "{exported:#}");
    for name in [
        "1969/02/1969-02-14T030254Z the old one",
        "2003/01/2003-01-01T100000Z the long one",
    ] {
        let (folder, beginning) = name.rsplit_once('/').expect("a folder");
        let mut names = fs::read_dir(format!("{out}/jane/{folder}")).expect("a folder");
        assert!(
            names.any(|entry| entry
                .expect("a name")
                .file_name()
                .to_string_lossy()
                .starts_with(beginning)),
            "{name}"
        );
    }
}

#[test]
fn real_mail_is_shown_whole_where_python_reads_it_whole() {
    let Some(messages) = corpus::messages("what is shown") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    for (number, message) in messages.iter().enumerate() {
        fs::write(folder.path().join(format!("{number:06}.eml")), message).expect("a file");
    }
    let (shown, read) = (shown(folder.path()), python("read", folder.path()));
    let (mut compared, mut ours, mut wrong) = (0, 0, Vec::new());
    for message in read {
        // Empty files are no mail, and of two that are one by identity the first is kept.
        let Some((listed, shown)) = shown.get(&text(&message, "sha256")) else {
            continue;
        };
        compared += 1;
        for part in READ {
            let is_whole = |value: &Value| !value.to_string().contains('\u{fffd}');
            let is_listed = |part| listed.get(part).is_none_or(is_whole);
            ours += usize::from(!is_whole(&shown[part]));
            if message[part] == json!(true) && !(is_whole(&shown[part]) && is_listed(part)) {
                wrong.push(format!("{}: {part}: {}", text(listed, "sha256"), shown[part]));
            }
        }
    }
    println!("{compared} messages compared; {ours} parts of them are not read whole");
    assert!(compared * 10 > messages.len() * 9, "{compared} of {}", messages.len());
    assert!(
        wrong.is_empty(),
        "{} are not shown whole:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(25)].join("\n")
    );
}
