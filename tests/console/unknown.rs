//! Addresses that nobody has: they are given to somebody, to several, or to nobody; and the mail that is in the archive already.

use serde_json::json;

use crate::{
    browser::Browser,
    people::{between, log_in, submit},
    site::{Client, Reply, Site},
    support::{PATIENCE, wait_for},
    usable::{axe, violations},
};

/// A site with mail for an address that nobody has.
pub fn with_unknown(mails: usize) -> Site {
    let profile = "[[profile]]\nname = \"company\"\n[profile.server]\naccess = \"imap\"\nhost = \"127.0.0.1\"\nport = 1\n\
                   username = \"all\"\npassword = \"x\"\n[profile.recipients]\nlocal_domains = [\"example.com\"]\n";
    let site = Site::of_profile("", profile, &[]);
    for number in 0..mails {
        site.import(&format!(
            "From: a@example.org\r\nTo: found@example.com\r\nSubject: f{number}\r\n\r\nx\r\n"
        ));
    }
    site.add("anna", "administrator", &[]);
    site
}

/// The page that a reply leads to.
pub fn followed(client: &Client, reply: Reply) -> String {
    let to = reply.expect(303).field("location").to_owned();
    client.get(&to).expect(200).text()
}

/// The page of mail that is in the archive already, once all is counted.
fn counted(client: &Client) -> String {
    let mut page = String::new();
    let done = wait_for(PATIENCE, || {
        page = client.get("/console/reroute").expect(200).text();
        !page.contains("data-events")
    });
    assert!(done, "{page}");
    page
}

#[test]
fn an_address_is_given_to_somebody_and_its_mail_is_counted_and_filed() {
    let site = with_unknown(3);
    let (anna, _) = log_in(&site, "anna", "");
    let list = anna.get("/console/unknown").expect(200).text();
    assert!(
        list.contains("href=\"/console/unknown/found%40example%2Ecom\""),
        "{list}"
    );
    let page = anna.get("/console/unknown/found%40example.com").expect(200).text();
    assert!(page.contains("3 messages of the newest runs named it"), "{page}");
    // To somebody who was added here, of whose addresses none is taken away.
    submit(
        &anna,
        "/console/people/users",
        &[("name", "joan"), ("addresses", "joan@example.com")],
    )
    .expect(303);
    let given = submit(&anna, "/console/unknown/found%40example.com/give", &[("user", "joan")]);
    let page = followed(&anna, given);
    assert!(
        page.contains("has now:") && page.contains("found@example.com"),
        "{page}"
    );
    let page = counted(&anna);
    assert!(
        page.contains("<strong>3 messages</strong>") && page.contains("joan"),
        "{page}"
    );
    let run = submit(&anna, "/console/reroute/file", &[]).expect(303);
    let run = run.field("location").to_owned();
    let ended = wait_for(PATIENCE, || anna.get(&run).expect(200).text().contains("completed"));
    assert!(ended, "{}", anna.get(&run).text());
    let people = anna.get("/console/people?find=joan").expect(200).text();
    assert!(
        people.contains("joan@example.com") && people.contains("found@example.com"),
        "{people}"
    );
    assert!(people.contains("<td class=\"number\">3</td>"), "{people}");
    assert!(
        !anna
            .get("/console/unknown")
            .expect(200)
            .text()
            .contains("found@example.com")
    );
    // How it ended is known, and counting anew finds nothing.
    let page = counted(&anna);
    assert!(page.contains("were filed") && page.contains(&run), "{page}");
    submit(&anna, "/console/reroute/count", &[]).expect(303);
    assert!(counted(&anna).contains("nothing in the archive that somebody lacks"));
    // Two who are not asked at once lose nothing of each other.
    let assign = |address: &str| {
        let body = json!({"user": "joan"});
        anna.send("POST", &format!("/api/v1/unknown/{address}/assign"), &body)
            .expect(200)
            .json()
    };
    assert_eq!(assign("one@example.com")["changed"][0]["change"], "changed");
    assign("two@example.com");
    let people = anna.get("/console/people?find=joan").expect(200).text();
    for address in ["joan@", "found@", "one@", "two@"] {
        assert!(people.contains(address), "{address}: {people}");
    }
}

