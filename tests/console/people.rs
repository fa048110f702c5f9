//! What the tests share: somebody who uses pages, as a browser would without its script.

use crate::site::{Client, PASSWORD, Reply, Site};

/// The headers of a form.
const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

/// Text that is safe in the body of a form, and in an address.
pub fn encoded(text: &str) -> String {
    let letter = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        byte => format!("%{byte:02x}"),
    };
    text.bytes().map(letter).collect()
}

pub fn body(fields: &[(&str, &str)]) -> String {
    let fields = fields
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    fields.collect::<Vec<_>>().join("&")
}

/// What stands between two texts for the first time.
pub fn between<'t>(text: &'t str, before: &str, behind: &str) -> &'t str {
    let (_, rest) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split_once(behind).map_or(rest, |(found, _)| found)
}

/// Sends a form as it is.
pub fn send(client: &Client, path: &str, fields: &[(&str, &str)]) -> Reply {
    client.ask("POST", path, FORM, body(fields).as_bytes())
}

/// The token that forms of a page bear.
pub fn token(client: &Client) -> String {
    let page = client.get("/console/account").expect(200).text();
    between(&page, "name=\"token\" value=\"", "\"").to_owned()
}

/// Sends a form of a page of theirs.
pub fn submit(client: &Client, path: &str, fields: &[(&str, &str)]) -> Reply {
    let token = token(client);
    let fields: Vec<_> = [("token", &*token)].into_iter().chain(fields.iter().copied()).collect();
    send(client, path, &fields)
}

/// Whoever logs in by the page.
pub fn log_in(site: &Site, name: &str, to: &str) -> (Client, Reply) {
    let stranger = site.stranger();
    let reply = send(
        &stranger,
        "/console/log-in",
        &[("name", name), ("password", PASSWORD), ("to", to)],
    )
    .expect(303);
    let cookie = reply.field("set-cookie").split(';').next().unwrap_or_default();
    let client = Client {
        field: format!("Cookie: {cookie}"),
        ..stranger
    };
    (client, reply)
}

/// A site with an account of each role: to `jane` and `anna` an archive is given.
pub fn peopled() -> Site {
    let site = Site::with_mail();
    site.add("jane", "user", &["jane"]);
    site.add("rita", "auditor", &[]);
    site.add("anna", "administrator", &["bob"]);
    site.indexed();
    site
}

/// As the role of an account of [`peopled`] is called.
pub const NAMES: [&str; 3] = ["jane", "rita", "anna"];

/// Message `with_mail` made for these users, by their bits.
pub fn message(set: usize) -> String {
    format!("/console/mail/{}", set + 1)
}
