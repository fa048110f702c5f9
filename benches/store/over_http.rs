//! How fast a large archive is read over HTTP: pages of the API and of the console.

use std::{path::Path, time::Instant};

use serde_json::{Value, json};

use crate::{
    site::{Client, PASSWORD},
    support::{appliance::listening, control, running::Running},
    table::{self, Goal, quantile},
};

const TIMES: usize = 200;
/// Milliseconds at 99 in 100 of a page of the API, and until a page of the console begins.
const GOAL_LIST: f64 = 20.0;
const GOAL_PAGE: f64 = 50.0;

/// As an account that may read all archives; lists are those of `user`.
pub fn run(serving: &Running, data: &Path, user: &str) {
    let wish = json!({"add": {"role": "auditor", "archives": [], "password": PASSWORD}});
    control::ask(data, &json!({"change_account": {"name": "rita", "wish": wish}})).expect("an account");
    let stranger = Client {
        address: listening(serving),
        field: "X-Nothing: x".into(),
    };
    let body = json!({"name": "rita", "password": PASSWORD});
    let reply = stranger.send("POST", "/api/v1/session", &body).expect(201);
    let cookie = reply.field("set-cookie").split(';').next().unwrap_or_default();
    let rita = Client {
        field: format!("Cookie: {cookie}\r\nDropkeep-Reason: a%20benchmark"),
        ..stranger
    };
    table::head("over HTTP, 99 in 100");
    let list = format!("/api/v1/users/{user}/messages?limit=50");
    row("API: the newest 50 of a user", &times(&rita, &list), GOAL_LIST);
    // Each time the page behind the one before.
    let (mut cursor, mut pages) = (String::new(), Vec::new());
    for _ in 0..TIMES {
        let begun = Instant::now();
        let page: Value = rita.get(&format!("{list}{cursor}")).expect(200).json();
        pages.push(begun.elapsed().as_secs_f64() * 1e3);
        cursor = page["next"]
            .as_str()
            .map_or_else(String::new, |next| format!("&cursor={next}"));
    }
    row("API: page after page of 50", &pages, GOAL_LIST);
    row(
        "console: an archive",
        &times(&rita, &format!("/console/archives/{user}")),
        GOAL_PAGE,
    );
    row(
        "console: a search",
        &times(&rita, "/console/mail?q=please+meeting"),
        GOAL_PAGE,
    );
    row("console: a message", &times(&rita, "/console/mail/1000"), GOAL_PAGE);
}

/// Milliseconds of each answer, after one to have its pages in memory.
fn times(client: &Client, path: &str) -> Vec<f64> {
    client.get(path).expect(200);
    let one = |_| {
        let begun = Instant::now();
        client.get(path).expect(200);
        begun.elapsed().as_secs_f64() * 1e3
    };
    (0..TIMES).map(one).collect()
}

fn row(what: &str, times: &[f64], goal: f64) {
    let median = quantile(times, 0.5).expect("times");
    let slowest = quantile(times, 0.99).expect("times");
    table::row(
        &format!("{what} (median {median:.1})"),
        slowest,
        Goal::AtMost(goal),
        "ms",
    );
}
