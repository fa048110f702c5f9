//! `search QUERY`: the messages that a query finds, the newest first or those that fit best.

use std::{
    ffi::OsString,
    io::{IsTerminal, stdout},
};

use clap::Args;
use unicode_width::UnicodeWidthStr;

use super::{
    ask,
    columns::width,
    numbers::number,
    output::{Output, counted, grouped, harmless, say},
    table::{Row, Table},
};
use crate::{
    api::{Counted, FacetsLine, Failure, FoundLine, HitLine, Reply, Request, SearchOrder, Searched},
    config::Config,
    search::{PAGE, QueryError, parse},
};

/// Columns of a query that are shown around the place where it is wrong, on each side.
const AROUND: usize = 50;

#[derive(Args, Debug)]
pub struct Arguments {
    /// Words, and fields such as from:jane, subject:"annual report", date:2025-01..2025-03, has:attachment, larger:1M;
    /// -word for messages without it, OR, and parentheses. Quote it for the shell: 'from:jane "annual report"'. * finds
    /// all messages.
    #[arg(required = true, value_name = "QUERY")]
    query: Vec<String>,
    /// Only messages that this user has.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Show at most N messages.
    #[arg(long, visible_alias = "newest", value_name = "N", default_value_t = 50, value_parser = number::<usize>)]
    limit: usize,
    /// What comes first: what was sent last, or what fits best.
    #[arg(long, visible_alias = "order", value_name = "ORDER", value_enum, default_value_t)]
    sort: SearchOrder,
    /// Show the messages behind those of an earlier search, which said this word at its end.
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
    /// Only say how many messages there are.
    #[arg(long, conflicts_with_all = ["after", "snippets"])]
    count: bool,
    /// Also say who has most of them, from whom most are, and of which years.
    #[arg(long)]
    facets: bool,
    /// Also show a stretch of the text of each message, as --json does.
    #[arg(long)]
    snippets: bool,
    /// With --json, end with a line about all of them: how many there are, where the next ones begin, and whether all of
    /// the archive was searched. --count and --facets have it anyway.
    #[arg(long, requires = "json")]
    summary: bool,
    /// Fit the lines into this many columns, as on a terminal of this width.
    #[arg(long, value_name = "COLUMNS", value_parser = number::<usize>, conflicts_with = "json")]
    width: Option<usize>,
}

pub fn run(config: &Config, arguments: Arguments, json: bool) -> Result<u8, Failure> {
    let query = arguments.query.join(" ");
    understood(&query)?;
    let mut printed = Printed {
        output: Output::new(),
        table: Table::new(arguments.width.or_else(width), arguments.user.is_none()),
        json,
        summary: arguments.summary || arguments.count || arguments.facets,
        of_terminal: stdout().is_terminal(),
        lines: 0,
    };
    let mut left = if arguments.count { 0 } else { arguments.limit };
    let mut asked = Searched {
        query,
        user: arguments.user,
        order: arguments.sort,
        limit: left.min(PAGE),
        after: arguments.after,
        facets: arguments.facets,
        snippets: arguments.snippets || json,
    };
    let mut facets = None;
    let found = loop {
        let mut found = None;
        let answered = ask::read_until(config, &Request::Search(asked.clone()), &mut |reply| {
            match reply {
                Reply::Hit(hit) => printed.hit(&hit),
                Reply::Found(line) => found = Some(line),
                _ => {}
            }
            printed.output.is_read()
        });
        if let Err(failure) = answered {
            printed.output.finish();
            return Err(failure);
        }
        // Whoever reads may have seen enough.
        let Some(found) = found else {
            printed.output.finish();
            return Ok(0);
        };
        facets = facets.or(found.facets.clone());
        left -= asked.limit.min(left);
        match &found.next {
            Some(next) if left > 0 => {
                asked.after = Some(next.clone());
                asked.limit = left.min(PAGE);
                asked.facets = false;
            }
            _ => break found,
        }
    };
    printed.end(FoundLine { facets, ..*found }, arguments.count);
    Ok(0)
}

