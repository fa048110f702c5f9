//! `test` before servers that give out nothing: it fails, and says what it did not get.

use crate::hostile::{
    case::{self, JANE, profile},
    mailserver::{Fault, Protocol, Server, at},
    support::appliance::{Appliance, PROFILE},
};

fn tested(fault: Fault, code: i32) -> String {
    let server = Server::start(Protocol::Imap, case::mailbox());
    let jane = format!("[[user]]\nname = \"{JANE}\"\naddresses = [\"{JANE}@example.com\"]\n");
    let appliance = Appliance::new(
        env!("CARGO_BIN_EXE_dropkeep"),
        &(jane + &profile(Protocol::Imap, server.port, "30s").toml()),
    );
    server.misbehave(vec![fault]);
    let said = appliance.run(&["test", PROFILE]).expect(code).text();
    if code != 0 {
        for praise in ["the profile works", "the rules fit", "the source can be archived"] {
            assert!(!said.contains(praise), "{said}");
        }
    }
    said
}

/// The answer to a fetch of one whole message, with none of its bytes.
fn without_body(answer: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8_lossy(&answer).into_owned();
    let Some((before, rest)) = text.split_once("BODY[] {") else {
        return answer;
    };
    let (size, rest) = rest.split_once("}\r\n").expect("a literal");
    let size: usize = size.parse().expect("its size");
    format!("{before}BODY[] {{0}}\r\n{}", &rest[size..]).into_bytes()
}

#[test]
fn the_headers_of_the_newest_0_messages_were_enough_for_a_profile_that_works() {
    let said = tested(at("FETCH BODY").instead("{tag} OK done\r\n"), 1);
    assert!(said.contains("the server sent no header of the newest"), "{said}");
    let said = tested(at("FETCH SIZE").instead("{tag} OK done\r\n"), 1);
    assert!(said.contains("gives the size of none"), "{said}");
    let said = tested(at("FETCH BODY").instead("{tag} NO [SERVERBUG] not now\r\n"), 1);
    assert!(said.contains("not now"), "{said}");
}

#[test]
fn headers_came_and_messages_did_not() {
    let said = tested(at("FETCH BODY").change(without_body), 1);
    assert!(
        said.contains("FAIL  message") && said.contains("none of 3 messages came whole"),
        "{said}"
    );
}

#[test]
fn a_message_whose_header_is_refused_hides_no_other() {
    let said = tested(at("FETCH BODY").once().instead("{tag} NO [SERVERBUG] not now\r\n"), 0);
    assert!(said.contains("looked at the headers of the newest"), "{said}");
}

#[test]
fn a_folder_that_no_run_can_archive_was_no_more_than_a_warning() {
    let odd = at("LIST").ahead("* LIST (\\HasNoChildren \"/\" Odd\r\n");
    let said = tested(odd, 1);
    assert!(said.contains("FAIL  folder") && said.contains("left out"), "{said}");
}
