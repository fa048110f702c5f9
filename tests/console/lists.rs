//! Lists of what is found: their pages, how they are narrowed down, and what is marked.

use serde_json::json;

use crate::{
    browser::Browser,
    people::{between, log_in, peopled},
    site::{Client, Site},
};

/// Messages for Jane, some of them of another year and another sender.
fn with_offers(many: usize) -> Site {
    let site = Site::new("", &[]);
    site.add("jane", "user", &["jane"]);
    for number in 0..many {
        let (sender, year) = if number < 3 { ("b", 2023) } else { ("a", 2024) };
        site.import(&format!(
            "From: {sender}@example.org\r\nTo: jane@example.com\r\nSubject: Quotation {number}\r\n\
             Date: Mon, 1 Jan {year} 10:{:02}:00 +0000\r\n\r\nOffer\r\n",
            number % 60
        ));
    }
    site.indexed();
    site
}

/// Where a link of a page leads that says what it is for.
fn to(page: &str, rel: &str) -> String {
    let link = between(page, &format!("rel=\"{rel}\" href=\""), "\"");
    link.replace("&amp;", "&")
}

#[test]
fn each_page_of_what_is_found_says_which_it_is_and_leads_to_the_ones_beside_it() {
    let site = with_offers(90);
    let (jane, _) = log_in(&site, "jane", "");
    let page = |client: &Client, path: &str| client.get(path).expect(200).text();
    let subjects = |page: &str| between(page, "<ol id=\"rows\">", "</ol>").to_owned();
    let first = page(&jane, "/console/mail?q=offer");
    assert!(
        first.contains("1–40 of 90 messages") && !first.contains("rel=\"prev\""),
        "{first}"
    );
    let second = page(&jane, &to(&first, "next"));
    let third = page(&jane, &to(&second, "next"));
    assert!(second.contains("41–80 of 90 messages") && third.contains("81–90 of 90 messages"));
    assert!(!third.contains("rel=\"next\""));
    // Each narrows down as the first does.
    for page in [&second, &third] {
        assert!(
            page.contains("<h2>Years</h2>") && page.contains("<h2>Senders</h2>"),
            "{page}"
        );
    }
    let second_again = page(&jane, &to(&third, "prev"));
    assert!(second_again.contains("41–80 of 90 messages"));
    assert_eq!(
        between(&subjects(&second_again), "Quotation", "<"),
        between(&subjects(&second), "Quotation", "<")
    );
    let first_again = page(&jane, &to(&second_again, "prev"));
    assert!(first_again.contains("1–40 of 90 messages") && !first_again.contains("rel=\"prev\""));
    // Whatever an address says of it.
    for wrong in ["first=x", "first=18446744073709551615", "back=.....", "back=x"] {
        page(
            &jane,
            &format!("{}&{wrong}", to(&first, "next").split("&first=").next().expect("it")),
        );
    }
    let small = page(&jane, "/console/mail?q=subject%3A17");
    assert!(small.contains(">1 message<") && !small.contains("1–1"), "{small}");
}

#[test]
fn a_filter_that_is_set_is_offered_no_more_and_can_be_taken_off() {
    let site = with_offers(6);
    let (jane, _) = log_in(&site, "jane", "");
    let page = |path: &str| jane.get(path).expect(200).text();
    let all = page("/console/mail?q=offer");
    assert!(
        all.contains("href=\"/console/mail?q=offer+date%3A2023\"") && !all.contains("take off"),
        "{all}"
    );
    let set = page("/console/mail?q=offer+date%3A2023");
    assert!(
        set.contains("3 messages") && !set.contains("date%3A2023+date%3A2023"),
        "{set}"
    );
    assert!(
        set.contains("href=\"/console/mail?q=offer\" aria-label=\"take off: date:2023\""),
        "{set}"
    );
    let both = page("/console/mail?q=offer+date%3A2023+from%3Ab%40example.org");
    assert!(
        both.contains("href=\"/console/mail?q=offer+from%3Ab%40example.org\""),
        "{both}"
    );
    assert!(both.contains("href=\"/console/mail?q=offer+date%3A2023\""), "{both}");
}

#[test]
fn words_are_marked_in_subjects_too() {
    let site = with_offers(1);
    let (jane, _) = log_in(&site, "jane", "");
    let subject = |query: &str| {
        let page = jane.get(&format!("/console/mail?q={query}")).expect(200).text();
        between(&page, "<span class=\"subject\"><bdi>", "</bdi>").to_owned()
    };
    assert_eq!(subject("subject%3Aquotation"), "<mark>Quotation</mark> 0");
    assert_eq!(subject("quot*"), "<mark>Quotation</mark> 0");
    assert_eq!(subject("offer"), "Quotation 0");
}

#[test]
fn what_is_counted_is_said_in_the_singular_and_audit_log_and_protocol_have_two_names() {
    let site = peopled();
    let (anna, _) = log_in(&site, "anna", "");
    // Of the messages of the site, the third is for Bob alone.
    let runs = (1..=8).map(|run| anna.get(&format!("/console/runs/{run}")).expect(200).text());
    let filings: Vec<_> = runs.map(|page| page.contains(">1 filing in an archive · ")).collect();
    assert!(filings.contains(&true) && filings.contains(&false), "{filings:?}");
    let german = Client {
        field: format!("{}\r\nAccept-Language: de", anna.field),
        ..anna
    };
    let page = german.get("/console/audit").expect(200).text();
    assert!(page.contains("<h1>Prüfprotokoll</h1>"), "{page}");
    let page = german.get("/console/overview").expect(200).text();
    assert_eq!(between(&page, "<dt>Geprüft</dt><dd>", "</dd>"), "noch nicht");
    let page = german.get("/console/people/accounts/jane").expect(200).text();
    assert!(page.contains(">Gegebene Archive</h2>"), "{page}");
}

#[test]
fn the_fields_of_a_row_of_filters_stand_in_one_line() {
    let site = peopled();
    let browser = Browser::new(&site);
    browser.log_in("anna", "/console/runs");
    browser.is_wide(1400, 900);
    for path in ["/console/runs", "/console/audit"] {
        browser.open(path);
        let tops = |selector: &str| {
            let script = "return [...new Set([...document.querySelectorAll(arguments[0])]\
                          .flatMap((one) => { const at = one.getBoundingClientRect(); return [at.top, at.bottom]; }))]";
            browser.run(script, &json!([selector])).as_array().map(Vec::len)
        };
        assert_eq!(tops(".filters :is(input, select, button)"), Some(2), "{path}");
        assert_eq!(tops(".filters label"), Some(2), "{path}");
    }
}
