//! What to do about a certificate that is refused.

use crate::config::Fingerprint;

/// What makes a certificate acceptable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mend {
    /// A host name that the certificate is for: one of those that the reason lists, if it lists any.
    Host { names: usize },
    /// Only a pin.
    Pinning,
    /// This, named in `ca_file`.
    CaFile(&'static str),
    /// The administrator of the server must do this.
    Server(&'static str),
    /// The administrator of this machine must do this.
    Here(&'static str),
    /// Another pin.
    Pin,
}

impl Mend {
    /// What to do, with `host` and `tls` as they are written in the configuration of a server that can be pinned.
    pub fn with_pin(&self, fingerprint: &Fingerprint) -> String {
        let pin = format!("tls = {{ verify = \"pin\", pin = \"{fingerprint}\" }}");
        let words = match self {
            Self::Pin => return format!("if it is the server's new certificate, write {pin}"),
            Self::Pinning => return format!("if it is your server's, pin it: {pin}"),
            Self::Host { names: 0 } => "write a host that it is for",
            Self::Host { names: 1 } => "write that as host if it leads to your server",
            Self::Host { .. } => "write one of these as host if it leads to your server",
            Self::CaFile(_) | Self::Server(_) | Self::Here(_) => &self.without_pin(),
        };
        format!("{words}, or pin it: {pin}")
    }

    /// What to do about the certificate of an address that has no pin, as token endpoints and webhooks have none.
    pub fn without_pin(&self) -> String {
        match self {
            Self::Host { .. } => "use a name that it is for".to_owned(),
            Self::CaFile(what) => format!("name {what} in ca_file"),
            Self::Server(what) | Self::Here(what) => (*what).to_owned(),
            Self::Pinning | Self::Pin => "the server needs one for its name".to_owned(),
        }
    }
}
