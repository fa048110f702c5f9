//! Mail that is in the archive already, and users who come later: how much there is for them, and how it is filed.

use std::fs;

use crate::support::{
    PATIENCE,
    appliance::{Appliance, PROFILE, Profile, assert_adds_up, number, text},
    dovecot::Dovecot,
    wait_for,
};
use serde_json::Value;

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");
const JANE: &str = "[[user]]\nname = \"jane\"\naddresses = [\"jane@example.com\"]\n";
const CAROL: &str = "[[user]]\nname = \"carol\"\naddresses = [\"carol@example.com\"]\n";
const LOCAL: &str = "local_domains = [\"example.com\"]\n";

fn to(addresses: &str, number: usize) -> String {
    format!("From: x@sender.example\nTo: {addresses}\nSubject: {number}\n\nhello {number}\n")
}

struct Site {
    _server: Dovecot,
    appliance: Appliance,
    profile: String,
}

impl Site {
    fn new(messages: Vec<String>, users: &str, recipients: &str) -> Self {
        let server = Dovecot::with(messages);
        let profile = Profile {
            recipients: recipients.into(),
            ..Profile::new(&server, "imap")
        };
        let profile = profile.toml();
        Self {
            appliance: Appliance::new(DROPKEEP, &(users.to_owned() + &profile)),
            _server: server,
            profile,
        }
    }

    fn configure(&self, users: &str) {
        self.appliance.configure(&(users.to_owned() + &self.profile));
    }

    fn count(&self, user: &str) -> usize {
        self.appliance.done(&["list", "--user", user, "--json"]).lines().len()
    }

    fn last_run(&self) -> Value {
        let runs = self.appliance.done(&["protocols", "--newest", "1", "--json"]).lines();
        runs.into_iter().next().expect("a run")
    }
}

/// 37 that jane has, and 3 that nobody has, name carol; jane has 5 more.
fn forty() -> Vec<String> {
    let both = (0..37).map(|number| to("jane@example.com, Carol+x@example.com", number));
    let alone = (100..103).map(|number| to("carol@example.com", number));
    let others = (200..205).map(|number| to("jane@example.com", number));
    both.chain(alone).chain(others).collect()
}

#[test]
fn a_new_user_got_the_mail_of_catchall_only_and_not_what_others_have() {
    let site = Site::new(forty(), JANE, LOCAL);
    let appliance = &site.appliance;
    appliance.done(&["archive", PROFILE]);
    let said = appliance.done(&["users", "add", "carol", "carol@example.com"]).text();
    let expected = "user \"carol\" was added\nof the 45 messages already in the archive, 40 are for carol and not filed yet; to file \
                    them: dropkeep reroute\n";
    assert_eq!(said, expected);

    let dry = appliance.done(&["reroute", "--dry-run"]).text();
    assert!(dry.contains("dry run: 45 messages read ("), "{dry}");
    assert!(
        dry.contains("40  would be filed for users who do not have them"),
        "{dry}"
    );
    assert!(
        !dry.contains("run 0") && !dry.contains("fetched") && !dry.contains("copies"),
        "{dry}"
    );
    let dry = appliance.done(&["reroute", "--dry-run", "--json"]).lines();
    assert_eq!(dry.last().expect("the run")["dry_run"], true);
    assert_eq!(site.count("carol"), 0);

    let run = appliance.done(&["reroute", "--json"]).lines().pop().expect("the run");
    assert_adds_up(&run);
    let counts = ["seen", "archived", "duplicates", "filings"].map(|count| number(&run, count));
    assert_eq!(counts, [45, 40, 5, 40], "{run:#}");
    assert_eq!(
        (site.count("carol"), site.count("jane"), site.count("@catchall")),
        (40, 42, 3)
    );
    let run = number(&run, "run").to_string();
    let shown = appliance.done(&["protocols", &run]).text();
    assert!(shown.contains(&format!("run {run}, reroute: completed")), "{shown}");
    assert!(shown.contains("45 messages read"), "{shown}");
    assert_eq!(appliance.done(&["verify", "--json"]).json()["ok"], true);

    // Nothing is left, and only catchall's is read where that is asked for.
    let added = appliance
        .done(&["users", "add", "dave", "dave@example.com", "--json"])
        .json();
    assert_eq!(
        (text(&added, "user"), number(&added["backlog"], "messages")),
        ("dave".into(), 0)
    );
    assert_eq!(added["backlog"]["command"], Value::Null);
    let from = appliance.done(&["reroute", "--from", "@catchall", "--json"]).json();
    assert_eq!((number(&from, "seen"), number(&from, "duplicates")), (3, 3), "{from:#}");
    let quick = appliance
        .done(&["users", "add", "erin", "erin@example.com", "--no-count"])
        .text();
    assert_eq!(quick, "user \"erin\" was added\n");
}

