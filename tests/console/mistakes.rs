//! What cannot be taken: said at its field, in the language of whoever typed it, with all that they typed.

use crate::{
    people::{between, log_in, peopled, submit},
    site::{Client, PASSWORD},
};

/// A form that cannot be taken: where it is sent to, with what, the status, what is said at which field, and what is kept.
type Wrong<'w> = (&'w str, &'w [(&'w str, &'w str)], u16, &'w str, &'w str, &'w str);

const WRONG: [Wrong; 14] = [
    (
        "/console/people/users",
        &[("name", "jane"), ("addresses", "j2@example.com")],
        409,
        "name",
        "Es gibt schon einen Benutzer „jane“.",
        "j2@example.com",
    ),
    (
        "/console/people/users",
        &[("name", "@x"), ("addresses", "j2@example.com")],
        400,
        "name",
        "„@x“ kann nicht der Name eines Benutzers sein",
        "value=\"@x\"",
    ),
    (
        "/console/people/users",
        &[("name", "new"), ("addresses", "no-address")],
        400,
        "addresses",
        "„no-address“ ist keine Adresse.",
        "value=\"new\"",
    ),
    (
        "/console/people/users",
        &[("name", "new"), ("addresses", "bob@example.com")],
        400,
        "addresses",
        "bob@example.com ist schon eine Adresse von „bob“.",
        "value=\"new\"",
    ),
    (
        "/console/people/users",
        &[("name", "new"), ("addresses", "a*b@example.com")],
        400,
        "addresses",
        "weder eine Adresse noch ein Muster",
        "a*b@example.com",
    ),
    (
        "/console/people/accounts",
        &[
            ("account", "an na"),
            ("role", "auditor"),
            ("password", PASSWORD),
            ("again", PASSWORD),
        ],
        400,
        "account",
        "„an na“ kann nicht der Name eines Kontos sein",
        "<option value=\"auditor\" selected>",
    ),
    (
        "/console/people/accounts",
        &[
            ("account", "joan"),
            ("role", "user"),
            ("archives", "jnae"),
            ("password", PASSWORD),
            ("again", PASSWORD),
        ],
        404,
        "archives",
        "Kein Benutzer heißt „jnae“. Meinten Sie „jane“?",
        "value=\"jnae\"",
    ),
    (
        "/console/people/accounts",
        &[
            ("account", "joan"),
            ("role", "user"),
            ("password", "short"),
            ("again", "short"),
        ],
        400,
        "password",
        "Das Passwort ist zu kurz: Nehmen Sie 10 Zeichen oder mehr.",
        "value=\"joan\"",
    ),
    (
        "/console/people/accounts",
        &[
            ("account", "joan"),
            ("role", "user"),
            ("password", PASSWORD),
            ("again", "x"),
        ],
        400,
        "again",
        "Die beiden Passwörter sind nicht gleich.",
        "value=\"joan\"",
    ),
    (
        "/console/people/accounts/rita/give",
        &[("user", "nobody")],
        404,
        "user",
        "Kein Benutzer heißt „nobody“.",
        "value=\"nobody\"",
    ),
    (
        "/console/account/password",
        &[
            ("current", "x"),
            ("password", "another password"),
            ("again", "another password"),
        ],
        400,
        "current",
        "Das bisherige Passwort ist ein anderes.",
        "Passwort",
    ),
    (
        "/console/account/applications",
        &[("program", "")],
        400,
        "program",
        "Der Name eines Programms hat 1 bis 64 Zeichen.",
        "Programm",
    ),
    (
        "/console/unknown/new%40example.com/give",
        &[("user", "jane")],
        409,
        "user",
        "„jane“ ist ein Benutzer aus der Konfiguration",
        "value=\"jane\"",
    ),
    (
        "/console/unknown/new%40example.com/make",
        &[("name", "bob")],
        409,
        "name",
        "Es gibt schon einen Benutzer „bob“.",
        "value=\"bob\"",
    ),
];

/// Somebody who reads German.
fn german(client: &Client) -> Client {
    Client {
        field: format!("{}\r\nAccept-Language: de", client.field),
        ..client.clone()
    }
}

