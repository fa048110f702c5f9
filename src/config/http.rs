//! `[http]`: metrics and health over TCP, and who gets them.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use serde::Deserialize;

use super::{ConfigError, Secret, secret_ways::SecretWays};
use crate::account::absolute;

/// Characters of the shortest token: 64 bits even where all of them are hexadecimal digits.
const SHORTEST_TOKEN: usize = 16;

/// `[http]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Address and port; port 0 takes any free one. Elsewhere than on loopback only with `tls` and a token.
    pub listen: String,
    /// Names of this machine by which requests in clear text may ask, beside those of loopback and that of `listen`:
    /// those that a proxy on this machine hands on, say.
    pub hosts: Vec<String>,
    pub tls: Option<HttpTls>,
    /// Requests from one address (of IPv6 a /64), on average of ten seconds, and how many of them are answered at once.
    pub requests_per_second: u32,
    pub requests_at_once: usize,
    pub(super) token: Option<Secret>,
    pub(super) token_file: Option<PathBuf>,
    token_env: Option<String>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".into(),
            hosts: Vec::new(),
            tls: None,
            requests_per_second: 100,
            requests_at_once: 256,
            token: None,
            token_file: None,
            token_env: None,
        }
    }
}

/// `tls = { … }` of `[http]`: PEM files.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpTls {
    /// The certificate, and those between it and a root.
    pub cert_file: PathBuf,
    pub key_file: PathBuf,
    /// Only clients that show a certificate of one of these authorities are let in.
    pub client_ca_file: Option<PathBuf>,
}

impl HttpTls {
    pub(super) fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        [&mut self.cert_file, &mut self.key_file]
            .into_iter()
            .chain(&mut self.client_ca_file)
    }
}

impl Http {
    /// The token that `/metrics` asks for, from wherever the configuration says; `None` where it asks for none.
    ///
    /// # Errors
    /// The file cannot be read, the variable is not set, or what is in it is no token. None of them shows it.
    pub fn token(&self) -> Result<Option<Secret>, ConfigError> {
        let Some(token) = self.token_ways().read()? else {
            return Ok(None);
        };
        match token_fault(&token) {
            None => Ok(Some(token)),
            Some(detail) => Err(ConfigError::Token {
                from: self.token_from(),
                detail,
            }),
        }
    }

    /// The file that holds the token, where one does.
    pub fn token_file(&self) -> Option<&PathBuf> {
        self.token_file.as_ref()
    }

    /// # Errors
    /// Others than this machine reach this address, and the configuration has not all that this takes. Says what to
    /// write.
    pub fn allows(&self, address: SocketAddr) -> Result<(), String> {
        let tls = "tls = { cert_file = \"cert.pem\", key_file = \"key.pem\" }";
        let token = "token_file = \"http-token\"";
        let (takes, write) = match (&self.tls, self.token_ways().given()) {
            _ if is_loopback(address.ip()) => return Ok(()),
            (Some(_), 1..) => return Ok(()),
            (None, 0) => ("TLS and a token", format!("`{tls}` and `{token}`")),
            (None, _) => ("TLS", format!("`{tls}`")),
            (Some(_), 0) => ("a token", format!("`{token}`")),
        };
        Err(format!(
            "other machines reach {address}, so it takes {takes}: write {write} below [http], or listen on \
             \"127.0.0.1:{}\" (docs/http.md)",
            address.port()
        ))
    }

    /// The key that is wrong, and how, as far as the configuration alone shows it. A name is judged when it is
    /// resolved.
    pub(super) fn fault(&self) -> Option<(&'static str, String)> {
        if !is_place(&self.listen) {
            let detail = "must be an address and a port, as \"127.0.0.1:8080\" or \"[::1]:8080\"".to_owned();
            return Some(("listen", detail));
        }
        let is_name = |host: &String| !host.is_empty() && is_place(&format!("{host}:1"));
        if let Some(host) = self.hosts.iter().find(|host| !is_name(host)) {
            let detail = format!("{host:?} must be a name or an address, without a port");
            return Some(("hosts", detail));
        }
        for (key, is_none) in [
            ("requests_per_second", self.requests_per_second == 0),
            ("requests_at_once", self.requests_at_once == 0),
        ] {
            if is_none {
                return Some((key, "must be 1 or more".to_owned()));
            }
        }
        if let Some(detail) = self.token_ways().fault(true) {
            return Some(("token", detail));
        }
        if let Some(detail) = self.token.as_ref().and_then(token_fault) {
            return Some(("token", detail));
        }
        let address = self.listen.parse::<SocketAddr>().ok()?;
        self.allows(address).err().map(|detail| ("listen", detail))
    }

    fn token_from(&self) -> String {
        match (&self.token_file, &self.token_env) {
            (Some(file), _) => format!("http.token_file {}", absolute(file).display()),
            (None, Some(name)) => format!("http.token_env {name}"),
            (None, None) => "http.token".to_owned(),
        }
    }

    pub(super) fn token_ways(&self) -> SecretWays<'_> {
        SecretWays {
            section: "http.".to_owned(),
            key: "token",
            text: self.token.as_ref(),
            file: self.token_file.as_deref(),
            env: self.token_env.as_deref(),
        }
    }
}

