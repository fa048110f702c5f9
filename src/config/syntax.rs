//! What is wrong with a file that is not TOML, in words that say what to write. The value of a key that may hold a
//! secret is never repeated.

use toml_edit::Value;

use super::schema::{Schema, entry, may_be_secret, parent};
use crate::harmless::is_unseen;

/// Quotes that word processors make of plain ones.
const TYPOGRAPHIC: [char; 9] = ['„', '“', '”', '‟', '‘', '’', '‚', '«', '»'];
const BOOLEANS: [(&str, bool); 6] = [
    ("true", true),
    ("yes", true),
    ("on", true),
    ("false", false),
    ("no", false),
    ("off", false),
];

/// The line that is to blame for what the parser found at `offset`, and what to write there. `parser` are its own
/// words.
pub(super) fn diagnose(text: &str, offset: usize, parser: &str) -> (usize, String) {
    let offset = floor(text, offset);
    let lines = text.lines().collect::<Vec<_>>();
    let number = text[..offset].matches('\n').count();
    let line = lines.get(number).copied().unwrap_or_default();
    if parser.contains("duplicate key") {
        return twice(&lines, number).unwrap_or((number + 1, format!("not valid TOML; {}", one_line(parser))));
    }
    if let Some((at, hint)) = unclosed(text, offset, &lines) {
        return (at + 1, format!("not valid TOML; {hint}"));
    }
    let odd = || {
        let blank = |c: char| !c.is_ascii() && (c.is_whitespace() || is_unseen(c));
        let hint = "the line has a blank that is no plain one, as web pages have them; type it anew";
        line.contains(blank).then(|| hint.to_owned())
    };
    let hint = of_line(line.trim()).or_else(odd).unwrap_or_else(|| one_line(parser));
    (number + 1, format!("not valid TOML; {hint}"))
}

fn one_line(parser: &str) -> String {
    parser.trim().replace('\n', ", ")
}

fn floor(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

/// A section or a key that stands there twice, with both lines.
fn twice(lines: &[&str], number: usize) -> Option<(usize, String)> {
    let said = |first: usize, what: &str, remedy: &str| {
        Some((number + 1, format!("{what} is in line {} already; {remedy}", first + 1)))
    };
    let line = lines.get(number)?.trim();
    if line.starts_with('[') {
        let name = section_name(line)?;
        let same = |line: &&str| section_name(line.trim()) == Some(name);
        let Some(first) = lines[..number].iter().position(same) else {
            let below = format!("{name}.");
            let inside = |line: &&str| section_name(line.trim()).is_some_and(|name| name.starts_with(&below));
            if let Some(early) = lines[..number].iter().position(inside) {
                return Some((
                    early + 1,
                    format!(
                        "{} stands before the {} that it belongs to (line {}); move it below",
                        bare_header(lines[early]),
                        bare_header(line),
                        number + 1
                    ),
                ));
            }
            let key = parent(name).1;
            let first = lines[..number]
                .iter()
                .rposition(|line| key_of(line.trim()) == Some(key))?;
            return said(first, key, "it is either a key or a section");
        };
        let (old, new) = (bare_header(lines[first]), bare_header(line));
        return match old == new {
            true => said(first, new, "put the keys of both below one of them"),
            false => said(
                first,
                old,
                &format!("{new} is another thing: write all of them with the same brackets"),
            ),
        };
    }
    let key = key_of(line)?;
    // In the same section, or, where it is there as a table, anywhere before.
    let begins = lines[..number]
        .iter()
        .rposition(|line| line.trim_start().starts_with('['))
        .map_or(0, |at| at + 1);
    let first = (begins..number).find(|at| key_of(lines[*at].trim()) == Some(key))?;
    said(first, key, "take one of the two lines out")
}

/// `[ http ] # …` without what is around it.
fn bare_header(line: &str) -> &str {
    let line = line.trim();
    line.rfind(']').map_or(line, |end| &line[..=end])
}

fn section_name(line: &str) -> Option<&str> {
    let bare = bare_header(line);
    let name = bare.strip_prefix('[')?.strip_suffix(']')?;
    let name = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .unwrap_or(name);
    Some(name.trim())
}

fn key_of(line: &str) -> Option<&str> {
    let key = line.split_once('=')?.0.trim();
    let bare = !key.is_empty()
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.\"".contains(&byte));
    bare.then_some(key)
}

