//! What is wrong with a server, and exactly what `dropkeep test` says: `{port}` is its port, `…` stands for anything.

use crate::wrong_servers::server::{
    Answers,
    Does::{self, Closes, Greets, IsDown, Nothing, Tls, Web},
    Shows::{Expired, Good, OtherNames, SelfSigned, SelfSignedForOthers, UnknownIssuer},
};

pub struct Row {
    pub access: &'static str,
    pub does: Does,
    /// The step that fails, what is said of it, and the beginning of what to do.
    pub step: &'static str,
    pub error: &'static str,
    pub what_to_do: &'static str,
    /// What `folders.include` names, where it is not INBOX alone.
    pub folder: &'static str,
}

const fn row(
    access: &'static str,
    does: Does,
    step: &'static str,
    error: &'static str,
    what_to_do: &'static str,
) -> Row {
    Row {
        access,
        does,
        step,
        error,
        what_to_do,
        folder: "",
    }
}

const fn folder(folder: &'static str, error: &'static str) -> Row {
    Row {
        folder,
        ..row(
            "imap",
            Greets(IMAP, FOLDERS),
            "folder",
            error,
            "Correct include in [profile.folders]",
        )
    }
}

const IMAP: &str = "* OK ready\r\n";
const POP3: &str = "+OK ready\r\n";
const SMTP: &str = "220 mail.example.com ESMTP\r\n";

/// Answers of an IMAP server that refuses the login in these words.
macro_rules! refuses {
    ($words:literal) => {
        Greets(
            IMAP,
            &[
                ("CAPABILITY", "* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n"),
                ("LOGIN", concat!("{tag} NO ", $words, "\r\n")),
            ],
        )
    };
}

const FOLDERS: Answers = &[
    ("CAPABILITY", "* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n"),
    ("LOGIN", "{tag} OK welcome\r\n"),
    (
        "LIST \"\" \"*\"",
        "* LIST () \".\" INBOX\r\n* LIST () \".\" INBOX.Archive\r\n* LIST () \".\" INBOX.Sent\r\n* LIST (\\Noselect) \".\" \
         Shared\r\n{tag} OK done\r\n",
    ),
    ("LIST", "{tag} OK done\r\n"),
    ("EXAMINE", "{tag} NO [NONEXISTENT] no such mailbox\r\n"),
    ("LOGOUT", "* BYE bye\r\n{tag} OK bye\r\n"),
];