/// Refuses a query that cannot be understood, and points at the place.
pub fn understood(query: &str) -> Result<(), Failure> {
    parse(query).map(drop).map_err(|error| refused(query, &error))
}

/// Has the index ready for a query that another process will search with: as far as the archive is now.
pub fn prepare(config: &Config, query: &str) -> Result<(), Failure> {
    understood(query)?;
    let asked = Searched {
        query: query.to_owned(),
        ..Searched::default()
    };
    ask::read(config, &Request::Search(asked), &mut |_| {})
}

/// The arguments of the program, in which a word with a minus is no option of `search` but a part of the query: a space
/// before it says so, and says nothing in the query.
pub fn with_minus_words(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.collect();
    let is_option = |word: &OsString| word.as_encoded_bytes().starts_with(b"-");
    let mut begin = 1;
    while let Some(option) = arguments.get(begin).filter(|word| is_option(word)) {
        // Of the options before a command one has a value behind it.
        begin += if option == "--config" { 2 } else { 1 };
    }
    if arguments.get(begin).is_none_or(|command| command != "search") {
        return arguments;
    }
    for word in &mut arguments[begin + 1..] {
        let bytes = word.as_encoded_bytes();
        let is_short = bytes.len() > 1 && bytes[0] == b'-' && bytes[1] != b'-';
        if is_short && word != "-h" && word != "-V" {
            let mut spaced = OsString::from(" ");
            spaced.push(&*word);
            *word = spaced;
        }
    }
    arguments
}

/// Points at the place where a query is wrong.
fn refused(query: &str, error: &QueryError) -> Failure {
    let (line, mark) = pointed(query, error);
    if !line.is_empty() {
        say(format!("  {line}"));
        say(format!("  {mark}"));
    }
    Failure::usage(format!("cannot understand the query: {error}"))
}

/// A query, or what is around a place in it, and a line below it that points there.
fn pointed(query: &str, error: &QueryError) -> (String, String) {
    let part = |range: std::ops::Range<usize>| query.get(range).unwrap_or_default();
    let before: Vec<char> = part(0..error.at.start).chars().collect();
    let is_cut = before.len() > AROUND;
    let before: String = before[before.len().saturating_sub(AROUND)..].iter().collect();
    let before = harmless(&if is_cut { format!("…{before}") } else { before }).into_owned();
    let cut = |text: &str| match text.char_indices().nth(AROUND) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    };
    let wrong = cut(part(error.at.clone()));
    let behind = cut(part(error.at.end..query.len()));
    let marks = harmless(&wrong).width().max(1);
    let mark = format!("{}{}", " ".repeat(before.width()), "^".repeat(marks));
    (format!("{before}{}{}", harmless(&wrong), harmless(&behind)), mark)
}

struct Printed {
    output: Output,
    table: Table,
    json: bool,
    /// Whether JSON ends with a line about all.
    summary: bool,
    /// Words that were found are bold.
    of_terminal: bool,
    lines: u64,
}

impl Printed {
    fn hit(&mut self, hit: &HitLine) {
        self.lines += 1;
        if self.json {
            return self.output.json(hit);
        }
        if self.lines == 1 {
            self.output.line(self.table.header());
        }
        let mut users = hit.users.join(", ");
        if hit.more_users > 0 {
            users += &format!(" and {} more", grouped(hit.more_users));
        }
        let row = Row {
            id: hit.id,
            date: hit.date,
            users: &users,
            size: hit.size,
            from: &hit.from,
            to: &hit.to,
            subject: &hit.subject,
        };
        self.output.line(self.table.line(&row));
        if let Some(snippet) = hit.snippet.as_ref().filter(|snippet| !snippet.is_empty()) {
            let line = match self.of_terminal {
                true => bold(snippet, &hit.marks),
                false => harmless(snippet).into_owned(),
            };
            self.output.bytes(format!("         {line}\n").as_bytes());
        }
    }