#[test]
fn reload_says_how_much_mail_there_is_for_new_addresses_and_so_does_the_log() {
    let site = Site::new(forty(), JANE, LOCAL);
    let appliance = &site.appliance;
    appliance.done(&["archive", PROFILE]);
    let serving = appliance.serve();
    site.configure(&(JANE.to_owned() + CAROL));
    let reloaded = appliance.done(&["reload", "--json"]).json();
    assert_eq!(number(&reloaded["backlog"], "messages"), 40, "{reloaded:#}");
    assert_eq!(text(&reloaded["backlog"], "command"), "dropkeep reroute");
    assert_eq!(reloaded["backlog"]["users"], serde_json::json!(["carol"]));
    let reloaded = appliance.done(&["reload", "--json"]).json();
    assert_eq!(reloaded["backlog"], Value::Null, "nobody is new: {reloaded:#}");
    // One more address, and a user of a command, in the running appliance.
    let more = CAROL.replace("carol@example.com\"]", "carol@example.com\", \"c@example.com\"]");
    site.configure(&(JANE.to_owned() + &more));
    let said = appliance.done(&["reload"]).text();
    assert!(
        said.contains("of the 45 messages already in the archive, 40 are for carol"),
        "{said}"
    );
    let added = appliance
        .done(&["users", "add", "dave", "dave@example.com", "--json"])
        .json();
    assert_eq!(number(&added["backlog"], "read"), 45, "{added:#}");
    serving.stop().expect(0);
}

#[test]
fn a_configuration_that_changed_while_nothing_ran_is_told_by_the_next_run() {
    let site = Site::new(forty(), JANE, LOCAL);
    let appliance = &site.appliance;
    appliance.done(&["archive", PROFILE]);
    site.configure(&(JANE.to_owned() + CAROL));
    appliance.done(&["archive", PROFILE]);
    let notices = site.last_run()["notices"].to_string();
    assert!(
        notices.contains("40 are for carol and not filed yet; to file them: dropkeep reroute"),
        "{notices}"
    );
    appliance.done(&["archive", PROFILE]);
    assert_eq!(
        site.last_run()["notices"].as_array().map(Vec::len),
        Some(0),
        "it is said once"
    );

    // Where no run comes first, whoever takes the users over says that there may be some.
    let dave = "[[user]]\nname = \"dave\"\naddresses = [\"dave@example.com\"]\n";
    site.configure(&[JANE, CAROL, dave].concat());
    let listed = appliance.done(&["users"]);
    assert!(listed.stderr.contains("new addresses of dave"), "{}", listed.stderr);
}

#[test]
fn a_users_file_that_is_read_anew_is_told_by_the_log_and_the_next_run() {
    let site = Site::new(forty(), "users_file = \"users.csv\"\n", LOCAL);
    let appliance = &site.appliance;
    let file = appliance.config().with_file_name("users.csv");
    fs::write(&file, "jane,jane@example.com\n").expect("a users file");
    appliance.done(&["archive", PROFILE]);
    let serving = appliance.serve();
    fs::write(&file, "jane,jane@example.com\ncarol,carol@example.com\n").expect("a users file");
    let notices = || {
        appliance.done(&["archive", PROFILE]);
        site.last_run()["notices"].to_string()
    };
    let words = "40 are for carol and not filed yet; to file them: dropkeep reroute";
    assert!(wait_for(PATIENCE, || notices().contains(words)));
    let log = serving.stop().expect(0).stderr;
    assert!(log.contains("40 are for carol"), "{log}");
}

