//! Accounts, as administrators look after them.

use serde_json::json;

use crate::{
    people::{between, log_in, peopled, submit},
    site::Client,
};

#[test]
fn the_last_administrator_cannot_be_removed_disabled_or_given_another_role() {
    let site = peopled();
    let (anna, _) = log_in(&site, "anna", "");
    let own = |change: &str| format!("/console/people/accounts/anna/{change}");
    let german = Client {
        field: format!("{}\r\nAccept-Language: de", anna.field),
        ..anna.clone()
    };
    let said = "„anna“ ist das einzige Konto, mit dem jemand dropkeep verwalten kann";
    for (change, fields) in [("remove", &[][..]), ("disable", &[]), ("role", &[("role", "user")])] {
        let page = submit(&german, &own(change), fields).expect(409).text();
        assert!(page.contains(said), "{change}: {page}");
    }
    let page = submit(&anna, &own("role"), &[("role", "auditor")]).expect(409).text();
    assert!(
        between(&page, "id=\"role-wrong\"", "</p>").contains("only account"),
        "{page}"
    );
    // One who cannot log in helps nobody.
    site.add("bert", "administrator", &[]);
    submit(&anna, "/console/people/accounts/bert/disable", &[]).expect(303);
    submit(&anna, &own("disable"), &[]).expect(409);
    submit(&anna, "/console/people/accounts/bert/enable", &[]).expect(303);
    submit(&anna, &own("role"), &[("role", "user")]).expect(303);
    // The owner of the archive has the command line.
    site.own(json!({"change_account": {"name": "bert", "wish": "disable"}}));
    let log = site.own(json!({"audit": {"newest_first": true}}));
    let refused = log.iter().filter(|reply| {
        let line = &reply["audited"];
        line["outcome"] == "refused" && line["object"].as_str().is_some_and(|object| object.contains("anna"))
    });
    assert_eq!(refused.count(), 5, "{log:?}");
}

#[test]
fn it_is_asked_first_whether_an_account_is_to_go() {
    let site = peopled();
    let (anna, _) = log_in(&site, "anna", "");
    let page = anna.get("/console/people/accounts/rita").expect(200).text();
    for change in ["remove", "disable"] {
        let path = format!("/console/people/accounts/rita/{change}");
        assert!(page.contains(&format!("href=\"{path}\"")), "{page}");
        assert!(!page.contains(&format!("action=\"{path}\"")), "{page}");
        let asked = anna.get(&path).expect(200).text();
        assert!(asked.contains(&format!("action=\"{path}\"")), "{asked}");
        assert!(
            asked.contains("<h1>") && asked.contains("“rita”") && !asked.contains("your own"),
            "{asked}"
        );
    }
    let own = anna.get("/console/people/accounts/anna/remove").expect(200).text();
    assert!(own.contains("It is your own account"), "{own}");
    anna.get("/console/people/accounts/nobody/remove").expect(404);
    anna.get("/console/people/accounts/rita/give").expect(404);
    let (rita, _) = log_in(&site, "rita", "");
    rita.get("/console/people/accounts/rita/remove").expect(403);
    // Nothing is done by looking.
    anna.get("/console/people/accounts/rita").expect(200);
    submit(&anna, "/console/people/accounts/rita/remove", &[]).expect(303);
    anna.get("/console/people/accounts/rita").expect(404);
}
