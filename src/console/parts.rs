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

/// A field with its label.
pub fn field(id: &str, label: &str, kind: &str, value: &str, autocomplete: &str) -> Markup {
    html! {
        div.field {
            label for=(id) { (label) }
            input id=(id) name=(id) type=(kind) value=(value) autocomplete=(autocomplete);
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
