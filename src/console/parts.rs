//! Pieces that several pages have.

use jiff::Timestamp;
use maud::{Markup, html};

use super::{frame::Face, words};

/// Something to be noticed: `good`, `bad`, `warn` or `note`.
pub fn notice(kind: &str, body: Markup) -> Markup {
    let role = if kind == "bad" { "alert" } else { "status" };
    html! { div.notice.(kind) role=(role) { (body) } }
}

/// A moment, as the language has it, and exactly.
pub fn moment(face: &Face, time: Timestamp) -> Markup {
    html! { time datetime=(time) title=(time) { (words::moment(face.look.language, time)) } }
}

pub fn moment_or(face: &Face, time: Option<Timestamp>, otherwise: &str) -> Markup {
    match time {
        Some(time) => moment(face, time),
        None => html! { (otherwise) },
    }
}

/// A form that does one thing by one button.
pub fn button(face: &Face, action: &str, class: &str, text: &str, fields: &[(&str, &str)]) -> Markup {
    html! {
        form.one method="post" action=(action) {
            (face.token())
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            button.(class) type="submit" { (text) }
        }
    }
}

/// What something is, and how much of it there is.
pub fn figure(name: &str, value: Markup) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

/// How far something is that the script keeps up to date; without it, whoever wants to know loads the page again.
pub struct Live<'l> {
    /// Where the script hears of it.
    events: &'l str,
    done: u64,
    expected: Option<u64>,
    in_bytes: bool,
}

impl<'l> Live<'l> {
    pub fn new(events: &'l str, done: u64, expected: Option<u64>) -> Self {
        Self {
            events,
            done,
            expected,
            in_bytes: false,
        }
    }

    /// Of what bytes are counted.
    pub fn in_bytes(self) -> Self {
        Self { in_bytes: true, ..self }
    }

    /// `stop` ends it.
    pub fn shown(&self, face: &Face, stop: Markup) -> Markup {
        let (t, language) = (face.t(), face.look.language);
        let amount = match self.in_bytes {
            true => words::bytes,
            false => words::number,
        };
        let expected = self.expected.map(|expected| amount(language, expected));
        html! {
            section.live data-events=(self.events) data-bytes[self.in_bytes] {
                label { (t.progress) " " progress data-progress {} }
                p role="status" aria-live="off" {
                    span data-done { (amount(language, self.done)) }
                    " " (t.out_of) " " span data-expected { (expected.as_deref().unwrap_or("…")) } " · " span data-rate data-unit=(t.per_second) {}
                    " · " span data-left data-text=(t.left) {}
                }
                noscript { p { a href=(face.look.here) { (t.load_again) } } }
                (stop)
            }
        }
    }
}

/// A link to the next page, where there is one.
pub fn next_page(text: &str, address: Option<String>) -> Markup {
    html! {
        @if let Some(address) = address {
            p.pager { a.button rel="next" href=(address) { (text) } }
        }
    }
}
