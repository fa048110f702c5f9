//! Profiles that the catalog keeps: made, changed, tried out and removed over the API, while they run.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    site::{Client, Reply, Site},
    support::{
        PATIENCE,
        appliance::{PROFILE, number, text},
        dovecot::{Dovecot, MAILBOX, PASSWORD},
        proxy::Proxy,
        wait_for,
    },
};

const MESSAGES: usize = 12;

fn mail(number: usize) -> String {
    format!(
        "From: x@example.org\r\nTo: jane@example.com\r\nSubject: s{number}\r\nMessage-ID: <{number}@example.org>\r\n\r\n{}\r\n",
        "words ".repeat(400)
    )
}

fn server() -> Dovecot {
    Dovecot::with((0..MESSAGES).map(mail))
}

/// A profile of the mailbox, as the API has it.
pub fn profile(name: &str, port: u16) -> Value {
    json!({
        "name": name,
        "server": {
            "access": "imap-ssl", "host": "localhost", "port": port, "username": MAILBOX, "password": PASSWORD,
            "tls": {"verify": "none"},
        },
        "recipients": {"own_addresses": [MAILBOX], "local_domains": ["example.com"]},
    })
}

/// The same without its password.
fn without_password(mut profile: Value) -> Value {
    profile["server"].as_object_mut().expect("a table").remove("password");
    profile
}

pub struct Admin {
    pub site: Site,
    pub client: Client,
}

impl Admin {
    pub fn new() -> Self {
        let site = Site::new("", &[]);
        site.add("walter", "administrator", &[]);
        let client = site.log_in("walter");
        Self { site, client }
    }

    fn post(&self, path: &str, body: &Value) -> Reply {
        self.client.send("POST", path, body)
    }

    fn put(&self, name: &str, body: &Value) -> Reply {
        self.client.send("PUT", &format!("/api/v1/profiles/{name}"), body)
    }

    pub fn get(&self, name: &str) -> Reply {
        self.client.get(&format!("/api/v1/profiles/{name}"))
    }

    /// Begins a run; gives its number.
    fn begin(&self, name: &str) -> u64 {
        let begun = self.post(&format!("/api/v1/profiles/{name}/runs"), &json!({}));
        number(&begun.expect(202).json(), "run")
    }

    /// The protocol of a run, once it has ended.
    fn ended(&self, run: u64) -> Value {
        let mut protocol = Value::Null;
        let ended = wait_for(PATIENCE, || {
            protocol = self.client.get(&format!("/api/v1/runs/{run}")).expect(200).json();
            text(&protocol, "state") != "running"
        });
        assert!(ended, "{protocol}");
        protocol
    }

    fn run(&self, name: &str) -> Value {
        self.ended(self.begin(name))
    }

    /// Events by name, of an answer that has come whole.
    fn events(reply: &Reply) -> Vec<(String, Value)> {
        let text = reply.text();
        let event = |lines: &str| {
            let (name, data) = lines.split_once('\n').expect("two lines");
            let name = name.strip_prefix("event: ").expect("its name").to_owned();
            (
                name,
                serde_json::from_str(data.strip_prefix("data: ").expect("data")).expect("JSON"),
            )
        };
        text.split("\n\n")
            .filter(|lines| !lines.is_empty())
            .map(event)
            .collect()
    }

    fn log(&self) -> Vec<Value> {
        let log = self.client.get("/api/v1/audit?limit=1000").expect(200).json();
        log["entries"].as_array().expect("entries").clone()
    }

    fn noted(&self, action: &str, outcome: &str) -> usize {
        let log = self.log();
        let fits = |entry: &&Value| entry["action"] == action && entry["outcome"] == outcome;
        log.iter().filter(fits).count()
    }
}

/// That a problem is about this value.
fn about(reply: Reply, status: u16, pointer: &str) -> String {
    let problem = reply.expect(status).json();
    assert_eq!(problem["pointer"], pointer, "{problem}");
    text(&problem, "detail")
}

/// Whether a file below `folder` has these bytes in it.
fn any_holds(folder: &Path, bytes: &[u8]) -> Option<std::path::PathBuf> {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            if let Some(found) = any_holds(&path, bytes) {
                return Some(found);
            }
        } else if path.is_file()
            && fs::read(&path)
                .expect("a file")
                .windows(bytes.len())
                .any(|at| at == bytes)
        {
            return Some(path);
        }
    }
    None
}

