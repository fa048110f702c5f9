//! `search`: what queries find, through the program as people run it.

use std::{collections::BTreeSet, fs};

use serde_json::Value;

use crate::support::{
    PATIENCE,
    appliance::{Appliance, number, text},
    generator::{Mailbox, Settings},
    wait_for,
};

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");

const USERS: &str = "[[user]]\nname = \"jane\"\naddresses = [\"jane@example.com\"]\n\
    [[user]]\nname = \"bob\"\naddresses = [\"bob@example.com\"]\n\
    [[user]]\nname = \"late\"\naddresses = [\"late@example.com\"]\n";

/// Whose each message is, and the message.
const MAIL: [(&str, &str); 6] = [
    (
        "jane",
        "From: Anna Kraus <anna@supplier.example>\nTo: Jane <jane@example.com>\nMessage-ID: <one@supplier.example>\n\
         Subject: Offer 4711 for shelves\nDate: Mon, 3 Feb 2025 09:15:00 +0100\n\n\
         Please find our offer INV-2024/0815.\nSee https://supplier.example/offer?number=4711\n",
    ),
    (
        "bob",
        "From: Anna Kraus <anna@supplier.example>\nTo: Jane <jane@example.com>\nMessage-ID: <one@supplier.example>\n\
         Subject: Offer 4711 for shelves\nDate: Mon, 3 Feb 2025 09:15:00 +0100\n\n\
         Please find our offer INV-2024/0815.\nSee https://supplier.example/offer?number=4711\n",
    ),
    (
        "jane",
        "From: =?utf-8?Q?J=C3=BCrgen_M=C3=BCller?= <jm@mail.kunde.example>\nTo: jane@example.com\n\
         Cc: Late <late@example.com>\nMessage-ID: <two@kunde.example>\nSubject: =?utf-8?Q?R=C3=BCckfrage?= zum Angebot\n\
         Date: Tue, 4 Feb 2025 10:00:00 +0100\nMIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n\
         Content-Transfer-Encoding: 8bit\n\n\
         <html><style>p { color: invisible }</style><body><p>Die <b>Straße</b> ist&nbsp;gesperrt</p></body></html>\n",
    ),
    (
        "jane",
        "From: yamada@partner.example\nTo: jane@example.com\nMessage-ID: <three@partner.example>\n\
         Subject: =?utf-8?B?5YyX5Lqs5aSn5a2m?=\nDate: Wed, 31 Dec 2025 23:59:59 +0000\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nattached\n\
         --b\nContent-Type: text/plain; name=\"Minutes of May.txt\"\n\
         Content-Disposition: attachment; filename=\"Minutes of May.txt\"\n\nwhat was decided\n--b--\n",
    ),
    (
        "bob",
        "From: bob@example.com\nTo: lists@elsewhere.example\nList-Id: Dev <dev.lists.elsewhere.example>\n\
         Message-ID: <four@example.com>\nSubject: draft of the report\nDate: Thu, 1 Jan 2026 00:00:00 +0000\n\n\
         The report is a draft.\n",
    ),
    (
        "bob",
        "From: eve@my-supplier.example\nTo: bob@example.com\nMessage-ID: <five@x.example>\nSubject: hello\n\
         Date: Fri, 2 Jan 2026 00:00:00 +0000\n\nautomobile \u{1b}[2J report\n",
    ),
];

fn filled() -> Appliance {
    let appliance = Appliance::new(DROPKEEP, USERS);
    for user in ["jane", "bob"] {
        let mail = MAIL
            .iter()
            .filter(|(of, _)| *of == user)
            .map(|(_, mail)| mail.as_bytes());
        import(&appliance, user, mail);
    }
    appliance
}

fn import<M: AsRef<[u8]>>(appliance: &Appliance, user: &str, mail: impl IntoIterator<Item = M>) {
    let folder = tempfile::tempdir().expect("a folder");
    for (number, mail) in mail.into_iter().enumerate() {
        fs::write(folder.path().join(format!("{number:06}.eml")), mail).expect("a file");
    }
    // Some files of the generator are not mail.
    appliance.run(&["import", "--user", user, folder.path().to_str().expect("a name")]);
}

