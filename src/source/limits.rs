//! Servers that ask to come again later: by response codes, or in words of their own.
//!
//! A wrong password is never taken for such a request, whatever else the server says with it.

use std::time::Duration;

use super::SourceError;

/// A server asks to come again later.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wait {
    /// How long, where it says so.
    pub suggested: Option<Duration>,
    /// It counts connections, so fewer at once may do.
    pub fewer_connections: bool,
}

/// The longest time that is taken from a server's words.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Codes that ask to wait: RFC 5530 (IMAP), RFC 2449 and RFC 3206 (POP3), Gmail's THROTTLED and OVERQUOTA.
const CODES: [&str; 8] = [
    "UNAVAILABLE",
    "INUSE",
    "LIMIT",
    "THROTTLED",
    "OVERQUOTA",
    "IN-USE",
    "LOGIN-DELAY",
    "SYS/TEMP",
];

/// Codes that mean the login itself (RFC 5530; RFC 3206), or what waiting does not change.
const FINAL: [&str; 7] = [
    "AUTHENTICATIONFAILED",
    "AUTHORIZATIONFAILED",
    "EXPIRED",
    "CONTACTADMIN",
    "NOPERM",
    "AUTH",
    "SYS/PERM",
];

/// Commands by which mail is written. To these, OVERQUOTA says that the target is full.
const WRITING: [&str; 3] = ["COPY", "MOVE", "CREATE"];

/// Words of servers that use no code, in lower case. Each has its server in the tests.
const WORDS: [&str; 22] = [
    "too many simultaneous",
    "too many concurrent",
    "too many connections",
    "too many open connections",
    "too many sessions",
    "too many requests",
    "maximum number of connections",
    "maximum connection",
    "connection limit",
    "command or bandwidth limit",
    "bandwidth limit",
    "rate limit",
    "throttled",
    "server busy",
    "server is busy",
    "server unavailable",
    "connection is closed. 13",
    "connection closed. 14",
    "temporarily unavailable",
    "try again later",
    "mailbox is locked",
    "lock busy",
];

/// What a server that refuses a login for itself also says, in lower case; some offer every reason at once.
const CREDENTIALS: [&str; 11] = [
    "password",
    "credential",
    "invalid",
    "incorrect",
    "unknown user",
    "authentication fail",
    "authorization fail",
    "login fail",
    "logon fail",
    "failed login",
    "not allowed",
];

/// An error of the system's, which is no word of a server.
const OF_THE_SYSTEM: &str = "(os error";

impl SourceError {
    /// Whether the server asks to come again later, in its greeting, in answer to a login or a command, or with a BYE.
    pub fn wait(&self) -> Option<Wait> {
        match self {
            Self::Greeting { words, .. } => wait(words, ""),
            Self::Login { words, .. } => wait(words, ""),
            Self::Refused { command, words } | Self::Lost { command, words } => wait(words, command),
            Self::Connecting { failure, .. } => failure.wait(),
            _ => None,
        }
    }

    /// Whether the server does not take this password or token. Not where it would take it later.
    pub fn is_refused_login(&self) -> bool {
        matches!(self, Self::Login { .. }) && self.wait().is_none()
    }
}

fn wait(words: &str, command: &str) -> Option<Wait> {
    let code = leading_code(words);
    let is = |codes: &[&str]| codes.iter().any(|known| code.eq_ignore_ascii_case(known));
    let lower = words.to_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| lower.contains(phrase));
    if is(&FINAL) || lower.contains(OF_THE_SYSTEM) {
        return None;
    }
    if code.eq_ignore_ascii_case("OVERQUOTA") && WRITING.contains(&command) {
        return None;
    }
    // Gmail puts this one behind its words.
    let by_code = is(&CODES) || lower.contains("[throttled]");
    if !by_code && (!says(&WORDS) || says(&CREDENTIALS)) {
        return None;
    }
    Some(Wait {
        suggested: suggested(&lower),
        fewer_connections: is(&["INUSE", "IN-USE"]) || says(&["connections", "sessions", "connection limit"]),
    })
}

/// The code in brackets at the beginning; empty where there is none.
fn leading_code(words: &str) -> &str {
    let inside = words
        .trim_start()
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'));
    inside.map_or("", |(code, _)| code.split(' ').next().unwrap_or_default())
}