pub const TABLE: &[Row] = &[
    // TLS from the first byte, where clear text was to come first.
    row(
        "imap",
        Tls(SelfSigned, IMAP, &[]),
        "greeting",
        "no greeting on port {port}: the port probably speaks TLS from the first byte; try access = \"imap-ssl\"",
        "Write access = \"imap-ssl\" under [profile.server].",
    ),
    row(
        "imap-tls",
        Tls(Expired, IMAP, &[]),
        "greeting",
        "no greeting on port {port}: the port probably speaks TLS from the first byte; try access = \"imap-ssl\"",
        "Write access = \"imap-ssl\" under [profile.server].",
    ),
    row(
        "pop3",
        Tls(Good, POP3, &[]),
        "greeting",
        "no greeting on port {port}: the port probably speaks TLS from the first byte; try access = \"pop3-ssl\"",
        "Write access = \"pop3-ssl\" under [profile.server].",
    ),
    row(
        "pop3-tls",
        Tls(Good, POP3, &[]),
        "greeting",
        "no greeting on port {port}: the port probably speaks TLS from the first byte; try access = \"pop3-ssl\"",
        "Write access = \"pop3-ssl\" under [profile.server].",
    ),
    row(
        "imap",
        Tls(Good, "", &[]),
        "greeting",
        "no greeting on port {port}: the port probably speaks TLS from the first byte; try access = \"imap-ssl\"",
        "Write access = \"imap-ssl\" under [profile.server].",
    ),
    row(
        "imap",
        Tls(Good, POP3, &[]),
        "greeting",
        "no greeting on port {port}: the port speaks POP3 over TLS from the first byte; try access = \"pop3-ssl\"",
        "Write access = \"pop3-ssl\" under [profile.server].",
    ),
    row(
        "imap-tls",
        Tls(Good, SMTP, &[]),
        "greeting",
        "port {port} is that of an SMTP server over TLS, which takes mail and gives none out; access = \"imap-tls\" is \
         usually at port 143",
        "Correct server.port",
    ),
    // Clear text, where TLS was to come first.
    row(
        "imap-ssl",
        Greets(IMAP, &[]),
        "tls",
        "no TLS on port {port}: the server greets with IMAP in clear text; try access = \"imap-tls\"",
        "Write access = \"imap-tls\" under [profile.server].",
    ),
    row(
        "pop3-ssl",
        Greets(POP3, &[]),
        "tls",
        "no TLS on port {port}: the server greets with POP3 in clear text; try access = \"pop3-tls\"",
        "Write access = \"pop3-tls\" under [profile.server].",
    ),
    row(
        "imap-ssl",
        Greets(POP3, &[]),
        "tls",
        "no TLS on port {port}: the server greets with POP3 in clear text; try access = \"pop3-tls\"",
        "Write access = \"pop3-tls\" under [profile.server].",
    ),
    // Another protocol.
    row(
        "imap",
        Greets(POP3, &[]),
        "greeting",
        "port {port} speaks POP3, not IMAP; try access = \"pop3\"",
        "Write access = \"pop3\" under [profile.server].",
    ),
    row(
        "pop3",
        Greets(IMAP, &[]),
        "greeting",
        "port {port} speaks IMAP, not POP3; try access = \"imap\"",
        "Write access = \"imap\" under [profile.server].",
    ),
    row(
        "imap-tls",
        Greets(POP3, &[]),
        "greeting",
        "port {port} speaks POP3, not IMAP; try access = \"pop3-tls\"",
        "Write access = \"pop3-tls\" under [profile.server].",
    ),
    row(
        "pop3-tls",
        Greets(IMAP, &[]),
        "greeting",
        "port {port} speaks IMAP, not POP3; try access = \"imap-tls\"",
        "Write access = \"imap-tls\" under [profile.server].",
    ),
    row(
        "imap-ssl",
        Tls(Good, POP3, &[]),
        "greeting",
        "port {port} speaks POP3, not IMAP; try access = \"pop3-ssl\"",
        "Write access = \"pop3-ssl\" under [profile.server].",
    ),
    row(
        "pop3-ssl",
        Tls(Good, IMAP, &[]),
        "greeting",
        "port {port} speaks IMAP, not POP3; try access = \"imap-ssl\"",
        "Write access = \"imap-ssl\" under [profile.server].",
    ),
    row(
        "imap",
        Greets(SMTP, &[]),
        "greeting",
        "port {port} is that of an SMTP server, which takes mail and gives none out; access = \"imap\" is usually at port 143",
        "Correct server.port",
    ),
    row(
        "imap-ssl",
        Greets(SMTP, &[]),
        "tls",
        "port {port} is that of an SMTP server, which takes mail and gives none out; access = \"imap-ssl\" is usually at \
         port 993",
        "Correct server.port",
    ),
    row(
        "imap-tls",
        Greets("SSH-2.0-OpenSSH_9.6\r\n", &[]),
        "greeting",
        "port {port} is that of an SSH server; access = \"imap-tls\" is usually at port 143",
        "Correct server.port",
    ),
    row(
        "pop3",
        Greets("220 (vsFTPd 3.0.5)\r\n", &[]),
        "greeting",
        "port {port} is that of an FTP server; access = \"pop3\" is usually at port 110",
        "Correct server.port",
    ),
    row(
        "imap",
        Web,
        "greeting",
        "port {port} is that of a web server; access = \"imap\" is usually at port 143",
        "Correct server.port",
    ),
    row(
        "pop3-ssl",
        Web,
        "tls",
        "port {port} is that of a web server; access = \"pop3-ssl\" is usually at port 995",
        "Correct server.port",
    ),
    row(
        "imap",
        Greets("hello\r\n", &[]),
        "greeting",
        "port {port} is not that of a mail server; it greets with “hello”",
        "Check server.host and server.port: another server may listen there.",
    ),
    // Silence.
    row(
        "imap",
        Nothing,
        "greeting",
        "no greeting on port {port} within 6s: what listens there takes connections and says nothing",
        "Check server.host and server.port: access = \"imap\" is usually at port 143.",
    ),
    row(
        "pop3-tls",
        Nothing,
        "greeting",
        "no greeting on port {port} within 6s: what listens there takes connections and says nothing",
        "Check server.host and server.port: access = \"pop3-tls\" is usually at port 110.",
    ),
    row(
        "imap-ssl",
        Nothing,
        "tls",
        "localhost did not answer the TLS handshake within 6s",
        "Check server.host and server.port: another server may listen there, or one that begins in clear text",
    ),
    row(
        "imap-ssl",
        Tls(Good, "", &[]),
        "greeting",
        "no greeting on port {port} within 6s: the server speaks TLS there, and then says nothing, as web servers do",
        "Check server.host and server.port: access = \"imap-ssl\" is usually at port 993.",
    ),
    // No connection, or one that ends at once.
    row(
        "imap",
        IsDown,
        "connect",
        "localhost refused the connection on port {port}: no server listens there",
        "Check that the mail server is running",
    ),
    row(
        "imap",
        Closes,
        "greeting",
        "localhost did not greet: the server closed the connection",
        "See the mail server's log; often there are too many connections",
    ),
    row(
        "imap",
        Greets("* BYE too many connections from your address\r\n", &[]),
        "greeting",
        "localhost turns the connection away: too many connections from your address",
        "The server asks to come again later",
    ),
    row(
        "pop3",
        Greets("-ERR your address is blocked\r\n", &[]),
        "greeting",
        "localhost turns the connection away: your address is blocked",
        "See the mail server's log; often there are too many connections",
    ),
    // TLS that cannot be reached.
    row(
        "imap-tls",
        Greets(
            IMAP,
            &[
                ("CAPABILITY", "* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n"),
                ("U1", "* CAPABILITY IMAP4rev1\r\nU1 OK done\r\n"),
            ],
        ),
        "tls",
        "localhost does not offer STARTTLS on this port; try access = \"imap-ssl\", without `port`",
        "With an -ssl access, TLS begins with the first byte",
    ),
    row(
        "pop3-tls",
        Greets(POP3, &[("CAPA", "-ERR what?\r\n")]),
        "tls",
        "localhost does not offer STLS on this port; try access = \"pop3-ssl\", without `port`",
        "With an -ssl access, TLS begins with the first byte",
    ),
    row(
        "imap-tls",
        Greets("* PREAUTH welcome\r\n", &[]),
        "tls",
        "localhost greets as if we were logged in (PREAUTH), so the connection cannot be encrypted any more: somebody may be \
         tampering with it",
        "No password was sent.",
    ),
    // Certificates.
    row(
        "imap-ssl",
        Tls(OtherNames, IMAP, &[]),
        "tls",
        "the certificate of localhost is refused: it is for mail.example.com and 192.0.2.1: write one of \
         these as host if it leads to your server, or pin it: tls = { verify = \"pin\", pin = \"sha256:…\" }",
        "Write a host under [profile.server] that the certificate is for.",
    ),
    row(
        "imap-ssl",
        Tls(Expired, IMAP, &[]),
        "tls",
        "the certificate of localhost is refused: it expired on 2020-01-01T00:00:00Z: renew it on the server (or set this \
         machine's clock), or pin it: tls = { verify = \"pin\", pin = \"sha256:…\" }",
        "Have the server's administrator see to it: renew it on the server",
    ),
    row(
        "pop3-ssl",
        Tls(SelfSigned, POP3, &[]),
        "tls",
        "the certificate of localhost is refused: it is self-signed: name it in ca_file, or pin it: tls = { verify = \
         \"pin\", pin = \"sha256:…\" }",
        "Name it (PEM): tls = { ca_file = \"…\" }.",
    ),
    row(
        "imap-ssl",
        Tls(UnknownIssuer, IMAP, &[]),
        "tls",
        "the certificate of localhost is refused: this machine does not know its issuer (CN=Unknown Authority): name the \
         issuer's certificate in ca_file, or pin it: tls = { verify = \"pin\", pin = \"sha256:…\" }",
        "Name the issuer's certificate (PEM): tls = { ca_file = \"…\" }.",
    ),
    row(
        "imap-ssl",
        Tls(SelfSignedForOthers, IMAP, &[]),
        "tls",
        "the certificate of localhost is refused: it is self-signed, and it is for mail.example.com and 192.0.2.1: if it is \
         your server's, pin it: tls = { verify = \"pin\", pin = \"sha256:…\" }",
        "Ask the server's administrator whether this is its certificate.",
    ),
    // Logins.
    row(
        "imap-ssl",
        Tls(
            Good,
            IMAP,
            &[(
                "CAPABILITY",
                "* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n{tag} OK done\r\n",
            )],
        ),
        "login",
        "localhost refuses the login of all@example.com: it takes no password here (LOGINDISABLED, and no AUTH=PLAIN)",
        "The server takes no passwords here: use [profile.server.oauth2], or allow password logins on the server.",
    ),
    row(
        "imap",
        refuses!("[AUTHENTICATIONFAILED] Authentication failed."),
        "login",
        "localhost refuses the login of all@example.com: [AUTHENTICATIONFAILED] Authentication failed.",
        "Check server.username and the password.",
    ),
    row(
        "imap",
        refuses!("Application-specific password required"),
        "login",
        "localhost refuses the login of all@example.com: Application-specific password required",
        "The account wants a password of its own for programs",
    ),
    row(
        "imap",
        refuses!("Your account is not enabled for IMAP use."),
        "login",
        "localhost refuses the login of all@example.com: Your account is not enabled for IMAP use.",
        "Switch this access (IMAP or POP3) on",
    ),
    row(
        "imap",
        refuses!("[CONTACTADMIN] Account locked"),
        "login",
        "localhost refuses the login of all@example.com: [CONTACTADMIN] Account locked",
        "The account, or its password, is locked or has expired",
    ),
    row(
        "imap",
        Greets(
            IMAP,
            &[(
                "CAPABILITY",
                "* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\n{tag} OK done\r\n",
            )],
        ),
        "login",
        "localhost refuses the login of all@example.com: it takes no password on a connection without TLS (LOGINDISABLED)",
        "Write access = \"imap-tls\" or \"imap-ssl\" under [profile.server].",
    ),
    row(
        "pop3",
        Greets(
            POP3,
            &[
                ("CAPA", "-ERR what?\r\n"),
                (
                    "USER",
                    "-ERR [AUTH] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.\r\n",
                ),
            ],
        ),
        "login",
        "localhost refuses the login of all@example.com: [AUTH] Plaintext authentication disallowed on non-secure (SSL/TLS) \
         connections.",
        "Write access = \"pop3-tls\" or \"pop3-ssl\" under [profile.server].",
    ),
    row(
        "imap",
        refuses!("[UNAVAILABLE] Maximum number of connections from user+IP exceeded"),
        "login",
        "localhost refuses the login of all@example.com: [UNAVAILABLE] Maximum number of connections from user+IP exceeded",
        "The server asks to come again later; the password may well be right.",
    ),
    row(
        "imap",
        Greets(
            IMAP,
            &[
                ("CAPABILITY", "* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n"),
                ("LOGIN", ""),
            ],
        ),
        "login",
        "the login to localhost was broken off (LOGIN): the server closed the connection",
        "The password was neither taken nor refused.",
    ),
    // Folders.
    folder(
        "archive",
        "there is no folder \"archive\"; did you mean \"INBOX.Archive\"? The server has \"INBOX.Archive\", \"INBOX\", \
         \"INBOX.Sent\"",
    ),
    folder(
        "INBOX/Sent",
        "there is no folder \"INBOX/Sent\"; did you mean \"INBOX.Sent\"? The server has \"INBOX.Sent\", …",
    ),
    folder(
        "Quarantine",
        "there is no folder \"Quarantine\". The server has \"INBOX\", \"INBOX.Archive\", \"INBOX.Sent\"",
    ),
    folder(
        "Journal*",
        "no folder matches \"Journal*\". The server has \"INBOX\", \"INBOX.Archive\", \"INBOX.Sent\"",
    ),
    folder(
        "Shared",
        "\"Shared\" holds no mail, only other folders; \"Shared.*\" means those",
    ),
];