#[test]
fn a_profile_is_made_tried_out_run_changed_and_removed() {
    let server = server();
    let port = server.ports.imaps;
    let admin = Admin::new();
    // Before it is kept.
    let unsaved = json!({"profile": profile("mine", port)});
    let tested = admin.post("/api/v1/profiles/test", &unsaved).expect(200);
    let events = Admin::events(&tested);
    let (last, found) = events.last().expect("an end");
    assert_eq!((last.as_str(), &found["ok"]), ("found", &json!(true)), "{found}");
    let steps: Vec<_> = events
        .iter()
        .filter(|(name, _)| name == "step")
        .map(|(_, step)| text(step, "step"))
        .collect();
    assert!(
        steps.iter().any(|step| step == "login") && steps.iter().any(|step| step == "headers"),
        "{steps:?}"
    );
    let tried = found["tried"]["messages"].as_array().expect("messages");
    assert!(
        (1..=3).contains(&tried.len()) && !found.to_string().contains("Subject"),
        "{found}"
    );
    assert!(found["other_folders"].is_array(), "{found}");
    let rehearsed = admin.post("/api/v1/profiles/dry-run", &unsaved).expect(200);
    let events = Admin::events(&rehearsed);
    let (last, counted) = events.last().expect("an end");
    assert_eq!(
        (last.as_str(), number(counted, "seen"), &counted["profile"]),
        ("found", MESSAGES as u64, &json!("mine")),
        "{counted}"
    );
    let mut wrong = unsaved;
    wrong["profile"]["server"]["password"] = json!("wrong");
    let tested = admin.post("/api/v1/profiles/test", &wrong).expect(200);
    let events = Admin::events(&tested);
    let failed = events
        .iter()
        .find(|(name, step)| name == "step" && step["ok"] == json!(false));
    assert_eq!(text(&failed.expect("a step that failed").1, "step"), "login");
    admin.get("mine").expect(404);

    let made = admin.post("/api/v1/profiles", &profile("mine", port)).expect(201);
    assert_eq!(made.field("location"), "/api/v1/profiles/mine");
    let shown = admin.get("mine").expect(200);
    assert!(!shown.text().contains(PASSWORD), "{}", shown.text());
    let shown = shown.json();
    assert_eq!(shown["secrets"], json!(["server.password"]));
    assert_eq!(
        (&shown["origin"], &shown["in_force"]),
        (&json!("catalog"), &json!(true))
    );
    assert_eq!(shown["profile"], without_password(profile("mine", port)));
    let rehearsed = admin.post("/api/v1/profiles/mine/dry-run", &json!({})).expect(200);
    let events = Admin::events(&rehearsed);
    let (last, counted) = events.last().expect("an end");
    assert_eq!(
        (last.as_str(), number(counted, "seen")),
        ("found", MESSAGES as u64),
        "{counted}"
    );
    let proposed = admin
        .post("/api/v1/profiles/mine/propose", &json!({}))
        .expect(200)
        .json();
    assert!(proposed["proposal"].is_object() && proposed["steps"].as_array().is_some_and(|steps| steps.len() > 3));
    let run = admin.run("mine");
    assert_eq!(
        (text(&run, "state").as_str(), number(&run, "archived")),
        ("completed", MESSAGES as u64),
        "{run}"
    );

    // What is left out stays, as long as the server does.
    let mut changed = without_password(profile("mine", port));
    changed["connections"] = json!(2);
    admin.put("mine", &changed).expect(204);
    assert_eq!(admin.get("mine").expect(200).json()["profile"]["connections"], 2);
    server.deliver([mail(1000)]);
    let run = admin.run("mine");
    assert_eq!(
        (text(&run, "state").as_str(), number(&run, "archived")),
        ("completed", 1),
        "{run}"
    );
    let tested = admin
        .post("/api/v1/profiles/test", &json!({"profile": changed, "like": "mine"}))
        .expect(200);
    assert_eq!(Admin::events(&tested).last().expect("an end").1["ok"], json!(true));
    for (key, value) in [("host", json!("127.0.0.1")), ("port", json!(port + 1))] {
        let mut elsewhere = changed.clone();
        elsewhere["server"][key] = value;
        let said = about(admin.put("mine", &elsewhere), 400, "#/server/password");
        assert!(said.contains("same server"), "{said}");
        let body = json!({"profile": elsewhere, "like": "mine"});
        about(
            admin.post("/api/v1/profiles/test", &body),
            400,
            "#/profile/server/password",
        );
    }
    changed["server"]["password"] = json!(null);
    about(admin.put("mine", &changed), 400, "#/server/password");

    admin.client.ask("DELETE", "/api/v1/profiles/mine", "", b"").expect(204);
    admin.get("mine").expect(404);
    admin.post("/api/v1/profiles/mine/runs", &json!({})).expect(404);
    admin.client.ask("DELETE", "/api/v1/profiles/mine", "", b"").expect(404);
    // Its protocols stay, and all of it is noted, without what is nobody's business.
    let runs = admin.client.get("/api/v1/runs?profile=mine").expect(200).json();
    assert_eq!(runs["runs"].as_array().expect("runs").len(), 2);
    assert_eq!(admin.noted("profile-add", "done"), 1);
    assert_eq!(admin.noted("profile-change", "done"), 1);
    assert_eq!(admin.noted("profile-remove", "done"), 1);
    assert!(admin.noted("profile-change", "failed") >= 3 && admin.noted("profile-test", "begun") == 6);
    assert_eq!(
        any_holds(&admin.site.appliance.data(), PASSWORD.as_bytes()),
        None,
        "it is encrypted"
    );
    assert!(!admin.site.serving.running.stderr().contains(PASSWORD));
    admin.site.appliance.done(&["verify"]);
}

