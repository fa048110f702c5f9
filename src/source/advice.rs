//! What to do about a failure, where that is more than the step that failed says. Pure.

use super::{ConnectStep, SourceError, wrong};
use crate::{
    config::{Access, Encryption},
    net::{Mend, NetError, Phase},
    said::{Said, said},
};

/// Words of servers that want another password than the account's own, in lower case.
const APP_PASSWORD: [&str; 6] = [
    "application-specific",
    "app password",
    "app-password",
    "application password",
    "web browser",
    "web login required",
];
/// That take tokens alone.
const TOKENS: [&str; 3] = ["basicauthblocked", "basic auth", "oauth"];
/// That take a password over TLS alone.
const CLEAR_TEXT: [&str; 5] = [
    "logindisabled",
    "privacyrequired",
    "plaintext authentication disallowed",
    "cleartext authentication disallowed",
    "without tls",
];
/// That let this account in, and not by this protocol.
const SWITCHED_OFF: [&str; 6] = [
    "not enabled",
    "imap is disabled",
    "pop3 is disabled",
    "pop is disabled",
    "imap access is disabled",
    "disabled for imap",
];
const LOCKED: [&str; 7] = [
    "locked",
    "suspended",
    "disabled",
    "deactivated",
    "blocked",
    "expired",
    "contactadmin",
];

/// Providers that take no account's own password over IMAP and POP3, by the ends of their servers' names.
const WANT_TOKENS: [&str; 3] = ["outlook.com", "office365.com", "hotmail.com"];
const WANT_APP_PASSWORDS: [&str; 5] = ["gmail.com", "googlemail.com", "yahoo.com", "aol.com", "mail.me.com"];

impl SourceError {
    /// What to do about it; `None` where what is to be done about its step is all there is to say.
    pub fn what_to_do(&self) -> Option<Said> {
        let advice = match self {
            Self::WrongPort { access, found, .. } => match found.access(*access) {
                Some(access) => said!(
                    WriteAccess,
                    "Write access = \"{0}\" under [profile.server]. No password was sent.",
                    access
                ),
                None => said!(
                    CorrectPort,
                    "Correct server.port, or leave it out, and check server.host. No password was sent."
                ),
            },
            Self::Silent { port, access, .. } => said!(
                CheckPort,
                "Check server.host and server.port: {0}. If the server only takes long to greet, write a longer timeout.",
                wrong::usual(*port, *access)
            ),
            Self::Net(NetError::Certificate { mend, .. }) => certificate(mend),
            Self::Net(NetError::CaFile { .. }) => said!(
                CorrectCaFile,
                "Correct ca_file in server.tls; the file holds certificates in PEM form."
            ),
            Self::Net(NetError::NoUpgrade { .. }) => said!(
                SslFromFirstByte,
                "With an -ssl access, TLS begins with the first byte, at a port of its own. Without TLS, password and mail \
                 can be read on the way."
            ),
            Self::Net(NetError::Injected { .. }) | Self::Preauth { .. } => said!(
                FindWhoAnswers,
                "No password was sent. Find out who answers at this address; with an -ssl access, TLS begins with the first \
                 byte."
            ),
            Self::Greeting { .. } | Self::Login { .. } | Self::Connecting { .. } if self.wait().is_some() => said!(
                ComeLater,
                "The server asks to come again later; the password may well be right. If it lasts, lower connections in the \
                 profile, and see which other programs are logged in. It is tried again by itself."
            ),
            Self::Login {
                host, access, words, ..
            } => return login(host, *access, words),
            Self::Timeout { step: None, .. } => said!(
                LongerTimeout,
                "What was archived stays, and the next run goes on there. If the server needs longer, write a longer \
                 server.timeout."
            ),
            Self::Nameless { .. } => said!(
                UseAnotherServer,
                "This folder cannot be archived over IMAP as the server is: update or replace the server, or use an access \
                 with pop3."
            ),
            Self::NoneLeft(_) => said!(CorrectFolders, "Correct [profile.folders]."),
            Self::NoFolder { .. } => said!(
                CorrectInclude,
                "Correct include in [profile.folders]; a name counts with its case and all that stands before it."
            ),
            Self::File { .. } => said!(
                CheckImport,
                "Check that it exists, that it is what its name says, and that the account of dropkeep may read it; then \
                 import it again. What was imported is not imported twice."
            ),
            Self::OfSeveral { .. } => said!(
                NameImport,
                "Nothing of it was imported. Name the folder or mbox of the user whose mail you want, or import the export \
                 without --user, with --profile."
            ),
            Self::Timeout {
                step: Some(ConnectStep::Tls),
                ..
            }
            | Self::Net(NetError::Tls { .. } | NetError::Timeout { phase: Phase::Tls, .. })
            | Self::Connecting {
                step: ConnectStep::Tls, ..
            } => said!(
                PerhapsAnotherServer,
                "Check server.host and server.port: another server may listen there, or one that begins in clear text (an \
                 access with -tls). The mail server's log may say more."
            ),
            Self::Timeout {
                step: Some(ConnectStep::Login),
                ..
            }
            | Self::Connecting {
                step: ConnectStep::Login,
                ..
            } => {
                said!(
                    NeitherTakenNorRefused,
                    "The password was neither taken nor refused. See the mail server's log. It is tried again by itself."
                )
            }
            Self::NoMail { .. } => said!(
                CheckHostAndPort,
                "Check server.host and server.port: another server may listen there."
            ),
            _ => return None,
        };
        Some(advice)
    }
}

