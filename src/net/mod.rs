//! Connections to servers: resolve a name, connect, begin TLS, and notice that another server listens than was meant.
//!
//! Sources, token endpoints, webhooks and servers that take mail are all dialled here, and all fail with a
//! [`NetError`].
//!
//! - `dial` resolves and connects, over TCP that acknowledges at once (`prompt`).
//! - `tls` does the handshake. `verifier` judges the certificate, `certificate` is what people see of it, `mend` what
//!   to do about one that is refused.
//! - `greeting` waits for a server's first words, and `speaks` recognises by them what it speaks.
//! - `credential` is what a client logs in with, and keeps it out of what is shown.
//! - `post` is one request over HTTP.

mod certificate;
mod credential;
mod dial;
mod error;
mod greeting;
mod mend;
mod post;
mod prompt;
mod speaks;
mod tls;
mod verifier;

pub use certificate::PeerCertificate;
pub use credential::Credential;
pub(crate) use credential::{Hidden, plain_response, token_response};
pub(crate) use dial::{READ_BUFFER, Tcp, connect, reach, resolve};
pub use error::{NetError, Phase};
pub(crate) use greeting::{NoGreeting, greeting};
pub use mend::Mend;
pub(crate) use post::{Post, Reply, post};
pub(crate) use prompt::Prompt;
pub use speaks::{Found, Speaks};
pub(crate) use tls::encrypt;
