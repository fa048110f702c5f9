//! What a run does, and says, where names are given a second time and where less comes than was announced.

use serde_json::Value;

use crate::{
    mailserver::{Fault, Mailbox, PASSWORD, Protocol, Server, at},
    names::history::cut,
    support::{
        appliance::{Appliance, PROFILE, Profile, assert_adds_up, number},
        identity::sha256,
        running::Running,
    },
};

/// All are of one size, and have one date.
fn mail(number: u32) -> Vec<u8> {
    format!(
        "From: out@elsewhere.example\r\nTo: jane@example.com\r\nSubject: message {number:03}\r\n\
         Message-ID: <{number:03}@elsewhere.example>\r\n\r\nmessage {number:03}\r\n"
    )
    .into_bytes()
}

struct Scene {
    server: Server,
    appliance: Appliance,
}

impl Scene {
    /// A mailbox of five messages; `more` are lines of the profile, from its top level on.
    fn new(protocol: Protocol, more: &str) -> Self {
        Self::with(protocol, "", more)
    }

    /// `recipients`: a line of `[profile.recipients]`.
    fn with(protocol: Protocol, recipients: &str, more: &str) -> Self {
        let server = Server::start(protocol, Mailbox::with((1..=5).map(mail)));
        let profile = Profile {
            access: protocol.access().into(),
            host: "127.0.0.1".into(),
            port: server.port,
            password: PASSWORD.into(),
            timeout: "20s".into(),
            tls: "{}".into(),
            recipients: format!("senders = false\n{recipients}"),
        };
        let top = more.split("[profile").next().unwrap_or_default();
        let table = profile
            .toml()
            .replacen("[profile.server]", &format!("{top}[profile.server]"), 1);
        let user = "[[user]]\nname = \"jane\"\naddresses = [\"jane@example.com\"]\n";
        let text = format!("{user}{table}{}\n", &more[top.len()..]);
        let appliance = Appliance::new(env!("CARGO_BIN_EXE_dropkeep"), &text);
        Self { server, appliance }
    }

    fn run(&self, code: i32) -> Value {
        self.run_later(0, code)
    }

    /// A run, so many hours from now.
    fn run_later(&self, hours: u32, code: i32) -> Value {
        let arguments = ["archive", PROFILE, "--json"];
        let mut command = self.appliance.command(&arguments);
        command.env("DROPKEEP_CLOCK", (3600 * hours).to_string());
        let run = Running::start(command, &arguments).wait().expect(code).json();
        assert_adds_up(&run);
        run
    }

    /// Which of the messages up to this one are in the archive.
    fn archived(&self, to: u32) -> Vec<u32> {
        let lines = self.appliance.done(&["list", "--user", "jane", "--json"]).lines();
        let has = |number: &u32| {
            lines
                .iter()
                .any(|line| line["sha256"] == sha256(&mail(*number)).as_str())
        };
        (1..=to).filter(has).collect()
    }

    fn standing(&self) -> usize {
        self.server.mailbox(|mailbox| mailbox.messages().count())
    }

    /// Another message under the name of the one at a place, which is gone.
    fn swap(&self, at: usize, number: u32) {
        self.server.mailbox(|mailbox| {
            let message = &mut mailbox.inbox().messages[at];
            (message.id, message.bytes) = (100 + number, mail(number));
        });
    }
}

fn told(run: &Value, words: &str) {
    let notices = run["notices"].to_string();
    assert!(notices.contains(words), "no {words:?} in {run:#}");
}

#[test]
fn a_mailbox_put_back_from_a_backup_gives_old_uids_to_new_mail_and_it_is_archived() {
    let scene = Scene::new(Protocol::Imap, "");
    let backup = scene.server.mailbox(|mailbox| {
        let mut inbox = mailbox.inbox().clone();
        inbox.messages.truncate(3);
        inbox.uidnext -= 2;
        inbox
    });
    scene.run(0);
    scene.server.mailbox(|mailbox| *mailbox.inbox() = backup);
    let run = scene.run(0);
    told(&run, "which is a UID that a message already had");
    scene
        .server
        .mailbox(|mailbox| [6, 7].map(|number| mailbox.deliver(mail(number))));
    assert_eq!(number(&scene.run(0), "archived"), 2);
    assert_eq!(scene.archived(7), [1, 2, 3, 4, 5, 6, 7]);
    let quiet = scene.run(0);
    assert_eq!(
        (number(&quiet, "seen"), &quiet["notices"]),
        (0, &serde_json::json!([])),
        "it is said once"
    );
}

