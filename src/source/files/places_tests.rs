use std::os::unix::fs::symlink;

use super::*;

fn found(paths: &[&Path], format: Format) -> Vec<(String, String)> {
    let paths: Vec<PathBuf> = paths.iter().map(|path| path.to_path_buf()).collect();
    let places = places(&paths, format, false, &AtomicBool::new(false)).unwrap();
    let kind = |kind: Kind| match kind {
        Kind::Folder { .. } => "folder".to_owned(),
        Kind::Files(names) => names
            .iter()
            .map(|name| shown(Path::new(name)))
            .collect::<Vec<_>>()
            .join(" "),
        Kind::Mbox => "mbox".into(),
        Kind::Maildir => "maildir".into(),
        Kind::Unreadable(_) | Kind::OfSeveral(_) => "unreadable".into(),
    };
    places.into_iter().map(|place| (place.name, kind(place.kind))).collect()
}

fn expected(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(name, kind)| ((*name).into(), (*kind).into()))
        .collect()
}

const MBOX: &str = "From - Thu Jan 01 00:00:00 2026\nSubject: x\n\nx\n";

/// A tree with something of everything.
fn tree() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("mail");
    let write = |name: &str, text: &str| {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("2026/b.eml", "Subject: b\n\nb\n");
    write("2026/from.eml", MBOX);
    write("2026/empty/.mh_sequences", "cur: 1\n");
    write("Thunderbird/Inbox", MBOX);
    write("Thunderbird/Inbox.msf", "// <!-- <mdb:mork:z v=\"1.4\"/> -->\n");
    write("Thunderbird/Inbox.sbd/Old", MBOX);
    write("Thunderbird/Trash", "");
    write("Thunderbird/Trash.msf", "");
    write("a.mbox", "Subject: the first line is lost\n\nx\n");
    for part in [
        "cur",
        "new",
        "tmp",
        ".Sent.2026/cur",
        ".Sent.2026/new",
        ".Entw&APw-rfe/cur",
        ".Entw&APw-rfe/tmp",
    ] {
        fs::create_dir_all(root.join("Maildir").join(part)).unwrap();
    }
    write("Maildir/dovecot-uidlist", "3 V1 N1\n");
    write("Maildir/sieve/script", "keep;");
    folder
}

#[test]
fn a_tree_is_gone_through_in_order() {
    let folder = tree();
    let root = folder.path().join("mail");
    let all = expected(&[
        ("mail/a.mbox", "mbox"),
        ("mail/2026", "folder"),
        ("mail/Maildir", "maildir"),
        ("mail/Maildir/Entwürfe", "maildir"),
        ("mail/Maildir/Sent/2026", "maildir"),
        ("mail/Thunderbird/Inbox", "mbox"),
        ("mail/Thunderbird/Trash", "mbox"),
        ("mail/Thunderbird/Inbox/Old", "mbox"),
    ]);
    assert_eq!(found(&[&root], Format::Auto), all);
    let maildirs: Vec<_> = all.iter().filter(|(_, kind)| kind == "maildir").cloned().collect();
    assert_eq!(found(&[&root], Format::Maildir), maildirs);
    assert_eq!(
        found(&[&root.join("2026")], Format::Maildir),
        expected(&[("2026", "unreadable")])
    );
    let as_mbox = found(&[&root.join("2026")], Format::Mbox);
    assert_eq!(as_mbox, expected(&[("2026/b.eml", "mbox"), ("2026/from.eml", "mbox")]));
    let as_eml = found(&[&root.join("Thunderbird")], Format::Eml);
    assert_eq!(
        as_eml,
        expected(&[("Thunderbird", "folder"), ("Thunderbird/Inbox", "folder")])
    );
}

#[test]
fn files_are_named_one_by_one() {
    let folder = tree();
    let root = folder.path().join("mail");
    let names = [
        "2026/b.eml",
        "2026/from.eml",
        "Thunderbird/Inbox",
        "Maildir/dovecot-uidlist",
    ];
    let paths = names.map(|name| root.join(name));
    let there = expected(&[
        ("2026", "b.eml from.eml"),
        ("Inbox", "mbox"),
        ("Maildir", "dovecot-uidlist"),
    ]);
    assert_eq!(found(&paths.each_ref().map(PathBuf::as_path), Format::Auto), there);
    let missing = found(&[&root.join("missing")], Format::Auto);
    assert_eq!(missing[0].1, "unreadable");
}

#[test]
fn links_are_followed_where_they_are_named_only() {
    let folder = tree();
    let root = folder.path().join("mail");
    symlink("2026", folder.path().join("link")).unwrap();
    symlink("mail/2026", folder.path().join("named")).unwrap();
    symlink("..", root.join("2026/circle")).unwrap();
    symlink("b.eml", root.join("2026/empty/within.eml")).unwrap();
    symlink("../b.eml", root.join("2026/empty/b-again.eml")).unwrap();
    let named = folder.path().join("named");
    // One leads to its parent, one to nowhere: of these it is to be said that they are not followed.
    assert_eq!(
        found(&[&named], Format::Auto),
        expected(&[("named", "folder"), ("named/empty", "folder")])
    );
    assert_eq!(found(&[&folder.path().join("link")], Format::Auto)[0].1, "unreadable");
}

#[test]
fn linked_subfolders_of_a_maildir_are_named() {
    let folder = tree();
    let root = folder.path().join("mail/Maildir");
    for part in ["cur", "new"] {
        fs::create_dir_all(folder.path().join("elsewhere").join(part)).unwrap();
    }
    for (target, link) in [
        ("../../elsewhere", ".Elsewhere.2026"),
        ("nowhere", ".Nowhere"),
        (".Sent.2026", ".Within"),
        // What is no folder holds no mail here.
        ("../2026/b.eml", "dovecot-settings"),
    ] {
        symlink(target, root.join(link)).unwrap();
    }
    let maildirs = [
        ("Maildir", "maildir"),
        ("Maildir/Elsewhere/2026", "unreadable"),
        ("Maildir/Nowhere", "unreadable"),
        ("Maildir/Entwürfe", "maildir"),
        ("Maildir/Sent/2026", "maildir"),
    ];
    for format in [Format::Auto, Format::Maildir] {
        assert_eq!(found(&[&root], format), expected(&maildirs));
    }
    // Where both are named, the link leads to what is imported under another name.
    let all = found(&[folder.path()], Format::Maildir);
    let unreadable: Vec<_> = all.iter().filter(|(_, kind)| kind == "unreadable").collect();
    assert_eq!(unreadable.len(), 1, "{all:?}");
}
