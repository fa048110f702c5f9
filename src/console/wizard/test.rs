//! The second step: the server is tried, each step shown as it is made; and its certificate, where it is not trusted.

use maud::{Markup, html};
use serde_json::{Value, json};

use super::{
    draft::{Draft, Tested},
    sheet::{Sheet, texts},
    step::Step,
};
use crate::{
    api::StepLine,
    console::{
        form::Form,
        frame::Face,
        parts::{moment, notice},
        said::said,
        texts::stages,
        words,
    },
    said::{About, Code, Said, Saying},
};

/// Notices of each kind that are shown.
const NOTICES: usize = 20;

/// A step that was made.
pub fn line(face: &Face, step: &StepLine) -> Markup {
    let advice = step.advice();
    let w = texts(face);
    advised(
        face,
        step,
        advice.map(|advice| match advice.saying().code {
            // It can be put right here, and no file is read for it.
            Code::SetTokens => html! { (w.take_tokens) },
            Code::WantsAppPassword => html! { (w.app_password) },
            _ => said(face, &advice),
        }),
    )
}

/// What was found, where it advises what a step does by itself: in words of the page.
pub fn found_here(sheet: &Sheet<'_>, doubt: &Said) -> Markup {
    let (w, face) = (sheet.w(), sheet.face);
    let own = |code| matches!(code, Code::LooksLikeOwn | Code::LookLikeOwn);
    let is_proposed = |tested: &Tested| !tested.found["proposal"]["keys"]["own_addresses"].is_null();
    if sheet.draft.current_test().is_some_and(is_proposed)
        && let Some([About::Said(named), About::Number(messages), ..]) = within(doubt.saying(), own)
    {
        let step = Step::Recipients;
        return html! {
            (said(face, named)) " " (w.of_messages) " " (words::number(face.look.language, *messages)) " " (w.own_proposed) " "
            a href=(sheet.address(step)) { (step.title(w)) } "."
        };
    }
    match (doubt.saying().code, &doubt.saying().about[..]) {
        (Code::BccAndServer, [About::Said(what), About::Said(server), About::Said(how)]) => html! {
            (said(face, what)) ". " (said(face, server)) "; " (w.to_have_it_write) " " (said(face, how))
        },
        _ => said(face, doubt),
    }
}

/// What a sentence within another is about.
fn within(saying: &Saying, is_it: impl Fn(Code) -> bool) -> Option<&[About]> {
    let mut still = vec![saying];
    while let Some(saying) = still.pop() {
        if is_it(saying.code) {
            return Some(&saying.about);
        }
        still.extend(saying.about.iter().filter_map(|about| match about {
            About::Said(said) => Some(said.saying()),
            _ => None,
        }));
    }
    None
}

fn advised(face: &Face, step: &StepLine, advice: Option<Markup>) -> Markup {
    let w = texts(face);
    let (kind, mark) = if step.ok {
        ("good", w.step_done)
    } else {
        ("bad", w.step_failed)
    };
    html! {
        li {
            span.state.(kind) { (mark) } " " strong { (stages::named(face.look.language, &step.step)) } " " span.detail { (said(face, &step.said())) }
            @if let Some(advice) = advice { p { strong { (w.what_to_do) } " " (advice) } }
        }
    }
}

pub fn body(sheet: &Sheet<'_>) -> Markup {
    let (w, tested) = (sheet.w(), sheet.draft.current_test());
    let steps = tested.map_or(&[][..], |tested| &tested.steps);
    let again = if tested.is_some() { w.test_again } else { w.test_now };
    let address = sheet.address(Step::Test);
    html! {
        p { (w.test_means) }
        form.told method="post" action=(address) data-stream={ (address) "/events" } data-now[tested.is_none()] {
            (sheet.face.token())
            ol.steps-made data-add="" aria-live="polite" aria-label=(w.test) {
                @for step in steps {
                    // A certificate that is shown below is trusted there, and not by a line of a file.
                    @if step.step == "tls" && !step.ok && tested.is_some_and(shows_untrusted) {
                        (advised(sheet.face, step, Some(html! { (w.trust_below) })))
                    } @else {
                        (line(sheet.face, step))
                    }
                }
            }
            p.fault data-cut="" hidden { (w.cut_off) }
            button.main[tested.is_none()] type="submit" name="go" value="begin" { (again) }
        }
        @if let Some(tested) = tested { (outcome(sheet, tested)) }
    }
}