/// A list or a table that is still open where the parser stopped: its line, and what it lacks.
fn unclosed(text: &str, offset: usize, lines: &[&str]) -> Option<(usize, String)> {
    let (bracket, from) = open_at(&text[..offset])?;
    let number = text[..from].matches('\n').count();
    let stopped = text[..offset].matches('\n').count();
    if bracket == '{' {
        return match stopped > number {
            true => Some((
                number,
                "a table in braces { … } stands on one line, } included".to_owned(),
            )),
            // What is wrong in it stands in the line itself.
            false => of_line(lines.get(number)?.trim()).map(|hint| (number, hint)),
        };
    }
    let (before, behind) = (text[from..offset].trim_end(), text[offset..].trim_start());
    if before.ends_with(['"', '\'']) && behind.starts_with(['"', '\'']) {
        return Some((stopped, "a comma is missing between two values of the list".to_owned()));
    }
    if stopped == number {
        return of_line(lines.get(number)?.trim()).map(|hint| (number, hint));
    }
    let line = lines.get(stopped).copied().unwrap_or_default().trim();
    let begins_anew = line.is_empty() || line.starts_with('[') || key_of(line).is_some();
    match begins_anew || behind.is_empty() {
        true => Some((
            number,
            "the list that begins here is not closed: ] is missing".to_owned(),
        )),
        false => {
            let key = key_of(lines.get(number)?.trim())?;
            unquoted_in_list(key, line).map(|hint| (stopped, hint))
        }
    }
}

/// The innermost bracket that is open at the end of a text, and where it is.
fn open_at(text: &str) -> Option<(char, usize)> {
    let mut open: Vec<(char, usize)> = Vec::new();
    let (mut in_value, mut quote, mut escaped, mut comment) = (false, None, false, false);
    for (at, c) in text.char_indices() {
        match (c, quote) {
            ('\n', _) => {
                (quote, comment, escaped) = (None, false, false);
                in_value &= !open.is_empty();
            }
            _ if comment => {}
            ('\\', Some('"')) if !escaped => escaped = true,
            (c, Some(opening)) => {
                if c == opening && !escaped {
                    quote = None;
                }
                escaped = false;
            }
            ('"' | '\'', None) => quote = Some(c),
            ('#', None) => comment = true,
            ('=', None) => in_value = true,
            ('[' | '{', None) if in_value => open.push((c, at)),
            (']' | '}', None) if in_value => drop(open.pop()),
            _ => {}
        }
    }
    open.pop()
}

/// What is wrong with a line by itself.
fn of_line(line: &str) -> Option<String> {
    if [";", "//", "--", "/*"].iter().any(|mark| line.starts_with(mark)) {
        return Some("a comment begins with #".to_owned());
    }
    if line.starts_with("- ") {
        return Some("a list is written in brackets: [\"…\", \"…\"]".to_owned());
    }
    if line.starts_with('[') {
        return of_header(line);
    }
    let equals = line.find('=');
    let colon = line
        .find(':')
        .filter(|colon| equals.is_none_or(|equals| *colon < equals));
    let Some(at) = colon.or(equals) else {
        let key = line.split_whitespace().next()?;
        return Some(match line.split_once(char::is_whitespace) {
            Some((_, value)) => format!("write = between a key and its value: {}", repeated(key, value)),
            None => format!("write = and a value behind a key: {}", example_of(key)),
        });
    };
    let key = line[..at].trim();
    let one_word = !key.contains(char::is_whitespace);
    if colon.is_some() && one_word {
        return Some(format!(
            "write = and not : between a key and its value: {}",
            repeated(key, &line[at + 1..])
        ));
    }
    if key.is_empty() || key_of(line).is_none() {
        return Some("a key is one word of letters, digits, - and _, before the =".to_owned());
    }
    of_value(key, line[at + 1..].trim())
}

