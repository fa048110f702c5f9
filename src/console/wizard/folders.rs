//! The third step: which folders.

use std::collections::BTreeMap;

use maud::{Markup, html};
use serde_json::Value;

use super::{
    draft::Draft,
    sheet::{Sheet, Way},
};
use crate::console::{form::Form, parts::notice, words};

/// So many folders may not be all there are.
const MANY: usize = 200;

/// The folders that the test found, each with how many messages are in it where that is known.
fn found(draft: &Draft) -> BTreeMap<&str, Option<u64>> {
    let mut found = BTreeMap::new();
    let tested = draft.current_test().map_or(&Value::Null, |tested| &tested.found);
    let others = tested["other_folders"].as_array().into_iter().flatten();
    found.extend(others.filter_map(|name| Some((name.as_str()?, None))));
    let counted = tested["folders"].as_array().into_iter().flatten();
    found.extend(counted.filter_map(|folder| Some((folder["name"].as_str()?, folder["messages"].as_u64()))));
    found
}

/// Whether the folders are chosen by their names alone.
fn by_name(draft: &Draft, found: &BTreeMap<&str, Option<u64>>) -> bool {
    let included = draft.lines("folders.include");
    let plain = included.is_empty() || included.lines().all(|name| found.contains_key(name));
    plain && draft.get("folders.exclude").is_null() && draft.get("folders.subscribed") != true
}

pub fn body(sheet: &Sheet<'_>) -> Markup {
    let (w, draft, language) = (sheet.w(), sheet.draft, sheet.face.look.language);
    if draft.is_pop3() {
        return html! { p { (w.pop3_has_one) } };
    }
    let found = found(draft);
    let included = draft.lines("folders.include");
    let is_chosen = |name: &str| match included.is_empty() {
        true => name.eq_ignore_ascii_case("INBOX"),
        false => included.lines().any(|one| one == name),
    };
    let which = if !found.is_empty() && by_name(draft, &found) {
        "chosen"
    } else {
        "patterns"
    };
    let ways = [
        Way::new("chosen", w.by_list, w.means_by_list),
        Way::new("patterns", w.by_patterns, w.means_by_patterns),
    ];
    html! {
        p { (w.folders_mean) }
        @if found.is_empty() { (notice("warn", html! { p { (w.no_folders_known) } })) }
        div.card {
            (sheet.ways("which", w.which_folders, which, &ways))
        }
        @if !found.is_empty() {
            div.card {
                fieldset.folders {
                    legend { (w.folders_found) }
                    @if let Some(fault) = sheet.fault("folders.include") { p.fault { (fault) } }
                    @if found.len() >= MANY { p.hint { (w.perhaps_more) } }
                    @for (at, (name, messages)) in found.iter().enumerate() {
                        div.switch {
                            input id={ "folder-" (at) } type="checkbox" name="folder" value=(name)
                                checked[is_chosen(name)];
                            label for={ "folder-" (at) } {
                                bdi { (name) }
                                @if let Some(messages) = messages {
                                    " " span.hint { (words::messages(language, *messages)) }
                                }
                            }
                        }
                    }
                }
            }
        }
        details.card open[which == "patterns"] {
            summary { (w.by_patterns) }
            (sheet.lines("folders.include", w.include, w.include_hint))
            (sheet.lines("folders.exclude", w.exclude, w.exclude_hint))
            (sheet.switch("folders.subscribed", w.subscribed, false))
        }
    }
}

/// Takes what was chosen.
pub fn take(form: &Form, draft: &mut Draft) {
    if draft.is_pop3() {
        return;
    }
    if form.get("which") == "chosen" {
        let chosen: Vec<Value> = form.all("folder").map(Value::from).collect();
        draft.set("folders.exclude", Value::Null);
        draft.set("folders.subscribed", Value::Null);
        draft.set("folders.include", Value::from(chosen));
        return;
    }
    draft.set_lines("folders.include", form.get("folders.include"));
    draft.set_lines("folders.exclude", form.get("folders.exclude"));
    let subscribed = form.get("folders.subscribed") == "yes";
    draft.set("folders.subscribed", if subscribed { true.into() } else { Value::Null });
}

/// That none was chosen.
pub fn names_none(draft: &Draft) -> bool {
    !draft.is_pop3() && draft.get("folders.include").as_array().is_some_and(Vec::is_empty)
}
