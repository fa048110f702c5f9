//! Servers that offer PIPELINING (RFC 2449, 6.6) and do not bear it: one answers a command that comes early in the
//! middle of a message (WildDuck), others pass over what stands behind the first line that they read, or close.
//!
//! What such a server did once it does again, in whatever session. So it is remembered, and the server gets one command
//! at a time: for as long as this process lives where it is certain, for an hour where it may have been the network.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use crate::{config::Server, source::SourceError};

const FOR_NOW: Duration = Duration::from_secs(3600);

/// Until when a server gets one command at a time; `None`: for good. There are no more servers than profiles named.
type InTurn = BTreeMap<(String, u16), Option<Instant>>;

static IN_TURN: Mutex<InTurn> = Mutex::new(InTurn::new());

/// Whether a session may send commands before it has the answers to those before.
#[derive(Debug)]
pub(super) struct Turns {
    server: (String, u16),
    pipelining: bool,
}

impl Turns {
    /// `offered`: whether the server says that it can.
    pub fn new(server: &Server, offered: bool) -> Self {
        let server = (server.host.clone(), server.port());
        let known = IN_TURN.lock();
        let in_turn = known
            .get(&server)
            .is_some_and(|until| until.is_none_or(|until| Instant::now() < until));
        Self {
            server,
            pipelining: offered && !in_turn,
        }
    }

    pub fn are_pipelined(&self) -> bool {
        self.pipelining
    }

    /// What a failure is that came while commands were on their way. `certain`: an answer stands in the middle of a
    /// message; `within`: a message was being read, and its end did not come.
    pub fn failed(&self, error: SourceError, certain: bool, within: bool) -> SourceError {
        const NOW: &str = "the server offers PIPELINING (RFC 2449, 6.6), and it gets one command at a time from now on";
        let lost = matches!(
            error,
            SourceError::Timeout { step: None, .. } | SourceError::Protocol { .. } | SourceError::Lost { .. }
        );
        if !self.pipelining || !lost {
            return error;
        }
        let until = (!certain).then(|| Instant::now() + FOR_NOW);
        let mut known = IN_TURN.lock();
        let was = known.entry(self.server.clone()).or_insert(until);
        *was = was.and(until);
        drop(known);
        let midst = "an answer to a command behind it came in the middle of a message";
        match error {
            // Where an answer is missing, that it was waited for too short a time is the last thing to think of.
            SourceError::Timeout { during, after, .. } if certain || !within => SourceError::Protocol {
                command: during.trim_start_matches(" during ").to_owned(),
                detail: match certain {
                    true => format!("{midst}, and none in its turn; {NOW}"),
                    false => format!("none came for {}; {NOW}", humantime::format_duration(after)),
                },
            },
            SourceError::Protocol { command, detail } => SourceError::Protocol {
                command,
                detail: format!("{detail}; {NOW}"),
            },
            SourceError::Lost { command, words } if certain => SourceError::Lost {
                command,
                words: format!("{words}, after {midst}; {NOW}"),
            },
            error => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Access;

    fn turns(host: &str) -> Turns {
        Turns::new(&Server::new(Access::Pop3, host, 110, "all@example.com"), true)
    }

    fn silent() -> SourceError {
        SourceError::Timeout {
            host: "mail.example".into(),
            during: " during NOOP".into(),
            after: Duration::from_secs(60),
            step: None,
        }
    }

    fn lost() -> SourceError {
        SourceError::Lost {
            command: "RETR".into(),
            words: "the server closed it".into(),
        }
    }

    #[test]
    fn a_server_that_does_not_answer_in_turn_gets_one_command_at_a_time_from_then_on() {
        for (host, error, certain) in [
            ("midst.example", silent(), true),
            ("first.example", silent(), false),
            ("closes.example", lost(), true),
        ] {
            let session = turns(host);
            assert!(session.are_pipelined());
            let words = session.failed(error, certain, false).to_string();
            assert!(
                words.contains("one command at a time") && !words.contains("`timeout`"),
                "{words}"
            );
            assert!(!turns(host).are_pipelined() && turns("other.example").are_pipelined());
            let until = IN_TURN.lock()[&(host.to_owned(), 110)];
            assert_eq!(until.is_none(), certain, "{host}");
        }
        // What is certain stays so.
        turns("midst.example").failed(silent(), false, false);
        assert!(IN_TURN.lock()[&("midst.example".to_owned(), 110)].is_none());
    }

    #[test]
    fn what_does_not_come_of_it_stays_as_it_is() {
        let server = Server::new(Access::Pop3, "slow.example", 110, "all@example.com");
        let one_at_a_time = Turns::new(&server, false);
        assert_eq!(
            one_at_a_time.failed(silent(), true, false).to_string(),
            silent().to_string()
        );
        let refused = || SourceError::Refused {
            command: "RETR".into(),
            words: "no".into(),
        };
        assert_eq!(
            turns("slow.example").failed(refused(), true, false).to_string(),
            refused().to_string()
        );
        assert!(turns("slow.example").are_pipelined());
        // A message that does not end may take longer.
        assert_eq!(
            turns("slow.example").failed(silent(), false, true).to_string(),
            silent().to_string()
        );
    }
}
