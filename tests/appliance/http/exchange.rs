//! Certificates, keys and tokens that change on disk while they are served.

use std::time::Duration;

use rustix::process::Signal;

use crate::{
    http::{Site, TOKEN, client::Client, get, made_up_authority, parameters},
    support::{running::Serving, wait_for},
};

/// Until when a change must be taken, on a machine that has much else to do.
const TAKEN: Duration = Duration::from_secs(60);

fn shown(client: &Client) -> String {
    get(client, "/healthz", None).shown
}

fn wait_for_log(serving: &Serving, words: &str, times: usize) {
    let told = || serving.running.stderr().matches(words).count() >= times;
    assert!(wait_for(TAKEN, told), "no {words:?} in: {}", serving.running.stderr());
}

#[test]
fn a_new_certificate_is_shown_without_a_restart() {
    let authority = made_up_authority();
    let site = Site::with_tls(&authority);
    let serving = site.serve();
    let client = Client::trusting(&authority, &serving.address);
    assert_eq!(shown(&client), "first");
    site.put_certificate(&authority.signs(&parameters("second")));
    assert!(
        wait_for(TAKEN, || shown(&client) == "second"),
        "{}",
        serving.running.stderr()
    );
    // Of another authority, and back.
    let other = made_up_authority();
    site.put_certificate(&other.signs(&parameters("third")));
    let new = Client::trusting(&other, &serving.address);
    assert!(
        wait_for(TAKEN, || new.get("/healthz", None).is_ok()),
        "{}",
        serving.running.stderr()
    );
    assert!(
        client.get("/healthz", None).is_err(),
        "the same client is shown the new one too"
    );
    serving.stop().expect(0);
}

#[test]
fn a_bad_certificate_is_kept_out_until_it_is_good() {
    let authority = made_up_authority();
    let site = Site::with_tls(&authority);
    let serving = site.serve();
    let client = Client::trusting(&authority, &serving.address);
    let next = authority.signs(&parameters("second"));
    // Half of the exchange.
    site.put("cert.pem", &next.pem);
    wait_for_log(&serving, "is not the key of the certificate in", 1);
    assert_eq!(shown(&client), "first");
    site.put("cert.pem", "nothing of the kind");
    wait_for_log(&serving, "no certificate in PEM form", 1);
    std::fs::remove_file(site.folder().join("key.pem")).expect("it was there");
    site.put("cert.pem", &next.pem);
    wait_for_log(&serving, "does not exist", 1);
    assert_eq!(shown(&client), "first");
    assert_eq!(get(&client, "/metrics", Some(TOKEN)).status, 200);
    site.put_certificate(&next);
    assert!(
        wait_for(TAKEN, || shown(&client) == "second"),
        "{}",
        serving.running.stderr()
    );
    let outcome = serving.stop().expect(0);
    assert!(
        outcome.stderr.contains("HTTP goes on with the earlier one"),
        "{}",
        outcome.stderr
    );
    assert!(!outcome.stderr.contains("PRIVATE"), "{}", outcome.stderr);
}

/// SIGHUP has everything read, whether it seems to have changed or not.
#[test]
fn a_signal_has_files_read_at_once() {
    let authority = made_up_authority();
    let site = Site::with_tls(&authority);
    let serving = site.serve();
    serving.running.signal(Signal::HUP);
    wait_for_log(&serving, "/metrics asks for the new token", 1);
    wait_for_log(&serving, "HTTP uses the new certificate of", 1);
    // One that is bad does not keep the other out.
    site.put_certificate(&authority.signs(&parameters("second")));
    site.put("token", "hunter2");
    serving.running.signal(Signal::HUP);
    wait_for_log(&serving, "is too short", 1);
    let client = Client::trusting(&authority, &serving.address);
    assert!(
        wait_for(TAKEN, || shown(&client) == "second"),
        "{}",
        serving.running.stderr()
    );
    assert_eq!(get(&client, "/metrics", Some(TOKEN)).status, 200);
    serving.stop().expect(0);
}

#[test]
fn a_new_token_is_asked_for_without_a_restart() {
    let site = Site::new("listen = \"127.0.0.1:0\"\ntoken_file = \"token\"\n");
    site.put("token", TOKEN);
    let serving = site.serve();
    let client = Client::plain(&serving.address);
    let status = |token: &str| get(&client, "/metrics", Some(token)).status;
    let next = "hunter2-and-another-one";
    assert_eq!((status(TOKEN), status(next)), (200, 401));
    site.put("token", "hunter2");
    wait_for_log(&serving, "is too short", 1);
    assert_eq!((status(TOKEN), status("hunter2")), (200, 401));
    site.put("token", next);
    assert!(wait_for(TAKEN, || status(next) == 200), "{}", serving.running.stderr());
    assert_eq!(status(TOKEN), 401);
    let outcome = serving.stop().expect(0);
    assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.stderr);
}
