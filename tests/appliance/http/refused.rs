//! What `serve` does not start with. All of it ends with exit code 2, and names the keys.

use std::fs;

use rcgen::date_time_ymd;

use crate::{
    http::{Site, TOKEN, client::Client, get, made_up_authority, parameters},
    support::listening::listen,
};

const TLS: &str = "tls = { cert_file = \"cert.pem\", key_file = \"key.pem\" }\n";

#[test]
fn other_machines_are_served_over_tls_and_with_a_token_only() {
    let site = Site::new("");
    let token = format!("token = \"{TOKEN}\"\n");
    let bare = [
        "`http.listen`",
        "TLS and a token",
        "tls = { cert_file = ",
        "token_file = ",
        "docs/http.md",
    ];
    for listen in [
        "0.0.0.0:0",
        "[::]:0",
        "192.0.2.1:8080",
        "[::ffff:192.0.2.1]:8080",
        "[2001:db8::1]:8080",
    ] {
        let listen = format!("listen = \"{listen}\"\n");
        site.configure(&listen);
        site.refuses(site.command(), &[&bare[..], &["dropkeep.toml, line 3"]].concat());
        site.configure(&(listen.clone() + &token));
        site.refuses(site.command(), &["takes TLS:", "tls = { cert_file = "]);
        site.configure(&(listen + TLS));
        site.refuses(site.command(), &["takes a token:", "token_file = "]);
    }
    // Names are judged by what they resolve to: 0 is 0.0.0.0, and 10.1 is 10.0.0.1.
    for listen in ["0:0", "10.1:8080"] {
        site.configure(&format!("listen = \"{listen}\"\n"));
        site.refuses(
            site.command(),
            &["http.listen", "TLS and a token", "tls = {", "token_file = "],
        );
    }
}

#[test]
fn the_environment_is_judged_too() {
    let site = Site::new("listen = \"127.0.0.1:0\"\n");
    let mut command = site.command();
    command.env("DROPKEEP__HTTP__LISTEN", "0.0.0.0:0");
    let outcome = site.refuses(
        command,
        &["variable DROPKEEP__HTTP__LISTEN: `http.listen`", "TLS and a token"],
    );
    assert!(!outcome.stderr.contains("line"), "{}", outcome.stderr);
    let mut command = site.command();
    command.env("DROPKEEP__HTTP__TOKEN", "hunter2");
    site.refuses(
        command,
        &["variable DROPKEEP__HTTP__TOKEN: `http.token`", "at least 16"],
    );
    let mut command = site.command();
    command.env("DROPKEEP__HTTP__TLS__CERT_FILE", "cert.pem");
    site.refuses(command, &["key_file is missing in [http.tls]"]);
    // From there it may come whole.
    let mut command = site.command();
    command.env("DROPKEEP__HTTP__TOKEN", TOKEN);
    let serving = site.appliance.serve_as(command);
    let client = Client::plain(&serving.address);
    assert_eq!(get(&client, "/metrics", None).status, 401);
    assert_eq!(get(&client, "/metrics", Some(TOKEN)).status, 200);
    serving.stop().expect(0);
}

#[test]
fn a_token_that_is_none_is_refused() {
    let site = Site::new("");
    let file = site.put("short", "hunter2\n");
    for (keys, words) in [
        ("token = \"\"", ["`http.token`", "is empty"]),
        ("token = \"hunter2-hunter2\"", ["`http.token`", "at least 16"]),
        (
            "token = \"hunter2 hunter2 hunter2\"",
            ["`http.token`", "without spaces"],
        ),
        (
            "token = \"hunter2hunter2hunter2\"\ntoken_env = \"A\"",
            ["`http.token`", "give one of"],
        ),
        (
            "token_file = \"short\"",
            [&*format!("http.token_file {}", file.display()), "at least 16"],
        ),
        ("token_file = \"nothing\"", ["http.token_file /", "does not exist"]),
        ("token_env = \"NOT_THERE\"", ["http.token_env", "NOT_THERE is not set"]),
    ] {
        site.configure(&format!("listen = \"127.0.0.1:0\"\n{keys}\n"));
        site.refuses(site.command(), &words);
    }
    site.configure("listen = \"127.0.0.1:0\"\ntoken_env = \"GIVEN\"\n");
    let mut command = site.command();
    command.env("GIVEN", "hunter2");
    site.refuses(command, &["http.token_env GIVEN", "at least 16"]);
}

