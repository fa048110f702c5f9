//! Protocols: which are listed, as what, and for how long they are kept.

use crate::support::{
    PATIENCE,
    appliance::{Appliance, PROFILE, Profile, number, text},
    dovecot::Dovecot,
    generator::{company, user_tables},
    running::{Outcome, Running},
    wait_for,
};
use serde_json::Value;

struct Site {
    server: Dovecot,
    appliance: Appliance,
}

const DAY: i64 = 86_400;

impl Site {
    fn new() -> Self {
        let server = Dovecot::with(["To: jane@example.com\nSubject: first\n\nx\n"]);
        let appliance = Appliance::for_company(env!("CARGO_BIN_EXE_dropkeep"), &Profile::new(&server, "imap"));
        Self { server, appliance }
    }

    fn configure(&self, tables: &str, password: Option<&str>, name: &str) {
        let mut profile = Profile::new(&self.server, "imap");
        if let Some(password) = password {
            profile.password = password.into();
        }
        let profile = profile.toml().replace(&format!("\"{PROFILE}\""), &format!("{name:?}"));
        self.appliance
            .configure(&format!("{}{tables}{profile}", user_tables(&company())));
    }

    /// A command on a day from now.
    fn on_day(&self, day: i64, arguments: &[&str], code: i32) -> Outcome {
        let mut command = self.appliance.command(arguments);
        command.env("DROPKEEP_CLOCK", (day * DAY).to_string());
        Running::start(command, arguments).wait().expect(code)
    }

    fn listed(&self, arguments: &[&str]) -> Vec<u64> {
        let arguments = [&["protocols", "--json"], arguments].concat();
        let lines = self.appliance.done(&arguments).lines();
        lines.iter().map(|run| number(run, "run")).collect()
    }
}

#[test]
fn some_of_them_are_listed() {
    let site = Site::new();
    site.on_day(-10, &["archive", PROFILE], 0);
    site.configure("", Some("wrong"), PROFILE);
    site.on_day(-5, &["archive", PROFILE], 3);
    site.configure("", None, "=HYPERLINK(\"http://x\")");
    site.on_day(-1, &["archive", "=HYPERLINK(\"http://x\")"], 0);
    // As the second run says it: at midnight it is another day from now.
    let second = site.appliance.done(&["protocols", "2", "--json"]).json();
    let started: jiff::Timestamp = text(&second, "started_at").parse().expect("a time");
    let five = started.to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
    let moment = (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(72)).to_string();
    for (arguments, runs) in [
        (&[][..], &[3, 2, 1][..]),
        (&["--newest", "2"], &[3, 2]),
        (&["--profile", PROFILE], &[2, 1]),
        (&["--profile", PROFILE, "--newest", "1"], &[2]),
        (&["--state", "failed"], &[2]),
        (&["--state", "completed"], &[3, 1]),
        (&["--state", "completed", "--newest", "1"], &[3]),
        (&["--since", "7d"], &[3, 2]),
        (&["--until", "7d"], &[1]),
        (&["--since", "7d", "--until", "2d"], &[2]),
        (&["--since", &five, "--until", &five], &[2]),
        (&["--since", &moment], &[3]),
        (&["--state", "interrupted"], &[]),
    ] {
        assert_eq!(site.listed(arguments), runs, "{arguments:?}");
    }
    // A running appliance gives the same.
    let serving = site.appliance.serve();
    assert_eq!(site.listed(&["--profile", PROFILE, "--since", "7d"]), [2]);
    let text = site.appliance.done(&["protocols", "--state", "failed"]).text();
    assert!(text.lines().count() == 2 && text.contains("failed"), "{text}");
    let csv = site.appliance.done(&["protocols", "--csv"]).text();
    serving.stop().expect(0);
    for (arguments, words) in [
        (&["--profile", "compny"][..], "no profile is named \"compny\""),
        (&["--state", "good"], "completed"),
        (&["--since", "yesterday"], "7d, 12h"),
        (&["1", "--profile", PROFILE], "do not go together"),
        (&["--csv", "--json"], "do not go together"),
    ] {
        let ended = site.appliance.run(&[&["protocols"], arguments].concat()).expect(2);
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
    }

    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let names = reader.headers().expect("a header").clone();
    let lines: Vec<_> = reader.records().map(|line| line.expect("a line")).collect();
    let field = |line: usize, name: &str| {
        let at = names
            .iter()
            .position(|known| known == name)
            .unwrap_or_else(|| panic!("{name} in {names:?}"));
        lines[line][at].to_owned()
    };
    let json: Vec<Value> = site.appliance.done(&["protocols", "--json"]).lines();
    assert_eq!(lines.len(), json.len());
    for (line, run) in json.iter().enumerate() {
        for (name, value) in run.as_object().expect("an object") {
            match value {
                Value::Number(count) if name != "errors_omitted" => assert_eq!(field(line, name), count.to_string()),
                Value::String(said) if name != "profile" => assert_eq!(field(line, name), *said),
                _ => {}
            }
        }
    }
    assert_eq!(field(0, "profile"), "'=HYPERLINK(\"http://x\")");
    assert_eq!(
        (field(1, "errors"), field(1, "first_error_stage")),
        ("1".into(), "login".into())
    );
    assert!(field(1, "first_error").contains("Authentication failed"));
    assert_eq!(
        site.appliance.done(&["protocols", "2", "--csv"]).text().lines().count(),
        2
    );
}

