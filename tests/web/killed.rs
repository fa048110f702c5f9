//! What was said to be kept is kept, whenever the process is killed.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use rustix::process::Signal;
use serde_json::json;

use crate::{
    profiles::{Admin, profile},
    site::{Client, read},
    support::{PATIENCE, appliance::text, dovecot::PASSWORD, wait_for},
};

#[test]
fn a_killed_appliance_has_each_profile_that_it_said_it_has() {
    let mut admin = Admin::new();
    let mut said = Vec::new();
    for round in 0..4_u32 {
        // The kill comes anywhere between two answers.
        let (enough, added) = (3 + round * 2, AtomicU32::new(0));
        let adding = |client: &Client| {
            let mut said = Vec::new();
            for number in 0.. {
                let name = format!("round{round}n{number}");
                let body = profile(&name, 1).to_string();
                let field = "Content-Type: application/json\r\n";
                let asked = client.begin("POST", "/api/v1/profiles", field, body.as_bytes());
                // The end of the appliance cuts one off.
                let Ok(reply) = asked.and_then(read) else { return said };
                assert_eq!(reply.status, 201, "{}", reply.text());
                said.push(name);
                added.fetch_add(1, Ordering::Relaxed);
            }
            said
        };
        thread::scope(|scope| {
            let adding = scope.spawn(|| adding(&admin.client));
            assert!(wait_for(PATIENCE, || added.load(Ordering::Relaxed) >= enough));
            admin.site.serving.running.signal(Signal::KILL);
            said.extend(adding.join().expect("what was said"));
        });
        admin.site.kill();
        admin.client = admin.site.log_in("walter");
        let listed = admin.client.get("/api/v1/profiles").expect(200).json();
        let names: Vec<_> = listed["profiles"]
            .as_array()
            .expect("profiles")
            .iter()
            .map(|profile| text(profile, "profile"))
            .collect();
        let log = admin
            .site
            .appliance
            .done(&["audit", "--action", "profile-add", "--json"])
            .lines();
        for name in &said {
            assert!(names.contains(name), "{name} was said to be kept, and is not");
        }
        for name in names.iter().filter(|name| name.starts_with("round")) {
            let shown = admin.get(name).expect(200).json();
            assert_eq!(shown["profile"]["server"]["host"], "localhost", "{shown}");
            assert_eq!(shown["in_force"], json!(true), "{shown}");
            assert!(
                log.iter().any(|entry| text(entry, "object").contains(name.as_str())),
                "{name} is not noted"
            );
        }
        // Its password can be read.
        let exported = admin
            .site
            .appliance
            .done(&["profiles", "export", &said[0], "--secrets"])
            .text();
        assert!(exported.contains(PASSWORD), "{exported}");
    }
    admin.site.serving.stop().expect(0);
    admin.site.appliance.done(&["verify"]);
}
