//! The store: how large it is, when it was verified, and its index.

use maud::html;

use super::{
    frame::Place,
    growth::backup_card,
    overview::standing,
    parts::{button, figure, moment_or, notice},
    visitor::{Answered, Visitor},
    words,
};
use crate::{
    api::{Reply, Request},
    web::{Refused, cut},
};

pub async fn page(visitor: Visitor) -> Answered {
    let (line, _) = standing(&visitor).await?;
    let (t, face) = (visitor.t(), &visitor.face);
    let language = face.look.language;
    let (number, size) = (
        |many| words::number(language, many),
        |bytes| words::bytes(language, bytes),
    );
    let body = html! {
        @if let Some(done) = visitor.said_done() { (notice("good", html! { p { (done) } })) }
        section.card aria-labelledby="sizes" {
            h2 #sizes { (t.sizes) }
            dl.figures {
                (figure(t.messages_in_it, html! { (number(line.messages)) }))
                (figure(t.as_they_came, html! { (size(line.raw_bytes)) }))
                (figure(t.on_disk, html! { (size(line.stored_bytes)) }))
                @if let Some(free) = line.free_bytes { (figure(t.free, html! { (size(free)) })) }
                @if let Some(disk) = line.disk_bytes { (figure(t.disk, html! { (size(disk)) })) }
            }
            p.hint { (t.compact_means) }
            (button(face, "/console/store/compact", "", t.compact, &[]))
        }
        section.card aria-labelledby="verify" {
            h2 #verify { (t.verified) }
            @if let Some(verified) = &line.verified {
                dl.figures {
                    (figure(t.verified_last, moment_or(face, verified.last, t.none_yet)))
                    (figure(t.verified_all, moment_or(face, verified.all, t.none_yet)))
                    (figure(t.verified_every, html! { (words::seconds(language, verified.every_seconds)) }))
                    (figure(t.damages_title, html! { (number(verified.damages)) }))
                }
                @if verified.late { (notice("warn", html! { p { (t.verify_is_late) } })) }
            } @else { p { (t.not_verified) } }
            p.hint { (t.verify_hint) " " code { "dropkeep verify" } }
        }
        (backup_card(face, &line))
        section.card aria-labelledby="index" {
            h2 #index { (t.index) }
            @if let Some(index) = &line.index {
                dl.figures {
                    (figure(t.state, html! { (t.index_state(&index.state)) @if let Some(why) = &index.why { ": " (why) } }))
                    (figure(t.searchable, html! { (number(index.documents)) }))
                    (figure(t.behind, html! { (number(index.behind)) }))
                    (figure(t.on_disk, html! { (size(index.bytes)) }))
                    (figure(t.unreadable, html! { (number(index.unread)) }))
                }
                @if index.state != "off" { (button(face, "/console/store/index", "", t.rebuild_index, &[])) }
                p.hint { (t.rebuild_means) }
            }
        }
    };
    Ok(visitor.page(Place::Store, t.store, body))
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
    Ok(visitor.done("/console/store", "begun"))
}

pub async fn compact(visitor: Visitor) -> Answered {
    begin(&visitor, Request::Compact).await?;
    Ok(visitor.done("/console/store", "begun"))
}
