//! A server that offers PIPELINING and answers what comes early in the middle of a message, as WildDuck does.

use std::time::{Duration, Instant};

use dropkeep::source::{Disposition, SourceError, Want};

use crate::{
    pop3_scripted::{ALL, fetch, server, session_of, window},
    scripted::{Move, Scripted, answer, hear, say},
    session::{SILENCE, connect},
};

const MESSAGES: usize = 3;

fn message(number: usize) -> String {
    format!("Subject: number {number}\r\n\r\nHello\r\n")
}

/// A session in which messages are asked for one after the other.
fn one_at_a_time(command: &str) -> Vec<Move> {
    let asked = |number| {
        let lines = format!("+OK\r\n{}.", message(number));
        answer(&format!("{command} {number}"), &[&lines])
    };
    let goes_on = answer("NOOP", &["+OK"]);
    session_of(ALL, MESSAGES, (1..=MESSAGES).map(asked).chain([goes_on]).collect())
}

/// One in which what comes early is answered within the first message, and lost.
fn in_the_midst(command: &str) -> Vec<Move> {
    let numbers = 1..=MESSAGES;
    let asked = numbers.map(|number| hear(&format!("{command} {number}")));
    let lost = say(&[&format!("+OK\r\n{}{}.", message(1), "+OK\r\n".repeat(MESSAGES))]);
    session_of(ALL, MESSAGES, asked.chain([hear("NOOP"), lost, Move::Hang]).collect())
}

#[tokio::test]
async fn a_server_that_answers_in_the_midst_of_a_message_gets_one_command_at_a_time_from_then_on() {
    for (want, command) in [(Want::Whole, "RETR"), (Want::Header, "TOP")] {
        let scripted = Scripted::play_in_turn(vec![
            in_the_midst(command),
            one_at_a_time(command),
            one_at_a_time(command),
        ]);
        let server = server(scripted.port).with_timeout(SILENCE);

        let mut session = connect(&server).await.expect("a session");
        session.open("INBOX").await.expect("INBOX");
        let (got, ended) = fetch(&mut session, want).await;
        assert!(got.is_empty(), "{got:?}");
        let error = ended.expect_err("an answer is missing");
        assert_eq!(error.disposition(), Disposition::Reconnect);
        let words = error.to_string();
        assert!(matches!(error, SourceError::Protocol { .. }), "{words}");
        assert!(words.contains("one command at a time"), "{words}");
        assert!(!words.contains("`timeout`"), "{words}");
        drop(session);

        for _ in 0..2 {
            let mut session = connect(&server).await.expect("a session");
            session.open("INBOX").await.expect("INBOX");
            let (got, ended) = fetch(&mut session, want).await;
            assert_eq!(ended.expect("messages"), []);
            let got: Vec<_> = got.iter().map(|one| one.bytes.to_vec()).collect();
            assert_eq!(
                got,
                (1..=MESSAGES)
                    .map(|number| message(number).into_bytes())
                    .collect::<Vec<_>>()
            );
        }
        scripted.done();
    }
}

/// Answers come in two writes, of which the second waits for the first one's acknowledgement.
#[tokio::test]
async fn one_command_at_a_time_does_not_wait_for_late_acknowledgements() {
    const MESSAGES: usize = 60;
    /// Acknowledgements that are late come after this time at the earliest.
    const LATE: Duration = Duration::from_millis(40);
    let asked = |number| {
        let retr = answer(&format!("RETR {number}"), &["+OK"]);
        [retr, say(&[&format!("{}.", message(1))])]
    };
    let fetches = (1..=MESSAGES).flat_map(asked).chain([answer("NOOP", &["+OK"])]);
    let script = session_of(&["USER", "UIDL"], MESSAGES, fetches.collect());
    let scripted = Scripted::play([vec![Move::Nagle], script].concat());
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    session.open("INBOX").await.expect("INBOX");
    let window = window(&mut session).await;
    let mut came = vec![Instant::now()];
    let ended = session
        .fetch(&window, Want::Whole, &mut |_| came.push(Instant::now()))
        .await;
    assert_eq!((came.len() - 1, ended.expect("messages").len()), (MESSAGES, 0));
    // A busy machine holds up some of them, or most; acknowledgements that are late would hold up all.
    let mut took: Vec<_> = came.windows(2).map(|pair| pair[1] - pair[0]).collect();
    took.sort();
    assert!(took[MESSAGES / 4] < LATE / 2, "{took:?}");
    scripted.done();
}