#[test]
fn what_cannot_be_taken_is_said_at_its_field_in_the_language_with_what_was_typed() {
    let site = peopled();
    let anna = german(&log_in(&site, "anna", "").0);
    for (path, fields, status, field, said, kept) in WRONG {
        let page = submit(&anna, path, fields).expect(status).text();
        let place = format!("<p class=\"wrong\" id=\"{field}-wrong\" role=\"alert\">");
        let shown = between(&page, &place, "</p>");
        assert!(shown.contains(said), "{path} {fields:?}: {shown}");
        assert!(page.contains(kept), "{path} {fields:?}: {page}");
        assert!(page.contains("aria-invalid=\"true\""), "{path}: {page}");
        for (_, secret) in fields
            .iter()
            .filter(|(name, _)| ["password", "again", "current"].contains(name))
        {
            assert!(
                !page.contains(&format!("value=\"{secret}\"")),
                "{path} shows a password"
            );
        }
    }
    // Whoever could not be renamed is there, with what was typed.
    submit(
        &anna,
        "/console/people/users",
        &[("name", "new"), ("addresses", "n@example.com")],
    )
    .expect(303);
    let page = submit(&anna, "/console/people/users/new/rename", &[("to", "jane")])
        .expect(400)
        .text();
    assert!(
        page.contains("value=\"jane\"") && page.contains("Es gibt schon einen Benutzer „jane“."),
        "{page}"
    );
    // So are lists, and a query.
    for (path, said) in [
        ("/console/runs?since=2025-02-30", "Das ist kein Tag."),
        (
            "/console/audit?since=2025-01-02&until=2025-01-01",
            "Dieser Tag liegt vor dem ersten.",
        ),
        ("/console/audit.csv?since=x", "Das ist kein Tag."),
        ("/console/mail?q=from%3A%28", "Diese Klammer ist nicht geschlossen."),
        ("/console/mail?q=sender%3Ax", "Kein Feld heißt sender"),
        ("/console/mail?q=larger%3Abig", "„big“ ist keine Größe."),
        ("/console/mail?q=words1&cursor=x", "Das ist keine Stelle in der Liste."),
        ("/console/archives/bob?cursor=x", "Das ist keine Stelle in der Liste."),
    ] {
        let page = anna.get(path).expect(400).text();
        assert!(page.contains(said), "{path}: {page}");
    }
    for (path, said) in [
        ("/console/mail/999", "Es gibt keine Nachricht 999."),
        ("/console/runs/999", "Es gibt keinen Lauf 999."),
        ("/console/people/accounts/nobody", "Kein Konto heißt „nobody“."),
    ] {
        let page = anna.get(path).expect(404).text();
        assert!(page.contains(said), "{path}: {page}");
    }
    let jane = german(&log_in(&site, "jane", "").0);
    let page = jane.get("/console/runs").expect(403).text();
    assert!(page.contains("Die Rolle Ihres Kontos darf das nicht."), "{page}");
}

#[test]
fn all_wrong_lines_of_a_table_are_said_with_the_lines() {
    let site = peopled();
    let (anna, _) = log_in(&site, "anna", "");
    let table = "new,new@example.com\n@x,x@example.com\nnewer,nonsense\nnewest,new@example.com\n";
    let german = german(&anna);
    for path in ["/console/people/import", "/console/people/import/now"] {
        let page = submit(&german, path, &[("csv", table)]).expect(400).text();
        let said: Vec<_> = page
            .split("<p class=\"wrong\"")
            .skip(1)
            .map(|said| between(said, ">", "</p>"))
            .collect();
        assert_eq!(said.len(), 3, "{page}");
        for (said, words) in said.iter().zip([
            "Zeile 2: „@x“ kann nicht",
            "Zeile 3: „nonsense“ ist keine Adresse.",
            "Zeile 4: new@example.com ist schon eine Adresse von „new“.",
        ]) {
            assert!(said.contains(words), "{said}");
        }
        for line in [
            "<code>@x,x@example.com</code>",
            "<code>newer,nonsense</code>",
            "<code>newest,new@example.com</code>",
        ] {
            assert!(page.contains(line), "{page}");
        }
    }
    // What is wrong by users whom there are is said of all such lines, too.
    let table = "jane,j2@example.com\nnew,new@example.com\nnewer,bob@example.com\n";
    let page = submit(&anna, "/console/people/import", &[("csv", table)])
        .expect(400)
        .text();
    assert_eq!(page.matches("<p class=\"wrong\"").count(), 2, "{page}");
    assert!(page.contains("Line 1:") && page.contains("Line 3:"), "{page}");
    let page = submit(
        &anna,
        "/console/people/import",
        &[("csv", &"x,nonsense\n".repeat(1000))],
    );
    assert_eq!(page.expect(400).text().matches("<p class=\"wrong\"").count(), 50);
}