#[test]
fn an_address_that_is_ignored_is_named_no_more_and_its_mail_goes_where_it_went() {
    let mut site = with_unknown(3);
    let (anna, _) = log_in(&site, "anna", "");
    let (list, page) = ("/console/unknown", "/console/unknown/found%40example.com");
    let ignore =
        |client: &Client, no_longer: &str| submit(client, &format!("{page}/ignore"), &[("no_longer", no_longer)]);
    // The newest run, which had one more message for it.
    let newest = |site: &Site, client: &Client| {
        site.import("From: a@example.org\r\nTo: found@example.com\r\nSubject: again\r\n\r\nx\r\n");
        client.get("/api/v1/runs?limit=1").expect(200).json()["runs"][0].clone()
    };
    let done = followed(&anna, ignore(&anna, ""));
    let (unknown, ignored) = done.split_once("Ignored addresses").expect("a part of the list");
    assert!(
        !unknown.contains("found@example.com") && ignored.contains("found@example.com"),
        "{done}"
    );
    let shown = anna.get(page).expect(200).text();
    assert!(
        shown.contains("This address is ignored.") && shown.contains("Ignore no longer"),
        "{shown}"
    );
    // It stays so, also after a start that nothing prepared.
    for restarted in [false, true] {
        if restarted {
            site.kill();
        }
        let anna = log_in(&site, "anna", "").0;
        let run = newest(&site, &anna);
        assert!(run["unknown_addresses"].get("found@example.com").is_none(), "{run:#}");
        assert_eq!(run["unknown"], 1, "{run:#}");
    }
    let (anna, _) = log_in(&site, "anna", "");
    let known = anna.get("/api/v1/unknown").expect(200).json();
    assert_eq!(known, json!({"addresses": [], "ignored": ["found@example.com"]}));
    // Whoever takes it back is told again.
    anna.ask("DELETE", "/api/v1/unknown/found@example.com/ignored", "", b"")
        .expect(204);
    assert!(!anna.get(list).expect(200).text().contains("Ignored addresses"));
    let run = newest(&site, &anna);
    assert_eq!(run["unknown_addresses"]["found@example.com"], 1, "{run:#}");
    // Whoever gives it to somebody takes it back, too.
    anna.ask("PUT", "/api/v1/unknown/found@example.com/ignored", "", b"")
        .expect(204);
    submit(&anna, &format!("{page}/make"), &[("name", "found")]).expect(303);
    let known = anna.get("/api/v1/unknown").expect(200).json();
    assert_eq!(known, json!({"addresses": [], "ignored": []}));
    for wrong in ["*@example.com", "nonsense"] {
        anna.ask("PUT", &format!("/api/v1/unknown/{wrong}/ignored"), "", b"")
            .expect(400);
    }
    let audit = anna.get("/console/audit?action=address-ignore").expect(200).text();
    assert!(audit.contains("found@example.com, no longer"), "{audit}");
}

