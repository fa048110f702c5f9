//! What is around each step: where one is, what is wrong, and the ways on and back. All of it is one form, so that nothing
//! is lost that was typed, wherever one goes.

use actix_web::{HttpResponse, http::StatusCode};
use maud::{Markup, html};

use super::{
    finish, folders, keeping, recipients, rehearsal, server,
    sheet::{Sheet, texts},
    step::Step,
    test,
};
use crate::{
    api::Failure,
    console::{
        answers::html as page_of,
        form::path,
        frame::{Face, Place},
        parts::{button, notice},
        said::failed,
        visitor::Visitor,
    },
};

/// Why there is no key to keep secrets with; said before anything is typed.
pub struct NoKey(pub Option<Failure>);

/// The page of a step.
pub fn page(visitor: &Visitor, sheet: &Sheet<'_>, step: Step, no_key: &NoKey) -> HttpResponse {
    let w = sheet.w();
    let status = match sheet.wrong {
        [_, ..] if !visitor.form.get("go").is_empty() => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    };
    let title = match &sheet.draft.like {
        Some(name) => format!("{} {name}", w.change_profile),
        None => w.archive_mail.to_owned(),
    };
    let title = format!("{title}: {}", step.title(w));
    let body = html! {
        @if let Some(failure) = &no_key.0 { (notice("bad", html! { p { (w.no_key) } p { (failed(sheet.face, failure)) } })) }
        @match sheet.wrong {
            [] => {}
            [wrong] => (notice("bad", html! { p { strong { (w.is_wrong) } } p { (failed(sheet.face, wrong)) } })),
            all => (notice("bad", html! { p { strong { (w.are_wrong) } } ul { @for wrong in all { li { (failed(sheet.face, wrong)) } } } })),
        }
        @if let Some(name) = &sheet.same_mailbox {
            (notice("note", html! {
                p { (w.same_mailbox) " " a href=(path(&["profiles", name])) { bdi { (name) } } }
                p { (w.same_mailbox_means) }
            }))
        }
        @if step == Step::Recipients { (recipients::not_made(sheet)) }
        @if visitor.query.get("done") == "users" { (recipients::made(sheet)) }
        @match step {
            Step::Test => (apart(sheet, step, test::body(sheet))),
            Step::Rehearsal => (apart(sheet, step, rehearsal::body(sheet))),
            Step::Server => (whole(sheet, step, server::body(sheet))),
            Step::Folders => (whole(sheet, step, folders::body(sheet))),
            Step::Recipients => (whole(sheet, step, recipients::body(sheet))),
            Step::Keeping => (whole(sheet, step, keeping::body(sheet))),
            Step::Finish => (whole(sheet, step, finish::body(sheet))),
        }
        (button(sheet.face, &sheet.address(step), "quiet", w.discard, &[("go", "discard")]))
    };
    page_of(status, sheet.face.page(Place::Profiles, &title, body))
}

/// A step that is one form.
fn whole(sheet: &Sheet<'_>, step: Step, body: Markup) -> Markup {
    html! {
        form.wizard method="post" action=(sheet.address(step)) {
            (sheet.face.token())
            // What Enter does: the first button of a form is meant by it.
            button.unseen type="submit" name="go" value="next" tabindex="-1" aria-hidden="true" { (sheet.w().next) }
            (steps(sheet, step))
            section aria-labelledby="step" {
                h2.unseen #step { (step.title(sheet.w())) }
                (body)
            }
            (ways(sheet, step))
        }
    }
}

/// A step with forms of its own.
fn apart(sheet: &Sheet<'_>, step: Step, body: Markup) -> Markup {
    let form = |inside: Markup| {
        html! { form.wizard method="post" action=(sheet.address(step)) { (sheet.face.token()) (inside) } }
    };
    html! {
        (form(steps(sheet, step)))
        section aria-labelledby="step" {
            h2.unseen #step { (step.title(sheet.w())) }
            (body)
        }
        (form(ways(sheet, step)))
    }
}

/// All steps, to go to.
fn steps(sheet: &Sheet<'_>, here: Step) -> Markup {
    html! {
        nav.stepper aria-label=(sheet.w().steps_of_it) {
            ol {
                @for step in Step::ALL {
                    li {
                        @let current = (step == here).then_some("step");
                        button type="submit" name="go" value=(step.word()) aria-current=[current] {
                            (step.title(sheet.w()))
                        }
                    }
                }
            }
        }
    }
}

fn ways(sheet: &Sheet<'_>, step: Step) -> Markup {
    let w = sheet.w();
    let on = match step {
        Step::Server => w.next_test,
        Step::Finish => w.finish,
        _ => w.next,
    };
    html! {
        div.actions {
            @if let Some(before) = step.before() { button type="submit" name="go" value=(before.word()) { (w.back) } }
            button.main type="submit" name="go" value="next" { (on) }
        }
    }
}

/// That there is no such draft any more, or which profile it became.
pub fn lost(face: &Face, became: Option<String>) -> HttpResponse {
    let w = texts(face);
    let body = html! {
        @match &became {
            Some(name) => (notice("good", html! {
                p { (w.is_finished) " " a href=(path(&["profiles", name])) { bdi { (name) } } }
            })),
            None => (notice("warn", html! { p { (w.lost) } p { (w.lost_means) } })),
        }
        (button(face, "/console/archive-mail", "main", if became.is_some() { w.new_profile } else { w.begin_anew }, &[]))
        p { a href="/console/archive-mail" { (w.to_profiles) } }
    };
    page_of(StatusCode::GONE, face.page(Place::Profiles, w.archive_mail, body))
}
