//! What a server says of itself that matters to an archive (RFC 2449, 6.5 and 6.7).

use super::Pop3Session;
use crate::said::{Said, said};

impl Pop3Session {
    pub(in crate::source) fn warnings(&self) -> Vec<Said> {
        self.capabilities.iter().filter_map(|line| warning(line)).collect()
    }
}

fn warning(capability: &str) -> Option<Said> {
    let mut words = capability.split_ascii_whitespace();
    let (name, value) = (words.next()?, words.next()?);
    // It may differ from user to user; after the login it is that of this one.
    if name.eq_ignore_ascii_case("EXPIRE") {
        return match value {
            // NEVER, or what no server should say.
            _ if value.parse::<u32>().is_err() => None,
            "0" => Some(said!(
                ExpireAtOnce,
                "the server may delete messages as soon as they were fetched (EXPIRE 0), whether they are archived or not: \
                 what a run fetches and cannot archive may be lost, and so is what another program fetches; have the server \
                 keep messages, or use IMAP"
            )),
            days => Some(said!(
                ExpireAfter,
                "the server may delete messages after {0} days (EXPIRE {0}), archived or not: the profile must run more \
                 often than that",
                days
            )),
        };
    }
    let seconds: u32 = value.parse().ok().filter(|seconds| *seconds > 0)?;
    name.eq_ignore_ascii_case("LOGIN-DELAY").then(|| {
        said!(
            LoginDelay,
            "the server wants {0} seconds between two logins (LOGIN-DELAY {0}): a schedule that runs more often is refused",
            seconds
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_deletes_by_itself_is_said() {
        for (capability, word) in [
            ("EXPIRE 0", "as soon as they were fetched"),
            ("expire 0 USER", "as soon as they were fetched"),
            ("EXPIRE 30", "after 30 days"),
            ("LOGIN-DELAY 900", "900 seconds"),
            ("Login-Delay 60 USER", "60 seconds"),
        ] {
            let said = warning(capability).expect(capability);
            assert!(said.contains(word), "{capability}: {said}");
        }
        for harmless in [
            "EXPIRE NEVER",
            "EXPIRE",
            "LOGIN-DELAY 0",
            "LOGIN-DELAY",
            "UIDL",
            "",
            "SASL 0",
        ] {
            assert_eq!(warning(harmless), None, "{harmless}");
        }
    }
}
