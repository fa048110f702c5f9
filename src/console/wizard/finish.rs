//! The last step: all of it once more, then it is kept.

use maud::{Markup, html};

use super::sheet::{Sheet, Way};
use crate::{
    config::toml_of,
    console::{
        parts::{figure, notice},
        schedule,
    },
};

pub fn body(sheet: &Sheet<'_>) -> Markup {
    let (w, draft) = (sheet.w(), sheet.draft);
    let works = draft
        .current_test()
        .is_some_and(|tested| tested.failure.is_none() && tested.found["verdict"] != "fails");
    let ways = [
        Way::new("now", w.run_now, w.means_run_now),
        Way::new("later", w.by_schedule, w.means_by_schedule),
    ];
    let deletion = match draft.get("delete.when") == "archived" {
        true => w.delete_archived,
        false => w.delete_never,
    };
    html! {
        p { (w.finish_means) }
        @if !works { (notice("warn", html! { p { (w.finish_untested) } })) }
        @if draft.text("server.tls.verify") == "none" { (notice("warn", html! { p { (w.means_verify_none) } })) }
        dl.figures {
            (figure(w.name, html! { bdi { (draft.name()) } }))
            (figure(w.server, html! { bdi { (draft.text("server.host")) } }))
            (figure(w.username, html! { bdi { (draft.text("server.username")) } }))
            (figure(w.schedule, schedule::with_raw(sheet.face, &draft.text("schedule"))))
            (figure(w.deletion, html! { (deletion) }))
        }
        details.card {
            summary { (w.as_toml) }
            p.hint { (w.as_toml_means) }
            pre { (toml_of(&draft.wanted())) }
        }
        div.card { (sheet.ways("run", w.then, "now", &ways)) }
    }
}