#[test]
fn what_is_old_is_removed_and_nothing_hangs_on_it() {
    let site = Site::new();
    site.on_day(-400, &["archive", PROFILE], 0);
    site.configure("", Some("wrong"), PROFILE);
    for day in [-300, -200] {
        site.on_day(day, &["archive", PROFILE], 3);
    }
    site.configure("", None, PROFILE);
    for day in [-30, -20, -2] {
        site.on_day(day, &["archive", PROFILE], 0);
    }
    site.configure("", Some("wrong"), PROFILE);
    site.on_day(0, &["archive", PROFILE], 3);
    // Idle ones go first, as the default has it; then all of it, but for the newest success and the newest.
    for (tables, left) in [
        ("", &[7, 6, 3, 2, 1][..]),
        ("[protocols]\nkeep = \"250d\"\n", &[7, 6, 3]),
        ("[protocols]\nkeep = \"1d\"\nkeep_idle = \"forever\"\n", &[7, 6]),
    ] {
        site.configure(tables, Some("wrong"), PROFILE);
        let serving = site.appliance.serve();
        assert!(wait_for(PATIENCE, || site.listed(&[]) == left), "{left:?}");
        let metrics = serving.get("/metrics").1;
        let success = metrics
            .lines()
            .find(|line| line.starts_with("dropkeep_run_last_success_timestamp_seconds{"));
        assert!(success.is_some(), "the last success is known: {metrics}");
        serving.stop().expect(0);
    }
    let gone = site.appliance.run(&["protocols", "1"]).expect(2);
    assert!(gone.stderr.contains("was removed: it is older"), "{}", gone.stderr);
    let never = site.appliance.run(&["protocols", "8"]).expect(2);
    assert!(never.stderr.contains("there is no run 8"), "{}", never.stderr);
    // The message was filed by run 1.
    let id = number(
        &site.appliance.done(&["list", "--user", "jane", "--json"]).lines()[0],
        "id",
    );
    let shown = site.appliance.done(&["show", &id.to_string(), "--json"]).json();
    assert_eq!(number(&shown["users"][0], "run"), 1, "{shown:#}");
    site.appliance.done(&["show", &id.to_string()]);
    let verified = site.appliance.done(&["verify", "--json"]).json();
    assert_eq!(verified["ok"], true, "{verified:#}");
    // The next number is the next.
    site.configure("", None, PROFILE);
    let run = site.appliance.done(&["archive", PROFILE, "--json"]).json();
    assert_eq!((number(&run, "run"), text(&run, "state")), (8, "completed".into()));
}