/// The messages that are found, and the last line.
fn search(appliance: &Appliance, arguments: &[&str]) -> (Vec<Value>, Value) {
    let mut lines = appliance
        .done(&[&["search", "--json", "--summary"], arguments].concat())
        .lines();
    let last = lines.pop().expect("a last line");
    (lines, last)
}

/// The beginnings of the Message-IDs of what is found, in the order of the alphabet.
fn found(appliance: &Appliance, arguments: &[&str]) -> Vec<String> {
    let (hits, last) = search(appliance, arguments);
    assert_eq!(number(&last, "total"), hits.len() as u64, "{arguments:?}");
    let mut names: Vec<_> = hits.iter().map(|hit| name(appliance, number(hit, "id"))).collect();
    names.sort();
    names
}

fn name(appliance: &Appliance, id: u64) -> String {
    let raw = String::from_utf8_lossy(&appliance.raw(id)).into_owned();
    let behind = raw.split("Message-ID: <").nth(1).expect("an id");
    behind.split('@').next().unwrap_or_default().to_owned()
}

/// Queries, and what they find.
const FOUND: [(&str, &[&str]); 44] = [
    ("*", &["five", "four", "one", "three", "two"]),
    ("offer", &["one"]),
    ("OFFER shelves", &["one"]),
    ("\"offer inv\"", &["one"]),
    ("\"inv offer\"", &[]),
    ("inv-2024/0815", &["one"]),
    ("https://supplier.example/offer?number=4711", &["one"]),
    ("report -draft", &["five"]),
    ("report OR strasse", &["five", "four", "two"]),
    ("(report OR strasse) NOT draft", &["five", "two"]),
    ("-report", &["one", "three", "two"]),
    ("auto*", &["five"]),
    ("*mobile", &["five"]),
    ("re?ort", &["five", "four"]),
    ("strasse gesperrt", &["two"]),
    ("invisible", &[]),
    ("rückfrage", &["two"]),
    ("RUCKFRAGE", &["two"]),
    ("京大", &["three"]),
    ("from:anna", &["one"]),
    ("from:supplier.example", &["one"]),
    ("from:my-supplier.example", &["five"]),
    ("from:kunde.example", &["two"]),
    ("from:\"müller\"", &["two"]),
    ("cc:late@example.com", &["two"]),
    ("recipient:jane@example.com", &["one", "three", "two"]),
    ("to:(jane OR lists) -from:anna", &["four", "three", "two"]),
    ("list:lists.elsewhere.example", &["four"]),
    ("filename:minutes", &["three"]),
    ("attachment:decided", &["three"]),
    ("has:attachment", &["three"]),
    ("-has:attachment date:2025", &["one", "two"]),
    ("date:2025", &["one", "three", "two"]),
    ("date:2025-12-31", &["three"]),
    ("date:2025-02-04..2025", &["three", "two"]),
    ("after:2026", &["five", "four"]),
    ("before:2025-02-04", &["one"]),
    ("larger:100M", &[]),
    ("smaller:1K date:2026", &["five", "four"]),
    ("user:jane", &["one", "three", "two"]),
    ("user:bob@example.com", &["five", "four", "one"]),
    ("user:jane user:bob", &["one"]),
    ("message-id:<two@kunde.example>", &["two"]),
    ("subject:(hello OR draft)", &["five", "four"]),
];

