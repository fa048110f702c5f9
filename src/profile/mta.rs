//! Which server wrote a Received field, by the form it has, and how that server is made to say for whom mail is. Pure.
//!
//! A name is a hint for the administrator, and nothing is believed because of it: what can be set is known of each
//! server by its documentation, and docs/servers.md has the recipes.

use std::fmt;

use crate::said::{Said, said};

/// A server, or a program that mail went through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mta {
    Postfix,
    Exim,
    Sendmail,
    OpenSmtpd,
    Courier,
    Qmail,
    Haraka,
    Chasquid,
    Exchange,
    MDaemon,
    Google,
    Kerio,
    HMailServer,
    CommuniGate,
    Domino,
    IceWarp,
    James,
    Stalwart,
    Maddy,
    Axigen,
    /// Programs that take mail from the server before them: see [`Mta::is_behind_another`].
    DovecotLmtp,
    CyrusLmtp,
    ZimbraLmtp,
    OtherLmtp,
    Amavis,
    Fetchmail,
    Getmail,
}

/// What stands behind `by` in a field of each, in lower case; the first that does decides.
const MARKS: [(&str, Mta); 26] = [
    ("amavis", Mta::Amavis),
    ("(fetchmail", Mta::Fetchmail),
    (" getmail", Mta::Getmail),
    ("(postfix", Mta::Postfix),
    ("(exim ", Mta::Exim),
    ("(opensmtpd)", Mta::OpenSmtpd),
    ("(haraka", Mta::Haraka),
    ("(chasquid)", Mta::Chasquid),
    ("(mdaemon", Mta::MDaemon),
    ("(cyrus", Mta::CyrusLmtp),
    ("(dovecot)", Mta::DovecotLmtp),
    ("microsoft smtp", Mta::Exchange),
    ("with mapi id", Mta::Exchange),
    ("frontend transport", Mta::Exchange),
    ("(kerio", Mta::Kerio),
    ("hmailserver", Mta::HMailServer),
    ("(communigate", Mta::CommuniGate),
    ("(lotus domino", Mta::Domino),
    ("(ibm domino", Mta::Domino),
    ("(hcl domino", Mta::Domino),
    ("(icewarp", Mta::IceWarp),
    ("(james", Mta::James),
    ("(stalwart", Mta::Stalwart),
    ("(maddy", Mta::Maddy),
    ("(axigen", Mta::Axigen),
    ("gmailapi", Mta::Google),
];
/// Bytes of a field that are looked at.
const LONGEST: usize = 4 << 10;

impl Mta {
    /// Who wrote a Received field with this value; `None` where its form does not tell.
    pub fn of(value: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(&value[..value.len().min(LONGEST)]).to_ascii_lowercase();
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        if words.first() == Some(&"(qmail") {
            return Some(Self::Qmail);
        }
        let by = words.iter().position(|word| *word == "by")?;
        let (from, behind) = words.split_at(by);
        // What the sender can choose, an address behind `for` and what stands further, tells nothing.
        let end = behind.iter().position(|word| *word == "for").unwrap_or(behind.len());
        let (from, behind, words) = (from.join(" "), behind[..end].join(" "), &behind[..end]);
        if let Some((_, mta)) = MARKS.iter().find(|(mark, _)| behind.contains(mark)) {
            return Some(*mta);
        }
        let host = words.get(1).copied().unwrap_or_default();
        let is = |at: usize, test: fn(&str) -> bool| words.get(at).is_some_and(|word| test(word));
        let id = words
            .iter()
            .position(|word| *word == "id")
            .map_or(usize::MAX, |at| at + 1);
        match words
            .iter()
            .position(|word| *word == "with")
            .and_then(|at| words.get(at + 1))
        {
            _ if is(2, is_sendmails_version) => Some(Self::Sendmail),
            _ if is(id, is_couriers_id) => Some(Self::Courier),
            _ if host.starts_with("2002:a05:") || host.ends_with(".google.com") => Some(Self::Google),
            Some(with) if with.starts_with("lmtp") => Some(match () {
                () if from.contains("(lhlo ") => Self::ZimbraLmtp,
                () if is(id, is_dovecots_id) => Self::DovecotLmtp,
                () => Self::OtherLmtp,
            }),
            Some(with) if with.starts_with("smtp") && from.contains("(helo ") => Some(Self::Qmail),
            _ => None,
        }
    }

    /// Whether it takes mail from another server of ours, whose field stands below its own.
    pub fn is_behind_another(self) -> bool {
        self >= Self::DovecotLmtp
    }

    /// Whether it hands mail into the mailbox over LMTP.
    fn is_lmtp(self) -> bool {
        (Self::DovecotLmtp..=Self::OtherLmtp).contains(&self)
    }
}

