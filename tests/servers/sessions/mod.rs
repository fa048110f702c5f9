//! Sessions with a real server: what they change there, and what they wait for.

mod compress;
mod folders;
mod removal;
mod waiting;

use dropkeep::{
    config::{Access, Secret, Server},
    source::{CopyRef, Credential, Session},
};

use crate::{
    session::{connect_with, listed},
    support::dovecot::{Dovecot, MAILBOX, PASSWORD},
};

fn server(dovecot: &Dovecot, access: Access) -> Server {
    let port = match access {
        Access::Pop3 => dovecot.ports.pop3,
        _ => dovecot.ports.imap,
    };
    Server::new(access, "127.0.0.1", port, MAILBOX)
}

async fn connect(server: &Server) -> Session {
    let password = Credential::Password(Secret::new(PASSWORD));
    connect_with(server, &password).await.expect("a session")
}

/// Messages that tell themselves apart.
fn messages(count: usize) -> Vec<String> {
    (1..=count).map(|n| format!("Subject: {n}\r\n\r\nhello\r\n")).collect()
}

async fn listing(server: &Server, folder: &str) -> Vec<CopyRef> {
    let mut session = connect(server).await;
    session.open(folder).await.expect("the folder");
    let copies = listed(&mut session).await;
    session.close().await.expect("a farewell");
    copies
}
