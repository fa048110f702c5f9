use std::time::{Duration, Instant};

use crate::{
    Site,
    smtp::{PASSWORD, Smtp, Trick, USERNAME},
    support::{appliance::PROFILE, wait_for},
};

const LOGIN: &str = "username = \"dropkeep@example.com\"\npassword_env = \"MAIL_PASSWORD\"\n";

/// Runs `archive` with the clock set forward by so many seconds.
fn archive(site: &Site, forward: i64, code: i32) -> String {
    let arguments = ["archive", PROFILE, "--json"];
    let mut command = site.appliance.command(&arguments);
    command
        .env("DROPKEEP_CLOCK", forward.to_string())
        .env("MAIL_PASSWORD", PASSWORD);
    let ended = crate::support::running::Running::start(command, &arguments)
        .wait()
        .expect(code);
    for secret in [PASSWORD, "wrong-pass/word"] {
        assert!(!ended.stderr.contains(secret), "{}", ended.stderr);
    }
    ended.stderr
}

#[test]
fn a_run_that_failed_is_told_over_each_access() {
    for access in ["smtp", "smtp-tls", "smtp-ssl"] {
        let (site, smtp) = (Site::new(), Smtp::start(access));
        let tls = format!("tls = {{ ca_file = \"{}\" }}\n{LOGIN}", smtp.tls.file().display());
        site.configure(&smtp.toml(access, &tls), &site.refused(), "");
        archive(&site, 0, 3);
        let mail = smtp.mails(1).remove(0);
        assert_eq!(
            (mail.encrypted, mail.logged_in),
            (access != "smtp", true),
            "{access}: {USERNAME}"
        );
        assert_eq!(mail.to, ["admin@example.com"]);
        assert_eq!(mail.subject, "dropkeep: company failed: 0 seen, 0 archived, 0 failed");
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
    assert_eq!(
        mails[2].subject,
        "dropkeep: company works again: 2 seen, 2 archived, 0 failed"
    );
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
    assert_eq!(
        mail.subject,
        "dropkeep: company completed: 0 seen, 0 archived, 0 failed"
    );
    assert!(
        said.contains("550 no such user") && said.contains("bob@example.com"),
        "{said}"
    );
}

#[test]
fn a_mail_that_cannot_be_sent_fails_no_run_and_holds_none_up() {
    let (site, smtp) = (Site::new(), Smtp::start("smtp"));
    site.configure(
        &smtp.toml("smtp", "when = \"always\"").replace("5s", "60s"),
        &site.good(),
        "",
    );
    smtp.trick("", Trick::Silence, 100);
    let serving = site.appliance.serve();
    let started = Instant::now();
    for _ in 0..5 {
        site.appliance.done(&["archive", PROFILE]);
    }
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    assert!(wait_for(Duration::from_secs(20), || smtp.state().connections == 1));
    let started = Instant::now();
    serving.stop().expect(0);
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    assert!(smtp.state().mails.is_empty());
}

#[test]
fn what_passes_is_tried_again_and_what_does_not_is_given_up() {
    let (site, smtp) = (Site::new(), Smtp::start("smtp"));
    site.configure(&smtp.toml("smtp", "when = \"always\""), &site.good(), "");
    let serving = site.appliance.serve();
    let counted = |result: &str, count: usize| {
        let line = format!("dropkeep_notifications_total{{kind=\"mail\",result=\"{result}\"}} {count}\n");
        let seen = wait_for(Duration::from_secs(20), || serving.get("/metrics").1.contains(&line));
        assert!(seen, "{line}{}", serving.get("/metrics").1);
    };
    counted("sent", 0);
    counted("failed", 0);
    smtp.say("MAIL", "451 come again", 1);
    site.appliance.done(&["archive", PROFILE]);
    counted("sent", 1);
    assert_eq!(smtp.state().connections, 2);
    smtp.trick("DATA", Trick::Cut, 1);
    site.appliance.done(&["archive", PROFILE]);
    counted("sent", 2);
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