/// The first number with a unit of time behind it, in words in lower case.
fn suggested(lower: &str) -> Option<Duration> {
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    words.windows(2).find_map(|pair| {
        let number: u64 = pair[0].parse().ok()?;
        let milliseconds = match pair[1] {
            "ms" | "millisecond" | "milliseconds" => number,
            "s" | "sec" | "second" | "seconds" => number.checked_mul(1_000)?,
            "min" | "minute" | "minutes" => number.checked_mul(60_000)?,
            "h" | "hour" | "hours" => number.checked_mul(3_600_000)?,
            _ => return None,
        };
        Some(Duration::from_millis(milliseconds).min(LONGEST))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(words: &str) -> SourceError {
        SourceError::Login {
            host: "mail.example.com".into(),
            access: crate::config::Access::ImapSsl,
            username: "all@example.com".into(),
            words: words.into(),
        }
    }

    fn refused(command: &str, words: &str) -> SourceError {
        SourceError::Refused {
            command: command.into(),
            words: words.into(),
        }
    }

    /// Answers to a login, with their servers: whether fewer connections may help, and seconds.
    const LATER: &[(&str, &str, bool, Option<u64>)] = &[
        (
            "Dovecot 2.x, IMAP",
            "[UNAVAILABLE] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=16)",
            true,
            None,
        ),
        (
            "Dovecot 1.x, which has no code",
            "Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)",
            true,
            None,
        ),
        (
            "Dovecot 2.x, when its authentication service fails",
            "[UNAVAILABLE] Temporary authentication failure. [mx1:2024-01-01 00:00:00]",
            false,
            None,
        ),
        ("Gmail", "Too many simultaneous connections. (Failure)", true, None),
        (
            "Gmail",
            "[OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)",
            false,
            None,
        ),
        (
            "Gmail",
            "Account exceeded command or bandwidth limits. (Failure)",
            false,
            None,
        ),
        (
            "Gmail, which puts this code behind its words",
            "System error (Failure) [THROTTLED]",
            false,
            None,
        ),
        (
            "Gmail, POP3",
            "[SYS/TEMP] Temporary system problem. Please try again later",
            false,
            None,
        ),
        (
            "Microsoft 365",
            "Request is throttled. Suggested Backoff Time: 283142 milliseconds",
            false,
            Some(283),
        ),
        ("Exchange 2013", "Server Unavailable. 15", false, None),
        ("Microsoft 365, POP3", "Server Unavailable. 21", false, None),
        ("Microsoft 365", "Connection is closed. 13", false, None),
        ("Exchange 2019", "Connection closed. 14", false, None),
        ("Exchange", "Server Busy", false, None),
        ("Yahoo", "[LIMIT] LOGIN Rate limit hit.", false, None),
        ("Yahoo", "UID FETCH Server error - Please try again later", false, None),
        (
            "Yahoo",
            "[UNAVAILABLE] UID FETCH Server error while fetching messages",
            false,
            None,
        ),
        (
            "Fastmail",
            "login not available on this server. 451 Already reached per-10 minute limit for logins by \"all@example.com\" of 500, try again later - ti_f66",
            false,
            Some(600),
        ),
        ("Courier", "Maximum connection limit reached.", true, None),
        ("Cyrus", "Too many open connections for user", true, None),
        (
            "Cyrus, POP3",
            "[IN-USE] Unable to lock maildrop: Mailbox is locked by POP server",
            true,
            None,
        ),
        (
            "Cyrus, POP3",
            "[LOGIN-DELAY] Logins must be at least 5 minutes apart",
            false,
            Some(300),
        ),
        (
            "Perdition before Dovecot, POP3",
            "[IN-USE] mailbox already in use by pid 12345",
            true,
            None,
        ),
        (
            "Qpopper",
            "/var/spool/mail/.jane.pop lock busy!  Is another session active? (11)",
            false,
            None,
        ),
        ("RFC 5530", "[INUSE] another session has it", true, None),
    ];

    /// Answers to a wrong user name, password or token, with their servers.
    const WRONG: &[(&str, &str)] = &[
        ("Dovecot", "[AUTHENTICATIONFAILED] Authentication failed."),
        ("Dovecot, POP3", "[AUTH] Authentication failed."),
        ("Gmail", "[AUTHENTICATIONFAILED] Invalid credentials (Failure)"),
        ("Gmail", "Invalid credentials lu2mb33951954wic"),
        (
            "Gmail",
            "Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)",
        ),
        ("Gmail, POP3", "[AUTH] Username and password not accepted."),
        ("Microsoft 365", "LOGIN failed."),
        ("Microsoft 365", "AUTHENTICATE failed."),
        (
            "Microsoft 365, POP3",
            "Logon failure: unknown user name or bad password.",
        ),
        (
            "Microsoft 365, POP3",
            "Authentication failure: unknown user name or bad password.",
        ),
        ("Yahoo", "[AUTHENTICATIONFAILED] LOGIN Invalid credentials"),
        (
            "Yandex",
            "[AUTHENTICATIONFAILED] LOGIN Invalid credentials or IMAP is disabled sc=ebI8JB0ug4Y1_290737_53p",
        ),
        (
            "QQ, which offers every reason at once",
            "Login fail. Account is abnormal, service is not open, password is incorrect, login frequency limited, or system is busy. More information at https://service.mail.qq.com",
        ),
        ("Courier", "Login failed."),
        ("made up", "Login failed, try again later."),
        ("Cyrus", "Login failed: authentication failure"),
        ("qmail-pop3d", "authorization failed"),
        (
            "hMailServer",
            "Invalid user name or password. Please use full email address as user name.",
        ),
        ("hMailServer", "Too many invalid logon attempts."),
        ("made up", "Sorry, too many invalid passwords, try again later"),
        (
            "RFC 5530",
            "[EXPIRED] That password isn't valid any more, try again later",
        ),
        ("RFC 3206", "[SYS/PERM] The account is closed, do not try again later"),
    ];

    #[test]
    fn servers_that_ask_to_come_later_are_understood() {
        for (server, words, fewer_connections, seconds) in LATER {
            let error = login(words);
            let wait = error.wait().unwrap_or_else(|| panic!("{server}: {words}"));
            assert_eq!(wait.fewer_connections, *fewer_connections, "{server}: {words}");
            assert_eq!(wait.suggested.map(|time| time.as_secs()), *seconds, "{server}: {words}");
            assert!(!error.is_refused_login() && !error.is_final(), "{server}: {words}");
        }
    }

    #[test]
    fn a_wrong_password_is_no_request_to_come_later() {
        for (server, words) in WRONG {
            let error = login(words);
            assert_eq!(error.wait(), None, "{server}: {words}");
            assert!(error.is_refused_login() && error.is_final(), "{server}: {words}");
        }
    }

    #[test]
    fn it_is_understood_wherever_it_is_said() {
        let greeting = SourceError::Greeting {
            host: "mail.example.com".into(),
            words: "Too many connections".into(),
        };
        let bye = || SourceError::Lost {
            command: "FETCH".into(),
            words: "[UNAVAILABLE] going down".into(),
        };
        for error in [
            greeting,
            bye(),
            bye().at("mail.example.com", super::super::ConnectStep::Login),
            refused("FETCH", "[LIMIT] slowly"),
        ] {
            assert!(error.wait().is_some(), "{error:?}");
        }
    }

    #[test]
    fn what_is_no_limit_is_none() {
        for error in [
            refused("EXAMINE", "[NONEXISTENT] no such folder"),
            refused("SEARCH", "[SERVERBUG] the disk is full"),
            refused("COPY", "[OVERQUOTA] the target is full"),
            refused("MOVE", "[OVERQUOTA] the target is full"),
            SourceError::Lost {
                command: "FETCH".into(),
                words: "the server closed it".into(),
            },
            SourceError::Lost {
                command: "IDLE".into(),
                words: "Disconnected for inactivity.".into(),
            },
            SourceError::Lost {
                command: "FETCH".into(),
                words: "Resource temporarily unavailable (os error 11)".into(),
            },
        ] {
            assert_eq!(error.wait(), None, "{error:?}");
        }
    }

    #[test]
    fn times_are_read_in_their_units_and_bounded() {
        let seconds = |words: &str| suggested(words).map(|time| time.as_millis());
        assert_eq!(seconds("suggested backoff time: 299910 milliseconds"), Some(299_910));
        assert_eq!(seconds("retry after 30 seconds"), Some(30_000));
        assert_eq!(seconds("wait 99999999999 hours"), Some(LONGEST.as_millis()));
        assert_eq!(seconds("wait 99999999999999999999999 hours"), None);
        assert_eq!(seconds("5 apples"), None);
    }
}