#[test]
fn uids_given_a_second_time_are_noticed_though_uidnext_has_grown_beyond_them() {
    let scene = Scene::new(Protocol::Imap, "");
    scene.run(0);
    scene.server.mailbox(|mailbox| {
        mailbox.inbox().messages.truncate(3);
        mailbox.inbox().uidnext -= 2;
        for number in 6..=9 {
            mailbox.deliver(mail(number));
        }
    });
    let run = scene.run(0);
    told(&run, "is not the message that was archived under it");
    assert_eq!(scene.archived(9), [1, 2, 3, 4, 5, 6, 7, 8, 9], "{run:#}");
}

#[test]
fn uidls_that_are_but_numbers_are_believed_by_the_header_alone() {
    let scene = Scene::new(Protocol::Pop3, "");
    scene.server.mailbox(|mailbox| {
        for (at, message) in (1..).zip(&mut mailbox.inbox().messages) {
            message.uidl = format!("{at}");
        }
    });
    scene.run(0);
    assert_eq!(
        number(&scene.run(0), "seen"),
        0,
        "what is the same is not fetched again"
    );
    scene.swap(2, 6);
    let run = scene.run(0);
    assert_eq!((number(&run, "archived"), number(&run, "reopened")), (1, 1), "{run:#}");
    told(&run, "differ in their headers");
    assert_eq!(scene.archived(6), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_uidl_with_another_size_is_another_message() {
    let scene = Scene::new(Protocol::Pop3, "");
    scene.run(0);
    scene
        .server
        .mailbox(|mailbox| mailbox.inbox().messages[1].bytes.extend_from_slice(b"and more\r\n"));
    let run = scene.run(0);
    assert_eq!((number(&run, "archived"), number(&run, "reopened")), (1, 1), "{run:#}");
    told(&run, "differ in size");
}

#[test]
fn what_no_listing_shows_is_found_when_headers_are_compared_again() {
    for protocol in [Protocol::Imap, Protocol::Pop3] {
        let scene = Scene::new(protocol, "recheck = \"1h\"\n");
        scene.run(0);
        scene.swap(2, 6);
        let run = scene.run_later(2, 0);
        assert_eq!(number(&run, "archived"), 1, "{protocol:?}: {run:#}");
        assert!(scene.archived(6).contains(&6), "{protocol:?}");
    }
    let never = Scene::new(Protocol::Imap, "recheck = \"never\"\n");
    never.run(0);
    let before = never.server.heard().len();
    never.run(0);
    let asked = never.server.heard()[before..]
        .iter()
        .filter(|line| line.contains("FETCH"))
        .count();
    assert_eq!(asked, 1, "an ordinary run looks at one header");
}

#[test]
fn before_a_copy_is_deleted_the_server_shows_that_it_is_what_was_archived() {
    for (protocol, capabilities) in [
        (Protocol::Imap, None),
        (Protocol::Pop3, None),
        // Without TOP whole messages are compared.
        (Protocol::Pop3, Some(["USER", "UIDL"])),
    ] {
        let scene = Scene::new(protocol, "[profile.delete]\nwhen = \"archived\"\nafter = \"1h\"\n");
        if let Some(capabilities) = capabilities {
            scene.server.capabilities(&capabilities);
        }
        scene.run(0);
        scene.swap(2, 6);
        // What came in its place is archived, and has its time later.
        let notices = [2, 4].map(|hours| scene.run_later(hours, 0)["notices"].to_string());
        assert_eq!(scene.standing(), 0, "{protocol:?}");
        let notices = notices.concat();
        assert!(
            notices.contains("before deletion, some messages turned out not to be"),
            "{notices}"
        );
        assert_eq!(scene.archived(6), [1, 2, 3, 4, 5, 6], "{protocol:?}");
    }
}

/// The third message comes cut, in these answers.
fn cut_third(protocol: Protocol, empty: bool) -> Fault {
    let command = match protocol {
        Protocol::Imap => "FETCH BODY",
        Protocol::Pop3 => "RETR",
    };
    at(command)
        .message(3)
        .change(move |answer| cut(protocol, &answer, empty))
}

#[test]
fn a_message_that_comes_empty_or_by_half_once_is_fetched_again_over_another_connection() {
    for (protocol, empty) in [
        (Protocol::Imap, true),
        (Protocol::Imap, false),
        (Protocol::Pop3, true),
        (Protocol::Pop3, false),
    ] {
        let scene = Scene::new(protocol, "");
        scene.server.misbehave(vec![cut_third(protocol, empty).once()]);
        let run = scene.run(0);
        assert_eq!((number(&run, "seen"), number(&run, "archived")), (5, 5), "{run:#}");
        assert_eq!(scene.archived(5), [1, 2, 3, 4, 5]);
        assert_eq!(scene.server.connections(), 2);
    }
}

#[test]
fn a_message_that_comes_empty_again_stays_open_and_is_never_deleted() {
    for protocol in [Protocol::Imap, Protocol::Pop3] {
        let scene = Scene::new(protocol, "[profile.delete]\nwhen = \"archived\"\n");
        scene.server.misbehave(vec![cut_third(protocol, true)]);
        let run = scene.run(1);
        assert_eq!((number(&run, "archived"), number(&run, "failed")), (4, 1), "{run:#}");
        assert!(run["errors"].to_string().contains("sends nothing"), "{run:#}");
        assert_eq!(scene.standing(), 1);
        scene.server.behave();
        assert_eq!(number(&scene.run(0), "archived"), 1);
        assert_eq!((scene.archived(5).len(), scene.standing()), (5, 0));
    }
}

#[test]
fn an_empty_message_is_archived_when_that_is_asked_for() {
    let scene = Scene::new(Protocol::Imap, "empty = \"archive\"\n");
    scene.server.misbehave(vec![cut_third(Protocol::Imap, true)]);
    let run = scene.run(0);
    assert_eq!((number(&run, "archived"), number(&run, "failed")), (5, 0), "{run:#}");
}

#[test]
fn half_of_a_message_again_is_archived_and_named_and_stays_on_the_server_until_it_comes_whole() {
    for protocol in [Protocol::Imap, Protocol::Pop3] {
        let scene = Scene::new(protocol, "recheck = \"1h\"\n[profile.delete]\nwhen = \"archived\"\n");
        scene.server.misbehave(vec![cut_third(protocol, false)]);
        let run = scene.run(0);
        assert_eq!((number(&run, "archived"), number(&run, "deleted")), (5, 4), "{run:#}");
        assert!(run["errors"].to_string().contains("twice the same"), "{run:#}");
        told(&run, "announces more bytes");
        assert_eq!(scene.archived(5), [1, 2, 4, 5]);
        let dry = scene
            .appliance
            .done(&["archive", PROFILE, "--dry-run", "--json"])
            .json();
        assert_eq!(number(&dry, "would_delete"), 0, "{dry:#}");
        scene.server.behave();
        scene.run_later(2, 0);
        assert_eq!((scene.archived(5).len(), scene.standing()), (5, 0), "{protocol:?}");
    }
}

const STAND_IN: &[u8] = b"From: System Administrator <root@localhost>\r\nSubject: message unavailable\r\n\r\n\
    This message is no longer available on the server.\r\n";

#[test]
fn what_courier_gives_for_a_message_that_it_cannot_open_is_no_message() {
    let scene = Scene::new(Protocol::Imap, "");
    scene
        .server
        .mailbox(|mailbox| mailbox.message(2).bytes = STAND_IN.to_vec());
    let run = scene.run(1);
    assert_eq!((number(&run, "archived"), number(&run, "failed")), (4, 1), "{run:#}");
    assert!(run["errors"].to_string().contains("Courier"), "{run:#}");
    scene.server.mailbox(|mailbox| mailbox.message(2).bytes = mail(2));
    assert_eq!(number(&scene.run(0), "archived"), 1);
    assert_eq!(scene.archived(5).len(), 5);
}

#[test]
fn what_courier_gives_for_a_message_that_it_cannot_open_was_skipped_as_mail_for_nobody() {
    let scene = Scene::with(Protocol::Imap, "unknown = \"skip\"\n", "");
    scene
        .server
        .mailbox(|mailbox| mailbox.message(2).bytes = STAND_IN.to_vec());
    let run = scene.run(1);
    assert_eq!((number(&run, "archived"), number(&run, "failed")), (4, 1), "{run:#}");
    assert!(run["errors"].to_string().contains("Courier"), "{run:#}");
}

/// Its announced size is right, and so is its header, as long as the server cannot open the file.
#[test]
fn what_courier_gives_was_archived_where_empty_messages_are_and_the_message_itself_deleted() {
    let scene = Scene::new(
        Protocol::Imap,
        "empty = \"archive\"\n[profile.delete]\nwhen = \"archived\"\n",
    );
    scene
        .server
        .mailbox(|mailbox| mailbox.message(2).bytes = STAND_IN.to_vec());
    let run = scene.run(1);
    assert_eq!((number(&run, "archived"), number(&run, "failed")), (4, 1), "{run:#}");
    assert_eq!(scene.standing(), 1);
    scene.server.mailbox(|mailbox| mailbox.message(2).bytes = mail(2));
    assert_eq!(number(&scene.run(0), "archived"), 1);
    assert_eq!((scene.archived(5).len(), scene.standing()), (5, 0));
}

#[test]
fn a_server_with_another_uidvalidity_each_time_is_named() {
    let scene = Scene::new(Protocol::Imap, "");
    let restless = at("EXAMINE").meanwhile(|mailbox| mailbox.inbox().uidvalidity += 1);
    scene.server.misbehave(vec![restless]);
    scene.run(0);
    let once = scene.run(0);
    assert_eq!(
        once["notices"],
        serde_json::json!([]),
        "once is a mailbox that was made anew"
    );
    let twice = scene.run(0);
    told(&twice, "another UIDVALIDITY each time");
}

#[test]
fn what_came_short_from_a_server_with_another_uidvalidity_each_time_was_never_archived() {
    let scene = Scene::new(Protocol::Imap, "");
    let restless = at("EXAMINE").meanwhile(|mailbox| mailbox.inbox().uidvalidity += 1);
    scene.server.misbehave(vec![restless, cut_third(Protocol::Imap, false)]);
    let run = scene.run(0);
    assert!(run["errors"].to_string().contains("twice the same"), "{run:#}");
    assert_eq!(
        scene
            .appliance
            .done(&["list", "--user", "jane", "--json"])
            .lines()
            .len(),
        5,
        "{run:#}"
    );
    scene.server.misbehave(vec![
        at("EXAMINE").meanwhile(|mailbox| mailbox.inbox().uidvalidity += 1),
        cut_third(Protocol::Imap, true),
    ]);
    let run = scene.run(1);
    assert!(run["errors"].to_string().contains("sends nothing"), "{run:#}");
}

#[test]
fn other_mail_of_any_size_under_an_old_uid_was_fetched_to_be_compared() {
    let scene = Scene::new(
        Protocol::Imap,
        "[profile.delete]\nwhen = \"archived\"\nafter = \"1h\"\n",
    );
    scene.run(0);
    let huge = |answer: Vec<u8>| {
        let text = String::from_utf8_lossy(&answer).into_owned();
        let (before, rest) = text.split_once("RFC822.SIZE ").expect("a size");
        let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        format!("{before}RFC822.SIZE 4000000000{rest}").into_bytes()
    };
    let fetched = || {
        scene
            .server
            .heard()
            .iter()
            .filter(|line| line.contains("BODY.PEEK[]"))
            .count()
    };
    let before = fetched();
    scene.server.misbehave(vec![at("FETCH SIZE").message(2).change(huge)]);
    let run = scene.run_later(2, 0);
    assert_eq!((number(&run, "deleted"), number(&run, "too_large")), (4, 1), "{run:#}");
    assert_eq!((scene.standing(), fetched()), (1, before));
}

#[test]
fn a_listing_of_unique_ids_that_was_refused_made_all_mail_new() {
    let scene = Scene::new(Protocol::Pop3, "");
    scene.server.capabilities(&["TOP", "PIPELINING"]);
    scene.run(0);
    scene.server.mailbox(|mailbox| mailbox.deliver(mail(6)));
    scene.server.misbehave(vec![at("UIDL").instead("-ERR try later\r\n")]);
    let run = scene.run(0);
    assert_eq!(
        (number(&run, "archived"), number(&run, "duplicates")),
        (1, 5),
        "{run:#}"
    );
    scene.server.behave();
    assert_eq!(
        number(&scene.run(0), "seen"),
        1,
        "the five are known by their names as before"
    );
}

#[test]
fn a_listing_that_leaves_some_out_made_a_copy_vanish() {
    let scene = Scene::new(Protocol::Imap, "");
    scene.server.misbehave(vec![
        at("FETCH BODY").message(3).change(|_| Vec::new()),
        at("SEARCH")
            .nth(2)
            .instead("* 2 EXISTS\r\n* SEARCH 1 2\r\n{tag} OK done\r\n"),
    ]);
    let run = scene.run(1);
    assert_eq!((number(&run, "archived"), number(&run, "failed")), (4, 1), "{run:#}");
    scene.server.behave();
    assert_eq!(number(&scene.run(0), "archived"), 1);
}

#[test]
fn a_mailbox_that_was_made_anew_with_another_uidvalidity_is_nothing_to_be_told() {
    let scene = Scene::new(Protocol::Imap, "");
    scene.run(0);
    scene.server.mailbox(|mailbox| {
        let inbox = mailbox.inbox();
        inbox.messages.truncate(2);
        inbox.renumber();
    });
    let run = scene.run(0);
    assert_eq!(
        (number(&run, "duplicates"), &run["notices"]),
        (2, &serde_json::json!([])),
        "{run:#}"
    );
}
