//! What administrators do on several pages: import users, look at what was done and how it stands.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use dropkeep::{
    archive::{Committer, Store},
    config::Config,
    report::{Run, RunState},
};
use futures_util::future::join_all;
use jiff::{Timestamp, ToSpan, Zoned};

use crate::{
    people::{between, log_in, peopled, submit},
    site::{Client, Site},
    support::{PATIENCE, wait_for},
    unknown::followed,
};

#[test]
fn users_come_out_of_a_table_after_a_look_at_it() {
    let site = peopled();
    let (anna, _) = log_in(&site, "anna", "");
    let send = |path: &str, csv: &str| submit(&anna, path, &[("csv", csv)]);
    let (preview, now) = ("/console/people/import", "/console/people/import/now");
    for (csv, said, line) in [
        (
            "new,new@example.com\nother,nonsense\n",
            "Line 2: “nonsense” is not an address.",
            "other,nonsense",
        ),
        (
            "\n# x\nnew,bob@example.com\n",
            "Line 3: bob@example.com is an address of “bob” already.",
            "new,bob@example.com",
        ),
        (
            "a,a@example.com\nb,a@example.com\n",
            "Line 2: a@example.com is an address of “a” already.",
            "b,a@example.com",
        ),
        (
            "bob,b2@example.com\n",
            "Line 1: “bob” is a user of the configuration",
            "bob,b2@example.com",
        ),
        ("", "The table names no user.", ""),
    ] {
        for path in [preview, now] {
            let page = send(path, csv).expect(400).text();
            let shown = between(&page, "id=\"csv-wrong\" role=\"alert\">", "</p>");
            assert!(shown.contains(said), "{csv:?}: {shown}");
            assert!(
                line.is_empty() || page.contains(&format!("<code>{line}</code>")),
                "{csv:?}: {page}"
            );
        }
    }
    let csv = "new,new@example.com,n@example.com\nnewer,newer@example.com\n";
    let page = send(preview, csv).expect(200).text();
    assert!(
        page.contains("2 added, 0 changed, 0 unchanged") && page.contains("new,new@example.com"),
        "{page}"
    );
    assert!(
        !anna.get("/console/people").text().contains("newer@example.com"),
        "it was only looked at"
    );
    let done = followed(&anna, send(now, csv));
    assert!(
        done.contains("Users were imported") && done.contains("newer@example.com"),
        "{done}"
    );
    let again = send(preview, "new,new@example.com\nnewer,newer@example.com\n")
        .expect(200)
        .text();
    assert!(again.contains("0 added, 1 changed, 1 unchanged"), "{again}");
}

#[test]
fn the_audit_log_begins_with_what_was_done_last_and_comes_as_csv() {
    let site = peopled();
    let (anna, _) = log_in(&site, "anna", "");
    for number in 0..130 {
        anna.get(&format!("/console/mail?q=look{number}")).expect(200);
    }
    let page = anna.get("/console/audit?action=search").expect(200).text();
    let looked = |page: &str| -> Vec<String> {
        let rows = page.split("<td class=\"object\"><bdi>").skip(1);
        rows.map(|row| row.split('<').next().unwrap_or_default().to_owned())
            .collect()
    };
    let (first, next) = (
        looked(&page),
        between(&page, "rel=\"next\" href=\"", "\"").replace("&amp;", "&"),
    );
    assert_eq!((first.len(), &*first[0], &*first[99]), (100, "look129", "look30"));
    let second = looked(&anna.get(&next).expect(200).text());
    assert_eq!((second.len(), &*second[0], &*second[29]), (30, "look29", "look0"));
    let link = between(&page, "href=\"/console/audit.csv", "\"").replace("&amp;", "&");
    let file = anna.get(&format!("/console/audit.csv{link}")).expect(200);
    assert!(file.field("content-disposition").contains("audit.csv"));
    let text = file.text();
    let mut lines = text.lines();
    assert_eq!(
        lines.next(),
        Some("number,at,account,address,action,object,outcome,detail,reason")
    );
    let lines: Vec<_> = lines.collect();
    assert_eq!(lines.len(), 130);
    assert!(lines[0].contains("look129") && lines[129].contains("look0"), "{text}");
}

#[test]
fn chosen_messages_come_as_one_file() {
    let site = peopled();
    let (jane, _) = log_in(&site, "jane", "");
    let page = jane.get("/console/mail?q=words*").expect(200).text();
    assert!(page.contains("name=\"id\" value=\"2\" form=\"chosen\""), "{page}");
    let file = jane.get("/console/export?chosen=1&q=words*&id=2&id=4").expect(200);
    assert!(file.body.starts_with(b"PK"));
    assert_eq!(
        file.body.len(),
        jane.get("/api/v1/export?ids=2,4").expect(200).body.len()
    );
    jane.get("/console/export?chosen=1&id=2&id=3").expect(404);
    let none = jane.get("/console/export?chosen=1&q=words1").expect(400).text();
    assert!(
        none.contains("Choose messages by the boxes") && none.contains("value=\"words1\""),
        "{none}"
    );
}