#[test]
fn what_is_wrong_with_a_profile_is_said_where_it_is() {
    let admin = Admin::new();
    let refused = |change: &dyn Fn(&mut Value), status: u16, pointer: &str| {
        let mut body = profile("mine", 993);
        change(&mut body);
        let said = about(admin.post("/api/v1/profiles", &body), status, pointer);
        assert!(
            !said.contains(PASSWORD) && !said.contains("profile[1]") && !said.contains(", line "),
            "{said}"
        );
        said
    };
    let said = refused(&|it| it["server"]["prot"] = json!(1), 400, "#/server/prot");
    assert!(said.contains("did you mean `port`"), "{said}");
    refused(&|it| it["server"]["port"] = json!("993"), 400, "#/server/port");
    refused(&|it| it["server"]["access"] = json!("imaps"), 400, "#/server/access");
    refused(&|it| it["server"]["password"] = json!(7), 400, "#/server/password");
    refused(&|it| it["server"]["password"] = json!(""), 400, "#/server/password");
    refused(&|it| it["schedule"] = json!("every now"), 400, "#/schedule");
    refused(
        &|it| it["recipients"]["own_addresses"] = json!([MAILBOX, "x"]),
        400,
        "#/recipients/own_addresses/1",
    );
    refused(
        &|it| it["recipients"]["unknown"] = json!({"user": "nobody"}),
        400,
        "#/recipients/unknown",
    );
    refused(&|it| it["name"] = json!("@mine"), 400, "#/name");
    refused(&|it| it["name"] = json!("x".repeat(300)), 400, "#/name");
    refused(&|it| it["name"] = json!(PROFILE), 409, "#/name");
    // The first line of any file of the machine would be sent to whatever server.
    for (key, value) in [("password_file", "/etc/passwd"), ("password_env", "HOME")] {
        let said = refused(
            &|it| {
                *it = without_password(it.clone());
                it["server"][key] = json!(value);
            },
            400,
            &format!("#/server/{key}"),
        );
        assert!(said.contains("on the machine"), "{said}");
    }
    refused(
        &|it| it["server"]["tls"]["ca_file"] = json!("/etc/passwd"),
        400,
        "#/server/tls/ca_file",
    );
    for body in ["{}", "{\"name\":{}}", "{\"name\":\"x\",\"server\":[[[]]]}"] {
        let reply = admin.client.ask(
            "POST",
            "/api/v1/profiles",
            "Content-Type: application/json\r\n",
            body.as_bytes(),
        );
        assert_eq!(reply.status, 400, "{body}: {}", reply.text());
    }
    // One of the file is changed in the file.
    let refused = admin.put(PROFILE, &profile(PROFILE, 993)).expect(409).json();
    let said = text(&refused, "detail");
    assert!(said.contains("dropkeep.toml"), "{said}");
}