/// Who is given the address of somebody who left does not read the mail from before.
#[test]
fn mail_of_a_retired_user_was_filed_for_who_has_the_address_now() {
    let old = "[[user]]\nname = \"John, retired\"\naddresses = [\"john@example.com\"]\n";
    let messages = (0..3).map(|number| to("john@example.com", number));
    let messages = messages.chain([
        to("john@example.com, jsmith@example.com", 3),
        to("John+tag@example.com", 4),
    ]);
    let site = Site::new(messages.collect(), &(old.to_owned() + JANE), LOCAL);
    let appliance = &site.appliance;
    appliance.done(&["archive", PROFILE]);
    let new = "[[user]]\nname = \"john.smith\"\naddresses = [\"john@example.com\", \"jsmith@example.com\"]\n";
    site.configure(&(new.to_owned() + JANE));
    appliance.done(&["archive", PROFILE]);
    let notices = site.last_run()["notices"].to_string();
    assert!(
        notices.contains("of the 5 messages already in the archive, 1 is for john.smith"),
        "{notices}"
    );
    assert!(
        notices.contains("messages of John, retired, who is retired or disabled"),
        "{notices}"
    );
    let run = appliance.done(&["reroute", "--json"]).lines().pop().expect("the run");
    assert_eq!(
        number(&run, "filings"),
        1,
        "the one that names his own address, too: {run:#}"
    );
    let notices = run["notices"].to_string();
    assert!(notices.contains("dropkeep reroute --from 'John, retired'"), "{notices}");
    assert_eq!(site.count("john.smith"), 1);
    // The administrator may say so.
    let run = appliance
        .done(&["reroute", "--from", "John, retired", "--json"])
        .lines()
        .pop()
        .expect("the run");
    assert_eq!(number(&run, "filings"), 4, "{run:#}");
    assert_eq!(site.count("john.smith"), 5);
}

/// A wildcard takes nobody's mail who left, and a user who is disabled gets nothing.
#[test]
fn wildcards_and_disabled_users_get_by_a_reroute_what_a_run_would_give_them() {
    let office = "[[user]]\nname = \"office\"\naddresses = [\"*@example.com\"]\n";
    let messages = [
        "jane@example.com",
        "any@example.com",
        "x@elsewhere.example",
        "jane+tag@example.com",
    ];
    let messages: Vec<_> = messages
        .iter()
        .enumerate()
        .map(|(number, address)| to(address, number))
        .collect();
    let site = Site::new(messages, JANE, LOCAL);
    let appliance = &site.appliance;
    appliance.done(&["archive", PROFILE]);
    let disabled = JANE.to_owned() + "disabled = true\n";
    site.configure(&(disabled + office));
    let run = appliance.done(&["reroute", "--json"]).lines().pop().expect("the run");
    assert_eq!((number(&run, "filings"), number(&run, "failed")), (1, 0), "{run:#}");
    assert_eq!((site.count("office"), site.count("jane")), (1, 2));
}

/// Each message goes by the rules of the profile that archived it: what one trusts, another must not.
#[test]
fn a_message_goes_by_the_rules_of_its_own_profile() {
    let forged = "X-Original-To: carol@example.com\nReceived: from x by mx.example.com; Thu, 1 Jan 2026 10:00:00 +0000\n\
                  From: x@sender.example\nTo: jane@example.com\nSubject: one\n\nhello\n";
    let headers = format!("{LOCAL}use = \"headers\"\n");
    let site = Site::new(vec![forged.into()], JANE, &headers);
    let appliance = &site.appliance;
    appliance.done(&["archive", PROFILE]);
    let other = site
        .profile
        .replace(&format!("name = \"{PROFILE}\""), "name = \"other\"");
    let other = other.replace("use = \"headers\"", "use = \"auto\"");
    appliance.configure(&[JANE, CAROL, &site.profile, &other].concat());
    let run = appliance.done(&["reroute", "--json"]).lines().pop().expect("the run");
    assert_eq!((number(&run, "seen"), number(&run, "filings")), (1, 0), "{run:#}");
    assert_eq!(site.count("carol"), 0);
}

