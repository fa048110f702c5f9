//! Sessions with a real server: what they change there, and what they wait for.

mod compress;
mod folders;
mod removal;
mod waiting;

use crate::support;

use crate::support::dovecot::{Dovecot, MAILBOX, PASSWORD};
use dropkeep::{
    config::{Access, Secret, Server},
    source::{CopyRef, Credential, Session, Steps},
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
    Session::connect(server, &password, &mut Steps::default())
        .await
        .expect("a session")
}

/// Messages that tell themselves apart.
fn messages(count: usize) -> Vec<String> {
    (1..=count).map(|n| format!("Subject: {n}\r\n\r\nhello\r\n")).collect()
}

async fn listing(server: &Server, folder: &str) -> Vec<CopyRef> {
    let mut session = connect(server).await;
    session.open(folder).await.expect("the folder");
    let listed = session.listing().await.expect("a listing").copies().collect::<Vec<_>>();
    session.close().await.expect("a farewell");
    listed
}