#[test]
fn a_password_is_changed_while_a_run_goes_on() {
    let server = server();
    let proxy = Proxy::to(server.ports.imaps);
    let admin = Admin::new();
    admin.post("/api/v1/profiles", &profile("mine", proxy.port)).expect(201);
    proxy.hold_after(12_000);
    let run = admin.begin("mine");
    proxy.wait_until_held();
    let mut changed = profile("mine", proxy.port);
    changed["server"]["password"] = json!("another one");
    admin.put("mine", &changed).expect(204);
    let going_on = admin.client.get(&format!("/api/v1/runs/{run}")).expect(200).json();
    assert_eq!(text(&going_on, "state"), "running", "{going_on}");
    proxy.open();
    let ended = admin.ended(run);
    assert_eq!(
        (text(&ended, "state").as_str(), number(&ended, "archived")),
        ("completed", MESSAGES as u64),
        "{ended}"
    );
    let next = admin.run("mine");
    assert_eq!(text(&next, "state"), "failed", "it logs in with the new one: {next}");
    admin.put("mine", &profile("mine", proxy.port)).expect(204);
    assert_eq!(text(&admin.run("mine"), "state"), "completed");
    // One that is removed ends its run in good order.
    server.deliver((100..160).map(mail));
    let proxy_held = Proxy::to(server.ports.imaps);
    admin.put("mine", &profile("mine", proxy_held.port)).expect(204);
    proxy_held.hold_after(12_000);
    let run = admin.begin("mine");
    proxy_held.wait_until_held();
    admin.client.ask("DELETE", "/api/v1/profiles/mine", "", b"").expect(204);
    proxy_held.open();
    let ended = admin.ended(run);
    assert!(
        ["interrupted", "completed"].contains(&text(&ended, "state").as_str()),
        "{ended}"
    );
}

#[test]
fn without_the_right_key_no_secret_is_kept_or_read() {
    let server = server();
    let admin = Admin::new();
    let key = admin.site.path("dropkeep.key");
    let right = fs::read(&key).expect("a key");
    fs::remove_file(&key).expect("a key");
    let said = about(
        admin.post("/api/v1/profiles", &profile("mine", server.ports.imaps)),
        400,
        "#/server/password",
    );
    assert!(said.contains("dropkeep.key"), "{said}");
    fs::write(&key, &right).expect("a key");
    admin
        .post("/api/v1/profiles", &profile("mine", server.ports.imaps))
        .expect(201);
    assert_eq!(text(&admin.run("mine"), "state"), "completed");
    fs::write(&key, [7; 32]).expect("a key");
    admin.site.appliance.done(&["reload"]);
    let shown = admin.get("mine").expect(200).json();
    assert!(text(&shown, "fault").contains("another key"), "{shown}");
    assert_eq!(shown["in_force"], json!(true));
    let run = admin.run("mine");
    assert_eq!(text(&run, "state"), "failed");
    assert!(run.to_string().contains("another key"), "{run}");
    let said = about(
        admin.put("mine", &without_password(profile("mine", server.ports.imaps))),
        400,
        "#/server/password",
    );
    assert!(said.contains("given again"), "{said}");
    admin.put("mine", &profile("mine", server.ports.imaps)).expect(204);
    assert_eq!(text(&admin.run("mine"), "state"), "completed");
    // A key that is there is not replaced.
    admin.site.appliance.run(&["profiles", "key"]).expect(2);
    // A backup says what it lacks.
    let to = admin.site.path("backup");
    let done = admin.site.appliance.done(&["backup", to.to_str().expect("a name")]);
    assert!(done.text().contains("key_file"), "{}", done.text());
    // An appliance that starts without it says so before anybody wants to keep a secret.
    let Admin { site, .. } = admin;
    site.serving.stop().expect(0);
    fs::remove_file(&key).expect("a key");
    let started = site.appliance.serve().stop().expect(0);
    let warned = started.stderr.lines().find(|line| line.contains("dropkeep.key"));
    assert!(warned.is_some_and(|line| line.contains("WARN")), "{}", started.stderr);
}