/// Whether only this machine reaches an address. `::ffff:127.0.0.1` is 127.0.0.1.
fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// An address or a name, and a port.
fn is_place(listen: &str) -> bool {
    let named = || {
        let (name, port) = listen.rsplit_once(':')?;
        let is_name =
            !name.is_empty() && !name.contains([':', '[', ']', '/', '@']) && !name.contains(char::is_whitespace);
        (is_name && port.parse::<u16>().is_ok()).then_some(())
    };
    listen.parse::<SocketAddr>().is_ok() || named().is_some()
}

/// Why this cannot be a token, without showing it.
fn token_fault(token: &Secret) -> Option<String> {
    let token = token.reveal();
    if token.is_empty() {
        return Some("is empty; `openssl rand -base64 32` makes a token".to_owned());
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some("must be one line of ASCII letters, digits and signs, without spaces".to_owned());
    }
    (token.len() < SHORTEST_TOKEN).then(|| {
        format!(
            "is too short: it has {} characters, and at least {SHORTEST_TOKEN} are needed; `openssl rand -base64 32` makes \
             a token",
            token.len()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn http(listen: &str, tls: bool, token: Option<&str>) -> Http {
        Http {
            listen: listen.into(),
            tls: tls.then(|| HttpTls {
                cert_file: "cert.pem".into(),
                key_file: "key.pem".into(),
                client_ca_file: None,
            }),
            token: token.map(Secret::new),
            ..Http::default()
        }
    }

    #[test]
    fn only_this_machine_is_served_without_tls_and_token() {
        for listen in [
            "127.0.0.1:8080",
            "127.1.2.3:0",
            "[::1]:8080",
            "[::ffff:127.0.0.1]:8080",
            // Judged when it is resolved.
            "localhost:8080",
        ] {
            assert_eq!(http(listen, false, None).fault(), None, "{listen}");
        }
        for listen in [
            "0.0.0.0:8080",
            "[::]:8080",
            "192.0.2.1:8080",
            "10.0.0.1:8080",
            "[2001:db8::1]:8080",
            "[fe80::1]:8080",
            "[::ffff:0.0.0.0]:8080",
            "[::ffff:192.0.2.1]:8080",
            // IPv4-compatible, and no loopback.
            "[::127.0.0.1]:8080",
        ] {
            for (tls, token, takes, not) in [
                (false, None, "takes TLS and a token", "none"),
                (false, Some(TOKEN), "takes TLS:", "token_file"),
                (true, None, "takes a token:", "cert_file"),
            ] {
                let (key, detail) = http(listen, tls, token).fault().expect(listen);
                assert_eq!(key, "listen");
                assert!(
                    detail.contains(takes) && detail.contains("\"127.0.0.1:8080\""),
                    "{detail}"
                );
                assert!(!detail.contains(not) && !detail.contains(TOKEN), "{detail}");
            }
            assert_eq!(http(listen, true, Some(TOKEN)).fault(), None, "{listen}");
        }
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for listen in [
            "",
            "8080",
            ":8080",
            "127.0.0.1",
            "::1:8080",
            "a:b",
            "a:70000",
            "http://a:1",
            "a b:1",
        ] {
            assert_eq!(http(listen, false, None).fault().expect(listen).0, "listen", "{listen}");
        }
        for listen in ["a:1", "mail.example.com:8080"] {
            assert_eq!(http(listen, false, None).fault(), None, "{listen}");
        }
    }

    #[test]
    fn a_token_is_long_enough_and_fits_into_a_header() {
        for (token, word) in [
            ("", "is empty"),
            ("hunter2", "at least 16"),
            ("hunter2 hunter2 hunter2", "without spaces"),
            ("hunter2-hunter2-hunter2\n", "without spaces"),
            ("hunter2-hunter2-hünter2", "ASCII"),
        ] {
            let (key, detail) = http("127.0.0.1:0", false, Some(token)).fault().expect(token);
            assert_eq!(key, "token");
            assert!(detail.contains(word) && !detail.contains("hunter2"), "{detail}");
        }
        let read = http("127.0.0.1:0", false, Some(TOKEN)).token().unwrap().unwrap();
        assert_eq!(read.reveal(), TOKEN);
        assert!(http("127.0.0.1:0", false, None).token().unwrap().is_none());
    }

    #[test]
    fn a_token_in_a_file_is_held_to_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let http = Http {
            token_file: Some(file.clone()),
            ..Http::default()
        };
        for (text, word) in [
            (None, "does not exist"),
            (Some("\n"), "is empty"),
            (Some("hunter2\n"), "is too short"),
            (Some("hunter2-hunter2\nhunter2"), "several lines"),
        ] {
            if let Some(text) = text {
                std::fs::write(&file, text).unwrap();
            }
            let shown = http.token().unwrap_err().to_string();
            assert!(
                shown.starts_with("http.token_file /") && shown.contains(word),
                "{shown}"
            );
            assert!(!shown.contains("hunter2"), "{shown}");
        }
        std::fs::write(&file, format!("{TOKEN}\r\n")).unwrap();
        assert_eq!(http.token().unwrap().unwrap().reveal(), TOKEN);
    }
}
