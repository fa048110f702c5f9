//! The documents, which are in the program, as HTML, and links to them. They are in English.

use std::collections::HashSet;

use maud::{Markup, html};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html::push_html};

/// Where the list of them is; each has its name behind it.
pub const HANDBOOK: &str = "/console/handbook";
/// The document that says which there are.
pub const CONTENTS: &str = "README";

macro_rules! documents {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../docs/", $name, ".md")))),*]
    };
}

/// Each document's name and its text.
const DOCUMENTS: &[(&str, &str)] = documents! {
    "README" "access" "alerts" "api" "backup" "console" "deletion" "directory" "export" "formats" "http" "install" "metrics"
    "monitoring" "oauth2" "operating" "profiles" "protocols" "recipients" "runs" "search" "servers" "verify"
};

/// `None` where there is no such document.
pub fn text_of(name: &str) -> Option<&'static str> {
    let known = DOCUMENTS.iter().find(|(known, _)| *known == name);
    known.map(|(_, text)| *text)
}

/// A text, with links to the documents that it names.
pub fn linked(mut text: &str) -> Markup {
    const FOLDER: &str = "docs/";
    let mut pieces = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find(FOLDER).map(|at| from + at) {
        let named = &text[at + FOLDER.len()..];
        let name = named.split_once(".md").map(|(name, _)| name);
        match name.and_then(|name| Some((address(name, "")?, FOLDER.len() + name.len() + ".md".len()))) {
            Some((address, length)) => {
                let (shown, rest) = text[at..].split_at(length);
                pieces.push(html! { (&text[..at]) a href=(address) { (shown) } });
                (text, from) = (rest, 0);
            }
            None => from = at + FOLDER.len(),
        }
    }
    html! { @for piece in pieces { (piece) } (text) }
}

/// Where a document is, and in it the place of this name; `None` where there is no such document.
fn address(name: &str, place: &str) -> Option<String> {
    text_of(name)?;
    let path = match name {
        CONTENTS => HANDBOOK.to_owned(),
        name => format!("{HANDBOOK}/{name}"),
    };
    Some(match place {
        "" => path,
        place => format!("{path}#{}", id(place)),
    })
}

/// Where a link of a document leads to: another document here, or elsewhere. `None` where that is not in the program.
fn goal(link: &str) -> Option<String> {
    if link.starts_with("https://") {
        return Some(link.to_owned());
    }
    let (file, place) = link.split_once('#').unwrap_or((link, ""));
    match file {
        "" => Some(format!("#{}", id(place))),
        file => address(file.strip_suffix(".md")?, place),
    }
}

/// The page has names of its own.
fn id(place: &str) -> String {
    format!("at-{place}")
}

/// What a heading is called in links, as the usual viewers of Markdown call it.
fn place(heading: &str) -> String {
    let kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
    let letters = heading.trim().chars().filter(kept);
    letters.collect::<String>().to_lowercase().replace(' ', "-")
}

/// A document's title, and the rest of it as HTML.
pub fn in_html(text: &str) -> (String, String) {
    let events: Vec<Event> = Parser::new_ext(text, Options::ENABLE_TABLES).collect();
    let mut title = String::new();
    let mut places = HashSet::new();
    let mut shown = Vec::with_capacity(events.len());
    let mut led = Vec::new();
    let mut events = events.into_iter().peekable();
    while let Some(event) = events.next() {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                let ends = |event: &Event| matches!(event, Event::End(TagEnd::Heading(_)));
                let within: Vec<_> = std::iter::from_fn(|| events.next_if(|event| !ends(event))).collect();
                let words = words(&within);
                if level == HeadingLevel::H1 {
                    title = words;
                    events.next();
                    continue;
                }
                let first = place(&words);
                let numbered = (1..).map(|number: usize| format!("{first}-{number}"));
                let mut names = std::iter::once(first.clone()).chain(numbered);
                let name = names.find(|name| places.insert(name.clone())).unwrap_or(first);
                shown.push(Event::Start(Tag::Heading {
                    level,
                    id: Some(CowStr::from(id(&name))),
                    classes: Vec::new(),
                    attrs: Vec::new(),
                }));
                shown.extend(within);
            }
            Event::Start(Tag::Link {
                link_type,
                dest_url,
                title,
                id,
            }) => {
                let goal = goal(&dest_url);
                led.push(goal.is_some());
                shown.extend(goal.map(|goal| {
                    Event::Start(Tag::Link {
                        link_type,
                        dest_url: goal.into(),
                        title,
                        id,
                    })
                }));
            }
            Event::End(TagEnd::Link) => shown.extend(led.pop().unwrap_or(true).then_some(event)),
            // What is wide is moved by keys, too.
            Event::Start(Tag::Table(_)) => {
                shown.push(Event::Html(
                    r#"<div class="scroll" tabindex="0" role="group" aria-label="Table">"#.into(),
                ));
                shown.push(event);
            }
            Event::End(TagEnd::Table) => {
                shown.push(event);
                shown.push(Event::Html("</div>".into()));
            }
            event => shown.push(event),
        }
    }
    let mut html = String::with_capacity(2 * text.len());
    push_html(&mut html, shown.into_iter());
    (title, html)
}

