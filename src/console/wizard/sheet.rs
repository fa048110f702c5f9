//! A step's page while it is made: the draft, what is wrong with it, and fields that say so where it stands.

use maud::{Markup, html};

use super::{draft::Draft, step::Step, texts::Texts};
use crate::{
    api::Failure,
    console::{frame::Face, parts::notice, said::failed},
};

/// The words of the wizard in a language.
pub fn texts(face: &Face) -> &'static Texts {
    super::texts::of(face.look.language)
}

pub struct Sheet<'s> {
    pub face: &'s Face,
    pub draft: &'s Draft,
    pub number: &'s str,
    /// What is wrong with the draft.
    pub wrong: &'s [Failure],
    /// Another profile of the same mailbox, where that is worth saying.
    pub same_mailbox: Option<String>,
}

/// What a field is called in its page.
fn id(key: &str) -> String {
    key.replace('.', "-")
}

impl Sheet<'_> {
    pub fn w(&self) -> &'static Texts {
        texts(self.face)
    }

    /// The address of a step.
    pub fn address(&self, step: Step) -> String {
        address(self.number, step)
    }

    /// What is wrong with the value of a key, or with one below it.
    pub fn fault(&self, key: &str) -> Option<Markup> {
        let is_it = |wrong: &&Failure| {
            let below = wrong.key.as_deref().and_then(|wrong| wrong.strip_prefix(key));
            below.is_some_and(|below| below.is_empty() || below.starts_with(['.', '[']))
        };
        self.wrong.iter().find(is_it).map(|wrong| failed(self.face, wrong))
    }

    /// Why the draft could not be tried out, and the step where that is put right.
    pub fn not_tried(&self, why: &Failure) -> Markup {
        let at = why.key.as_deref().map(Step::of_key);
        notice(
            "bad",
            html! {
                p { (failed(self.face, why)) }
                @if let Some(at) = at {
                    p { (self.w().put_right_in) " " a href={ (self.address(at)) "?check=1" } { (at.title(self.w())) } }
                }
            },
        )
    }

    /// A field of whatever kind, which `input` makes of what it is called, whether it is wrong, and what describes it.
    fn field(
        &self,
        key: &str,
        label: &str,
        hint: &str,
        input: impl FnOnce(&str, bool, Option<String>) -> Markup,
    ) -> Markup {
        let (id, fault) = (id(key), self.fault(key));
        let says = [(!hint.is_empty()).then_some("hint"), fault.as_ref().map(|_| "fault")];
        let says: Vec<_> = says.into_iter().flatten().map(|what| format!("{id}-{what}")).collect();
        let described = (!says.is_empty()).then(|| says.join(" "));
        html! {
            div.field {
                label for=(id) { (label) }
                (input(&id, fault.is_some(), described))
                @if !hint.is_empty() { p.hint id={ (id) "-hint" } { (hint) } }
                @if let Some(fault) = fault { p.fault id={ (id) "-fault" } { (fault) } }
            }
        }
    }

    /// A line of text.
    pub fn line(&self, key: &str, label: &str, hint: &str, value: &str) -> Markup {
        self.field(key, label, hint, |id, wrong, described| {
            html! {
                input id=(id) name=(key) value=(value) autocomplete="off" spellcheck="false"
                    aria-invalid=[wrong.then_some("true")] aria-describedby=[described];
            }
        })
    }

    /// The value of a key, as a line.
    pub fn text(&self, key: &str, label: &str, hint: &str) -> Markup {
        self.line(key, label, hint, &self.draft.text(key))
    }

    /// A list, an entry a line.
    pub fn lines(&self, key: &str, label: &str, hint: &str) -> Markup {
        self.field(key, label, hint, |id, wrong, described| {
            html! {
                textarea id=(id) name=(key) rows="3" spellcheck="false" aria-invalid=[wrong.then_some("true")]
                    aria-describedby=[described] { "\n" (self.draft.lines(key)) }
            }
        })
    }

    /// A secret, which is taken and not shown.
    pub fn secret(&self, key: &str, label: &str, hint: &str) -> Markup {
        let w = self.w();
        let is_there = self.draft.has_secret(key);
        let hint = match (self.draft.secrets.contains_key(key), is_there) {
            (true, _) => w.secret_is_typed,
            (_, true) => w.secret_is_there,
            (_, false) => hint,
        };
        self.field(key, label, hint, |id, wrong, described| {
            html! {
                input id=(id) name=(key) type="password" autocomplete="new-password"
                    aria-invalid=[wrong.then_some("true")] aria-describedby=[described]
                    placeholder=[is_there.then_some("••••••••")];
            }
        })
    }

    /// A choice of words, of which the first is what holds where none is chosen.
    pub fn select(&self, key: &str, label: &str, hint: &str, chosen: &str, choices: &[(&str, &str)]) -> Markup {
        self.field(key, label, hint, |id, wrong, described| {
            html! {
                select id=(id) name=(key) aria-invalid=[wrong.then_some("true")] aria-describedby=[described] {
                    @for (word, name) in choices { option value=(word) selected[*word == chosen] { (name) } }
                }
            }
        })
    }

    /// Something that is on or off; `usual` where nothing is said of it.
    pub fn switch(&self, key: &str, label: &str, usual: bool) -> Markup {
        let (id, is_on) = (id(key), self.draft.get(key).as_bool().unwrap_or(usual));
        html! {
            div.field.switch {
                input id=(id) name=(key) type="checkbox" value="yes" checked[is_on];
                label for=(id) { (label) }
                @if let Some(fault) = self.fault(key) { p.fault id={ (id) "-fault" } { (fault) } }
            }
        }
    }

    /// One of several ways, each with a line that explains it. `more` are further attributes of what is chosen.
    pub fn ways(&self, key: &str, legend: &str, chosen: &str, ways: &[Way<'_>]) -> Markup {
        let fault = self.fault(key);
        html! {
            fieldset.ways {
                legend { (legend) }
                @for way in ways {
                    @let id = format!("{}-{}", id(key), way.word);
                    div.way {
                        input id=(id) type="radio" name=(key) value=(way.word) checked[way.word == chosen]
                            aria-describedby={ (id) "-means" } aria-invalid=[fault.as_ref().map(|_| "true")]
                            data-fill=[way.fills.as_ref()] data-into=[way.fills.as_ref().map(|_| "server-port")];
                        label for=(id) { (way.name) }
                        p.hint id={ (id) "-means" } { (way.means) }
                    }
                }
                @if let Some(fault) = fault { p.fault id={ (id(key)) "-fault" } { (fault) } }
            }
        }
    }
}

/// A way that can be chosen.
pub struct Way<'w> {
    pub word: &'w str,
    pub name: &'w str,
    pub means: &'w str,
    /// What it fills in for the port.
    pub fills: Option<String>,
}

impl<'w> Way<'w> {
    pub fn new(word: &'w str, name: &'w str, means: &'w str) -> Self {
        let fills = None;
        Self {
            word,
            name,
            means,
            fills,
        }
    }
}

/// The address of a step of a draft.
pub fn address(number: &str, step: Step) -> String {
    format!("/console/archive-mail/{number}/{}", step.word())
}