#[test]
fn whom_a_report_names_that_comes_later_is_found() {
    let profile = "[[profile]]\nname = \"company\"\n[profile.server]\naccess = \"imap\"\nhost = \"mail.example.com\"\n\
        username = \"all@example.com\"\npassword = \"unused\"\n[profile.recipients]\njournal = \"always\"\n\
        own_addresses = [\"all@example.com\"]\nlocal_domains = [\"example.com\"]\n";
    let appliance = Appliance::new(DROPKEEP, &(USERS.to_owned() + profile));
    let letter = "From: eve@sender.example\nTo: list@sender.example\nSubject: letter\nMessage-ID: <six@sender.example>\n\
        Date: Thu, 1 Jan 2026 10:00:00 +0000\n\nhello\n";
    import(&appliance, "jane", [letter]);
    let of = "recipient:hidden@elsewhere.example";
    assert_eq!(found(&appliance, &[of]), Vec::<String>::new());
    let report = format!(
        "From: Exchange <exchange@example.net>\nTo: all@example.com\nSubject: letter\nX-MS-Journal-Report:\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=r\n\n--r\nContent-Type: text/plain\n\nSender: eve@sender.example\n\
         Subject: letter\nMessage-Id: <six@sender.example>\nTo: jane@example.com\nBcc: hidden@elsewhere.example\n\n--r\n\
         Content-Type: message/rfc822\n\n{letter}\n--r--\n"
    );
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("report.eml"), report).expect("a file");
    let path = folder.path().to_str().expect("a name");
    let run = appliance
        .run(&["import", "--profile", "company", path, "--json"])
        .json();
    assert_eq!(
        (number(&run, "archived"), number(&run, "journal_reports")),
        (0, 1),
        "{run}"
    );
    assert_eq!(found(&appliance, &[of]), ["six"]);
    let agreement = appliance.done(&["verify", "--search", "--json"]).json();
    assert_eq!(agreement["ok"], true, "{agreement}");
}

#[test]
fn attachments_that_could_not_be_read_are_found_and_told() {
    let appliance = filled();
    let file = |name: &str, kind: &str, content: &str| {
        format!(
            "From: eve@x.example\nTo: jane@example.com\nMessage-ID: <{name}@x.example>\nMIME-Version: 1.0\n\
             Content-Type: multipart/mixed; boundary=b\n\n--b\n\nsee below\n--b\nContent-Type: {kind}\n\
             Content-Disposition: attachment; filename=\"{name}\"\nContent-Transfer-Encoding: base64\n\n{content}\n--b--\n"
        )
    };
    let old = file("letter.doc", "application/msword", "0M8R4KGxGuE=");
    let broken = file("bill.pdf", "application/pdf", "JVBERi0xLjQgYW5kIG5vIG1vcmU=");
    import(&appliance, "jane", [old, broken]);
    for (query, names) in [
        ("unread:*", &["bill.pdf", "letter.doc"][..]),
        ("unread:pdf", &["bill.pdf"]),
        ("UNREAD:Unreadable -unread:pdf", &["letter.doc"]),
        ("unread:timed_out", &[]),
        ("\"see below\" -unread:pdf", &["letter.doc"]),
    ] {
        assert_eq!(found(&appliance, &[query]), names, "{query}");
    }
    let (hits, _) = search(&appliance, &["unread:pdf"]);
    let told = serde_json::json!([{
        "name": "bill.pdf", "kind": "pdf", "outcome": "unreadable", "why": "it is a broken PDF file"
    }]);
    assert_eq!(hits[0]["unread"], told, "{hits:?}");
    let (hits, _) = search(&appliance, &["offer"]);
    assert_eq!(hits[0]["unread"], serde_json::json!([]));
    let refused = appliance.run(&["search", "unread:mail"]).expect(2).stderr;
    assert!(refused.contains("by one of these: *, text"), "{refused}");
}

#[test]
fn nobody_could_find_a_message() {
    let appliance = filled();
    for (query, expected) in FOUND {
        assert_eq!(found(&appliance, &[query]), expected, "{query}");
    }
    // A running appliance finds the same, and what comes while it runs.
    let _serving = appliance.serve();
    for (query, expected) in FOUND {
        assert_eq!(found(&appliance, &[query]), expected, "{query}");
    }
    import(
        &appliance,
        "jane",
        [MAIL[0].1.replace("one@", "late@").replace("shelves", "lateness")],
    );
    let comes = || !found(&appliance, &["lateness"]).is_empty();
    assert!(wait_for(PATIENCE, comes));
    assert_eq!(found(&appliance, &["--user", "jane", "offer"]), ["late", "one"]);
    assert_eq!(found(&appliance, &["offer", "--user", "bob"]), ["one"]);
}

