use std::time::{Duration, Instant};

use crate::{
    notify::{
        Site, counted,
        smtp::{PASSWORD, Smtp, Trick, USERNAME},
    },
    support::{PATIENCE, appliance::PROFILE, clock::ShiftedClock, running::Running, tls::Identity, wait_for},
};

const LOGIN: &str = "username = \"dropkeep@example.com\"\npassword_env = \"MAIL_PASSWORD\"\n";

/// Runs `archive` with the clock set forward by so many seconds.
fn archive(site: &Site, forward: i64, code: i32) -> String {
    let arguments = ["archive", PROFILE, "--json"];
    let mut command = site.appliance.command(&arguments);
    command
        .env("DROPKEEP_CLOCK", forward.to_string())
        .env("MAIL_PASSWORD", PASSWORD);
    let ended = Running::start(command, &arguments).wait().expect(code);
    for secret in [PASSWORD, "wrong-pass/word"] {
        assert!(!ended.stderr.contains(secret), "{}", ended.stderr);
    }
    ended.stderr
}

#[test]
fn a_run_that_failed_is_told_over_each_access() {
    let certificate = Identity::of_localhost().file();
    for access in ["smtp", "smtp-tls", "smtp-ssl"] {
        let (site, smtp) = (Site::new(), Smtp::start(access));
        let tls = format!("tls = {{ ca_file = \"{}\" }}\n{LOGIN}", certificate.path().display());
        site.configure(&smtp.toml(access, &tls), &site.refused(), "");
        archive(&site, 0, 3);
        let mail = smtp.mails(1).remove(0);
        assert_eq!(
            (mail.encrypted, mail.logged_in),
            (access != "smtp", true),
            "{access}: {USERNAME}"
        );
        assert_eq!(mail.to, ["admin@example.com"]);
        assert_eq!(mail.subject, "dropkeep: company failed: login refused");
        for words in [
            "run 1 failed.",
            "- login: ",
            "Authentication failed",
            "What to do:\n- login: Check server.username",
            "The whole protocol: dropkeep protocols 1",
        ] {
            assert!(mail.body.contains(words), "{words}: {}", mail.body);
        }
        for field in [
            "Auto-Submitted: auto-generated\r\n",
            "Message-ID: <",
            "Date: ",
            "From: Dropkeep <",
        ] {
            assert!(mail.raw.contains(field), "{field}: {}", mail.raw);
        }
        assert!(!mail.raw.contains("wrong-pass/word"), "{}", mail.raw);
    }
}

#[test]
fn what_fails_again_and_again_is_told_once_a_day_and_when_it_works_again() {
    let (site, smtp) = (Site::new(), Smtp::start("smtp"));
    let table = smtp.toml("smtp", "");
    let day = 24 * 3600;
    site.configure(&table, &site.refused(), "");
    for forward in [0, 900, 1800, day] {
        archive(&site, forward, 3);
    }
    let mails = smtp.mails(2);
    assert!(mails[1].subject.contains("company still fails"), "{}", mails[1].subject);
    assert!(mails[1].body.contains("It has failed since "), "{}", mails[1].body);
    site.configure(&table, &site.good(), "");
    for forward in [day + 900, day + 1800] {
        archive(&site, forward, 0);
    }
    let mails = smtp.mails(3);
    assert_eq!(mails[2].subject, "dropkeep: company works again: 2 archived");
    assert!(
        mails[2].body.contains("- nobody@example.com (1 message)"),
        "{}",
        mails[2].body
    );
}

#[test]
fn a_profile_has_its_own_wishes() {
    let (site, smtp) = (Site::new(), Smtp::start("smtp"));
    let table = smtp.toml("smtp", "when = \"never\"");
    site.configure(&table, &site.good(), "");
    archive(&site, 0, 0);
    let own = "[profile.notify]\nwhen = \"always\"\nto = [\"Jane <jane@example.com>\", \"bob@example.com\"]\n";
    site.configure(&table, &site.good(), own);
    // One of them is not taken, the other gets it all the same.
    smtp.say("RCPT TO:<bob", "550 no such user", 1);
    let said = archive(&site, 0, 0);
    let mail = smtp.mails(1).remove(0);
    assert_eq!(mail.subject, "dropkeep: company completed: nothing new");
    assert!(
        said.contains("550 no such user") && said.contains("bob@example.com"),
        "{said}"
    );
}

#[test]
fn a_mail_that_cannot_be_sent_fails_no_run_and_holds_none_up() {
    let (site, smtp) = (Site::new(), Smtp::start("smtp"));
    site.configure(
        &smtp.toml("smtp", "when = \"always\"").replace("10s", "60s"),
        &site.good(),
        "",
    );
    smtp.trick("", Trick::Silence, 100);
    let serving = site.appliance.serve();
    let started = Instant::now();
    for _ in 0..5 {
        site.appliance.done(&["archive", PROFILE]);
    }
    // One that waited for its mail would wait for a minute.
    assert!(started.elapsed() < Duration::from_secs(55), "{:?}", started.elapsed());
    assert!(wait_for(PATIENCE, || smtp.state().connections == 1));
    let started = Instant::now();
    serving.stop().expect(0);
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    assert!(smtp.state().mails.is_empty());
}

