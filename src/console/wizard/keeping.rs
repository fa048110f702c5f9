//! The fifth step: what becomes of mail on the server, when it runs, and the name.

use maud::{Markup, html};
use serde_json::Value;

use super::{
    draft::Draft,
    sheet::{Sheet, Way},
    texts::Texts,
};
use crate::console::{form::Form, schedule};

/// Schedules that are offered; others are typed.
const SCHEDULES: [&str; 5] = ["manual", "continuous", "every 15m", "every 1h", "30 2 * * *"];
const OTHER: &str = "other";

pub fn body(sheet: &Sheet<'_>) -> Markup {
    html! {
        div.two {
            div.card { (deletion(sheet)) }
            div.card { (times(sheet)) }
        }
        div.card { (name(sheet)) }
    }
}

fn deletion(sheet: &Sheet<'_>) -> Markup {
    let (w, draft) = (sheet.w(), sheet.draft);
    let when = match draft.text("delete.when") {
        none if none.is_empty() => "never".to_owned(),
        when => when,
    };
    let protects = [
        w.protects_read_back,
        w.protects_same,
        w.protects_flagged,
        w.protects_failed,
        w.protects_end,
    ];
    let ways = [
        Way::new("never", w.delete_never, w.means_never),
        Way::new("archived", w.delete_archived, w.means_archived),
    ];
    html! {
        (sheet.ways("delete.when", w.deletion, &when, &ways))
        p { (w.what_protects) }
        ul { @for protection in protects { li { (protection) } } }
        (sheet.text("delete.after", w.delete_after, w.delete_after_hint))
        @if !draft.is_pop3() || !draft.get("delete.move_to").is_null() {
            (sheet.text("delete.move_to", w.move_to, w.move_to_hint))
        }
    }
}

/// The schedules that are offered, each with what it is called.
pub fn schedules(w: &'static Texts) -> [(&'static str, &'static str); 5] {
    let names = [w.by_hand, w.continuous, w.each_quarter, w.each_hour, w.each_night];
    std::array::from_fn(|at| (SCHEDULES[at], names[at]))
}

fn times(sheet: &Sheet<'_>) -> Markup {
    let (w, draft) = (sheet.w(), sheet.draft);
    let schedule = match draft.text("schedule") {
        none if none.is_empty() => "manual".to_owned(),
        schedule => schedule,
    };
    let offered = SCHEDULES.contains(&&*schedule);
    let mut choices = schedules(w).to_vec();
    choices.push((OTHER, w.other_schedule));
    html! {
        (sheet.select("schedule", w.schedule, "", if offered { &schedule } else { OTHER }, &choices))
        (sheet.line("schedule_other", w.schedule_other, w.schedule_hint, if offered { "" } else { &schedule }))
        @if !offered { p.hint { (schedule::with_raw(sheet.face, &schedule)) } }
        (sheet.text("timezone", w.timezone, w.timezone_hint))
        (sheet.text("pause", w.pause, w.pause_hint))
        (sheet.text("server.timeout", w.timeout, w.timeout_hint))
        details open[!draft.get("connections").is_null() || !draft.get("stall_timeout").is_null()] {
            summary { (w.more_times) }
            (sheet.text("stall_timeout", w.stall_timeout, w.stall_timeout_hint))
            (sheet.text("connections", w.connections, w.connections_hint))
        }
    }
}

fn name(sheet: &Sheet<'_>) -> Markup {
    let (w, draft) = (sheet.w(), sheet.draft);
    match &draft.like {
        None => sheet.text("name", w.name, w.name_hint),
        Some(name) => html! { p { (w.name) ": " strong { bdi { (name) } } " " span.hint { (w.name_stays) } } },
    }
}

/// Takes what was typed.
pub fn take(form: &Form, draft: &mut Draft) {
    let when = form.get("delete.when");
    draft.set_text("delete.when", if when == "never" { "" } else { when });
    for key in [
        "delete.after",
        "delete.move_to",
        "timezone",
        "pause",
        "server.timeout",
        "stall_timeout",
    ] {
        draft.set_text(key, form.get(key));
    }
    draft.set_number("connections", form.get("connections"));
    let schedule = match form.get("schedule") {
        OTHER => form.get("schedule_other"),
        offered => offered,
    };
    draft.set("schedule", Value::from(schedule));
    if draft.like.is_none() {
        draft.is_named |= draft.name() != form.get("name");
        draft.set("name", form.get("name").into());
    }
}
