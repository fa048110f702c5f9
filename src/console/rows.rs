//! Lists of messages: their rows, each of which can be opened beside the list and chosen for a ZIP.

use jiff::Timestamp;
use maud::{Markup, html};

use super::{form::link, parts::moment, visitor::Visitor, words};
use crate::ids::MessageId;

/// Where those that were chosen are sent to.
pub const TAKE: &str = "/console/export";

/// A message in a list.
pub struct Row<'r> {
    pub id: MessageId,
    pub from: &'r str,
    pub subject: &'r str,
    /// The words of the query in it, from one character to before another.
    pub subject_marks: &'r [[usize; 2]],
    pub date: Timestamp,
    pub size: u64,
    pub attachments: u64,
    pub users: u64,
    pub folder: &'r str,
    pub snippet: Option<Markup>,
}

/// A list, of which each row leads to where `open` says; `list` are the parameters that lead to the list.
pub fn rows<'r>(
    visitor: &Visitor,
    list: &[(&str, &str)],
    rows: impl Iterator<Item = Row<'r>>,
    open: impl Fn(MessageId) -> String,
) -> Markup {
    let t = visitor.t();
    let chosen = visitor.filled(TAKE);
    html! {
        ol #rows { @for row in rows { li { (shown(visitor, &row, &open(row.id))) } } }
        form #chosen.actions method="get" action=(TAKE) {
            @for (name, value) in list.iter().filter(|(_, value)| !value.is_empty()) { input type="hidden" name=(name) value=(value); }
            input type="hidden" name="chosen" value="1";
            button type="submit" { (t.take_chosen) }
            (chosen.said("id"))
        }
        p.hint.keys { (t.keys) }
    }
}

fn shown(visitor: &Visitor, row: &Row, address: &str) -> Markup {
    let (t, language) = (visitor.t(), visitor.face.look.language);
    let subject = if row.subject.is_empty() {
        t.no_subject
    } else {
        row.subject
    };
    let is_open = visitor.query.get("open") == row.id.to_string();
    html! {
        input type="checkbox" name="id" value=(row.id) form="chosen" aria-label={ (t.choose) ": " (subject) };
        a.row href=(address) data-row aria-current=[is_open.then_some("true")] {
            span.from { bdi { (if row.from.is_empty() { t.no_sender } else { row.from }) } }
            span.when { (moment(&visitor.face, row.date)) }
            span.subject { bdi { (marked(subject, row.subject_marks)) } }
            span.marks {
                @if !row.folder.is_empty() { span.badge { bdi { (row.folder) } } }
                @if row.attachments > 0 { span.badge { (words::count(language, row.attachments, [t.attachment, t.attachments])) } }
                @if row.users > 1 { span.badge { (words::count(language, row.users, [t.user, t.users])) } }
                span.size { (words::bytes(language, row.size)) }
            }
            @if let Some(snippet) = &row.snippet { span.snippet { bdi { (snippet) } } }
        }
    }
}

/// The address of a list with these parameters, and more.
pub fn address(path: &str, list: &[(&str, &str)], more: &[(&str, &str)]) -> String {
    let parameters: Vec<_> = list.iter().chain(more).copied().collect();
    link(path, &parameters)
}

/// A stretch of text with its words marked; `marks` counts characters.
pub fn marked(text: &str, marks: &[[usize; 2]]) -> Markup {
    let letters: Vec<char> = text.chars().collect();
    let mut pieces: Vec<(String, bool)> = Vec::new();
    let mut at = 0;
    for [from, to] in marks {
        let (from, to) = ((*from).clamp(at, letters.len()), (*to).clamp(at, letters.len()));
        if from < to {
            pieces.push((letters[at..from].iter().collect(), false));
            pieces.push((letters[from..to].iter().collect(), true));
            at = to;
        }
    }
    pieces.push((letters[at..].iter().collect(), false));
    html! {
        @for (piece, is_marked) in &pieces {
            @if *is_marked { mark { (piece) } } @else { (piece) }
        }
    }
}

#[test]
fn words_are_marked_and_nothing_else_is_markup() {
    let shown = |text: &str, marks: &[[usize; 2]]| marked(text, marks).into_string();
    assert_eq!(
        shown("grüne <b> Äpfel", &[[10, 15]]),
        "grüne &lt;b&gt; <mark>Äpfel</mark>"
    );
    assert_eq!(shown("ab", &[[0, 1], [0, 9], [5, 7]]), "<mark>a</mark><mark>b</mark>");
}
