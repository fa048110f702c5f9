//! The keeper by itself: what it does with callers side by side, and with endpoints that want to be left alone.

use std::{path::Path, time::Duration};

use dropkeep::{
    config::Config,
    token::{Blame, TokenKeeper},
};

use crate::oauth::endpoint::{CLIENT_ID, CLIENT_SECRET, Endpoint, FIRST};

fn keeper(folder: &Path, endpoint: &Endpoint, more: &str) -> TokenKeeper {
    let file = folder.join("dropkeep.toml");
    let text = format!(
        "data_dir = \"data\"\n[[profile]]\nname = \"company\"\n[profile.server]\naccess = \"imap-ssl\"\n\
         host = \"localhost\"\nusername = \"all@example.com\"\ntimeout = \"20s\"\n[profile.server.oauth2]\n\
         token_endpoint = \"{}\"\nclient_id = \"{CLIENT_ID}\"\nclient_secret = \"{CLIENT_SECRET}\"\n\
         refresh_token = \"{FIRST}\"\n{more}",
        endpoint.web.page("token")
    );
    std::fs::write(&file, text).expect("a configuration");
    let config = Config::load(&file).expect("a configuration");
    TokenKeeper::new(&config, &config.profile[0]).expect("a profile with oauth2")
}

#[tokio::test]
async fn callers_side_by_side_renew_once() {
    let (folder, endpoint) = (tempfile::tempdir().expect("a folder"), Endpoint::start());
    endpoint.state().rotates = true;
    let keeper = keeper(folder.path(), &endpoint, "");
    let all = futures_util::future::join_all((0..8).map(|_| keeper.token())).await;
    let first = all
        .first()
        .and_then(|token| token.as_ref().ok())
        .expect("a token")
        .clone();
    assert!(all.iter().all(|token| token.as_ref().ok() == Some(&first)));
    assert_eq!(endpoint.asked(), 1);
    // All of them were refused.
    let all = futures_util::future::join_all((0..8).map(|_| keeper.refused(&first))).await;
    assert!(all.iter().all(|another| *another), "there will be another one");
    let second = keeper.token().await.expect("a token");
    assert_ne!(second, first);
    assert!(keeper.refused(&first).await, "that one is gone already");
    assert_eq!(keeper.token().await.expect("a token"), second);
    assert!(!keeper.refused(&second).await, "not yet another one");
    assert_eq!(keeper.token().await.expect("a token"), second);
    assert_eq!(endpoint.asked(), 2);
}

#[tokio::test]
async fn a_caller_that_went_away_lost_a_rotated_refresh_token() {
    let (folder, endpoint) = (tempfile::tempdir().expect("a folder"), Endpoint::start());
    endpoint.state().rotates = true;
    let keeper = keeper(folder.path(), &endpoint, "");
    endpoint.state().held = true;
    let asked = async {
        while endpoint.asked() == 0 {
            tokio::task::yield_now().await;
        }
    };
    let asked = tokio::time::timeout(Duration::from_secs(20), asked);
    // The refresh token that was sent is of no more use, and whoever asked for it goes away before the answer comes.
    tokio::select! {
        _ = keeper.token() => panic!("the answer is held"),
        asked = asked => asked.expect("the endpoint is asked"),
    }
    endpoint.state().held = false;
    let token = keeper.token().await.expect("a token");
    assert_eq!(
        endpoint.asked(),
        1,
        "the one that nobody waited for is the one that is given"
    );
    assert_eq!(endpoint.state().given.last().map(String::as_str), Some(token.reveal()));
}

#[tokio::test]
async fn another_scope_is_another_token() {
    let (folder, endpoint) = (tempfile::tempdir().expect("a folder"), Endpoint::start());
    let first = keeper(folder.path(), &endpoint, "").token().await.expect("a token");
    let same = keeper(folder.path(), &endpoint, "").token().await.expect("a token");
    let other = keeper(folder.path(), &endpoint, "scope = \"more\"\n")
        .token()
        .await
        .expect("a token");
    assert_eq!((first == same, first == other, endpoint.asked()), (true, false, 2));
}

#[tokio::test]
async fn an_endpoint_that_said_when_to_come_again_is_left_alone_until_then() {
    let (folder, endpoint) = (tempfile::tempdir().expect("a folder"), Endpoint::start());
    let keeper = keeper(folder.path(), &endpoint, "");
    endpoint.answer("429 Too Many Requests", "Retry-After: 600\r\n", "");
    for _ in 0..3 {
        let error = keeper.token().await.expect_err("no token");
        let after = error.later().flatten().expect("a time").as_secs();
        assert!((590..=600).contains(&after), "{error}");
        assert_eq!(error.blame(), Blame::Endpoint);
    }
    assert_eq!(endpoint.asked(), 1);
    // Without a time, whoever asks decides.
    let other = tempfile::tempdir().expect("a folder");
    let keeper = self::keeper(other.path(), &endpoint, "");
    endpoint.answer("500 Internal Server Error", "", "");
    for _ in 0..2 {
        assert_eq!(keeper.token().await.expect_err("no token").later(), Some(None));
    }
    assert_eq!(endpoint.asked(), 3);
}

#[tokio::test]
async fn a_refresh_token_that_the_disk_did_not_take_was_lost() {
    let (folder, endpoint) = (tempfile::tempdir().expect("a folder"), Endpoint::start());
    endpoint.state().rotates = true;
    let keeper = keeper(folder.path(), &endpoint, "");
    // In the place of what is written first.
    let in_the_way = folder.path().join("data/tokens/company.json.part");
    std::fs::create_dir_all(&in_the_way).expect("a folder");
    for _ in 0..2 {
        let error = keeper.token().await.expect_err("no token before it is on disk");
        assert_eq!(error.blame(), Blame::Disk, "{error}");
    }
    std::fs::remove_dir(&in_the_way).expect("a folder");
    let token = keeper.token().await.expect("a token");
    assert_eq!(endpoint.asked(), 1, "the one that was given at first");
    assert!(keeper.refused(&token).await);
    keeper
        .token()
        .await
        .expect("a token by the refresh token that came with it");
    assert_eq!(endpoint.state().asked[1]["refresh_token"], "0.refresh-0");
}
