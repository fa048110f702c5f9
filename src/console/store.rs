//! The store: how large it is, when it was verified, and its index; and its upkeep, which is begun here.

use maud::{Markup, html};

use super::{
    frame::{Face, Place},
    growth::backup_card,
    overview::standing,
    parts::{Live, button, figure, notice},
    said,
    texts::store as texts,
    verification,
    visitor::{Answered, Visitor},
    words,
};
use crate::{
    api::{ApplianceLine, Code, CompactedLine, Reply, Request, Upkeep},
    web::{Refused, cut},
};

const HERE: &str = "/console/store";

pub async fn page(visitor: Visitor) -> Answered {
    let (line, _) = standing(&visitor).await?;
    let compaction = goes_on(&visitor, Upkeep::Compaction).await?;
    let verification = goes_on(&visitor, Upkeep::Verification).await?;
    let (t, face) = (visitor.t(), &visitor.face);
    let body = html! {
        @if let Some(done) = visitor.said_done() { (notice("good", html! { p { (done) } })) }
        (sizes(face, &line, compaction.as_ref()))
        (verification::nightly(face, &line))
        (verification::asked_for(&visitor, verification.as_ref()))
        (backup_card(face, &line))
        (index(face, &line))
    };
    Ok(visitor.page(Place::Store, t.store, body))
}

/// How far this is, or how it ended last; nothing of what was never begun.
async fn goes_on(visitor: &Visitor, upkeep: Upkeep) -> Result<Option<Reply>, Refused> {
    let mut answer = visitor.visit.begin(Request::WatchUpkeep { upkeep }).await?;
    match answer.next().await.ok_or_else(cut)? {
        Reply::Failed(failure) => Err(visitor.visit.failed(failure)),
        Reply::Done => Ok(None),
        reply => Ok(Some(reply)),
    }
}

fn sizes(face: &Face, line: &ApplianceLine, compaction: Option<&Reply>) -> Markup {
    let (t, s, language) = (face.t(), texts::of(face.look.language), face.look.language);
    let size = |bytes| words::bytes(language, bytes);
    html! {
        section.card aria-labelledby="sizes" {
            h2 #sizes { (t.sizes) }
            dl.figures {
                (figure(t.messages_in_it, html! { (words::number(language, line.messages)) }))
                (figure(t.as_they_came, html! { (size(line.raw_bytes)) }))
                (figure(t.on_disk, html! { (size(line.stored_bytes)) }))
                @if let Some(free) = line.free_bytes { (figure(t.free, html! { (size(free)) })) }
                @if let Some(disk) = line.disk_bytes { (figure(t.disk, html! { (size(disk)) })) }
            }
            p.hint { (t.compact_means) }
            @match compaction {
                Some(Reply::Compacting { done, expected }) => {
                    p { (s.compacting) }
                    (Live::new("/api/v1/compactions/events", *done, Some(*expected))
                        .shown(face, button(face, "/console/store/compact/stop", "", t.stop, &[])))
                }
                _ => {
                    @if let Some(Reply::Compacted(line)) = compaction { (compacted(face, line)) }
                    (button(face, "/console/store/compact", "", t.compact, &[]))
                }
            }
        }
    }
}

/// How the last compaction ended.
fn compacted(face: &Face, line: &CompactedLine) -> Markup {
    let (s, language) = (texts::of(face.look.language), face.look.language);
    let (number, size) = (
        |many| words::number(language, many),
        |many| words::bytes(language, many),
    );
    html! {
        h3 { (s.last_compaction) }
        dl.figures {
            (figure(s.merged, html! { (size(line.bytes)) }))
            (figure(s.removed, html! { (number(line.blocks)) " " (s.blocks) ", " (number(line.volumes)) " " (s.volumes) }))
            (figure(s.disk_before, html! { (size(line.disk_before)) }))
            (figure(s.disk_after, html! { (size(line.disk_after)) }))
            (figure(s.free_within, html! { (size(line.free_after)) }))
        }
        @if line.left { (notice("warn", html! { p { (s.some_left) } })) }
        @if line.damaged { (notice("bad", html! { p { (s.met_damage) } })) }
    }
}

fn index(face: &Face, line: &ApplianceLine) -> Markup {
    let (t, s, language) = (face.t(), texts::of(face.look.language), face.look.language);
    let number = |many| words::number(language, many);
    html! {
        section.card aria-labelledby="index" {
            h2 #index { (t.index) }
            @if let Some(index) = &line.index {
                dl.figures {
                    (figure(t.state, html! { (t.index_state(&index.state)) @if let Some(why) = &index.why { ": " (said::english(face, why)) } }))
                    (figure(t.searchable, html! { (number(index.documents)) }))
                    (figure(t.behind, html! { (number(index.behind)) }))
                    (figure(t.on_disk, html! { (words::bytes(language, index.bytes)) }))
                    (figure(t.unreadable, html! { (number(index.unread)) }))
                }
                @match index.state.as_str() {
                    "off" => {}
                    "building" => {
                        p { (s.indexing) }
                        (Live::new("/api/v1/index/events", index.documents, Some(index.messages)).shown(face, html! {}))
                    }
                    _ => (button(face, "/console/store/index", "", t.rebuild_index, &[])),
                }
                p.hint { (t.rebuild_means) }
            }
        }
    }
}

/// Begins what takes a while, and goes on by itself.
async fn begin(visitor: &Visitor, request: Request) -> Result<(), Refused> {
    let mut answer = visitor.visit.begin(request).await?;
    match answer.next().await.ok_or_else(cut)? {
        Reply::Failed(failure) => Err(visitor.visit.failed(failure)),
        _ => Ok(()),
    }
}

pub async fn rebuild_index(visitor: Visitor) -> Answered {
    begin(&visitor, Request::RebuildIndex).await?;
    Ok(visitor.done(HERE, "begun"))
}

pub async fn compact(visitor: Visitor) -> Answered {
    begin(&visitor, Request::Compact).await?;
    Ok(visitor.done(HERE, "begun"))
}

pub async fn stop_compaction(visitor: Visitor) -> Answered {
    visitor.ask(Request::InterruptCompaction).await?;
    Ok(visitor.done(HERE, "interrupted"))
}

pub async fn verify(visitor: Visitor) -> Answered {
    let percent = match visitor.form.get("much") {
        "sample" => {
            // As a German writes it, too; anything else is refused as a number out of bounds is.
            let typed = visitor.form.get("percent").replace(',', ".");
            Some(typed.parse().unwrap_or(f64::NAN))
        }
        _ => None,
    };
    match begin(&visitor, Request::Verify { percent }).await {
        Ok(()) => Ok(visitor.done(HERE, "begun")),
        Err(refused) if refused.wrong().is_some_and(|wrong| wrong.code == Code::NoShare) => {
            page(visitor.mistaken(&["percent"], refused)?).await
        }
        Err(refused) => Err(refused),
    }
}

pub async fn stop_verification(visitor: Visitor) -> Answered {
    visitor.ask(Request::InterruptVerification).await?;
    Ok(visitor.done(HERE, "interrupted"))
}