#[test]
fn the_console_knows_how_old_the_backup_is() {
    let site = peopled();
    let (anna, _) = log_in(&site, "anna", "");
    let store = || anna.get("/console/store").expect(200).text();
    assert!(store().contains("none that the archive knows of"));
    let to = site.path("backup");
    site.appliance.done(&["backup", to.to_str().expect("a name")]);
    let page = store();
    assert!(page.contains("0 seconds)") || page.contains(" second"), "{page}");
    assert!(page.contains(to.to_str().expect("a name")), "{page}");
    let status = anna.get("/api/v1/status").expect(200).json();
    assert_eq!(status["appliance"]["backup"]["messages"], 8, "{status}");
    let (_, metrics) = site.serving.get("/metrics");
    let last = metrics
        .lines()
        .find_map(|line| line.strip_prefix("dropkeep_backup_last_timestamp_seconds "));
    assert!(
        last.expect("a metric").parse::<f64>().expect("a number") > 1e9,
        "{metrics}"
    );
}

const RUNS: usize = 10_000;
/// In which a page of that begins, where it is not optimised either.
const SOON: Duration = Duration::from_millis(if cfg!(debug_assertions) { 150 } else { 50 });

/// Runs, one each few seconds up to now, of which each hundredth failed.
fn put_runs(data: std::path::PathBuf) {
    let config = Config {
        data_dir: data,
        ..Config::default()
    };
    let store = Arc::new(Store::open(&config).expect("the store"));
    let (committer, thread) = Committer::start(store, 64 << 20).expect("the committer");
    let now = Timestamp::now();
    actix_rt::System::new().block_on(async {
        for part in 0..RUNS / 1000 {
            let begun = (0..1000).map(|at| {
                let number = part * 1000 + at;
                let began = now - ((RUNS - number) as i64 * 8).seconds();
                let run = Run::begin("company", began);
                let committer = committer.clone();
                async move {
                    let number = committer.begin_run(&run).await.expect("a number");
                    let state = if number.0 % 100 == 0 {
                        RunState::Failed
                    } else {
                        RunState::Completed
                    };
                    let mut run = Run {
                        run: number,
                        state,
                        finished_at: Some(began),
                        ..run
                    };
                    run.notice("something to be said, so that it is kept");
                    committer.put_protocol(Arc::new(run)).await.expect("it is stored");
                }
            });
            join_all(begun).await;
        }
    });
    drop(committer);
    thread.join().expect("the end");
}

#[test]
fn the_overview_comes_soon_beside_thousands_of_runs_and_says_what_failed_lately() {
    let profile = "[[profile]]\nname = \"company\"\n[profile.server]\naccess = \"imap\"\nhost = \"127.0.0.1\"\nport = 1\n\
                   username = \"all\"\npassword = \"x\"\n";
    let site = Site::prepared("", profile, &[], |appliance| {
        appliance.done(&["users", "add", "joan", "joan@example.com", "--no-count"]);
        put_runs(appliance.data());
    });
    site.add("anna", "administrator", &[]);
    let today = Zoned::now().date();
    site.import("From: a@example.org\r\nTo: jane@example.com\r\nSubject: x\r\n\r\nx\r\n");
    let (anna, _) = log_in(&site, "anna", "");
    let page = anna.get("/console/overview").expect(200).text();
    let is_tomorrow = today != Zoned::now().date();
    assert!(
        page.contains("/console/runs/10000\"") && page.contains("All runs"),
        "{page}"
    );
    // After midnight it may have come yesterday.
    assert!(
        page.contains("aria-label=\"Today: 1 message\"") || is_tomorrow,
        "{page}"
    );
    assert!(page.contains("aria-label=\"The last 30 days: 1 message\""), "{page}");
    for path in ["overview", "runs", "store", "runs?state=interrupted"] {
        // However busy the machine is, one of many is not held up by others.
        let mut least = Duration::MAX;
        let is_soon = wait_for(PATIENCE, || {
            least = least.min(first_byte(&anna, &format!("/console/{path}")));
            least < SOON
        });
        println!("{path}: {least:?}");
        assert!(is_soon, "{path}: {least:?}");
    }
}

fn first_byte(client: &Client, path: &str) -> Duration {
    use std::io::Read;
    let began = Instant::now();
    let mut stream = client.begin("GET", path, "", b"").expect("a request");
    stream.read_exact(&mut [0]).expect("an answer");
    began.elapsed()
}