#[test]
fn unknown_addresses_go_by_how_often_they_are_named_and_the_others_are_counted() {
    let guesses = (0..60).map(|number| to(&format!("a{number:02}@example.com"), number));
    let often = (100..107).map(|number| to("zoe@example.com", number));
    let messages: Vec<_> = guesses.chain(often).collect();
    let site = Site::new(messages, JANE, LOCAL);
    let appliance = &site.appliance;
    let dry = appliance.done(&["archive", PROFILE, "--dry-run"]).text();
    let run = appliance.done(&["archive", PROFILE]).text();
    for said in [dry, run] {
        let first = said.lines().find(|line| line.contains("no user has"));
        assert_eq!(first, Some("  no user has zoe@example.com (7 messages)"), "{said}");
        assert!(said.contains("no user has a00@example.com (1 message)\n"), "{said}");
        assert!(
            said.contains("  and 11 more addresses that no user has (named 11 times)\n"),
            "{said}"
        );
    }
    let csv = appliance.done(&["protocols", "--csv"]).text();
    let (header, line) = csv.trim_end().split_once('\n').expect("two lines");
    let field = |name: &str| {
        let at = header.split(',').position(|column| column == name).expect("a column");
        line.split(',').nth(at).expect("a field").to_owned()
    };
    assert_eq!(
        (field("unknown_addresses"), field("first_unknown_address")),
        ("61".into(), "zoe@example.com".into())
    );
}

/// Files with these messages.
fn files(site: &Site, messages: &[String]) -> String {
    let folder = site.appliance.config().with_file_name("old mail");
    fs::create_dir_all(&folder).expect("a folder");
    for (number, message) in messages.iter().enumerate() {
        fs::write(folder.join(format!("{number}.eml")), message).expect("a file");
    }
    folder.display().to_string()
}

#[test]
fn a_profile_was_forgotten_that_saw_a_message_only_when_somebody_had_it() {
    let messages: Vec<_> = (0..3).map(|number| to("jane@example.com", number)).collect();
    let site = Site::new(messages.clone(), JANE, LOCAL);
    let appliance = &site.appliance;
    appliance.done(&["import", "--user", "jane", &files(&site, &messages), "--new"]);
    let run = appliance.done(&["archive", PROFILE, "--json"]).json();
    assert_eq!(number(&run, "duplicates"), 3, "{run:#}");
    let said = appliance.done(&["users", "add", "boss", "x@sender.example"]).text();
    assert!(said.contains("3 are for boss and not filed yet"), "{said}");
    let explained = appliance.done(&["explain", "1"]).text();
    assert!(explained.contains("by today's rules also for boss"), "{explained}");
    let run = appliance.done(&["reroute", "--json"]).lines().pop().expect("the run");
    assert_eq!((number(&run, "filings"), site.count("boss")), (3, 3), "{run:#}");

    // Whatever the profile is called now, it is the one of that mailbox.
    let renamed = site
        .profile
        .replace(&format!("name = \"{PROFILE}\""), "name = \"renamed\"");
    appliance.configure(&(JANE.to_owned() + &renamed));
    appliance.done(&["users", "rename", "boss", "chief"]);
    appliance.done(&["users", "add", "list", "*@example.com"]);
    let run = appliance.done(&["reroute", "--json"]).lines().pop().expect("the run");
    assert_eq!((number(&run, "duplicates"), number(&run, "skipped")), (3, 0), "{run:#}");
}

#[test]
fn mail_that_was_imported_for_one_user_counted_as_filed_for_everybody() {
    let messages: Vec<_> = (0..2).map(|number| to("jane@example.com", number)).collect();
    let site = Site::new(Vec::new(), JANE, LOCAL);
    let appliance = &site.appliance;
    appliance.done(&["import", "--user", "jane", &files(&site, &messages), "--new"]);
    let left =
        "imported with --user, and left alone; to judge them by a profile's rules: dropkeep reroute --profile company";
    let said = appliance.done(&["users", "add", "boss", "x@sender.example"]).text();
    assert!(
        said.contains("none is for boss") && said.contains(&format!("2 {left}")),
        "{said}"
    );
    let said = appliance.done(&["reroute"]).text();
    assert!(
        said.contains(left) && !said.contains("already filed for everyone"),
        "{said}"
    );
    let run = site.last_run();
    assert_adds_up(&run);
    assert_eq!((number(&run, "skipped"), number(&run, "unknown")), (2, 0), "{run:#}");
    assert_eq!(number(&run["not_judged"], "imported"), 2, "{run:#}");
    let run = appliance
        .done(&["reroute", "--profile", PROFILE, "--json"])
        .lines()
        .pop()
        .expect("the run");
    assert_eq!(
        (number(&run, "filings"), &run["not_judged"]),
        (2, &Value::Null),
        "{run:#}"
    );
}

