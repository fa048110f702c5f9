//! What to do about a certificate that is refused.

use crate::{
    config::Fingerprint,
    said::{Said, said},
};

/// What makes a certificate acceptable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mend {
    /// A host name that the certificate is for: one of those that the reason lists, if it lists any.
    Host { names: usize },
    /// Only a pin.
    Pinning,
    /// This, named in `ca_file`.
    CaFile(Said),
    /// The administrator of the server must do this.
    Server(Said),
    /// The administrator of this machine must do this.
    Here(Said),
    /// Another pin.
    Pin,
}

impl Mend {
    /// What to do, with `host` and `tls` as they are written in the configuration of a server that can be pinned.
    pub fn with_pin(&self, fingerprint: &Fingerprint) -> Said {
        let pin = format!("tls = {{ verify = \"pin\", pin = \"{fingerprint}\" }}");
        let words = match self {
            Self::Pin => return said!(MendPin, "if it is the server's new certificate, write {0}", pin),
            Self::Pinning => return said!(MendPinning, "if it is your server's, pin it: {0}", pin),
            Self::Host { names: 0 } => said!(MendHost, "write a host that it is for"),
            Self::Host { names: 1 } => said!(MendHostOne, "write that as host if it leads to your server"),
            Self::Host { .. } => said!(MendHostSome, "write one of these as host if it leads to your server"),
            Self::CaFile(_) | Self::Server(_) | Self::Here(_) => self.without_pin(),
        };
        said!(MendOrPin, "{0}, or pin it: {1}", words, pin)
    }

    /// What to do about the certificate of an address that has no pin, as token endpoints and webhooks have none.
    pub fn without_pin(&self) -> Said {
        match self {
            Self::Host { .. } => said!(MendName, "use a name that it is for"),
            Self::CaFile(what) => said!(MendCaFile, "name {0} in ca_file", what),
            Self::Server(what) | Self::Here(what) => what.clone(),
            Self::Pinning | Self::Pin => said!(MendOneForName, "the server needs one for its name"),
        }
    }
}