#[test]
fn a_profile_is_there_as_a_whole_or_not_at_all() {
    let admin = Admin::new();
    let Admin { site, .. } = admin;
    site.serving.stop().expect(0);
    let file = site.appliance.config().with_file_name("profile.toml");
    let points = [
        ("group-begun", false),
        ("group-filed", false),
        ("catalog-written", false),
        ("catalog-synced", true),
        ("acknowledging", true),
    ];
    for (number, (point, is_written)) in points.into_iter().enumerate() {
        let name = format!("profile{number}");
        fs::write(
            &file,
            format!(
                "[[profile]]\nname = {name:?}\n[profile.server]\naccess = \"imap\"\nhost = \"127.0.0.1\"\nport = 1\n\
                 username = \"u\"\npassword = \"hidden-from-all\"\n"
            ),
        )
        .expect("a file");
        let mut command = site
            .appliance
            .command(&["profiles", "add", file.to_str().expect("a name")]);
        command.env("DROPKEEP_FAULT", format!("{point}:abort"));
        assert!(!command.output().expect("it ends").status.success(), "{point}");
        let listed = site.appliance.done(&["profiles", "--json"]).lines();
        let is_there = listed.iter().any(|line| text(line, "name") == name);
        assert_eq!(is_there, is_written, "{point}: {listed:?}");
        let log = site.appliance.done(&["audit", "--json"]).text();
        assert_eq!(
            log.contains(&name),
            is_written,
            "{point}: it is noted with what it changes"
        );
        assert!(!log.contains("hidden-from-all"));
    }
    site.appliance.done(&["verify"]);
    let exported = site.appliance.done(&["profiles", "export", "profile3"]).text();
    assert!(exported.contains("password = \"***\""), "{exported}");
    let exported = site
        .appliance
        .done(&["profiles", "export", "profile3", "--secrets"])
        .text();
    assert!(exported.contains("password = \"hidden-from-all\""), "{exported}");
    assert!(
        site.appliance
            .done(&["audit", "--json"])
            .text()
            .contains("with secrets")
    );
}

#[test]
fn profiles_are_imported_together_and_the_file_comes_first() {
    let admin = Admin::new();
    let one = |name: &str, port: &str| {
        format!(
            "[[profile]]\nname = {name:?}\n[profile.server]\naccess = \"imap\"\nhost = \"127.0.0.1\"\nport = {port}\n\
             username = \"u\"\npassword = \"p\"\n"
        )
    };
    let import = |toml: String, more: Value| {
        let mut body = json!({ "toml": toml });
        body.as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        admin.post("/api/v1/profiles/import", &body)
    };
    let names = || -> Vec<String> {
        let all = admin.client.get("/api/v1/profiles").expect(200).json();
        all["setups"]
            .as_array()
            .expect("setups")
            .iter()
            .map(|setup| text(setup, "name"))
            .collect()
    };
    let refused = import(one("a", "1") + &one("b", "\"x\""), json!({})).expect(400).json();
    assert!(text(&refused, "detail").contains("the file, line 1"), "{refused}");
    import(one("a", "1") + &one(PROFILE, "1"), json!({})).expect(409);
    import(String::new(), json!({})).expect(400);
    assert_eq!(names(), [PROFILE], "none of them is kept");
    let both = one("a", "1") + &one("b", "1");
    let changed = import(both.clone(), json!({"dry_run": true})).expect(200).json();
    assert_eq!(changed["changed"][1], json!({"name": "b", "change": "added"}));
    assert_eq!(names(), [PROFILE], "it was said only");
    import(both.clone(), json!({})).expect(200);
    assert_eq!(names(), [PROFILE, "a", "b"]);
    import(both.clone(), json!({})).expect(409);
    import(both, json!({"replace": true})).expect(200);
    // The file gets a profile of a name that is kept.
    let appliance = &admin.site.appliance;
    let before = fs::read_to_string(appliance.config()).expect("the configuration");
    fs::write(appliance.config(), format!("{before}\n{}", one("a", "2"))).expect("the configuration");
    appliance.done(&["reload"]);
    let setups = admin.client.get("/api/v1/profiles").expect(200).json()["setups"].clone();
    let of_a: Vec<_> = setups
        .as_array()
        .expect("setups")
        .iter()
        .filter(|setup| text(setup, "name") == "a")
        .map(|setup| (text(setup, "origin"), setup["in_force"] == json!(true)))
        .collect();
    assert_eq!(of_a, [("file".to_owned(), true), ("catalog".to_owned(), false)]);
    let listed = appliance.done(&["profiles"]).text();
    assert!(listed.contains("not in force"), "{listed}");
    fs::write(appliance.config(), before).expect("the configuration");
    appliance.done(&["reload"]);
    assert_eq!(names(), [PROFILE, "a", "b"]);
    assert!(!appliance.done(&["profiles"]).text().contains("not in force"));
    // It is the same after a restart.
    let Admin { site, .. } = admin;
    site.serving.stop().expect(0);
    let serving = site.appliance.serve();
    let status = site.appliance.done(&["status", "--json"]).text();
    assert!(status.contains("\"a\"") && status.contains("\"b\""), "{status}");
    drop(serving);
}