#[test]
fn a_result_says_what_a_list_says_and_shows_the_words() {
    let appliance = filled();
    let (hits, last) = search(&appliance, &["offer", "--facets"]);
    let [hit] = hits.as_slice() else { panic!("{hits:?}") };
    assert_eq!(text(hit, "subject"), "Offer 4711 for shelves");
    assert_eq!(text(hit, "date"), "2025-02-03T08:15:00Z");
    assert_eq!(hit["users"], serde_json::json!(["jane", "bob"]));
    let listed = appliance.done(&["list", "--user", "jane", "--json"]).lines();
    for field in ["id", "date", "archived_at", "from", "to", "subject", "size", "sha256"] {
        assert_eq!(hit[field], listed[0][field], "{field}");
    }
    let snippet: Vec<char> = text(hit, "snippet").chars().collect();
    let marked = hit["marks"].as_array().expect("marks").iter().map(|mark| {
        let [from, to] = [0, 1].map(|nth| mark[nth].as_u64().expect("a place") as usize);
        snippet[from..to].iter().collect::<String>()
    });
    assert_eq!(marked.collect::<Vec<_>>(), ["offer", "offer"]);
    assert_eq!(last["facets"]["users"][0]["messages"], 1);
    assert_eq!(last["facets"]["senders"][0]["name"], "anna@supplier.example");
    assert_eq!(last["index"]["behind"], 0);
    // What a message says does not steer the terminal.
    let shown = appliance.done(&["search", "automobile", "--snippets"]).text();
    assert!(
        shown.contains("automobile \u{fffd}[2J report") || shown.contains("automobile  [2J report"),
        "{shown}"
    );
    assert_eq!(appliance.done(&["search", "report", "--count"]).text().trim(), "2");
    let none = appliance.done(&["search", "user:jame"]);
    assert!(
        none.stderr
            .contains("no user is named \"jame\"; did you mean \"jane\"?"),
        "{}",
        none.stderr
    );
}

#[test]
fn a_query_that_is_wrong_is_pointed_at() {
    let appliance = filled();
    for (arguments, expected) in [
        (
            &["report", "form:anna"][..],
            "dropkeep:   report form:anna\ndropkeep:          ^^^^\ndropkeep: cannot understand the query: no field is named \
             form: did you mean from: ? Or quote the text to look for it as it stands\n",
        ),
        (
            &["a", "--after", "x"],
            "dropkeep: this is no place in what was found: pass on what the page before said comes next, for the same query \
             and order\n",
        ),
        (
            &["a", "--user", "jame"],
            "dropkeep: no user is named \"jame\"; did you mean \"jane\"?\n",
        ),
    ] {
        let said = appliance.run(&[&["search"], arguments].concat()).expect(2);
        assert_eq!(said.stderr, expected);
    }
    let said = appliance.run(&["search", "a", "--limt", "5"]).expect(2);
    assert!(
        said.stderr.contains("--limt") && said.stderr.contains("--limit"),
        "{}",
        said.stderr
    );
    // A word with a minus is no option.
    assert_eq!(found(&appliance, &["report", "-draft"]), ["five"]);
}

#[test]
fn what_a_query_finds_is_exported_and_filed() {
    let appliance = filled();
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let out = out.to_str().expect("a name");
    let done = appliance
        .done(&["export", out, "--query", "offer OR draft", "--json"])
        .json();
    assert_eq!(number(&done, "exported"), 3, "{done}");
    let other = appliance.run(&["export", out, "--query", "offer"]).expect(2);
    assert!(other.stderr.contains("found by"), "{}", other.stderr);
    appliance.run(&["export", out, "--query", "(offer"]).expect(2);
    // jane's mail to bob's new address, and only what is found of it.
    appliance.configure(&format!(
        "{USERS}[[profile]]\nname = \"p\"\n[profile.server]\naccess = \"imap\"\nhost = \"127.0.0.1\"\n\
        port = 1\nusername = \"all@example.com\"\npassword = \"x\"\n"
    ));
    let reroute = |query: &str, dry_run: bool| {
        let mut arguments = vec!["reroute", "--profile", "p", "--json", "--query", query];
        arguments.extend(dry_run.then_some("--dry-run"));
        let lines = appliance.done(&arguments).lines();
        let filed = lines.iter().filter(|line| line.get("run").is_none());
        let filed: Vec<_> = filed.map(|line| name(&appliance, number(line, "id"))).collect();
        (filed, number(lines.last().expect("a run"), "seen"))
    };
    assert_eq!(reroute("from:anna", true), (vec![], 1));
    assert_eq!(reroute("rückfrage OR from:anna", true), (vec!["two".to_owned()], 2));
    assert_eq!(found(&appliance, &["user:late"]), [""; 0]);
    assert_eq!(reroute("rückfrage", false), (vec!["two".to_owned()], 1));
    assert_eq!(found(&appliance, &["user:late"]), ["two"]);
    appliance.run(&["reroute", "--query", "a (b"]).expect(2);
}

