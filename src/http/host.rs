//! For which host a request is meant.
//!
//! A page in somebody's browser may have its own name resolve to 127.0.0.1 (DNS rebinding), and then it may read what
//! this machine alone is to read. Its requests bear that name. So what is asked for in clear text, which is on loopback
//! only, is answered by the names of loopback and by those that the configuration has. Over TLS the certificate does
//! the same.

use std::net::IpAddr;

use actix_web::{
    HttpRequest,
    http::{StatusCode, Version, header::HOST, uri::Authority},
};

/// The names by which this machine is asked in clear text, beside those of loopback; in lower case.
pub(super) struct Hosts(Vec<String>);

impl Hosts {
    /// `listen`: what is listened on. `more`: names that the configuration has besides.
    pub fn new<'n>(listen: &'n str, more: impl IntoIterator<Item = &'n String>) -> Self {
        let more = more.into_iter().map(String::as_str);
        let names = more.chain(listen.rsplit_once(':').map(|(host, _)| host));
        Self(names.map(str::to_ascii_lowercase).collect())
    }

    /// Why a request is not answered: it is for somebody else, or does not say for whom though it must (RFC 9112, 3.2).
    /// HTTP/1.0 need not say it, and no browser speaks that.
    pub fn refuses(&self, request: &HttpRequest) -> Option<StatusCode> {
        let mut fields = request.headers().get_all(HOST);
        let (named, second) = (fields.next(), fields.next());
        let target = request.uri().authority();
        if second.is_some() || (named.is_none() && request.version() > Version::HTTP_10) {
            return Some(StatusCode::BAD_REQUEST);
        }
        let named = named.map(|named| named.to_str().is_ok_and(|named| self.has(named)));
        let target = target.map(|target: &Authority| self.has(target.as_str()));
        let all = [named, target].into_iter().flatten().all(|is_ours| is_ours);
        (!all).then_some(StatusCode::MISDIRECTED_REQUEST)
    }

    /// Whether a host, with or without a port, is this machine. The port may be that of a tunnel.
    fn has(&self, host: &str) -> bool {
        let Some(host) = without_port(host) else { return false };
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        match bare.unwrap_or(&host).parse::<IpAddr>() {
            Ok(address) if address.to_canonical().is_loopback() => true,
            // Whoever can have a name resolve to it can do so with any name below it, too (RFC 6761, 6.3).
            _ => host == "localhost" || host.ends_with(".localhost") || self.0.contains(&host),
        }
    }
}

/// `[::1]:80`, `::1`, `a:80` without the port; `None` where what stands there is no port.
fn without_port(host: &str) -> Option<&str> {
    let end = host.rfind(']').map_or(0, |end| end + 1);
    match host[end..].matches(':').count() {
        0 => Some(host),
        1 => {
            let (name, port) = host.rsplit_once(':')?;
            (port.is_empty() || port.parse::<u16>().is_ok()).then_some(name)
        }
        // IPv6 without brackets.
        _ => Some(host),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn this_machine_is_told_by_its_names_and_addresses() {
        let more = ["Metrics.example.com".to_owned()];
        let hosts = Hosts::new("archive.example.com:8080", &more);
        for ours in [
            "localhost",
            "LocalHost:8080",
            "localhost.",
            "localhost:",
            "a.localhost:1",
            "127.0.0.1",
            "127.1.2.3:9090",
            "[::1]",
            "[::1]:8080",
            "[::ffff:127.0.0.1]:80",
            "metrics.example.com",
            "archive.example.com:9000",
        ] {
            assert!(hosts.has(ours), "{ours}");
        }
        for other in [
            "",
            ":80",
            "evil.example",
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "notlocalhost",
            "localhost:evil",
            "127.0.0.1@evil.example",
            "192.0.2.1:8080",
            "0.0.0.0",
            "[::]",
            "[2001:db8::1]:80",
            "[::1",
            "[::1]evil.example",
            "x.metrics.example.com",
        ] {
            assert!(!hosts.has(other), "{other}");
        }
    }

    #[test]
    fn whom_a_request_is_for_is_said_once_and_may_be_left_out_in_http_1_0_only() {
        let hosts = Hosts::new("127.0.0.1:8080", &[]);
        let request = |version| TestRequest::get().uri("/metrics").version(version);
        let refuses = |request: TestRequest| hosts.refuses(&request.to_http_request());
        assert_eq!(refuses(request(Version::HTTP_10)), None);
        assert_eq!(refuses(request(Version::HTTP_11)), Some(StatusCode::BAD_REQUEST));
        assert_eq!(
            refuses(request(Version::HTTP_11).insert_header((HOST, "localhost:1"))),
            None
        );
        for version in [Version::HTTP_10, Version::HTTP_11] {
            let evil = request(version).insert_header((HOST, "evil.example"));
            assert_eq!(refuses(evil), Some(StatusCode::MISDIRECTED_REQUEST));
        }
        let twice = request(Version::HTTP_11)
            .append_header((HOST, "localhost"))
            .append_header((HOST, "localhost"));
        assert_eq!(refuses(twice), Some(StatusCode::BAD_REQUEST));
        let absolute = TestRequest::get()
            .uri("http://evil.example/metrics")
            .insert_header((HOST, "localhost"));
        assert_eq!(refuses(absolute), Some(StatusCode::MISDIRECTED_REQUEST));
    }
}
