//! The last step: all of it once more, then it is kept.

use maud::{Markup, html};

use super::{
    sheet::{Sheet, Way},
    summary,
};
use crate::{config::toml_of, console::parts::notice};

pub fn body(sheet: &Sheet<'_>) -> Markup {
    let (w, draft) = (sheet.w(), sheet.draft);
    let works = draft
        .current_test()
        .is_some_and(|tested| tested.failure.is_none() && tested.found["verdict"] != "fails");
    let ways = [
        Way::new("now", w.run_now, w.means_run_now),
        Way::new("later", w.by_schedule, w.means_by_schedule),
    ];
    html! {
        p { (w.finish_means) }
        @if !works { (notice("warn", html! { p { (w.finish_untested) } })) }
        @if draft.text("server.tls.verify") == "none" { (notice("warn", html! { p { (w.means_verify_none) } })) }
        p { (w.name) ": " strong { bdi { (draft.name()) } } }
        (summary::table(sheet.face, &draft.wanted()))
        details.card {
            summary { (w.as_toml) }
            p.hint { (w.as_toml_means) }
            pre { (toml_of(&draft.wanted())) }
        }
        div.card { (sheet.ways("run", w.then, "now", &ways)) }
    }
}