fn of_header(line: &str) -> Option<String> {
    let inner = line.trim_start_matches('[');
    let name: String = inner.chars().take_while(|c| !matches!(c, ']' | '#')).collect();
    let name = name.trim().replace(' ', ".");
    let brackets = (line.len() - inner.len(), line.chars().filter(|c| *c == ']').count());
    let behind = line.rsplit_once(']').map_or("", |(_, behind)| behind.trim());
    if !behind.is_empty() && !behind.starts_with('#') {
        return Some("a section's name stands on a line of its own".to_owned());
    }
    let written = Schema::get().known(&name).and_then(|_| Schema::get().written(&name));
    match (brackets.0 == brackets.1, written) {
        (_, Some(written)) => Some(format!(
            "write {}",
            written.split(" on a line").next().unwrap_or_default()
        )),
        (false, None) => Some("a section has the same brackets on both sides: [name] or [[name]]".to_owned()),
        (true, None) => None,
    }
}

fn of_value(key: &str, value: &str) -> Option<String> {
    if value.is_empty() || value.starts_with('#') {
        return Some(format!("the value is missing: {}", example_of(key)));
    }
    if value.starts_with(TYPOGRAPHIC) || (value.ends_with(TYPOGRAPHIC) && value.starts_with(['"', '\''])) {
        return Some(format!(
            "write plain quotes \" in place of typographic ones: {}",
            shown(key, unquoted(value))
        ));
    }
    if let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        return of_quoted(key, value, quote);
    }
    if value.starts_with('[') || value.starts_with('{') {
        return unquoted_in_list(key, value);
    }
    let value = value.split(" #").next().unwrap_or(value).trim();
    let bare = value.trim_end_matches([',', ';']);
    if bare.len() < value.len() && entry(&format!("{key} = {bare}")).is_some() {
        return Some(format!("nothing follows a value: {}", shown_as(key, bare)));
    }
    let wanted = Schema::get().example(key);
    let boolean = BOOLEANS.iter().find(|(word, _)| word.eq_ignore_ascii_case(bare));
    match (boolean, wanted) {
        (Some((word, value)), wanted) if matches!(*word, "true" | "false") || wanted.is_some_and(Value::is_bool) => {
            Some(format!(
                "write true or false, in small letters: {}",
                shown_as(key, &value.to_string())
            ))
        }
        (None, Some(Value::Integer(example))) => {
            let digits: String = bare.chars().filter(char::is_ascii_digit).collect();
            let number = digits
                .parse::<u32>()
                .map_or(example.value().to_string(), |number| number.to_string());
            Some(format!(
                "write a whole number, of digits alone: {}",
                shown_as(key, &number)
            ))
        }
        _ => Some(quotes_needed(key, bare)),
    }
}

fn of_quoted(key: &str, value: &str, quote: char) -> Option<String> {
    let inside = &value[1..];
    let mut escaped = false;
    let end = inside.char_indices().find(|(_, c)| {
        let ends = *c == quote && !escaped;
        escaped = quote == '"' && *c == '\\' && !escaped;
        ends
    });
    let backslash = quote == '"' && inside.contains('\\');
    if backslash && may_show(key) {
        let plain = inside.trim_end_matches('"').replace("\\\\", "\\");
        return Some(format!(
            "between \" a backslash begins a special character; write '{plain}', or each \\ twice"
        ));
    }
    if backslash {
        return Some(
            "between \" a backslash begins a special character; write it twice, or write ' in place of \"".to_owned(),
        );
    }
    let Some((end, _)) = end else {
        return Some(format!("the closing quote {quote} is missing"));
    };
    let behind = inside[end + 1..].trim();
    if behind.starts_with(['"', '\'']) || behind.starts_with(", ") || behind.starts_with(",\"") {
        let list = format!("[{value}]").parse::<Value>().ok().filter(|_| may_show(key));
        return Some(match list {
            Some(list) => format!("several values are a list: {}", shown_as(key, list.to_string().trim())),
            None => "a value ends with its closing quote, and nothing follows it".to_owned(),
        });
    }
    match behind.starts_with("//") {
        true => Some("a comment begins with #".to_owned()),
        false if !behind.is_empty() => Some("a value ends with its closing quote, and nothing follows it".to_owned()),
        false => None,
    }
}

