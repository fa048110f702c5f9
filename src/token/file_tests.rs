use super::*;
use crate::config::Secrets;

fn tokens() -> Tokens {
    Tokens {
        access: Some(Access {
            token: Secret::new("the-access-token"),
            issued_at: 1,
            expires_at: 3601,
            basis: "basis".into(),
        }),
        refresh: Some(Secret::new("the-refresh-token")),
        first: Some("first".into()),
        refused_at: None,
    }
}

/// A data directory, and a key that lies in it.
fn place(key: u8) -> (tempfile::TempDir, Key) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    fs::write(&file, [key; 32]).unwrap();
    let key = Key::load(&Secrets { key_file: Some(file) }).unwrap().unwrap();
    (folder, key)
}

async fn written(folder: &Path, key: Option<&Key>) -> TokenFile {
    let file = TokenFile::new(folder, "company");
    let _lock = file.lock(Duration::from_secs(5)).await.unwrap();
    file.write(&tokens(), key).unwrap();
    file
}

#[tokio::test]
async fn what_is_written_is_read_again_and_nobody_elses_business() {
    let (folder, key) = place(1);
    let data = folder.path().join("not/yet/there");
    for key in [None, Some(&key)] {
        let file = written(&data, key).await;
        assert_eq!(file.read(key).unwrap(), tokens());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&file.path()), 0o600);
        assert_eq!((mode(&file.folder()), mode(&data)), (0o700, 0o700));
    }
    assert_eq!(TokenFile::new(&data, "another").read(None).unwrap(), Tokens::default());
}

#[tokio::test]
async fn what_lay_open_to_others_is_closed_at_the_next_write() {
    let folder = tempfile::tempdir().unwrap();
    let file = TokenFile::new(folder.path(), "company");
    fs::create_dir(file.folder()).unwrap();
    fs::set_permissions(file.folder(), Permissions::from_mode(0o755)).unwrap();
    let left_over = file.folder().join("company.json.part");
    fs::write(&left_over, "cut off").unwrap();
    fs::set_permissions(&left_over, Permissions::from_mode(0o644)).unwrap();
    written(folder.path(), None).await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file.path()), mode(&file.folder())), (0o600, 0o700));
    assert!(!left_over.exists());
}

#[tokio::test]
async fn an_encrypted_file_shows_no_token_and_is_bound_to_its_key_and_profile() {
    let (folder, key) = place(1);
    let file = written(folder.path(), Some(&key)).await;
    let text = fs::read_to_string(file.path()).unwrap();
    assert!(
        !text.contains("the-access-token") && !text.contains("the-refresh-token"),
        "{text}"
    );

    let refusal = |file: &TokenFile, key: Option<&Key>| file.read(key).unwrap_err().to_string();
    let shown = refusal(&file, None);
    assert!(shown.contains("is encrypted") && shown.contains("key_file"), "{shown}");
    let (_other_folder, other) = place(2);
    let shown = refusal(&file, Some(&other));
    assert!(
        shown.contains("another key than that of") && shown.contains(&other.file.display().to_string()),
        "{shown}"
    );
    // Another profile's file, put in this one's place.
    let stranger = TokenFile::new(folder.path(), "stranger");
    fs::copy(file.path(), stranger.path()).unwrap();
    let shown = refusal(&stranger, Some(&key));
    assert!(
        shown.contains("does not decrypt it") && shown.contains(&key.file.display().to_string()),
        "{shown}"
    );
}

#[tokio::test]
async fn an_open_file_is_encrypted_at_the_next_write() {
    let (folder, key) = place(1);
    let file = written(folder.path(), None).await;
    assert!(fs::read_to_string(file.path()).unwrap().contains("the-refresh-token"));
    let read = file.read(Some(&key)).unwrap();
    file.write(&read, Some(&key)).unwrap();
    assert!(!fs::read_to_string(file.path()).unwrap().contains("the-refresh-token"));
    assert_eq!(file.read(Some(&key)).unwrap(), tokens());
}

#[test]
fn a_damaged_file_is_named_and_not_quoted() {
    let folder = tempfile::tempdir().unwrap();
    let file = TokenFile::new(folder.path(), "company");
    fs::create_dir(file.folder()).unwrap();
    for text in [
        "",
        "{",
        r#"{"form": 1, "profile": "company"}"#,
        r#"{"form": 1, "profile": "company", "plain": {"refresh": 1, "access": "hunter2"}}"#,
        r#"{"form": 2, "profile": "company", "plain": {}}"#,
    ] {
        fs::write(file.path(), text).unwrap();
        let shown = file.read(None).unwrap_err().to_string();
        assert!(
            shown.contains("company.json is damaged") && shown.contains("log in anew"),
            "{shown}"
        );
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[tokio::test]
async fn a_lock_that_another_holds_is_waited_for_and_then_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = TokenFile::new(folder.path(), "company");
    let held = file.lock(Duration::from_secs(5)).await.unwrap();
    let error = file.lock(Duration::from_millis(120)).await.unwrap_err().to_string();
    assert!(
        error.contains("another process") && error.contains("company.lock"),
        "{error}"
    );
    drop(held);
    file.lock(Duration::from_secs(5)).await.unwrap();
}

#[test]
fn a_profile_name_is_no_path() {
    assert_eq!(file_name("company-2_x"), "company-2_x");
    assert_eq!(file_name("../a b.ü"), "%2e%2e%2fa%20b%2e%c3%bc");
    let long = |end: char| file_name(&("x".repeat(400) + &end.to_string()));
    assert!(long('a').len() < 200 && long('a') != long('b'));
}