#[test]
fn certificates_and_keys_that_cannot_be_served_are_refused() {
    let authority = made_up_authority();
    let site = Site::with_tls(&authority);
    for (keys, missing) in [
        ("cert_file = \"cert.pem\"", "key_file"),
        ("key_file = \"key.pem\"", "cert_file"),
    ] {
        site.configure(&format!("listen = \"127.0.0.1:0\"\ntls = {{ {keys} }}\n"));
        site.refuses(site.command(), &[&format!("{missing} is missing in [http.tls]")]);
    }
    site.configure(&format!("listen = \"127.0.0.1:0\"\n{TLS}"));
    let good = authority.signs(&parameters("good"));
    let other = authority.signs(&parameters("other"));
    for (certificate, key, words) in [
        (
            &*good.pem,
            &*other.key,
            ["http.tls.key_file", "not the key of the certificate in"],
        ),
        ("", &good.key, ["http.tls.cert_file", "no certificate in PEM form"]),
        (
            &good.key,
            &good.key,
            ["http.tls.cert_file", "no certificate in PEM form"],
        ),
        (&good.pem, "", ["http.tls.key_file", "no private key in PEM form"]),
        (
            &good.pem,
            &good.pem,
            ["http.tls.key_file", "no private key in PEM form"],
        ),
        (&broken(&good.pem), &good.key, ["http.tls.cert_file", "cannot be read"]),
        (
            &good.pem,
            &broken(&good.key),
            ["http.tls.key_file", "key cannot be used"],
        ),
    ] {
        site.put("cert.pem", certificate);
        site.put("key.pem", key);
        let outcome = site.refuses(site.command(), &words);
        let secret = good.key.lines().nth(1).expect("a line");
        assert!(!outcome.stderr.contains(secret), "the key shows: {}", outcome.stderr);
    }
    site.put_certificate(&good);
    fs::remove_file(site.folder().join("cert.pem")).expect("it was there");
    site.refuses(site.command(), &["http.tls.cert_file", "does not exist"]);
    fs::create_dir(site.folder().join("cert.pem")).expect("a folder");
    site.refuses(site.command(), &["http.tls.cert_file", "not a PEM file"]);
}

/// PEM that is well formed, and its content is not.
fn broken(pem: &str) -> String {
    let mut lines: Vec<&str> = pem.lines().collect();
    lines.remove(1);
    lines.join("\n")
}

/// Monitoring that ends over a date is missed when it is needed.
#[test]
fn an_expired_certificate_is_served_with_a_warning() {
    let authority = made_up_authority();
    let site = Site::with_tls(&authority);
    let mut old = parameters("old");
    (old.not_before, old.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    site.put_certificate(&authority.signs(&old));
    let serving = site.serve();
    let client = Client::trusting(&authority, &serving.address);
    let refusal = client
        .get("/healthz", None)
        .err()
        .expect("the client refuses it")
        .to_string();
    assert!(refusal.contains("expired") || refusal.contains("Expired"), "{refusal}");
    let outcome = serving.stop().expect(0);
    assert!(
        outcome.stderr.contains("WARN") && outcome.stderr.contains("the certificate expired on 2021-01-01"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_place_where_nobody_can_listen_is_refused() {
    let site = Site::new("");
    let (_held, port) = listen();
    let taken = format!("127.0.0.1:{port}");
    for (listen, words) in [
        (taken.as_str(), ["cannot listen on", "http.listen"]),
        ("127.0.0.1", ["`http.listen`", "an address and a port"]),
        ("http://127.0.0.1:8080", ["`http.listen`", "an address and a port"]),
        (
            "nowhere.invalid:8080",
            ["cannot listen on nowhere.invalid:8080", "http.listen"],
        ),
    ] {
        site.configure(&format!("listen = \"{listen}\"\n"));
        site.refuses(site.command(), &words);
    }
}