    fn end(mut self, found: FoundLine, only_count: bool) {
        if self.json && self.summary {
            self.output.json(&found);
        } else if only_count {
            self.output.line(found.total.to_string());
        }
        if let Some(facets) = found.facets.as_ref().filter(|_| !self.json) {
            self.facets(facets);
        }
        self.output.finish();
        found.notes.iter().for_each(say);
        say_incomplete(&found);
        if self.json || only_count {
            return;
        }
        match (found.total, found.next) {
            (0, _) => say("no message is found"),
            (total, Some(next)) => say(format!(
                "{} of {}; --after {next} shows the next ones",
                grouped(self.lines),
                counted(total, "message")
            )),
            (total, None) => say(format!("{} found", counted(total, "message"))),
        }
    }

    fn facets(&mut self, facets: &FacetsLine) {
        for (title, counts) in [
            ("users", &facets.users),
            ("years", &facets.years),
            ("senders", &facets.senders),
        ] {
            self.output.line("");
            self.output.line(title);
            for Counted { name, messages } in counts {
                self.output.line(format!("{:>10}  {name}", grouped(*messages)));
            }
        }
    }
}

/// Says that not all of the archive was searched.
fn say_incomplete(found: &FoundLine) {
    let index = &found.index;
    let state = index.state.as_str();
    if state == "building" {
        say(format!(
            "the search index is made anew, and has {} of {}: there may be more",
            grouped(index.documents),
            counted(index.messages, "message")
        ));
    } else if index.behind > 0 {
        let why = index.why.as_deref().unwrap_or_default();
        let why = if why.is_empty() {
            String::new()
        } else {
            format!(": {why}")
        };
        say(format!("the mail that came last is not searched yet{why}"));
    }
}

/// A line of which some characters are bold on a terminal. What it says itself steers nothing.
fn bold(line: &str, marks: &[[usize; 2]]) -> String {
    let mut shown = String::new();
    for (nth, char) in line.chars().enumerate() {
        for [from, to] in marks {
            shown.push_str(if *to == nth { "\x1b[0m" } else { "" });
            shown.push_str(if *from == nth { "\x1b[1m" } else { "" });
        }
        shown.push_str(&harmless(char.encode_utf8(&mut [0; 4])));
    }
    if !marks.is_empty() {
        shown.push_str("\x1b[0m");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_where_a_query_is_wrong_is_pointed_at() {
        let long = "x".repeat(60);
        for (query, line, mark) in [
            ("a (b", "a (b", "  ^"),
            ("北京 form:ada", "北京 form:ada", "     ^^^^"),
            ("a \u{1b}) b", "a \u{fffd}) b", "   ^"),
            (
                &format!("{long} ) y"),
                &format!("…{} ) y", "x".repeat(49)),
                &format!("{}^", " ".repeat(51)),
            ),
            ("  ", "  ", "^^"),
        ] {
            let error = parse(query).unwrap_err();
            assert_eq!(pointed(query, &error), (line.to_owned(), mark.to_owned()), "{query}");
        }
    }

    #[test]
    fn marks_are_bold_and_nothing_else_steers() {
        assert_eq!(bold("a\u{1b}b c", &[[2, 3]]), "a\u{fffd}\x1b[1mb\x1b[0m c\x1b[0m");
        assert_eq!(bold("ab", &[]), "ab");
    }

    #[test]
    fn a_word_with_a_minus_is_no_option() {
        let spaced = |line: &str| {
            let arguments = with_minus_words(line.split(' ').map(OsString::from));
            let shown: Vec<_> = arguments
                .iter()
                .map(|word| word.to_string_lossy().into_owned())
                .collect();
            shown.join("|")
        };
        for (line, expected) in [
            ("dropkeep search a -b --json -h", "dropkeep|search|a| -b|--json|-h"),
            (
                "dropkeep --json --config c search -draft",
                "dropkeep|--json|--config|c|search| -draft",
            ),
            ("dropkeep list -b search", "dropkeep|list|-b|search"),
            ("dropkeep", "dropkeep"),
        ] {
            assert_eq!(spaced(line), expected);
        }
    }
}