/// What stands in these, without how it is set.
fn words(events: &[Event]) -> String {
    let texts = events.iter().filter_map(|event| match event {
        Event::Text(text) | Event::Code(text) => Some(&**text),
        _ => None,
    });
    texts.collect()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use super::*;

    #[test]
    fn each_document_of_the_folder_is_in_the_program() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs");
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let markdown = files.filter(|file| file.extension().is_some_and(|ending| ending == "md"));
        let there: BTreeSet<_> = markdown.map(|file| file.file_stem().unwrap().to_owned()).collect();
        let here: BTreeSet<_> = DOCUMENTS
            .iter()
            .map(|(name, _)| std::ffi::OsString::from(name))
            .collect();
        assert_eq!(here, there);
    }

    #[test]
    fn each_link_within_the_documents_leads_to_a_heading() {
        let shown: Vec<_> = DOCUMENTS.iter().map(|(name, text)| (*name, in_html(text).1)).collect();
        let of = |path: &str| {
            let name = path.strip_prefix(HANDBOOK).unwrap().trim_start_matches('/');
            let name = if name.is_empty() { CONTENTS } else { name };
            &shown.iter().find(|(known, _)| *known == name).unwrap().1
        };
        let mut links = 0;
        for (name, html) in &shown {
            for link in html
                .split("href=\"")
                .skip(1)
                .map(|rest| rest.split('"').next().unwrap())
            {
                if link.starts_with("https://") {
                    continue;
                }
                let (path, place) = link.split_once('#').unwrap_or((link, ""));
                let goal = if path.is_empty() { html } else { of(path) };
                let id = format!("id=\"{place}\"");
                assert!(place.is_empty() || goal.contains(&id), "{name}: {link}");
                links += 1;
            }
        }
        assert!(links > 100, "{links}");
    }

    #[test]
    fn a_document_is_shown_with_its_title_apart_and_without_links_to_what_is_not_there() {
        let text = "# A title\n\nSee [search](search.md#the-index), [this](../Cargo.toml).\n\n## By `key`, twice\n\n## By key, twice\n";
        let (title, html) = in_html(text);
        assert_eq!(title, "A title");
        assert!(
            html.contains("<a href=\"/console/handbook/search#at-the-index\">search</a>, this."),
            "{html}"
        );
        assert!(
            html.contains("id=\"at-by-key-twice\"") && html.contains("id=\"at-by-key-twice-1\""),
            "{html}"
        );
        assert!(!html.contains("A title"), "{html}");
    }

    #[test]
    fn only_what_names_a_document_becomes_a_link() {
        let shown =
            linked("set it (docs/oauth2.md), not docs/<b>.md or docs/ or docs/nothing.md; docs/http.md").into_string();
        assert_eq!(
            shown,
            "set it (<a href=\"/console/handbook/oauth2\">docs/oauth2.md</a>), not docs/&lt;b&gt;.md or docs/ or \
             docs/nothing.md; <a href=\"/console/handbook/http\">docs/http.md</a>"
        );
    }
}
