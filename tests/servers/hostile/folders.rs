//! Folders that are listed and may not be read, and patterns that nothing matches.

use crate::hostile::{
    case::{self, JANE, archive, profile, run_of},
    mailserver::{Protocol, Server, at},
    support::appliance::{Appliance, PROFILE, number, text},
};

const DENIED: &str = "{tag} NO [NOPERM] Permission denied (0.001 + 0.000 secs).\r\n";

/// The usual messages in INBOX, and one in another folder.
fn server() -> Server {
    let mut mailbox = case::mailbox();
    mailbox.add_folder("Public/Secret");
    mailbox.add_folder("Public/Team");
    mailbox.deliver_to("Public/Team", case::message(9, 3));
    Server::start(Protocol::Imap, mailbox)
}

fn appliance(server: &Server, include: &str, more: &str) -> Appliance {
    let jane = format!("[[user]]\nname = \"{JANE}\"\naddresses = [\"{JANE}@example.com\"]\n");
    let folders = format!("[profile.folders]\ninclude = [{include}]\n{more}");
    Appliance::new(
        env!("CARGO_BIN_EXE_dropkeep"),
        &(jane + &profile(Protocol::Imap, server.port, "30s").toml() + &folders),
    )
}

#[test]
fn a_folder_that_a_pattern_found_and_that_may_not_be_read_is_told_of_and_the_others_are_archived() {
    for more in ["", "[profile.delete]\nwhen = \"archived\"\n"] {
        let server = server();
        let appliance = appliance(&server, "\"*\"", more);
        server.misbehave(vec![at("EXAMINE").nth(2).instead(DENIED)]);
        let outcome = appliance.run(&["test", PROFILE]).expect(0);
        let said = outcome.text();
        assert!(
            said.contains("Public/Secret") && said.contains("Permission denied"),
            "{said}"
        );
        assert!(said.contains("folder Public/Team: 1 messages"), "{said}");

        server.misbehave(vec![at("EXAMINE").nth(2).instead(DENIED)]);
        let run = run_of(&appliance, archive(&appliance).expect(0));
        assert_eq!(number(&run, "archived"), 8, "{run:#}");
        assert!(run["errors"].as_array().expect("errors").is_empty(), "{run:#}");
        let notices = run["notices"].to_string();
        assert!(
            notices.contains("Public/Secret") && notices.contains("Permission denied"),
            "{notices}"
        );
    }
}

#[test]
fn a_folder_that_is_named_and_may_not_be_read_is_an_error() {
    let server = server();
    let appliance = appliance(&server, "\"INBOX\", \"Public/Secret\"", "");
    server.misbehave(vec![at("EXAMINE").nth(2).instead(DENIED)]);
    let outcome = appliance.run(&["test", PROFILE]).expect(1);
    assert!(outcome.text().contains("Public/Secret"), "{}", outcome.text());
    server.misbehave(vec![at("EXAMINE").nth(2).instead(DENIED)]);
    let run = run_of(&appliance, archive(&appliance).expect(1));
    assert_eq!(text(&run["errors"][0], "folder"), "Public/Secret", "{run:#}");
    assert_eq!(number(&run, "archived"), 7);
}

#[test]
fn where_no_folder_may_be_read_the_run_is_no_success() {
    let server = server();
    let appliance = appliance(&server, "\"Public/*\"", "");
    server.misbehave(vec![at("EXAMINE").instead(DENIED)]);
    let run = run_of(&appliance, archive(&appliance).expect(1));
    assert!(
        run["errors"].to_string().contains("no right to read any folder"),
        "{run:#}"
    );
    appliance.run(&["test", PROFILE]).expect(1);
}

#[test]
fn patterns_that_match_nothing_are_named_with_what_there_is_and_the_profile_does_not_work() {
    let server = server();
    let appliance = appliance(&server, "\"INBOX\", \"Journal*\", \"Sent %\"", "");
    let run = run_of(&appliance, archive(&appliance).expect(1));
    assert_eq!(number(&run, "archived"), 7, "{run:#}");
    let errors = run["errors"].as_array().expect("errors");
    assert_eq!(errors.len(), 2, "{run:#}");
    for (error, pattern) in errors.iter().zip(["Journal*", "Sent %"]) {
        assert_eq!(text(error, "folder"), pattern);
        assert!(text(error, "error").contains("Public/Team"), "{error}");
    }
    let said = appliance.run(&["test", PROFILE]).expect(1).text();
    for named in ["Journal*", "Sent %", "Public/Team", "does not work"] {
        assert!(said.contains(named), "no {named} in {said}");
    }
    appliance.run(&["archive", PROFILE, "--dry-run"]).expect(1);
}