/// Of a list or a table in one line, or one line of a list.
fn unquoted_in_list(key: &str, value: &str) -> Option<String> {
    if value.contains(TYPOGRAPHIC) {
        return Some("write plain quotes \" in place of typographic ones".to_owned());
    }
    let (mut rest, mut key) = (value, key);
    while let Some(c) = rest.chars().next() {
        match c {
            '"' | '\'' => {
                let inside = &rest[1..];
                let Some(end) = inside.find(c) else {
                    return Some(format!("the closing quote {c} is missing"));
                };
                rest = inside[end + 1..].trim_start();
                if rest.starts_with(['"', '\'']) {
                    return Some("a comma is missing between two values of the list".to_owned());
                }
            }
            '#' => break,
            '[' | ']' | '{' | '}' | ',' | '=' => rest = rest[1..].trim_start(),
            _ => {
                let end = rest.find([',', ']', '}', '=', '#']).unwrap_or(rest.len());
                let (word, behind) = (rest[..end].trim(), &rest[end..]);
                if behind.starts_with('=') {
                    key = word;
                } else if entry(&format!("x = {word}")).is_none() {
                    return Some(quotes_needed(key, word));
                }
                rest = behind.trim_start();
            }
        }
    }
    let (open, closed) = (value.matches(['[', '{']).count(), value.matches([']', '}']).count());
    match value.chars().next() {
        Some('[') if open > closed => Some("the list that begins here is not closed: ] is missing".to_owned()),
        Some('{') if open > closed => Some("a table in braces { … } stands on one line, } included".to_owned()),
        _ => None,
    }
}

fn unquoted(value: &str) -> &str {
    let value = value.split(" #").next().unwrap_or(value);
    value
        .trim()
        .trim_matches(|c| TYPOGRAPHIC.contains(&c) || matches!(c, '"' | '\''))
}

fn quotes_needed(key: &str, value: &str) -> String {
    match !may_show(key) {
        true => format!("text needs quotes: {key} = \"…\" (the value is not shown)"),
        false => format!("text needs quotes: {value:?}"),
    }
}

/// `host = "mail.example.com"`.
fn shown(key: &str, value: &str) -> String {
    shown_as(key, &format!("{value:?}"))
}

fn shown_as(key: &str, value: &str) -> String {
    match !may_show(key) {
        true => format!("{key} = \"…\" (the value is not shown)"),
        false => format!("{key} = {value}"),
    }
}

/// Whether what stands behind a key may be repeated: only where it is known to be no secret.
fn may_show(key: &str) -> bool {
    Schema::get().example(key).is_some() && !may_be_secret(key)
}

/// The key with the value that was given, where that is one and may be shown; else an example.
fn repeated(key: &str, value: &str) -> String {
    let given = format!("{key} = {}", value.trim());
    match entry(&given).filter(|(key, _)| may_show(key)) {
        Some((key, value)) => format!("{key} = {}", value.decorated("", "")),
        None if may_show(key)
            && Schema::get().example(key).is_some_and(Value::is_str)
            && !unquoted(value).is_empty() =>
        {
            shown(key, unquoted(value))
        }
        None => example_of(key),
    }
}

/// The key with the value that the shipped configuration has for it.
fn example_of(key: &str) -> String {
    match Schema::get().example(key) {
        Some(example) => format!("{key} = {example}"),
        // It may be a piece of anything.
        None => "key = \"…\"".to_owned(),
    }
}
