use serde_json::json;

use crate::{
    notify::{
        Site,
        hook::Hook,
        smtp::{PASSWORD, Smtp, Trick, plain_response},
    },
    support::{appliance::text, control, tls::Identity},
};

/// What `notify --test` says of each, and its exit code.
fn tried(site: &Site, code: i32) -> Vec<(bool, String)> {
    let ended = site.appliance.run(&["notify", "--test", "--json"]).expect(code);
    let said = ended.text() + &ended.stderr;
    for secret in [PASSWORD, &plain_response(), "t0ken/secret"] {
        assert!(!said.contains(secret), "{said}");
    }
    let trial = |line: &serde_json::Value| (line["ok"] == true, text(line, "detail"));
    ended.lines().iter().map(trial).collect()
}

#[test]
fn certificates_are_judged_as_those_of_sources() {
    let site = Site::new();
    for access in ["smtp-tls", "smtp-ssl"] {
        let smtp = Smtp::start(access);
        let file = Identity::of_localhost().file();
        for (tls, code) in [
            (String::new(), 3),
            (format!("tls = {{ ca_file = \"{}\" }}", file.path().display()), 0),
            ("tls = { verify = \"none\" }".into(), 0),
            (
                format!(
                    "tls = {{ verify = \"pin\", pin = \"{}\" }}",
                    Identity::of_localhost().pin()
                ),
                0,
            ),
            (
                format!("tls = {{ verify = \"pin\", pin = \"sha256:{}\" }}", "ab".repeat(32)),
                3,
            ),
        ] {
            site.configure(&smtp.toml(access, &tls), &site.good(), "");
            let said = tried(&site, code);
            assert!(said.len() == 1 && said[0].0 == (code == 0), "{access} {tls}: {said:?}");
            assert!(code == 0 || said[0].1.contains("certificate"), "{said:?}");
        }
        let mails = smtp.mails(3);
        assert!(
            mails
                .iter()
                .all(|mail| mail.encrypted && mail.subject == "dropkeep: a test"),
            "{mails:?}"
        );
    }
}

#[test]
fn what_goes_wrong_is_said() {
    let site = Site::new();
    site.configure("", &site.good(), "");
    let ended = site.appliance.run(&["notify", "--test"]).expect(2);
    assert!(
        ended.stderr.contains("neither [mail] nor [webhook]"),
        "{}",
        ended.stderr
    );

    let login = format!("username = \"dropkeep@example.com\"\npassword = \"{PASSWORD}\"\n");
    let smtp = Smtp::start("smtp");
    let patient = smtp.toml("smtp", &login);
    let quick = patient.replace("timeout = \"10s\"", "timeout = \"1s\"");
    for (command, trick, words) in [
        ("", Trick::Silence, "within 1s"),
        ("", Trick::Cut, "greeting"),
        ("", Trick::Say("554 go away\r\n".into()), "554 go away"),
        ("", Trick::Say("x".repeat(300_000)), "greeting"),
        ("EHLO", Trick::Silence, "within 1s"),
        (
            "AUTH",
            Trick::Say(format!("535 no {PASSWORD}\r\n")),
            "check username and password",
        ),
        (
            "AUTH",
            Trick::Say(format!("535 no: AUTH PLAIN {}\r\n", plain_response())),
            "no: AUTH PLAIN ***",
        ),
        (
            "MAIL",
            Trick::Say("550 not from you\r\n".into()),
            "not from you; check from",
        ),
        ("RCPT", Trick::Say("550 nobody\r\n".into()), "nobody; check to"),
        ("DATA", Trick::Cut, "sending it"),
    ] {
        let table = match trick {
            Trick::Silence => &quick,
            _ => &patient,
        };
        site.configure(table, &site.good(), "");
        smtp.trick(command, trick, 1);
        let said = tried(&site, 3);
        assert!(!said[0].0 && said[0].1.contains(words), "{command} {words}: {said:?}");
    }
    assert_eq!(tried(&site, 0).len(), 1);
    let port = smtp.port;
    drop(smtp);
    let said = tried(&site, 3);
    assert!(
        said[0]
            .1
            .contains(&format!("localhost refused the connection on port {port}")),
        "{said:?}"
    );
    site.configure(
        &patient.replace(&format!("password = \"{PASSWORD}\""), "password_file = \"none\""),
        &site.good(),
        "",
    );
    let said = tried(&site, 2);
    assert!(said[0].1.contains("password_file "), "{said:?}");
}

#[test]
fn an_upgrade_that_is_not_offered_or_tampered_with_ends_before_the_password() {
    let site = Site::new();
    let login =
        format!("username = \"dropkeep@example.com\"\npassword = \"{PASSWORD}\"\ntls = {{ verify = \"none\" }}");
    let smtp = Smtp::start("smtp-tls");
    site.configure(&smtp.toml("smtp-tls", &login), &site.good(), "");
    for (command, answer, words) in [
        ("EHLO", "250-here\r\n250 AUTH PLAIN\r\n", "does not offer STARTTLS"),
        ("STARTTLS", "220 go on\r\n250 injected\r\n", "tampering"),
        ("STARTTLS", "454 not now\r\n", "454 not now"),
    ] {
        smtp.trick(command, Trick::Say(answer.into()), 1);
        let said = tried(&site, 3);
        assert!(said[0].1.contains(words), "{words}: {said:?}");
    }
    assert_eq!(tried(&site, 0), [(true, "localhost took it".to_owned())]);
    assert_eq!(smtp.mails(1)[0].to, ["admin@example.com"]);
}

#[test]
fn everyone_who_would_be_told_is() {
    let localhost = Identity::of_localhost();
    let (site, smtp, hook) = (Site::new(), Smtp::start("smtp"), Hook::start(Some(localhost)));
    let ca_file = localhost.file();
    let token = format!("token = \"t0ken/secret\"\nca_file = \"{}\"\n", ca_file.path().display());
    let own = "[profile.notify]\nto = [\"jane@example.com\", \"bob@example.com\"]\n";
    site.configure(
        &(smtp.toml("smtp", "when = \"never\"") + &hook.toml(&token)),
        &site.good(),
        own,
    );
    let ended = site.appliance.done(&["notify", "--test"]);
    assert_eq!(ended.text().matches("ok    ").count(), 3, "{}", ended.text());
    let mails = smtp.mails(2);
    assert_eq!(mails[1].to, ["jane@example.com", "bob@example.com"]);
    let call = hook.calls(1).remove(0);
    assert_eq!(call.body["profile"], "(test)");
    assert_eq!(call.request.field("authorization"), "Bearer t0ken/secret");
    hook.state().answers.push_back(Some("401 Unauthorized\r\n".into()));
    let said = tried(&site, 3);
    assert!(said[2].1.contains("401 Unauthorized") && said[0].0, "{said:?}");
    // The same asked of the one that serves.
    let serving = site.appliance.serve();
    let replies = control::ask(&site.appliance.data(), &json!("test_notices")).expect("an answer");
    let kinds: Vec<_> = replies
        .iter()
        .filter_map(|reply| reply["noticed"]["kind"].as_str())
        .collect();
    assert_eq!(kinds, ["mail", "mail", "webhook"], "{replies:?}");
    assert!(!json!(replies).to_string().contains("t0ken/secret"), "{replies:?}");
    serving.stop().expect(0);
    site.configure(&Hook::start(Some(localhost)).toml(""), &site.good(), "");
    let said = tried(&site, 3);
    assert!(!said[0].0, "{said:?}");
}