impl fmt::Display for Mta {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Postfix => "Postfix",
            Self::Exim => "Exim",
            Self::Sendmail => "Sendmail",
            Self::OpenSmtpd => "OpenSMTPD",
            Self::Courier => "Courier",
            Self::Qmail => "qmail",
            Self::Haraka => "Haraka",
            Self::Chasquid => "chasquid",
            Self::Exchange => "Exchange",
            Self::MDaemon => "MDaemon",
            Self::Google => "Google",
            Self::Kerio => "Kerio Connect",
            Self::HMailServer => "hMailServer",
            Self::CommuniGate => "CommuniGate Pro",
            Self::Domino => "Domino",
            Self::IceWarp => "IceWarp",
            Self::James => "Apache James",
            Self::Stalwart => "Stalwart",
            Self::Maddy => "maddy",
            Self::Axigen => "Axigen",
            Self::DovecotLmtp => "Dovecot LMTP",
            Self::CyrusLmtp => "Cyrus LMTP",
            Self::ZimbraLmtp => "Zimbra LMTP",
            Self::OtherLmtp => "an LMTP server",
            Self::Amavis => "amavis",
            Self::Fetchmail => "fetchmail",
            Self::Getmail => "getmail",
        })
    }
}

/// `(8.17.1/8.17.1/Debian-2)`: its version, and that of its configuration.
fn is_sendmails_version(word: &str) -> bool {
    let version = word.strip_prefix('(').and_then(|rest| rest.split_once('/'));
    version.is_some_and(|(version, _)| version.starts_with("8.") && !version.ends_with('.'))
}

/// Device, time and process, in hexadecimal digits.
fn is_couriers_id(word: &str) -> bool {
    let parts: Vec<&str> = word.trim_end_matches(';').split('.').collect();
    let is_number = |part: &&str| part.len() >= 8 && part.bytes().all(|b| b.is_ascii_hexdigit());
    parts.len() == 3 && parts.iter().all(is_number)
}

/// Twenty-two digits in base64, and perhaps a number behind a colon.
fn is_dovecots_id(word: &str) -> bool {
    let id = word.trim_end_matches(';').split(':').next().unwrap_or_default();
    id.len() == 22 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
}

/// The servers that a message went through last, as far as they are ours by what they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path {
    pub newest: Option<Mta>,
    /// That which `newest` took it from, where that is one of ours.
    pub before: Option<Mta>,
}

impl Path {
    /// By the values of its Received fields, the newest first, of which so many are below others of our own.
    pub fn of<'v>(mut values: impl Iterator<Item = &'v [u8]>, trusted_received: usize) -> Self {
        let newest = values.next().and_then(Mta::of);
        if !newest.is_some_and(Mta::is_behind_another) {
            let edge = trusted_received.checked_sub(1).and_then(|further| values.nth(further));
            return Self {
                newest,
                before: edge.and_then(Mta::of),
            };
        }
        let mut before = values.next().and_then(Mta::of);
        // A filter between two of them.
        if before == Some(Mta::Amavis) {
            before = values.next().and_then(Mta::of);
        }
        Self { newest, before }
    }

    /// In words; `None` where it is not known.
    pub fn named(self) -> Option<Said> {
        let newest = Said::quoted(self.newest?.to_string());
        Some(match self.before {
            Some(before) => said!(Behind, "{0} behind {1}", newest, before.to_string()),
            None => newest,
        })
    }
}

/// On how many messages whose recipients no envelope names these fields stand above all Received fields; they name the
/// mailbox alone, or no address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Blind {
    pub messages: usize,
    pub x_original_to: usize,
    pub delivered_to: usize,
    pub envelope_to: usize,
}

