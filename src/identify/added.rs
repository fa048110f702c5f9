//! Header fields that delivery, mail stores and clients add to a message, change or take away, and its author does not
//! write: an identity leaves them out. docs/decisions/identity-2.md gives the source of each.

/// Fields by their names, without regard to case; those of names that begin with `X-` apart, and without that.
struct Fields {
    names: &'static [&'static str],
    begin: &'static [&'static str],
    x_names: &'static [&'static str],
    x_begin: &'static [&'static str],
}

/// Left out by all versions. Never to be changed: archives hold what these rules made.
const FIRST: Fields = Fields {
    names: &[
        "Received",
        "Return-Path",
        "Delivered-To",
        "Envelope-To",
        "Delivery-Date",
        "Authentication-Results",
        "Received-SPF",
        "Status",
        "Content-Length",
        "Lines",
    ],
    begin: &["ARC-"],
    x_names: &[
        "Original-To",
        "Received",
        "Delivered-To",
        "RCPT-TO",
        "Status",
        "UID",
        "UIDL",
        "Keywords",
        "IMAP",
        "IMAPbase",
        "Mozilla-Status",
        "Mozilla-Status2",
        "Mozilla-Keys",
        "Gmail-Labels",
        "GM-THRID",
    ],
    x_begin: &["Envelope-"],
};

/// Left out from version 2 on. Never to be changed: a field more is a version more.
const SECOND: Fields = Fields {
    names: &["Original-Recipient", "Xref"],
    begin: &[],
    x_names: &[
        // Delivery: Yahoo, Fastmail, Cyrus, Pigeonhole, iCloud, the collectors of Gmail and hMailServer, Domino.
        "Apparently-To",
        "Resolved-To",
        "Sieve",
        "Sieve-Redirected-From",
        "Apple-MoveToFolder",
        "Apple-Action",
        "Apple-UUID",
        "Gmail-Fetch-Info",
        "hMailServer-ExternalAccount",
        "MIMETrack",
        // Programs that fetch and copy: getmail from Gmail, fetchmail, mbsync.
        "GMAIL-THRID",
        "GMAIL-MSGID",
        "GM-MSGID",
        "GM-LABELS",
        "Fetchmail-Warning",
        "TUID",
        // Clients: Thunderbird, Evolution, KMail, Gnus, Eudora.
        "Account-Key",
        "Evolution",
        "Length",
        "From-Line",
        "Persona",
    ],
    x_begin: &[
        "MS-Exchange-Organization-",
        "MS-Exchange-Forest-",
        "MS-Exchange-CrossPremises-",
        "MS-Exchange-CrossTenant-",
        "MS-Exchange-Transport-",
        "getmail-",
        "OfflineIMAP-",
        "Evolution-",
        "KMail-",
        "Gnus-",
        "VM-",
        "RMAIL-",
        "MailStore-",
        "Piler-",
    ],
};

/// Names are looked for by their first letters: one bit for each of the 26.
#[derive(Clone, Copy)]
struct Letters {
    names: u32,
    x_names: u32,
}

impl Letters {
    const fn of(fields: &Fields) -> Self {
        Self {
            names: first_letters(fields.names) | first_letters(fields.begin),
            x_names: first_letters(fields.x_names) | first_letters(fields.x_begin),
        }
    }
}

const fn first_letters(names: &[&str]) -> u32 {
    let (mut letters, mut at) = (0, 0);
    while at < names.len() {
        letters |= letter(names[at].as_bytes()[0]);
        at += 1;
    }
    letters
}

const fn letter(byte: u8) -> u32 {
    1 << (byte & 0x1f)
}

const FIRST_LETTERS: Letters = Letters::of(&FIRST);
const SECOND_LETTERS: Letters = Letters::of(&SECOND);

impl Fields {
    /// `letters`: those of these fields.
    fn have(&self, letters: Letters, name: &[u8]) -> bool {
        let (letters, names, begin, name) = match name.split_at_checked(2) {
            Some((x, rest)) if x.eq_ignore_ascii_case(b"X-") => (letters.x_names, self.x_names, self.x_begin, rest),
            _ => (letters.names, self.names, self.begin, name),
        };
        let Some(first) = name.first() else { return false };
        if letters & letter(*first) == 0 {
            return false;
        }
        // Most names differ in the first letter: this is asked of every field of all mail.
        let may_be = |known: &&&str| known.as_bytes()[0].eq_ignore_ascii_case(first);
        let begins = |known: &&str| {
            let beginning = name.get(..known.len());
            beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(known.as_bytes()))
        };
        let mut names = names.iter().filter(may_be);
        names.any(|known| name.eq_ignore_ascii_case(known.as_bytes())) || begin.iter().filter(may_be).any(begins)
    }
}

/// Whether identities of a version leave out fields of this name.
pub fn is_left_out(name: &[u8], version: u32) -> bool {
    FIRST.have(FIRST_LETTERS, name) || (version > 1 && SECOND.have(SECOND_LETTERS, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In which version a field was left out first.
    fn since(name: &str) -> Option<u32> {
        (1..=2).find(|version| is_left_out(name.as_bytes(), *version))
    }

    #[test]
    fn names_are_known_whatever_their_case() {
        for name in [
            "Received",
            "RETURN-PATH",
            "x-uidl",
            "ARC-Seal",
            "arc-",
            "X-envelope-from",
            "X-GM-thrid",
        ] {
            assert_eq!(since(name), Some(1), "{name}");
        }
        for name in [
            "X-Account-Key",
            "x-mailstore-date",
            "X-Ms-Exchange-organization-scl",
            "xref",
            "X-TUID",
        ] {
            assert_eq!(since(name), Some(2), "{name}");
        }
    }

    /// What somebody wrote, what signs it, what lists and filters say of it, and what only looks alike.
    #[test]
    fn what_is_no_matter_of_one_delivery_counts() {
        let counts = [
            "Subject",
            "Message-ID",
            "DKIM-Signature",
            "Bcc",
            "Resent-To",
            "List-Id",
            "X-Spam-Status",
            "X-Mailer",
            "X-Loop",
            "X-Universally-Unique-Identifier",
            "X-Uniform-Type-Identifier",
            "X-Apple-Base-Url",
            "X-Gm-Message-State",
            "X-MS-Has-Attach",
            "X-MS-Journal-Report",
            "X-Mozilla-Draft-Info",
            "X-Forefront-Antispam-Report",
            "X-MDaemon-Deliver-To",
            "X-MS-Exchange-Processed-By-BccFoldering",
            "X-",
            "X",
            "",
            "Account-Key",
            "TUID",
            "X-Xref",
            "Envelope-From",
            "MailStore-Date",
            "X-MailStore",
            "X-Mozilla-Statuses",
            "Linesx",
        ];
        for name in counts {
            assert_eq!(since(name), None, "{name}");
        }
    }
}
