use jiff::{Timestamp, ToSpan, tz::TimeZone};

use crate::{
    notify::{Site, counted, smtp::Smtp},
    support::{
        PATIENCE,
        appliance::PROFILE,
        clock::ShiftedClock,
        running::{Running, Serving},
        wait_for,
    },
};

/// The hour in which digests are due, in UTC: far from now, whenever that is.
struct Clock {
    shifted: ShiftedClock,
    /// The next time that a digest is due.
    due: Timestamp,
    digest_at: String,
}

impl Clock {
    fn new() -> Self {
        let due = Timestamp::now() + 12.hours();
        let digest_at = due.to_zoned(TimeZone::UTC).strftime("%H:%M").to_string();
        let seconds = due.as_second() - due.as_second() % 60;
        Self {
            shifted: ShiftedClock::new(),
            due: Timestamp::from_second(seconds).expect("a time"),
            digest_at,
        }
    }

    /// The keys of `[mail]` for a digest at that time.
    fn daily(&self) -> String {
        format!(
            "when = \"daily\"\ndigest_at = \"{}\"\ntimezone = \"UTC\"\n",
            self.digest_at
        )
    }

    /// So many hours after the first digest is due.
    fn set(&self, hours: i64) {
        let time = self.due + hours.hours() + 10.seconds();
        self.shifted.set(time.as_second() - Timestamp::now().as_second());
    }

    fn serve(&self, site: &Site) -> Serving {
        let command = self.shifted.for_command(site.appliance.command(&["serve"]));
        site.appliance.serve_as(command)
    }
}

fn noted(serving: &Serving) {
    // The first look notes from when on the first digest is.
    assert!(wait_for(PATIENCE, || serving.get("/readyz").0 == 200));
}

#[test]
fn a_mail_a_day_over_restarts_and_also_when_nothing_ran() {
    let (site, smtp, clock) = (Site::new(), Smtp::start("smtp"), Clock::new());
    let never = site.good().toml().replace(PROFILE, "silent");
    site.configure(&smtp.toml("smtp", &clock.daily()), &site.good(), &never);
    let serving = clock.serve(&site);
    noted(&serving);
    site.appliance.done(&["archive", PROFILE]);
    serving.stop().expect(0);
    site.configure(&smtp.toml("smtp", &clock.daily()), &site.refused(), &never);
    let serving = clock.serve(&site);
    for _ in 0..2 {
        site.appliance.run(&["archive", PROFILE]).expect(3);
    }
    assert!(smtp.state().mails.is_empty());
    serving.stop().expect(0);
    // It was due while nobody was there.
    clock.set(1);
    let serving = clock.serve(&site);
    let mail = smtp.mails(1).remove(0);
    assert_eq!(mail.subject, "dropkeep: 3 runs: 1 completed, 2 failed; 2 archived");
    for words in [
        "3 runs: 1 completed, 2 failed. The last run that completed ended at",
        ", and 1 like it: login: ",
        "- login: Check server.username",
        "- nobody@example.com (1 message)",
        "== Profile silent\n\nNo run ended in this time. No run has completed so far.",
    ] {
        assert!(mail.body.contains(words), "{words}: {}", mail.body);
    }
    serving.stop().expect(0);
    // Not again after a restart of the same day, and on the next one though nothing ran.
    clock.set(2);
    let serving = clock.serve(&site);
    noted(&serving);
    clock.set(24);
    let mail = smtp.mails(2).remove(1);
    // Profiles that run by hand alone were counted as if they should have run.
    assert_eq!(mail.subject, "dropkeep: no run; 0 archived");
    serving.stop().expect(0);
}

#[test]
fn who_archives_by_cron_gets_it_with_the_first_run_after_it_is_due() {
    let (site, smtp, clock) = (Site::new(), Smtp::start("smtp"), Clock::new());
    site.configure(&smtp.toml("smtp", &clock.daily()), &site.good(), "");
    let archive = || {
        let arguments = ["archive", PROFILE];
        let command = clock.shifted.for_command(site.appliance.command(&arguments));
        Running::start(command, &arguments).wait().expect(0);
    };
    archive();
    archive();
    assert!(smtp.state().mails.is_empty());
    clock.set(3);
    archive();
    archive();
    let mail = smtp.mails(1).remove(0);
    // Those in whose second the first look was, or the digest, were in the next one, or in none.
    assert_eq!(mail.subject, "dropkeep: 3 runs, all completed; 2 archived");
}

#[test]
fn one_list_that_is_refused_lags_alone_and_is_not_tried_for_ever() {
    let (site, smtp, clock) = (Site::new(), Smtp::start("smtp"), Clock::new());
    let second = site.good().toml().replace(PROFILE, "second") + "[profile.notify]\nto = [\"bob@example.com\"]\n";
    site.configure(&smtp.toml("smtp", &clock.daily()), &site.good(), &second);
    smtp.say("RCPT TO:<bob", "550 no such user", 1);
    let serving = clock.serve(&site);
    noted(&serving);
    for profile in [PROFILE, "second"] {
        site.appliance.done(&["archive", profile]);
    }
    clock.set(1);
    let mail = smtp.mails(1).remove(0);
    assert_eq!(mail.to, ["admin@example.com"]);
    assert!(mail.subject.starts_with("dropkeep: 1 run, "), "{}", mail.subject);
    counted(&serving, "mail", "failed", 1);
    let said = serving.stop().expect(0).stderr;
    assert!(said.contains("it is given up"), "{said}");
    // Neither gets anything until the next day; then one hears of that, and the other of both.
    clock.set(2);
    let serving = clock.serve(&site);
    noted(&serving);
    site.appliance.done(&["archive", PROFILE]);
    clock.set(24);
    let mails = smtp.mails(3);
    for mail in &mails[1..] {
        let subject = &mail.subject;
        assert!(subject.starts_with("dropkeep: 1 run, "), "{subject}");
        assert!(!subject.contains("did not run"), "{subject}");
    }
    assert_eq!(smtp.state().connections, 4);
    serving.stop().expect(0);
}