/// How the last of these servers is made to write the envelope's recipients, in a line with the setting.
pub fn remedy(path: Path, blind: Blind) -> Said {
    match (path.newest, path.before) {
        (Some(lmtp), Some(Mta::Postfix)) if lmtp.is_lmtp() && blind.delivered_to >= blind.messages.max(1) => said!(
            PostfixFlagOAlias,
            "{0}: aliases have put the mailbox in the recipients' place before LMTP",
            flag_o()
        ),
        (Some(lmtp), Some(Mta::Postfix)) if lmtp.is_lmtp() => said!(
            PostfixLmtpLimit,
            "`lmtp_destination_recipient_limit = 1` in Postfix's main.cf: over LMTP several recipients at once leave none of \
             them; where aliases have put the mailbox in their place before: {0}",
            flag_o()
        ),
        (Some(lmtp), Some(Mta::Exim)) if lmtp.is_lmtp() => said!(
            EximLmtp,
            "`envelope_to_add = true`, and `batch_max = 1`, on Exim's transport that hands over by LMTP; trusted_received = 1 \
             here if the field stands below a Received field then"
        ),
        (Some(lmtp), Some(Mta::OpenSmtpd)) if lmtp.is_lmtp() => said!(
            OpenSmtpdLmtp,
            "`action … lmtp … rcpt-to` in OpenSMTPD's smtpd.conf, which hands over the recipient's address"
        ),
        (Some(lmtp), before) if lmtp.is_lmtp() => {
            let program = match lmtp {
                Mta::DovecotLmtp => Said::quoted("Dovecot"),
                _ => said!(AnLmtpServer, "an LMTP server, if at all,"),
            };
            match before {
                None => said!(
                    OneAtATime,
                    "hand over one recipient at a time: {0} writes Delivered-To for a single one only",
                    program
                ),
                Some(before) => said!(
                    OneAtATimeOr,
                    "hand over one recipient at a time: {0} writes Delivered-To for a single one only; or have {1} write \
                     X-Envelope-To",
                    program,
                    before.to_string()
                ),
            }
        }
        (Some(Mta::Fetchmail | Mta::Getmail), _) => said!(
            FetchItself,
            "let dropkeep fetch the mailbox itself, in place of fetchmail or getmail; and have its server write the recipients"
        ),
        (Some(Mta::Amavis), Some(before)) => remedy(
            Path {
                newest: Some(before),
                before: None,
            },
            blind,
        ),
        (Some(_), Some(before)) => said!(
            OnServerInFront,
            "{0}, on the server in front, which takes the mail",
            of_server(before, Blind::default())
        ),
        (Some(mta), None) => of_server(mta, blind),
        (None, _) => said!(
            AnyServer,
            "have the server that takes the mail write the envelope's recipients into a field of their own, X-Envelope-To, \
             say, above its Received field"
        ),
    }
}

fn flag_o() -> Said {
    said!(
        PostfixFlagO,
        "`lmtp flags=O` in Postfix's master.cf with a `…_destination_recipient_limit = 1`, which has X-Original-To written, \
         and trusted_received = 1 here"
    )
}

fn of_server(mta: Mta, blind: Blind) -> Said {
    match mta {
        Mta::Postfix if blind.delivered_to > 0 && blind.x_original_to == 0 => said!(
            PostfixOriginal,
            "`enable_original_recipient = yes` in Postfix's main.cf, so that X-Original-To is written, and each recipient gets \
             a copy"
        ),
        Mta::Postfix => said!(
            PostfixPrepend,
            "`recipient_bcc_maps` in Postfix's main.cf, in place of `always_bcc`, with a copy for each recipient; or \
             `check_recipient_access regexp:/etc/postfix/envelope`, behind what refuses in smtpd_recipient_restrictions, and \
             `/^(.+)$/ PREPEND X-Envelope-To: $1` in that file, which all who get the message see"
        ),
        Mta::Exim if blind.envelope_to > 0 => said!(
            EximFilter,
            "`envelope_to_add = true` on Exim's transport is not enough where a system filter delivers (`unseen deliver`): a \
             router with `unseen` in its place leaves the recipients in Envelope-to"
        ),
        Mta::Exim => said!(
            EximEnvelopeTo,
            "`envelope_to_add = true` (with `delivery_date_add = true`) on Exim's transport that delivers here"
        ),
        Mta::Sendmail => said!(
            SendmailMailer,
            "a mailer of its own in sendmail.mc (`MAILER_DEFINITIONS`), which hands `$u` to a program that writes \
             X-Envelope-To, or a milter that does"
        ),
        Mta::OpenSmtpd => said!(
            OpenSmtpdMaildir,
            "`action … maildir` or `action … mda` in OpenSMTPD's smtpd.conf, which write Delivered-To for each recipient"
        ),
        Mta::Courier => said!(
            CourierAlias,
            "an alias `@example.com: all` in Courier's aliases/, so that each recipient has a Delivered-To"
        ),
        Mta::Qmail => said!(
            QmailLocal,
            "deliver with qmail-local or `| preline …` in the .qmail file, which write Delivered-To"
        ),
        Mta::Haraka => said!(
            HarakaPlugin,
            "`record_envelope_addresses` above every rcpt_to plugin in Haraka's config/plugins, or a plugin whose \
             hook_data_post calls `add_leading_header('X-Envelope-To', …)` for each recipient"
        ),
        Mta::Chasquid => said!(
            ChasquidHook,
            "`hooks/post-data` of chasquid, a program that prints `X-Envelope-To: …` for each recipient in $RCPT_TO"
        ),
        Mta::Exchange => said!(
            ExchangeJournal,
            "a journal rule of Exchange, whose reports name all recipients: journal = \"from\" with journal_from here \
             (docs/recipients.md)"
        ),
        Mta::Google => said!(
            GoogleHeader,
            "\"Add X-Gm-Original-To header\" in the routing rule of Google Workspace, and trusted_received here"
        ),
        other => said!(
            OtherServer,
            "have {0} write the envelope's recipients into a field of their own, X-Envelope-To, say, above its Received field",
            other.to_string()
        ),
    }
}

#[cfg(test)]
#[path = "mta_tests.rs"]
mod tests;
