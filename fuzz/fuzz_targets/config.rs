//! A configuration of any text: it is read, or refused in words that show no secret.

#![no_main]

use dropkeep::config::Config;
use dropkeep_fuzz::{Bounded, choices};
use libfuzzer_sys::fuzz_target;

#[global_allocator]
static MEMORY: Bounded = Bounded::new();

const SECRET: &str = "hunter2";

/// Lines with a secret in them, right and wrong.
const LINES: [&str; 17] = [
    "password = \"hunter2\"",
    "password = hunter2",
    "password = 'hunter2",
    "password = \"hunter2",
    "password = [\"hunter2\"]",
    "password = { text = \"hunter2\" }",
    "password = \"hunter2\" # \"hunter2\"",
    "password = \"hunter2\" \"hunter2\"",
    "password: \"hunter2\"",
    "pasword = \"hunter2\"",
    "password_ = \"hunter2\"",
    "client_secret = \"hunter2\"",
    "refresh_token = \"hunter2\"",
    "refresh_token = [[\"hunter2\"]]",
    "oauth2 = { client_id = \"a\", client_secret = \"hunter2\" }",
    "server = { access = \"imap\", password = \"hunter2\" }",
    "http = { token = \"hunter2\" }",
];

/// What would make a secret of the text, or have it read files.
const LEFT_OUT: [&str; 6] = [SECRET, "users_file", "\\", "\"\"\"", "'''", "domain_aliases"];

fuzz_target!(|input: &[u8]| {
    let ([which, line], text) = choices(input);
    let text = String::from_utf8_lossy(text);
    if LEFT_OUT.iter().any(|words| text.contains(words)) {
        return;
    }
    let mut lines: Vec<&str> = text.lines().collect();
    let at = usize::from(line) % (lines.len() + 1);
    lines.insert(at, LINES[usize::from(which) % LINES.len()]);
    for text in [&lines.join("\n"), &*text] {
        match Config::of(text) {
            Ok(config) => assert!(!format!("{config:?}").contains(SECRET)),
            Err(error) => {
                for words in [error.to_string(), format!("{error:?}")] {
                    assert!(
                        !words.is_empty() && !words.contains(SECRET),
                        "it is shown: {words}\n{text}"
                    );
                }
            }
        }
    }
});