#[test]
fn an_address_becomes_a_list_and_its_mail_is_filed_for_all_of_them() {
    let mut site = with_unknown(3);
    let (anna, _) = log_in(&site, "anna", "");
    let page = "/console/unknown/found%40example.com";
    let change = |client: &Client, users: &str| submit(client, &format!("{page}/list"), &[("users", users)]);
    for (wrong, status, said) in [
        ("", 400, "Name somebody who gets the mail."),
        ("jane\nbop", 404, "No user is named “bop”. Did you mean “bob”?"),
    ] {
        let page = change(&anna, wrong).expect(status).text();
        assert!(
            between(&page, "id=\"users-wrong\" role=\"alert\">", "</p>").contains(said),
            "{wrong}: {page}"
        );
        assert!(page.contains(&format!(">\n{wrong}</textarea>")), "{wrong}: {page}");
    }
    // Of an address that somebody has, no list can be made.
    let taken = submit(&anna, "/console/unknown/bob%40example.com/list", &[("users", "jane")]);
    assert!(
        taken
            .expect(409)
            .text()
            .contains("bob@example.com is an address of “bob” already.")
    );
    // Mail that is in the archive already is filed for them, and mail to come.
    let counted_for = followed(&anna, change(&anna, "jane, bob"));
    assert!(
        counted_for.contains("jane, bob") && counted_for.contains("found@example.com"),
        "{counted_for}"
    );
    let counted = counted(&anna);
    assert!(
        counted.contains("<strong>3 messages</strong>") && counted.contains(">bob<"),
        "{counted}"
    );
    let run = submit(&anna, "/console/reroute/file", &[]).expect(303);
    let run = run.field("location").to_owned();
    assert!(wait_for(PATIENCE, || anna
        .get(&run)
        .expect(200)
        .text()
        .contains("completed")));
    let came = |site: &Site, client: &Client| {
        site.import("From: a@example.org\r\nTo: found@example.com\r\nSubject: more\r\n\r\nx\r\n");
        let run = client.get("/api/v1/runs?limit=1").expect(200).json()["runs"][0].clone();
        let users: Vec<_> = run["users"].as_object().expect("users").keys().cloned().collect();
        users
    };
    assert_eq!(came(&site, &anna), ["bob", "jane"]);
    let known = anna.get("/api/v1/unknown").expect(200).json();
    assert_eq!(known, json!({"addresses": [], "ignored": []}));
    let people = anna.get("/console/people").expect(200).text();
    assert!(
        people.contains("href=\"/console/unknown/found%40example%2Ecom\""),
        "{people}"
    );
    // No user gets the address of a list, and one who is renamed stays in it.
    submit(
        &anna,
        "/console/people/users",
        &[("name", "joan"), ("addresses", "found@example.com")],
    )
    .expect(400);
    submit(
        &anna,
        "/console/people/users",
        &[("name", "joan"), ("addresses", "joan@example.com")],
    )
    .expect(303);
    anna.send(
        "PUT",
        "/api/v1/lists/found@example.com",
        &json!({"users": ["jane", "joan"]}),
    )
    .expect(204);
    submit(&anna, "/console/people/users/joan/rename", &[("to", "joanna")]).expect(303);
    // It is there after a start, and after the configuration was read anew.
    for restarted in [false, true] {
        if restarted {
            site.kill();
        } else {
            site.own(json!("reload"));
        }
        let anna = log_in(&site, "anna", "").0;
        assert_eq!(came(&site, &anna), ["jane", "joanna"], "{restarted}");
        let lists = anna.get("/api/v1/lists").expect(200).json();
        let expected = json!([{"address": "found@example.com", "users": ["jane", "joanna"], "origin": "catalog", "in_force": true}]);
        assert_eq!(lists["lists"], expected);
    }
    // Without it, nobody has the address, and what was filed stays.
    let (anna, _) = log_in(&site, "anna", "");
    submit(&anna, &format!("{page}/list"), &[("remove", "1")]).expect(303);
    assert_eq!(came(&site, &anna), ["@catchall"]);
    anna.ask("DELETE", "/api/v1/lists/found@example.com", "", b"")
        .expect(404);
    anna.send("PUT", "/api/v1/lists/found@example.com", &json!({"users": []}))
        .expect(400);
    let audit = anna.get("/console/audit").expect(200).text();
    for action in ["list-change", "list-remove"] {
        assert!(audit.contains(action), "{action}: {audit}");
    }
}

#[test]
fn an_address_stays_in_the_list_however_many_runs_met_none() {
    let site = with_unknown(1);
    for number in 0..101 {
        site.import(&format!(
            "From: a@example.org\r\nTo: b@example.org\r\nSubject: s{number}\r\n\r\nx\r\n"
        ));
    }
    let (anna, _) = log_in(&site, "anna", "");
    let list = anna.get("/console/unknown").expect(200).text();
    assert!(list.contains("found@example.com"), "{list}");
    let none = anna.get("/console/unknown/found%40example%2Ecom").expect(200).text();
    let none = between(&none, "id=\"to-user\"", "</section>");
    assert!(
        none.contains("There is no user who can get an address here") && !none.contains("id=\"user\""),
        "{none}"
    );
}