#[test]
fn mail_of_a_profile_that_is_gone_failed_for_ever() {
    let site = Site::new(forty(), JANE, LOCAL);
    let appliance = &site.appliance;
    appliance.done(&["archive", PROFILE]);
    let elsewhere = "[[profile]]\nname = \"new\"\n[profile.server]\naccess = \"imap\"\nhost = \"localhost\"\nport = 1\n\
                     username = \"other\"\npassword = \"secret\"\ntls = { verify = \"none\" }\n";
    appliance.configure(&(JANE.to_owned() + elsewhere));
    let left = "archived by profile \"company\", which is not in the configuration, and left alone; to judge them by a \
                profile's rules: dropkeep reroute --profile new";
    let said = appliance.done(&["users", "add", "carol", "carol@example.com"]).text();
    assert!(said.contains(&format!("45 {left}")), "{said}");
    let said = appliance.done(&["reroute"]).text();
    assert!(said.contains(left) && !said.contains("what to do"), "{said}");
    let run = appliance
        .done(&["reroute", "--profile", "new", "--json"])
        .lines()
        .pop()
        .expect("the run");
    assert_eq!(number(&run, "filings"), 40, "{run:#}");
}

#[test]
fn mail_that_stays_with_who_left_was_without_a_known_address() {
    let users =
        ["bob", "olga"].map(|name| format!("[[user]]\nname = \"{name}\"\naddresses = [\"{name}@example.com\"]\n"));
    let messages = (0..3).map(|number| to("bob@example.com", number));
    let messages = messages.chain([to("olga@example.com", 3), to("nobody@example.com", 4)]);
    let site = Site::new(messages.collect(), &(users.concat() + JANE), LOCAL);
    let appliance = &site.appliance;
    appliance.done(&["archive", PROFILE]);
    let berta = "[[user]]\nname = \"berta\"\naddresses = [\"bob@example.com\"]\n";
    site.configure(&(JANE.to_owned() + berta));
    let said = appliance.done(&["reroute"]).text();
    for line in [
        "1  already filed for everyone they are for\n",
        "1  without a known address, left as they are\n",
        "3  stay with bob, who is retired or disabled\n",
    ] {
        assert!(said.contains(line), "{said}");
    }
    let run = site.last_run();
    assert_adds_up(&run);
    assert_eq!(
        (number(&run["kept_by"], "bob"), number(&run, "unknown")),
        (3, 1),
        "{run:#}"
    );
}

#[test]
fn a_reroute_printed_a_line_for_each_message_and_named_users_who_got_nothing() {
    let site = Site::new(forty(), JANE, LOCAL);
    let appliance = &site.appliance;
    appliance.done(&["archive", PROFILE]);
    let users =
        ["adam", "dave"].map(|name| format!("[[user]]\nname = \"{name}\"\naddresses = [\"{name}@example.com\"]\n"));
    let boss = "[[user]]\nname = \"boss\"\naddresses = [\"x@sender.example\"]\n";
    let serving = appliance.serve();
    site.configure(&[JANE, boss, CAROL, &users.concat()].concat());
    let reloaded = appliance.done(&["reload"]).text();
    assert!(
        reloaded.contains("45 are for boss (45) and carol (40) and not filed yet"),
        "{reloaded}"
    );
    serving.stop().expect(0);
    let dry = appliance.done(&["reroute", "--dry-run", "--verbose"]).text();
    assert!(dry.contains("message 1 would be filed for boss, carol\n"), "{dry}");
    let said = appliance.done(&["reroute"]).text();
    assert!(!said.contains("message 1"), "{said}");
    let [boss, carol] = ["boss: 45 filed", "carol: 40 filed"].map(|line| said.find(line).expect("a line"));
    assert!(boss < carol, "most first: {said}");
}