fn shows_untrusted(tested: &Tested) -> bool {
    tested.found["tls"]["trusted"] == false
}

fn outcome(sheet: &Sheet<'_>, tested: &Tested) -> Markup {
    let w = sheet.w();
    if let Some(failure) = &tested.failure {
        return sheet.not_tried(failure);
    }
    let found = &tested.found;
    let list = |key: &str| listed(&found[key], &found["said"][key]);
    let kind = match found["verdict"].as_str() {
        Some("works") => "good",
        Some("doubtful") => "warn",
        _ => "bad",
    };
    let verdict = match kind {
        "good" => w.test_works,
        "warn" => w.test_doubtful,
        _ => w.test_fails,
    };
    html! {
        (notice(kind, html! {
            p { strong { (verdict) } }
            @for doubt in list("doubts") { p { (found_here(sheet, &doubt)) } }
        }))
        @for warning in list("warnings") { (notice("warn", html! { p { (said(sheet.face, &warning)) } })) }
        (certificate(sheet, &found["tls"]))
    }
}

/// The first of these texts, with which sentences they are.
pub fn listed(texts: &Value, said: &Value) -> Vec<Said> {
    let texts = texts.as_array().into_iter().flatten().filter_map(Value::as_str);
    let with = |(at, text)| Said::kept(text, &saying(&said[at]));
    texts.enumerate().take(NOTICES).map(with).collect()
}

/// Which sentence it is, as far as that was said.
pub fn saying(said: &Value) -> Saying {
    serde_json::from_value(said.clone()).unwrap_or_default()
}

fn certificate(sheet: &Sheet<'_>, tls: &Value) -> Markup {
    let w = sheet.w();
    let text = |key: &str| tls[key].as_str().unwrap_or_default().to_owned();
    let until = match text("not_after").parse() {
        Ok(until) => moment(sheet.face, until),
        Err(_) => html! { (text("not_after")) },
    };
    let trusted = tls["trusted"] == true;
    let (verify, kind) = (
        sheet.draft.text("server.tls.verify"),
        if trusted { "good" } else { "warn" },
    );
    let judged = match (&*verify, trusted) {
        ("none", false) => w.is_ignored,
        ("pin", true) => w.is_pinned,
        (_, true) => w.is_trusted,
        (_, false) => w.is_not_trusted,
    };
    html! {
        @if tls.is_object() {
            section.card aria-labelledby="certificate" {
                h2 #certificate { (w.certificate) " " span.state.(kind) { (judged) } }
                dl.envelope {
                    dt { (w.certificate_of) } dd { (text("subject")) }
                    dt { (w.certificate_by) } dd { (text("issuer")) }
                    dt { (w.certificate_until) } dd { (until) }
                    dt { "SHA-256" } dd { code #fingerprint { (text("sha256")) } }
                }
                @if !trusted && verify != "none" {
                    p { (w.trust_means) }
                    form.actions method="post" action=(sheet.address(Step::Test)) {
                        (sheet.face.token())
                        // It is the one that is shown which is trusted.
                        input type="hidden" name="pin" value=(text("sha256"));
                        button.main type="submit" name="go" value="trust" { (w.trust_it) }
                        button.danger type="submit" name="go" value="ignore" { (w.ignore_warnings) }
                    }
                    p.hint { (w.ignore_warnings) ": " (w.means_verify_none) }
                }
            }
        }
    }
}

/// Trusts the certificate that was shown, or any.
pub fn trust(form: &Form, draft: &mut Draft) {
    let shown = draft.tested.as_ref().map(|tested| &tested.found["tls"]["sha256"]);
    match form.get("go") {
        "ignore" => draft.set("server.tls", json!({"verify": "none"})),
        _ if shown.is_some_and(|shown| shown == form.get("pin")) => {
            draft.set("server.tls", json!({"verify": "pin", "pin": form.get("pin")}));
        }
        _ => return,
    }
    draft.tested = None;
}
