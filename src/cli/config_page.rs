//! The man page of the configuration, made from the sample that shows every key: `config/dropkeep.toml`.
//!
//! In the sample, what stands above a key is about it, and about those that follow it without a word of their own. What
//! stands above a table is about the table.

use std::{io, io::Write};

use clap_mangen::roff::{Inline, Roff, bold, roman};

const SAMPLE: &str = include_str!("../../config/dropkeep.toml");

/// What a line of the sample is, `#` or not.
#[derive(Debug, PartialEq, Eq)]
enum SampleLine<'t> {
    /// `[http]`, as it is written.
    Table(&'t str),
    /// `listen = "127.0.0.1:8080"`.
    Key(&'t str),
    Words(&'t str),
    Nothing,
}

impl<'t> SampleLine<'t> {
    fn of(line: &'t str) -> Self {
        let text = line.trim_start_matches('#').trim();
        let is_table = text.starts_with('[') && text.ends_with(']') && !text.contains(' ');
        match text {
            "" => Self::Nothing,
            _ if is_table => Self::Table(text),
            _ if key(text).is_some() => Self::Key(text),
            _ => Self::Words(text),
        }
    }
}

/// The key of `key = value`.
fn key(text: &str) -> Option<&str> {
    let (key, _) = text.split_once(" = ")?;
    let is_bare = |c: char| c.is_ascii_lowercase() || c == '_';
    let is_quoted = key.len() > 2 && key.starts_with('"') && key.ends_with('"') && !key.contains(' ');
    (is_quoted || (!key.is_empty() && key.chars().all(is_bare))).then_some(key)
}

/// Writes `dropkeep.toml(5)`.
///
/// # Errors
/// Those of `out`.
pub fn write(out: &mut dyn Write) -> io::Result<()> {
    let mut page = Roff::new();
    let source = concat!("dropkeep ", env!("CARGO_PKG_VERSION"));
    page.control("TH", ["dropkeep.toml", "5", " ", source, "dropkeep"]);
    page.control("SH", ["NAME"]);
    page.text([roman("dropkeep.toml - the configuration of dropkeep")]);
    page.control("SH", ["DESCRIPTION"]);
    page.text([
        roman("An installed dropkeep reads "),
        bold("/etc/dropkeep/dropkeep.toml"),
        roman("; "),
        bold("--config"),
        roman(" names another file. The file is written in TOML. The values below are the defaults, or examples where there is no default. docs/ is /usr/share/doc/dropkeep/docs."),
    ]);
    body(&mut page);
    page.control("SH", ["SEE ALSO"]);
    page.text([bold("dropkeep"), roman("(1)")]);
    page.to_writer(out)
}

/// A table with what is written about it, below its heading.
struct Part<'t> {
    table: &'t str,
    indent: usize,
    text: Roff,
}

fn body(page: &mut Roff) {
    let mut parts = vec![Part::of("", 0)];
    // The parts of tables that the next key may belong to; where an example of another table ends, by the indentation.
    let mut open = vec![0];
    let mut words = Vec::new();
    for line in SAMPLE.lines() {
        match SampleLine::of(line) {
            SampleLine::Words(text) => words.push(text),
            SampleLine::Nothing => parts[last(&open)].paragraph(&mut words),
            SampleLine::Table(table) => {
                let part = Part::of(table, indent(line));
                open.retain(|number| parts[*number].indent < part.indent);
                open.push(parts.len());
                parts.push(part);
                parts[last(&open)].paragraph(&mut words);
            }
            SampleLine::Key(key) => {
                while open.len() > 1 && indent(line) < parts[last(&open)].indent {
                    open.pop();
                }
                let text = &mut parts[last(&open)].text;
                text.control("TP", []);
                text.text([bold(key)]);
                text.text([Inline::Roman(words.join(" "))]);
                words.clear();
            }
        }
    }
    parts[last(&open)].paragraph(&mut words);
    for part in parts {
        if !part.table.is_empty() {
            page.control("SH", [part.table]);
        }
        page.extend([part.text]);
    }
}

fn last(open: &[usize]) -> usize {
    open.last().copied().unwrap_or_default()
}

/// Columns before what a line says; none where it is not commented out.
fn indent(line: &str) -> usize {
    let text = line.trim_start_matches('#');
    if text.len() == line.len() {
        0
    } else {
        text.len() - text.trim_start().len()
    }
}

impl<'t> Part<'t> {
    fn of(table: &'t str, indent: usize) -> Self {
        Self {
            table,
            indent,
            text: Roff::new(),
        }
    }

    /// What is about no key.
    fn paragraph(&mut self, words: &mut Vec<&str>) {
        if !words.is_empty() {
            self.text.control("PP", []);
            self.text.text([Inline::Roman(words.join(" "))]);
            words.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use figment::{
        Figment,
        error::Kind,
        providers::{Format, Toml},
    };

    use super::*;
    use crate::config::Config;

    fn page() -> String {
        let mut page = Vec::new();
        write(&mut page).unwrap();
        // As it is shown: a hyphen is written with a backslash, and so are what begins and ends bold type.
        let page = String::from_utf8(page).unwrap().replace("\\-", "-");
        page.replace("\\fB", "").replace("\\fR", "")
    }

    /// What of the page is about `table`.
    fn part<'t>(page: &'t str, table: &str) -> &'t str {
        let heading = match table {
            "" => ".SH DESCRIPTION\n".to_owned(),
            table => format!(".SH {table}\n"),
        };
        let from = page
            .find(&heading)
            .unwrap_or_else(|| panic!("{heading} is not in {page}"));
        let rest = &page[from + heading.len()..];
        &rest[..rest.find("\n.SH ").unwrap_or(rest.len())]
    }

    /// The keys that the program knows in a table, as it lists them for one that it does not know.
    fn known(table: &str) -> Vec<&'static str> {
        let above = if table.starts_with("[profile.") {
            "[[profile]]\n"
        } else {
            ""
        };
        let text = format!("{above}{table}\nnobody_knows_it = 1\n");
        let error = Figment::from(Toml::string(&text)).extract::<Config>().unwrap_err();
        let kinds: Vec<Kind> = error.into_iter().map(|error| error.kind).collect();
        match kinds.as_slice() {
            [Kind::UnknownField(_, known)] => known.to_vec(),
            _ => panic!("{table}: {kinds:?}"),
        }
    }

    #[test]
    fn the_page_of_the_configuration_has_every_key_that_there_is() {
        let page = page();
        let tables = [
            "[http]",
            "[log]",
            "[limits]",
            "[archive]",
            "[protocols]",
            "[mail]",
            "[webhook]",
            "[secrets]",
            "[[user]]",
            "[[list]]",
            "[[profile]]",
            "[profile.server]",
            "[profile.server.oauth2]",
            "[profile.folders]",
            "[profile.exclude]",
            "[profile.recipients]",
            "[profile.delete]",
            "[profile.notify]",
        ];
        let has = |part: &str, key: &str| {
            let mut words = part.split(|c: char| !c.is_alphanumeric() && c != '_');
            words.any(|word| word == key)
        };
        let mut count = 0;
        for table in tables {
            // Tables within it have parts of their own, as in `[profile.server]`.
            let name = table.trim_matches(['[', ']']);
            for key in known(table) {
                let is_table = page.contains(&format!(".SH [{name}.{key}]"));
                assert!(is_table || has(part(&page, table), key), "{table} {key}");
                count += 1;
            }
        }
        for key in known("") {
            let is_table = tables.iter().any(|table| table.trim_matches(['[', ']']) == key);
            assert!(
                is_table || page.contains(&format!(".SH [{key}]")) || has(part(&page, ""), key),
                "{key}"
            );
        }
        assert!(count > 80, "{count}");
    }

    #[test]
    fn a_key_stands_below_its_table_with_the_words_above_it() {
        let page = page();
        let listen = part(&page, "[http]");
        let from = listen.find("listen = ").unwrap_or_else(|| panic!("{listen}"));
        let before = &listen[..from];
        assert!(before.ends_with(".TP\n"), "{before}");
        let after: Vec<&str> = listen[from..].lines().skip(1).take(1).collect();
        assert!(after[0].contains("/metrics"), "{after:?}");
    }

    #[test]
    fn words_are_told_from_keys() {
        assert_eq!(
            SampleLine::of("#   [profile.server.oauth2]"),
            SampleLine::Table("[profile.server.oauth2]")
        );
        assert_eq!(SampleLine::of("# listen = \"x\""), SampleLine::Key("listen = \"x\""));
        assert_eq!(
            SampleLine::of("\"example.net\" = \"x\""),
            SampleLine::Key("\"example.net\" = \"x\"")
        );
        assert_eq!(
            SampleLine::of("# With it, a = b."),
            SampleLine::Words("With it, a = b.")
        );
        assert_eq!(SampleLine::of("#"), SampleLine::Nothing);
    }
}