#[test]
fn in_a_browser_unknown_addresses_are_ignored_and_become_lists() {
    let site = with_unknown(2);
    site.import("From: a@example.org\r\nTo: spam@example.com\r\nSubject: s\r\n\r\nx\r\n");
    let browser = Browser::new(&site);
    browser.log_in("anna", "/console/unknown");
    let icon = "const done = arguments[arguments.length - 1]; const icon = new Image();\
                icon.onload = () => done(icon.naturalWidth > 0); icon.onerror = () => done(false);\
                icon.src = document.querySelector('link[rel=icon]').href";
    assert_eq!(browser.run_to_its_end(icon, &json!([])), true);
    let axe = axe();
    browser.click("a[href='/console/unknown/spam%40example%2Ecom']");
    browser.waits_for("the address", |browser| browser.has("#to-nobody"));
    browser.click("form[action$='/ignore'] button");
    browser.waits_for("the list", |browser| browser.has("#ignored"));
    assert!(!browser.text("table").contains("spam@"), "{}", browser.text("main"));
    let mut wrong = violations(&browser, &axe, "ignored addresses");
    browser.click("section[aria-labelledby='ignored'] a");
    browser.waits_for("that it is ignored", |browser| {
        browser.text("main").contains("This address is ignored.")
    });
    wrong.extend(violations(&browser, &axe, "an ignored address"));
    browser.click("form[action$='/ignore'] button");
    browser.waits_for("that it is named again", |browser| {
        browser.text("table").contains("spam@")
    });
    browser.click("a[href='/console/unknown/found%40example%2Ecom']");
    browser.waits_for("the address", |browser| browser.has("#members"));
    browser.fill("#members", "jane\nbop");
    browser.click("form[action$='/list'] button");
    browser.waits_for("what is wrong", |browser| browser.has("#members[aria-invalid]"));
    wrong.extend(violations(&browser, &axe, "a list that is wrong"));
    browser.fill("#members", "jane\nbob");
    browser.click("form[action$='/list'] button");
    browser.waits_for("the mail for them", |browser| {
        browser.text("main").contains("would be filed")
    });
    browser.open("/console/people");
    let lists = browser.text("section[aria-labelledby='lists']");
    let words: Vec<_> = lists.split_whitespace().collect();
    assert!(words.join(" ").contains("found@example.com jane bob"), "{lists}");
    browser.is_wide(360, 740);
    wrong.extend(violations(&browser, &axe, "people with a list"));
    let overflow = browser.run("return document.documentElement.scrollWidth - innerWidth", &json!([]));
    assert!(overflow.as_i64().expect("a number") <= 0, "{overflow}");
    browser.click("section[aria-labelledby='lists'] td a");
    browser.waits_for("its page", |browser| browser.has("form[action$='/list'] button"));
    browser.click("form.one[action$='/list'] button");
    browser.waits_for("people", |browser| browser.at().starts_with("/console/people"));
    assert!(!browser.text("main").contains("found@example.com"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_list_of_the_configuration_is_shown_and_not_changed_here() {
    let list = "[[list]]\naddress = \"all@example.com\"\nusers = [\"jane\", \"bob\"]\n";
    let site = Site::new(list, &[]);
    site.add("anna", "administrator", &[]);
    let (anna, _) = log_in(&site, "anna", "");
    let page = anna.get("/console/people").expect(200).text();
    let row = between(&page, "<bdi>all@example.com</bdi>", "</tr>");
    assert!(row.contains("jane") && row.contains("configuration"), "{row}");
    let opened = anna.get("/console/lists?address=all%40example.com");
    let page = followed(&anna, opened);
    assert!(page.contains("This is a list of the configuration file."), "{page}");
    let refused = anna
        .send("PUT", "/api/v1/lists/all@example.com", &json!({"users": ["jane"]}))
        .expect(409);
    assert!(
        refused.text().contains("in the configuration; change it there"),
        "{}",
        refused.text()
    );
}
