//! What to do about a failure, where that is more than the step that failed says. Pure.

use super::{ConnectStep, SourceError, wrong};
use crate::{
    config::{Access, Encryption},
    net::{Mend, NetError, Phase},
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
    pub fn what_to_do(&self) -> Option<String> {
        match self {
            Self::WrongPort { access, found, .. } => Some(match found.access(*access) {
                Some(access) => format!("Write access = \"{access}\" under [profile.server]. No password was sent."),
                None => "Correct server.port, or leave it out, and check server.host. No password was sent.".to_owned(),
            }),
            Self::Silent { port, access, .. } => Some(format!(
                "Check server.host and server.port: {}. If the server only takes long to greet, write a longer timeout.",
                wrong::usual(*port, *access)
            )),
            Self::Net(NetError::Certificate { mend, .. }) => Some(certificate(mend)),
            Self::Net(NetError::CaFile { .. }) => {
                Some("Correct ca_file in server.tls; the file holds certificates in PEM form.".to_owned())
            }
            Self::Net(NetError::NoUpgrade { .. }) => Some(
                "With an -ssl access, TLS begins with the first byte, at a port of its own. Without TLS, password and \
                 mail can be read on the way."
                    .to_owned(),
            ),
            Self::Net(NetError::Injected { .. }) | Self::Preauth { .. } => Some(
                "No password was sent. Find out who answers at this address; with an -ssl access, TLS begins with the \
                 first byte."
                    .to_owned(),
            ),
            Self::Greeting { .. } | Self::Login { .. } | Self::Connecting { .. } if self.wait().is_some() => Some(
                "The server asks to come again later; the password may well be right. If it lasts, lower connections in the \
                 profile, and see which other programs are logged in. It is tried again by itself."
                    .to_owned(),
            ),
            Self::Login {
                host, access, words, ..
            } => login(host, *access, words),
            Self::Timeout { step: None, .. } => Some(
                "What was archived stays, and the next run goes on there. If the server needs longer, write a longer \
                 server.timeout."
                    .to_owned(),
            ),
            Self::Nameless { .. } => Some(
                "This folder cannot be archived over IMAP as the server is: update or replace the server, or use an access \
                 with pop3."
                    .to_owned(),
            ),
            Self::NoneLeft(_) => Some("Correct [profile.folders].".to_owned()),
            Self::NoFolder { .. } => Some(
                "Correct include in [profile.folders]; a name counts with its case and all that stands before it.".to_owned(),
            ),
            Self::File { .. } => Some(
                "Check that it exists, that it is what its name says, and that the account of dropkeep may read it; then \
                 import it again. What was imported is not imported twice."
                    .to_owned(),
            ),
            Self::OfSeveral { .. } => Some(
                "Nothing of it was imported. Name the folder or mbox of the user whose mail you want, or import the export \
                 without --user, with --profile."
                    .to_owned(),
            ),
            Self::Timeout { step: Some(ConnectStep::Tls), .. }
            | Self::Net(NetError::Tls { .. } | NetError::Timeout { phase: Phase::Tls, .. })
            | Self::Connecting { step: ConnectStep::Tls, .. } => Some(
                "Check server.host and server.port: another server may listen there, or one that begins in clear text (an \
                 access with -tls). The mail server's log may say more."
                    .to_owned(),
            ),
            Self::Timeout { step: Some(ConnectStep::Login), .. } | Self::Connecting { step: ConnectStep::Login, .. } => Some(
                "The password was neither taken nor refused. See the mail server's log. It is tried again by itself.".to_owned(),
            ),
            Self::NoMail { .. } => {
                Some("Check server.host and server.port: another server may listen there.".to_owned())
            }
            _ => None,
        }
    }
}

fn certificate(mend: &Mend) -> String {
    let words = match mend {
        Mend::Host { .. } => "Write a host under [profile.server] that the certificate is for".to_owned(),
        Mend::Pinning => {
            return "Ask the server's administrator whether this is its certificate. If so, pin it as the error shows it."
                .to_owned();
        }
        Mend::CaFile(what) => format!("Name {what} (PEM): tls = {{ ca_file = \"…\" }}"),
        Mend::Server(what) => format!("Have the server's administrator see to it: {what}"),
        Mend::Here(what) => format!("On this machine: {what}"),
        Mend::Pin => {
            return "Ask the server's administrator whether it has a new certificate. If so, write the pin that the error \
                    shows."
                .to_owned();
        }
    };
    format!("{words}. Or pin the certificate as the error shows it, once you know that it is your server's.")
}

/// What to do about a refused login, by what the server says; `None` where it says no more than that.
fn login(host: &str, access: Access, words: &str) -> Option<String> {
    let (host, words) = (host.trim_end_matches('.').to_lowercase(), words.to_lowercase());
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| words.contains(phrase));
    let is_of = |ends: &[&str]| ends.iter().any(|end| host.ends_with(end));
    let family = access.family();
    let advice = if says(&CLEAR_TEXT) && access.encryption() == Encryption::Never {
        let [tls, ssl] = [Encryption::Upgrade, Encryption::Implicit].map(|how| wrong::access(family, how));
        format!("Write access = \"{tls}\" or \"{ssl}\" under [profile.server].")
    } else if says(&["logindisabled"]) {
        "The server takes no passwords here: use [profile.server.oauth2], or allow password logins on the server."
            .to_owned()
    } else if says(&SWITCHED_OFF) {
        "Switch this access (IMAP or POP3) on for the mailbox, in its settings at the provider.".to_owned()
    } else if says(&APP_PASSWORD) {
        "The account wants a password of its own for programs: make an app password at the provider, and write that."
            .to_owned()
    } else if says(&TOKENS) || is_of(&WANT_TOKENS) {
        "This provider takes tokens in place of passwords: set server.oauth2 (docs/oauth2.md).".to_owned()
    } else if says(&LOCKED) {
        "The account, or its password, is locked or has expired: have it unlocked at the mail server.".to_owned()
    } else if is_of(&WANT_APP_PASSWORDS) {
        "Check server.username; as the password, this provider wants an app password, or tokens (docs/oauth2.md)."
            .to_owned()
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