#[test]
fn users_are_imported_together_and_changed() {
    let admin = Admin::new();
    let import =
        |csv: &str, dry_run: bool| admin.post("/api/v1/users/import", &json!({"csv": csv, "dry_run": dry_run}));
    let addresses = |name: &str| -> Option<Value> {
        let users = admin.client.get("/api/v1/users").expect(200).json();
        let users = users["users"].as_array().expect("users").clone();
        let found = users
            .into_iter()
            .find(|user| user["name"] == name && user["retired"] == json!(false));
        found.map(|user| user["addresses"].clone())
    };
    let two = "anna,anna@example.com\ncarl,carl@example.com,c@example.com\n";
    let preview = import(two, true).expect(200).json();
    assert_eq!(preview["changed"][0], json!({"name": "anna", "change": "added"}));
    assert_eq!(addresses("anna"), None);
    for (wrong, words) in [
        ("anna,anna@example.com\ncarl,nonsense\n", "line 2"),
        ("anna,jane@example.com\n", "jane"),
        ("jane,other@example.com\n", "jane"),
        ("", "no user"),
    ] {
        let reply = import(wrong, false);
        assert!(
            reply.status == 400 && reply.text().contains(words),
            "{wrong}: {}",
            reply.text()
        );
        assert_eq!(addresses("anna"), None, "all or none");
    }
    import(two, false).expect(200);
    assert_eq!(addresses("carl"), Some(json!(["carl@example.com", "c@example.com"])));
    let again = import("anna,c@example.com\ncarl,carl@example.com\n", false)
        .expect(200)
        .json();
    assert_eq!(
        again["changed"][0]["change"], "changed",
        "an address passes from one to the other"
    );
    assert_eq!(addresses("anna"), Some(json!(["c@example.com"])));
    let put = |name: &str, addresses: Value| {
        let path = format!("/api/v1/users/{name}");
        admin.client.send("PUT", &path, &json!({ "addresses": addresses }))
    };
    put("anna", json!(["a@example.com"])).expect(204);
    assert_eq!(addresses("anna"), Some(json!(["a@example.com"])));
    put("anna", json!(["carl@example.com"])).expect(400);
    put("jane", json!(["x@example.com"])).expect(409);
    put("nobody", json!(["x@example.com"])).expect(404);
    admin.client.ask("DELETE", "/api/v1/users/anna", "", b"").expect(204);
    assert_eq!(addresses("anna"), None);
    put("anna", json!(["a@example.com"])).expect(204);
    assert_eq!(
        addresses("anna"),
        Some(json!(["a@example.com"])),
        "who was retired comes back"
    );
}

#[test]
fn a_removed_profile_left_its_tokens_behind() {
    let admin = Admin::new();
    let tokens = admin.site.path("data/tokens");
    fs::create_dir_all(&tokens).expect("a folder");
    let file = |name: &str| tokens.join(format!("{name}.json"));
    for name in ["mine", "other"] {
        admin.post("/api/v1/profiles", &profile(name, 9)).expect(201);
        fs::write(file(name), "{}").expect("a file");
    }
    admin.client.ask("DELETE", "/api/v1/profiles/mine", "", b"").expect(204);
    assert!(wait_for(PATIENCE, || !file("mine").exists()), "they are still there");
    assert!(file("other").exists());
}

#[test]
fn a_removed_profile_took_the_tokens_of_one_of_the_file_along() {
    let admin = Admin::new();
    admin.post("/api/v1/profiles", &profile("mine", 9)).expect(201);
    let appliance = &admin.site.appliance;
    let before = fs::read_to_string(appliance.config()).expect("the configuration");
    let of_file = format!(
        "{before}\n[[profile]]\nname = \"mine\"\n[profile.server]\naccess = \"imap\"\nhost = \"localhost\"\nport = 9\n\
         username = \"x\"\npassword = \"x\"\ntls = {{ verify = \"none\" }}\n"
    );
    fs::write(appliance.config(), of_file).expect("the configuration");
    appliance.done(&["reload"]);
    let tokens = admin.site.path("data/tokens");
    fs::create_dir_all(&tokens).expect("a folder");
    fs::write(tokens.join("mine.json"), "{}").expect("a file");
    admin.client.ask("DELETE", "/api/v1/profiles/mine", "", b"").expect(204);
    // Whatever is forgotten of one that was not in force is gone by then.
    assert!(
        tokens.join("mine.json").exists(),
        "the file's profile has lost its tokens"
    );
}
