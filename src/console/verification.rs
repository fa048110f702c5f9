//! What of the archive was verified, by itself and because somebody asked for it.

use maud::{Markup, html};

use super::{
    frame::Face,
    parts::{Live, button, figure, moment, moment_or, notice},
    texts::store::{self as texts, Texts},
    visitor::Visitor,
    words,
};
use crate::api::{ApplianceLine, DamageLine, Reply, Verification, VerificationLine};

/// Where the form is sent to.
const BEGIN: &str = "/console/store/verify";
/// The share that is proposed for a sample.
const PROPOSED: &str = "5";

fn texts(face: &Face) -> &'static Texts {
    texts::of(face.look.language)
}

/// What the appliance verifies each night.
pub fn nightly(face: &Face, line: &ApplianceLine) -> Markup {
    let (t, s, language) = (face.t(), texts(face), face.look.language);
    html! {
        section.card aria-labelledby="nightly" {
            h2 #nightly { (t.verified) ": " (s.nightly) }
            @if let Some(verified) = &line.verified {
                dl.figures {
                    (figure(t.verified_last, moment_or(face, verified.last, t.not_yet)))
                    (figure(t.verified_all, moment_or(face, verified.all, t.not_yet)))
                    (figure(t.verified_every, html! { (words::seconds(language, verified.every_seconds)) }))
                    (figure(t.damages_title, html! { (words::number(language, verified.damages)) }))
                }
                @if verified.late { (notice("warn", html! { p { (t.verify_is_late) } })) }
                p.hint { (s.nightly_means) }
            } @else { p { (t.not_verified) } }
        }
    }
}

/// The verification that is going on, or how the last one ended, and what begins one.
pub fn asked_for(visitor: &Visitor, standing: Option<&Reply>) -> Markup {
    let (t, face) = (visitor.t(), &visitor.face);
    let s = texts(face);
    html! {
        section.card aria-labelledby="verify" {
            h2 #verify { (s.verify_now) }
            p.hint { (s.verify_means) }
            @match standing {
                Some(Reply::Verifying { done, expected }) => {
                    p { (s.verifying) }
                    (Live::new("/api/v1/verifications/events", *done, Some(*expected))
                        .in_bytes()
                        .shown(face, button(face, "/console/store/verify/stop", "", t.stop, &[])))
                }
                _ => {
                    (form(visitor))
                    @if let Some(Reply::Verified(line)) = standing { (ended(face, line)) }
                }
            }
        }
    }
}

fn form(visitor: &Visitor) -> Markup {
    let (face, s) = (&visitor.face, texts(&visitor.face));
    let filled = visitor.filled(BEGIN);
    let sample = filled.is_wrong();
    html! {
        form method="post" action=(BEGIN) {
            (face.token())
            fieldset.ways {
                legend { (s.how_much) }
                div.way {
                    input #much-all type="radio" name="much" value="all" checked[!sample];
                    label for="much-all" { (s.all_of_it) }
                }
                div.way {
                    input #much-sample type="radio" name="much" value="sample" checked[sample];
                    span {
                        label for="much-sample" { (s.sample) } " "
                        input.short #percent name="percent" inputmode="decimal" aria-label=(s.percent_of_sample) autocomplete="off"
                            value=(filled.value("percent", PROPOSED)) aria-invalid=[filled.invalid("percent")]
                            aria-describedby=[filled.described("percent", None)];
                        " %"
                        (filled.said("percent"))
                    }
                }
            }
            button type="submit" { (s.verify_now) }
        }
    }
}

/// How the last one ended.
fn ended(face: &Face, line: &VerificationLine) -> Markup {
    let (s, language) = (texts(face), face.look.language);
    let number = |many| words::number(language, many);
    let share = line.percent.map(|percent| words::percent(language, percent));
    html! {
        h3 { (s.last_verification) }
        dl.figures {
            (figure(s.ended_at, moment(face, line.ended_at)))
            (figure(s.looked_at, html! { @match &share { Some(share) => { (s.sample) " " (share) }, None => (s.all_of_it) } }))
            (figure(s.read_back, html! { (words::messages(language, line.messages)) ", " (words::bytes(language, line.bytes)) }))
            (figure(s.damages, html! { (number(line.damages)) }))
        }
        @match line.state {
            Verification::Intact => (notice("good", html! { p { (s.intact) } })),
            Verification::Interrupted => (notice("warn", html! { p { (s.interrupted) } })),
            Verification::Failed => (notice("bad", html! { p { (s.failed) " " (line.why.as_deref().unwrap_or_default()) } })),
            Verification::Damaged => {}
        }
        @if !line.found.is_empty() { (damages(face, line)) }
        @if !line.notes.is_empty() {
            details { summary { (s.notes) } ul { @for note in &line.notes { li { (note) } } } }
        }
    }
}

/// What is damaged, and what to do.
fn damages(face: &Face, line: &VerificationLine) -> Markup {
    let (t, s, language) = (face.t(), texts(face), face.look.language);
    let more = line.damages.saturating_sub(line.found.len() as u64);
    html! {
        (notice("bad", html! {
            p { strong { (t.what_to_do) } }
            ul { @for words in &line.what_to_do { li { (words) } } }
        }))
        div.scroll tabindex="0" role="group" aria-label=(s.damages) {
            table {
                thead { tr { th scope="col" { (s.kind) } th scope="col" { (s.where_it_is) } th scope="col" { (s.what_is_wrong) } } }
                tbody {
                    @for damage in &line.found {
                        tr { th scope="row" { (damage.kind) } td { (place(face, damage)) } td { (damage.detail) } }
                    }
                }
            }
        }
        @if more > 0 { p.hint { (t.and_more) " " (words::number(language, more)) } }
    }
}

fn place(face: &Face, damage: &DamageLine) -> Markup {
    let s = texts(face);
    html! {
        @if let Some(id) = damage.id { (s.message) " " (id) " " }
        @if let Some(user) = &damage.user { (s.of_user) " " bdi { (user) } " " }
        @if let Some(volume) = damage.volume { (s.volume) " " (format!("{volume:06}")) }
    }
}
