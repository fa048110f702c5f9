//! What the documents say, tried out: the script of docs/api.md, and each address of the OpenAPI document.

use std::{fs, process::Command};

use serde_json::json;

use crate::site::{PASSWORD, Site};

#[test]
fn the_script_of_the_documentation_saves_what_is_found() {
    let site = Site::with_mail();
    site.indexed();
    site.add("jane", "user", &["jane"]);
    let documentation = include_str!("../../docs/api.md");
    let script = documentation
        .split("```python\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let (file, folder) = (site.path("api.py"), site.path("mail"));
    fs::write(&file, script.expect("a script")).expect("a file");
    fs::create_dir(&folder).expect("a folder");
    let run = |password: &str| {
        let mut command = Command::new("python3");
        command
            .arg(&file)
            .arg(format!("http://{}", site.serving.address))
            .args(["jane", "secret*"])
            .arg(&folder);
        command.env("DROPKEEP_PASSWORD", password).output().expect("python3")
    };
    let wrong = run("wrong password");
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(
        !wrong.status.success() && said.contains("name or password is wrong: Log in"),
        "{said}"
    );
    let done = run(PASSWORD);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let mut saved: Vec<_> = fs::read_dir(&folder)
        .expect("a folder")
        .map(|file| file.expect("a file").path())
        .collect();
    saved.sort();
    // What jane has is what has her bit.
    assert_eq!(saved.len(), 4, "{saved:?}");
    for file in saved {
        let id = file
            .file_stem()
            .and_then(|stem| stem.to_str())
            .and_then(|stem| stem.parse().ok())
            .expect("an id");
        assert!(
            fs::read(&file).expect("a file") == site.appliance.raw(id),
            "{}",
            file.display()
        );
    }
}

/// By these the tester would end what it comes in by; and it takes the list of sessions, once all are ended, for one that
/// should be gone.
const OF_ITSELF: &str =
    r"^/api/v1/(session|accounts/\{name\}(/disable|/role|/password|/sessions|/applications/\{application\})?)$";

/// All that schemathesis checks of an API by its document, with each role. `make test-api` installs it and calls this;
/// SCHEMATHESIS is the program, and SCHEMATHESIS_OPTIONS has further options.
#[test]
#[ignore = "needs schemathesis"]
fn the_api_is_as_its_document_says() {
    let program = std::env::var("SCHEMATHESIS").unwrap_or_else(|_| "schemathesis".to_owned());
    let options = std::env::var("SCHEMATHESIS_OPTIONS").unwrap_or_default();
    for role in ["user", "auditor", "administrator"] {
        let site = Site::with_mail();
        site.indexed();
        site.add("tester", role, &["jane"]);
        let tester = site.log_in("tester");
        let made = tester
            .send("POST", "/api/v1/accounts/tester/applications", &json!({"name": "x"}))
            .expect(201);
        let password = made.json()["password"].as_str().expect("a password").to_owned();
        let document = format!("http://{}/api/v1/openapi.json", site.serving.address);
        let mut command = Command::new(&program);
        command.args([
            "run",
            &document,
            "--header",
            &format!("Authorization: Bearer tester:{password}"),
        ]);
        // A wrong cookie beside a right password is no attack; and no schema says which queries, cursors and passwords are
        // right.
        command.args(["--exclude-checks", "ignored_auth,positive_data_acceptance"]);
        command.args(["--exclude-path-regex", OF_ITSELF]);
        command.args(options.split_whitespace());
        let status = command.current_dir(site.appliance.data()).status();
        let status = status.unwrap_or_else(|error| panic!("{program}: {error}"));
        assert!(status.success(), "{role}: {status}\n{}", site.serving.running.stderr());
    }
}
