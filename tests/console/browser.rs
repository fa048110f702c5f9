//! A real Chromium, driven over WebDriver by the little of it that the tests need: requests in JSON to chromedriver.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    people::encoded,
    site::{Client, PASSWORD, Site},
    support::{PATIENCE, wait_for},
};

/// An element, as WebDriver names it.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Who was asked for by those who came to our listener, which is the address of all other names.
type Reached = Arc<Mutex<Vec<String>>>;

/// Listens for whoever asks for another site; gives its port.
fn outside() -> (u16, Reached) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let reached = Reached::default();
    let noted = reached.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut hello = [0; 4096];
            let length = stream.read(&mut hello).unwrap_or(0);
            // The name stands in it in clear text, over TLS too. The browser itself looks for others.
            if memchr::memmem::find(&hello[..length], b"evil.example").is_some() {
                noted.lock().expect("them").push("evil.example".into());
            }
        }
    });
    (port, reached)
}

/// How often it is tried to start chromedriver.
const STARTS: usize = 10;

/// A chromedriver, and its port; nothing where it got none.
fn started() -> Option<(Child, String)> {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("chromedriver: {error}; tests/install-tools.sh console installs it"));
    let mut lines = BufReader::new(driver.stdout.take().expect("its output")).lines();
    let port = lines.find_map(|line| {
        let line = line.ok()?;
        let (_, port) = line.split_once("started successfully on port ")?;
        Some(port.trim_end_matches('.').to_owned())
    });
    let Some(port) = port else {
        driver.wait().expect("its end");
        return None;
    };
    // Whatever else it says.
    std::thread::spawn(move || lines.for_each(drop));
    Some((driver, port))
}

/// Whether all is done that a browser can be made to do, which takes minutes: `make test-console`.
pub fn is_whole() -> bool {
    std::env::var_os("CONSOLE").is_some_and(|value| value == "whole")
}

/// A browser of one person. Dropping it ends it.
pub struct Browser {
    driver: Child,
    client: Client,
    session: String,
    /// Where pages are.
    site: String,
    reached: Reached,
    pub downloads: TempDir,
}

impl Browser {
    pub fn new(site: &Site) -> Self {
        Self::with(site, &[])
    }

    /// Of somebody who reads German.
    pub fn german(site: &Site) -> Self {
        Self::of(&site.serving.address, "de", &[])
    }

    /// The same with further arguments.
    pub fn with(site: &Site, more: &[&str]) -> Self {
        Self::of(&site.serving.address, "en", more)
    }

