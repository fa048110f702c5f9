//! What strangers send over HTTP, before anybody is logged in: whatever it is, it is answered, without an error of ours,
//! and nobody is let in.

#![no_main]

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    sync::{Arc, LazyLock, mpsc},
    time::Duration,
};

use dropkeep::{
    access::{Caller, Owner},
    api::{AccountWish, Reply, Request, Role, Spoken},
    appliance::Appliance,
    archive::{Absent, Store},
    config::Config,
    console::{self, FirstAccount},
    http,
    web::{self, Door},
};
use libfuzzer_sys::fuzz_target;

/// How long an answer may take: trying a password takes long here.
const PATIENCE: Duration = Duration::from_secs(50);
const PASSWORD: &str = "nobody is told this";

/// Where an appliance with one account listens, which goes on as long as the process.
static ADDRESS: LazyLock<String> = LazyLock::new(|| {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        actix_rt::System::new().block_on(async {
            let folder = std::env::temp_dir().join(format!("dropkeep-fuzz-{}", std::process::id()));
            let mut config = Config {
                data_dir: folder.clone(),
                ..Config::default()
            };
            config.http.listen = "127.0.0.1:0".into();
            (config.http.requests_per_second, config.web.requests_per_second) = (1_000_000, 1_000_000);
            config.search.enabled = false;
            let door = Door::new(&config.web);
            let mut pages = web::routes(&door);
            pages.extend(console::routes(&door, &FirstAccount::default()));
            let http = http::serve(&config.http, pages).expect("it listens");
            let store = Arc::new(Store::open_or(&config, Absent::MadeAnyhow).expect("a new archive"));
            let owner = Caller::Owner(Owner::of(&*store));
            let (appliance, _committer) = Appliance::start(config, store, false).await.expect("it starts");
            let appliance = Arc::new(appliance);
            door.open(appliance.clone());
            let wish = AccountWish::Add {
                role: Role::Administrator,
                archives: Vec::new(),
                password: Spoken::new(PASSWORD),
            };
            let name = "jane".to_owned();
            let request = Request::ChangeAccount { name, wish };
            let mut answer = appliance.answer(&owner, request).await.expect("an answer");
            while let Some(reply) = answer.next().await {
                assert!(!matches!(reply, Reply::Failed(_)), "there is no account");
            }
            // What is open stays so.
            let _ = std::fs::remove_dir_all(&folder);
            let address = http
                .addresses()
                .first()
                .expect("an address")
                .trim_start_matches("http://")
                .to_owned();
            tell.send(address).expect("somebody waits");
            std::future::pending::<()>().await;
        });
    });
    told.recv().expect("it listens")
});

fuzz_target!(|input: &[u8]| {
    let mut stream = TcpStream::connect(&*ADDRESS).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    // It may be refused before all of it was sent.
    let _ = stream.write_all(input).and_then(|()| stream.shutdown(Shutdown::Write));
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
        Err(error) => panic!("no answer: {error}"),
    }
    let answer = String::from_utf8_lossy(&answer);
    // Each answer to one of several requests begins like that.
    for status in answer
        .match_indices("HTTP/1.1 ")
        .map(|(at, begin)| &answer[at + begin.len()..])
    {
        let status = status.get(..3).unwrap_or_default();
        assert!(status != "500" && status != "201", "{answer}");
    }
    assert!(!answer.contains("set-cookie: dropkeep="), "{answer}");
    assert!(!answer.contains(PASSWORD), "{answer}");
});