#[test]
fn what_was_counted_was_more_than_what_was_filed_where_copies_are_one_message() {
    let bob = "[[user]]\nname = \"bob\"\naddresses = [\"bob@example.com\"]\n";
    let copies = ["jane", "bob"].map(|name| {
        format!(
            "Delivered-To: {name}@example.com\nReceived: from x by mx.example.com; Thu, 1 Jan 2026 10:00:00 +0000\n\
             From: x@sender.example\nTo: all@example.com\nSubject: one\n\nhello\n"
        )
    });
    let site = Site::new(copies.to_vec(), &(JANE.to_owned() + bob), LOCAL);
    let appliance = &site.appliance;
    appliance.done(&["archive", PROFILE]);
    let said = appliance.done(&["users", "add", "boss", "x@sender.example"]).text();
    assert!(
        said.contains("of the 2 messages already in the archive, 1 is for boss"),
        "{said}"
    );
    let counts = |dry: &[&str]| {
        let arguments = [&["reroute", "--json"], dry].concat();
        let run = appliance.done(&arguments).lines().pop().expect("the run");
        ["archived", "duplicates", "filings"].map(|count| number(&run, count))
    };
    assert_eq!(counts(&["--dry-run"]), [1, 1, 1]);
    assert_eq!(counts(&[]), [1, 1, 1]);
}

#[test]
fn a_dry_reroute_made_more_users_than_create_limit_allows() {
    let messages = (0..10).map(|number| to(&format!("u{}@example.com", number % 5), number));
    let site = Site::new(messages.collect(), JANE, LOCAL);
    let appliance = &site.appliance;
    appliance.done(&["archive", PROFILE]);
    let created = format!("{}unknown = \"create\"\ncreate_limit = 3\n", site.profile);
    appliance.configure(&(JANE.to_owned() + &created));
    let counts = |dry: &[&str]| {
        let arguments = [&["reroute", "--json"], dry].concat();
        let run = appliance.done(&arguments).lines().pop().expect("the run");
        assert!(
            run["notices"]
                .to_string()
                .contains("create_limit is reached, 3 users in one run"),
            "{run:#}"
        );
        let counts = ["archived", "skipped", "filings", "users_not_created"].map(|count| number(&run, count));
        (counts, run["created_users"].as_array().map(Vec::len))
    };
    let expected = ([6, 4, 6, 2], Some(3));
    assert_eq!(counts(&["--dry-run"]), expected);
    assert_eq!(counts(&[]), expected);
}

#[test]
fn a_reroute_went_by_users_that_were_not_loaded_yet_without_a_word() {
    let site = Site::new(forty(), JANE, LOCAL);
    let appliance = &site.appliance;
    appliance.done(&["archive", PROFILE]);
    let serving = appliance.serve();
    let changed = |arguments: &[&str]| {
        appliance
            .done(arguments)
            .text()
            .contains("has changed since the running appliance")
    };
    assert!(!changed(&["reroute", "--dry-run"]));
    site.configure(&(JANE.to_owned() + CAROL));
    assert!(changed(&["reroute", "--dry-run"]));
    assert!(changed(&["reroute"]));
    appliance.done(&["reload"]);
    assert!(!changed(&["reroute", "--dry-run"]));
    serving.stop().expect(0);
}

/// One profile archives a message, and another, with other rules, sees it as well.
#[test]
fn the_rules_of_a_profile_that_came_second_did_not_count() {
    let messages: Vec<_> = (0..3).map(|number| to("jane@example.com", number)).collect();
    let site = Site::new(messages.clone(), JANE, &format!("{LOCAL}senders = false\n"));
    let appliance = &site.appliance;
    let second = Dovecot::with(messages);
    let profile = Profile {
        recipients: LOCAL.into(),
        ..Profile::new(&second, "pop3")
    };
    let second = profile
        .toml()
        .replace(&format!("name = \"{PROFILE}\""), "name = \"second\"");
    appliance.configure(&[JANE, &site.profile, &second].concat());
    appliance.done(&["archive", PROFILE]);
    let run = appliance.done(&["archive", "second", "--json"]).json();
    assert_eq!(number(&run, "duplicates"), 3, "{run:#}");
    let said = appliance.done(&["users", "add", "boss", "x@sender.example"]).text();
    assert!(said.contains("3 are for boss and not filed yet"), "{said}");
    let explained = appliance.done(&["explain", "1"]).text();
    assert!(explained.contains("by the rules of profile company:"), "{explained}");
    assert!(explained.contains("by the rules of profile second:"), "{explained}");
    assert!(explained.contains("by today's rules also for boss"), "{explained}");
    let run = appliance.done(&["reroute", "--json"]).lines().pop().expect("the run");
    assert_eq!((number(&run, "filings"), site.count("boss")), (3, 3), "{run:#}");
}