    /// Of somebody who reads this language, for pages at this address.
    pub fn of(address: &str, language: &str, more: &[&str]) -> Self {
        // It takes the same port of IPv4 and of IPv6, and ends where another process has one of them.
        let (driver, port) = (0..STARTS).find_map(|_| started()).expect("a port of chromedriver");
        let downloads = tempfile::tempdir().expect("a folder");
        let (port_outside, reached) = outside();
        let names = format!("--host-resolver-rules=MAP * 127.0.0.1:{port_outside}, EXCLUDE 127.0.0.1");
        let mut arguments = vec![
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            "--hide-scrollbars",
            &names,
        ];
        arguments.extend(more);
        let client = Client {
            address: format!("127.0.0.1:{port}"),
            field: "X-Nothing: x".into(),
        };
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:loggingPrefs": {"performance": "ALL"},
            "goog:chromeOptions": {
                "args": arguments,
                "prefs": {
                    "intl.accept_languages": language,
                    "download.default_directory": downloads.path(),
                    "download.prompt_for_download": false,
                },
            },
        }}});
        let reply = client.send("POST", "/session", &wanted).expect(200).json();
        let session = reply["value"]["sessionId"].as_str().expect("a session").to_owned();
        let browser = Self {
            driver,
            client,
            session,
            reached,
            site: format!("http://{address}"),
            downloads,
        };
        browser.cdp(
            "Page.setDownloadBehavior",
            &json!({"behavior": "allow", "downloadPath": browser.downloads.path()}),
        );
        browser
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Value, Value> {
        let path = format!("/session/{}{path}", self.session);
        let reply = match method {
            "GET" => self.client.get(&path),
            _ => self.client.send(method, &path, body),
        };
        let value = reply.json()["value"].clone();
        if reply.status == 200 { Ok(value) } else { Err(value) }
    }

    fn must(&self, method: &str, path: &str, body: &Value) -> Value {
        self.ask(method, path, body)
            .unwrap_or_else(|error| panic!("{method} {path} {body}: {}", error["message"]))
    }

    /// Opens a page of the site, and waits until it is loaded.
    pub fn open(&self, path: &str) {
        self.must("POST", "/url", &json!({"url": format!("{}{path}", self.site)}));
    }

    /// Path and query of the page.
    pub fn at(&self) -> String {
        let url = self.must("GET", "/url", &Value::Null);
        let url = url.as_str().expect("an address");
        url.strip_prefix(&self.site).unwrap_or(url).to_owned()
    }

    pub fn waits_for(&self, what: &str, mut is: impl FnMut(&Self) -> bool) {
        let done = wait_for(PATIENCE, || is(self));
        assert!(done, "{what}: {} at {}", self.text("main"), self.at());
    }

    fn find(&self, selector: &str) -> Result<String, Value> {
        let found = self.ask("POST", "/element", &json!({"using": "css selector", "value": selector}))?;
        Ok(found[ELEMENT].as_str().expect("an element").to_owned())
    }

    pub fn has(&self, selector: &str) -> bool {
        self.find(selector).is_ok()
    }

    fn element(&self, selector: &str) -> String {
        self.find(selector)
            .unwrap_or_else(|_| panic!("no {selector} at {}: {}", self.at(), self.text("body")))
    }

    pub fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.must("POST", &format!("/element/{element}/click"), &json!({}));
    }

    /// Types into a field in place of what is there.
    pub fn fill(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.must("POST", &format!("/element/{element}/clear"), &json!({}));
        self.must("POST", &format!("/element/{element}/value"), &json!({"text": text}));
    }

    /// Presses keys, wherever the focus is.
    pub fn press(&self, keys: &str) {
        let actions: Vec<_> = keys
            .chars()
            .flat_map(|key| {
                [
                    json!({"type": "keyDown", "value": key}),
                    json!({"type": "keyUp", "value": key}),
                ]
            })
            .collect();
        self.must(
            "POST",
            "/actions",
            &json!({"actions": [{"type": "key", "id": "keys", "actions": actions}]}),
        );
    }

    pub fn text(&self, selector: &str) -> String {
        let text = self.run(
            "return document.querySelector(arguments[0])?.innerText ?? ''",
            &json!([selector]),
        );
        text.as_str().unwrap_or_default().to_owned()
    }

    /// What a script of the test gives.
    pub fn run(&self, script: &str, arguments: &Value) -> Value {
        self.must("POST", "/execute/sync", &json!({"script": script, "args": arguments}))
    }

    /// The same where it calls the last of its arguments in the end.
    pub fn run_to_its_end(&self, script: &str, arguments: &Value) -> Value {
        self.must("POST", "/execute/async", &json!({"script": script, "args": arguments}))
    }

    pub fn back(&self) {
        self.must("POST", "/back", &json!({}));
    }

    pub fn forward(&self) {
        self.must("POST", "/forward", &json!({}));
    }

    pub fn cdp(&self, command: &str, parameters: &Value) -> Value {
        self.must(
            "POST",
            "/goog/cdp/execute",
            &json!({"cmd": command, "params": parameters}),
        )
    }

    pub fn is_wide(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.cdp("Emulation.setDeviceMetricsOverride", &size);
    }

    pub fn is_dark(&self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": value}]});
        self.cdp("Emulation.setEmulatedMedia", &features);
    }

    /// Keeps a picture of all of the page, in target/console-pictures.
    pub fn picture(&self, name: &str) {
        self.shot(Path::new("target/console-pictures"), name, true);
    }

    /// Keeps a picture in a folder of the repository: of all of the page, or of what a window shows of it. Gives how many
    /// bytes it has.
    pub fn shot(&self, folder: &Path, name: &str, all: bool) -> usize {
        let shot = self.cdp("Page.captureScreenshot", &json!({"captureBeyondViewport": all}));
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        fs::create_dir_all(&folder).expect("a folder");
        let bytes = STANDARD
            .decode(shot["data"].as_str().expect("a picture"))
            .expect("base64");
        fs::write(folder.join(format!("{name}.png")), &bytes).expect("a picture");
        bytes.len()
    }

    /// What it asked for over the network since this was last called.
    pub fn asked_for(&self) -> Vec<String> {
        let entries = self.must("POST", "/se/log", &json!({"type": "performance"}));
        let entries = entries.as_array().expect("a log").iter();
        let messages = entries.filter_map(|entry| serde_json::from_str::<Value>(entry["message"].as_str()?).ok());
        let sent = messages.filter(|message| message["message"]["method"] == "Network.requestWillBeSent");
        sent.filter_map(|message| Some(message["message"]["params"]["request"]["url"].as_str()?.to_owned()))
            .collect()
    }

    /// The same of other sites, and the names of those to whom a connection was made.
    pub fn asked_elsewhere(&self) -> Vec<String> {
        let mut asked = self.asked_for();
        asked.retain(|url| !url.starts_with(&self.site) && !url.starts_with("data:") && !url.starts_with("about:"));
        // A frame that is shut in has a log of its own.
        asked.append(&mut self.reached.lock().expect("them"));
        asked
    }

    /// Logs in by the page.
    pub fn log_in(&self, name: &str, to: &str) {
        self.open(&format!("/console/log-in?to={}", encoded(to)));
        self.fill("#name", name);
        self.fill("#password", PASSWORD);
        self.click("main button");
        self.waits_for("the page behind the log-in", |browser| {
            !browser.at().starts_with("/console/log-in")
        });
    }

    /// The file that is downloaded.
    pub fn downloaded(&self) -> Vec<u8> {
        self.downloaded_as().1
    }

    /// How the file is called that is downloaded, and what is in it.
    pub fn downloaded_as(&self) -> (String, Vec<u8>) {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let mut found = None;
        wait_for(Duration::from_secs(30), || {
            let files = fs::read_dir(self.downloads.path()).expect("a folder").flatten();
            // Chromium has files of its own there for a moment.
            let is_hidden = |path: &PathBuf| {
                path.file_name()
                    .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
            };
            let whole =
                |path: &PathBuf| path.extension().is_none_or(|ending| ending != "crdownload") && !is_hidden(path);
            found = files.map(|file| file.path()).find(whole);
            found.is_some()
        });
        let file = found.expect("a download");
        let bytes = fs::read(&file).expect("it");
        let taken = file.with_extension(format!("taken{}.crdownload", NUMBER.fetch_add(1, Ordering::Relaxed)));
        fs::rename(&file, taken).expect("a name");
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        (name, bytes)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self
            .client
            .ask("DELETE", &format!("/session/{}", self.session), "", b"");
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