#[test]
fn a_signal_ends_the_wait_for_a_mail_after_the_run() {
    let (site, smtp) = (Site::new(), Smtp::start("smtp"));
    let table = smtp.toml("smtp", "when = \"always\"").replace("10s", "60s");
    site.configure(&table, &site.good(), "");
    smtp.trick("", Trick::Silence, 1);
    let arguments = ["archive", PROFILE];
    let archive = Running::start(site.appliance.command(&arguments), &arguments);
    assert!(wait_for(PATIENCE, || smtp.state().connections == 1));
    let started = Instant::now();
    archive.signal(rustix::process::Signal::INT);
    let ended = archive.wait().expect(0);
    // Without it, ten seconds.
    assert!(started.elapsed() < Duration::from_secs(9), "{:?}", started.elapsed());
    assert!(ended.stderr.contains("was not sent in time"), "{}", ended.stderr);
}

/// A moment before the run was over, it was taken for the run's, and the mail was waited for as long as ever.
#[test]
fn a_signal_at_the_end_of_the_run_left_the_wait_for_its_mail_as_it_was() {
    let (site, smtp) = (Site::new(), Smtp::start("smtp"));
    let table = smtp.toml("smtp", "when = \"always\"").replace("10s", "60s");
    site.configure(&table, &site.good(), "");
    smtp.trick("", Trick::Silence, 1);
    let held = tempfile::NamedTempFile::new().expect("a file");
    let arguments = ["archive", PROFILE];
    let mut command = site.appliance.command(&arguments);
    command
        .env("DROPKEEP_FAULT", "protocol-stored:hold")
        .env("DROPKEEP_FAULT_HOLD", held.path());
    let archive = Running::start(command, &arguments);
    assert!(wait_for(PATIENCE, || archive
        .stderr()
        .contains("protocol-stored is reached")));
    archive.signal(rustix::process::Signal::INT);
    let started = Instant::now();
    held.close().expect("a file");
    let ended = archive.wait().expect(0);
    // As ever is ten seconds.
    assert!(
        started.elapsed() < Duration::from_millis(9500),
        "{:?}",
        started.elapsed()
    );
    assert!(ended.stderr.contains("was not sent in time"), "{}", ended.stderr);
}

#[test]
fn what_passes_is_tried_again_and_what_does_not_is_given_up() {
    let (site, smtp) = (Site::new(), Smtp::start("smtp"));
    site.configure(&smtp.toml("smtp", "when = \"always\""), &site.good(), "");
    let clock = ShiftedClock::new();
    let serving = site
        .appliance
        .serve_as(clock.for_command(site.appliance.command(&["serve"])));
    let counted = |result: &str, count| counted(&serving, "mail", result, count);
    counted("sent", 0);
    counted("failed", 0);
    smtp.say("MAIL", "451 come again", 1);
    site.appliance.done(&["archive", PROFILE]);
    counted("sent", 1);
    assert_eq!(smtp.state().connections, 2);
    clock.set(3600);
    smtp.trick("DATA", Trick::Cut, 1);
    site.appliance.done(&["archive", PROFILE]);
    counted("sent", 2);
    clock.set(7200);
    smtp.say("MAIL", "550 not you", 1);
    site.appliance.done(&["archive", PROFILE]);
    counted("failed", 1);
    smtp.mails(2);
    assert_eq!(smtp.state().connections, 5);
    let said = serving.stop().expect(0).stderr;
    assert!(
        said.contains("550 not you") && said.contains("a mail could not be sent"),
        "{said}"
    );
}

#[test]
fn mails_after_each_run_are_some_time_apart() {
    let (site, smtp) = (Site::new(), Smtp::start("smtp"));
    site.configure(&smtp.toml("smtp", "when = \"always\""), &site.good(), "");
    for forward in [0, 60, 120, 1200] {
        archive(&site, forward, 0);
    }
    smtp.mails(2);
}

#[test]
fn a_mail_that_waits_holds_up_no_other_and_takes_settings_that_were_put_right() {
    let (site, smtp) = (Site::new(), Smtp::start("smtp"));
    let second = site.refused().toml().replace(PROFILE, "second");
    let to = "[profile.notify]\nto = [\"bob@example.com\"]\n";
    site.configure(&smtp.toml("smtp", ""), &site.refused(), &format!("{to}{second}"));
    smtp.say("RCPT TO:<bob", "451 not now", 100);
    let serving = site.appliance.serve();
    site.appliance.run(&["archive", PROFILE]).expect(3);
    site.appliance.run(&["archive", "second"]).expect(3);
    assert_eq!(smtp.mails(1)[0].to, ["admin@example.com"]);
    assert!(wait_for(PATIENCE, || smtp.state().connections >= 3));
    let to = to.replace("bob", "jane");
    site.configure(&smtp.toml("smtp", ""), &site.refused(), &format!("{to}{second}"));
    site.appliance.done(&["reload"]);
    assert_eq!(smtp.mails(2)[1].to, ["jane@example.com"]);
    serving.stop().expect(0);
}

#[test]
fn what_failed_before_mails_were_turned_off_is_told_when_they_are_on_again() {
    let (site, smtp) = (Site::new(), Smtp::start("smtp"));
    let table = smtp.toml("smtp", "");
    site.configure(&table, &site.refused(), "");
    let serving = site.appliance.serve();
    site.appliance.run(&["archive", PROFILE]).expect(3);
    smtp.mails(1);
    for own in ["[profile.notify]\nwhen = \"never\"\n", ""] {
        site.configure(&table, &site.refused(), own);
        site.appliance.done(&["reload"]);
    }
    site.appliance.run(&["archive", PROFILE]).expect(3);
    let mail = smtp.mails(2).remove(1);
    assert!(mail.subject.starts_with("dropkeep: company failed"), "{}", mail.subject);
    serving.stop().expect(0);
}