#[test]
fn queries_agree_with_lists_and_with_each_other() {
    let appliance = Appliance::new(DROPKEEP, USERS);
    let mail: Vec<_> = Mailbox::new(Settings::messages(600)).collect();
    let (jane, bob) = mail.split_at(400);
    import(&appliance, "jane", jane);
    import(&appliance, "bob", bob.iter().chain(&jane[..50]));
    let _serving = appliance.serve();
    let ids = |arguments: &[&str]| -> BTreeSet<u64> {
        let (hits, last) = search(&appliance, &[&["--limit", "5000"], arguments].concat());
        assert_eq!(number(&last, "total"), hits.len() as u64, "{arguments:?}");
        hits.iter().map(|hit| number(hit, "id")).collect()
    };
    let listed = |user: &str| appliance.done(&["list", "--user", user, "--json"]).lines();
    let of = |lines: &[Value], is: &dyn Fn(&Value) -> bool| -> BTreeSet<u64> {
        lines
            .iter()
            .filter(|line| is(line))
            .map(|line| number(line, "id"))
            .collect()
    };
    let (of_jane, of_bob) = (listed("jane"), listed("bob"));
    let lines = [of_jane.clone(), of_bob.clone()].concat();
    let every = of(&lines, &|_| true);
    assert!(wait_for(std::time::Duration::from_secs(60), || ids(&["*"]) == every));
    assert_eq!(ids(&["user:jane"]), of(&of_jane, &|_| true));
    assert_eq!(ids(&["*", "--user", "bob"]), of(&of_bob, &|_| true));
    assert_eq!(ids(&["user:jane OR user:bob"]), every);
    assert_eq!(ids(&["larger:5000"]), of(&lines, &|line| number(line, "size") > 5000));
    assert_eq!(
        ids(&["NOT smaller:5000"]),
        of(&lines, &|line| number(line, "size") >= 5000)
    );
    for line in lines.iter().step_by(40) {
        let (id, date) = (number(line, "id"), text(line, "date"));
        let day = &date[..10];
        assert_eq!(ids(&[&format!("id:{id}")]), BTreeSet::from([id]));
        let same = |begin: usize| of(&lines, &|line| text(line, "date")[..begin] == date[..begin]);
        assert_eq!(ids(&[&format!("date:{day}")]), same(10), "{day}");
        assert_eq!(ids(&[&format!("date:{}", &day[..7])]), same(7), "{day}");
        let earlier = of(&lines, &|line| text(line, "date").as_str() < day);
        assert_eq!(ids(&[&format!("before:{day}")]), earlier, "{day}");
        assert_eq!(ids(&[&format!("-after:{day}")]), earlier, "{day}");
        // A message is found by its own subject.
        let subject = text(line, "subject").replace(['"', '\u{201c}', '\u{201d}', '\u{201e}'], " ");
        if subject.chars().any(|char| char.is_ascii_alphanumeric()) && !subject.contains('\u{fffd}') {
            assert!(
                ids(&[&format!("subject:\"{subject}\"")]).contains(&id),
                "{id}: {subject}"
            );
        }
    }
    // Pages are the whole in pieces.
    let order = |arguments: &[&str]| {
        let (hits, last) = search(&appliance, &[&["*"], arguments].concat());
        let ids: Vec<_> = hits.iter().map(|hit| number(hit, "id")).collect();
        (ids, last["next"].as_str().map(str::to_owned))
    };
    let (whole, next) = order(&["--limit", "5000"]);
    assert_eq!((whole.len(), next), (every.len(), None));
    let (mut pieces, mut next) = order(&["--limit", "170"]);
    while let Some(after) = next {
        let (more, behind) = order(&["--limit", "170", "--after", &after]);
        pieces.extend(more);
        next = behind;
    }
    assert_eq!(pieces, whole);
}