fn certificate(mend: &Mend) -> Said {
    match mend {
        Mend::Host { .. } => said!(
            WriteHostOrPin,
            "Write a host under [profile.server] that the certificate is for. Or pin the certificate as the error shows it, \
             once you know that it is your server's."
        ),
        Mend::Pinning => said!(
            AskAndPin,
            "Ask the server's administrator whether this is its certificate. If so, pin it as the error shows it."
        ),
        Mend::CaFile(what) => said!(
            NameCaFileOrPin,
            "Name {0} (PEM): tls = {{ ca_file = \"…\" }}. Or pin the certificate as the error shows it, once you know that \
             it is your server's.",
            what
        ),
        Mend::Server(what) => said!(
            HaveServerMended,
            "Have the server's administrator see to it: {0}. Or pin the certificate as the error shows it, once you know \
             that it is your server's.",
            what
        ),
        Mend::Here(what) => said!(
            MendHere,
            "On this machine: {0}. Or pin the certificate as the error shows it, once you know that it is your server's.",
            what
        ),
        Mend::Pin => said!(
            AskForNewPin,
            "Ask the server's administrator whether it has a new certificate. If so, write the pin that the error shows."
        ),
    }
}

/// What to do about a refused login, by what the server says; `None` where it says no more than that.
fn login(host: &str, access: Access, words: &str) -> Option<Said> {
    let (host, words) = (host.trim_end_matches('.').to_lowercase(), words.to_lowercase());
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| words.contains(phrase));
    let is_of = |ends: &[&str]| ends.iter().any(|end| host.ends_with(end));
    let family = access.family();
    let advice = if says(&CLEAR_TEXT) && access.encryption() == Encryption::Never {
        let [tls, ssl] = [Encryption::Upgrade, Encryption::Implicit].map(|how| wrong::access(family, how));
        said!(
            WriteOneOfAccesses,
            "Write access = \"{0}\" or \"{1}\" under [profile.server].",
            tls,
            ssl
        )
    } else if says(&["logindisabled"]) {
        said!(
            AllowPasswords,
            "The server takes no passwords here: use [profile.server.oauth2], or allow password logins on the server."
        )
    } else if says(&SWITCHED_OFF) {
        said!(
            SwitchAccessOn,
            "Switch this access (IMAP or POP3) on for the mailbox, in its settings at the provider."
        )
    } else if says(&APP_PASSWORD) {
        said!(
            MakeAppPassword,
            "The account wants a password of its own for programs: make an app password at the provider, and write that."
        )
    } else if says(&TOKENS) || is_of(&WANT_TOKENS) {
        said!(
            SetTokens,
            "This provider takes tokens in place of passwords: set server.oauth2 (docs/oauth2.md)."
        )
    } else if says(&LOCKED) {
        said!(
            HaveUnlocked,
            "The account, or its password, is locked or has expired: have it unlocked at the mail server."
        )
    } else if is_of(&WANT_APP_PASSWORDS) {
        said!(
            WantsAppPassword,
            "Check server.username; as the password, this provider wants an app password, or tokens (docs/oauth2.md)."
        )
    } else {
        return None;
    };
    Some(advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_login_has_advice_for_what_the_server_says() {
        for (host, words, expected) in [
            (
                "imap.gmail.com",
                "[ALERT] Application-specific password required (Failure)",
                "app password",
            ),
            (
                "imap.gmail.com",
                "[AUTHENTICATIONFAILED] Invalid credentials (Failure)",
                "app password",
            ),
            ("outlook.office365.com", "LOGIN failed.", "oauth2"),
            (
                "mail.example.com",
                "[PRIVACYREQUIRED] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.",
                "imap-tls",
            ),
            (
                "mail.example.com",
                "Your account is not enabled for IMAP use.",
                "Switch",
            ),
            ("mail.example.com", "[CONTACTADMIN] Account locked", "unlocked"),
            (
                "mail.example.com",
                "[UNAVAILABLE] Maximum number of connections from user+IP exceeded",
                "lower connections",
            ),
        ] {
            let error = SourceError::Login {
                host: host.into(),
                access: Access::Imap,
                username: "all@example.com".into(),
                words: words.into(),
            };
            let advice = error.what_to_do().unwrap_or_default();
            assert!(advice.contains(expected), "{words}: {advice}");
        }
        let plain = SourceError::Login {
            host: "mail.example.com".into(),
            access: Access::Imap,
            username: "all@example.com".into(),
            words: "[AUTHENTICATIONFAILED] Authentication failed.".into(),
        };
        assert_eq!(plain.what_to_do(), None);
    }
}
