//! A message: what it says, what is attached to it, why it is here, and its bytes.

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{CONTENT_SECURITY_POLICY, HeaderValue},
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};
use maud::{Markup, html};

use super::{
    folded::folded,
    form::link,
    frame::Place,
    look::local,
    parts::{moment, notice},
    rows::address,
    texts::Texts,
    visitor::{Answered, Visitor},
    words,
};
use crate::{
    api::{OF_PART, OUTSIDE, Reply, Request, Shown, ShownJournal, ShownPart},
    identify::{Layout, Summary},
    ids::MessageId,
    web::{self, Bytewise, Refused, bytes, cut},
};

/// Bytes of a message within a message that is opened here; a longer one is downloaded.
const NESTED: usize = 4 << 20;
const ENCLOSED: &str = "message/rfc822";

pub fn id(visitor: &Visitor) -> Result<MessageId, Refused> {
    visitor.visit.number("id", "message")
}

/// A message, with all that is shown of it.
pub async fn shown(visitor: &Visitor, id: MessageId) -> Result<Shown, Refused> {
    shown_with(visitor, id, false).await
}

/// The same, with the images of its page if they are wanted.
pub async fn shown_with(visitor: &Visitor, id: MessageId, images: bool) -> Result<Shown, Refused> {
    let request = Request::Show {
        id,
        journal: false,
        full: true,
        images,
    };
    let shown = visitor.ask(request).await?.into_iter().find_map(|reply| match reply {
        Reply::Shown(shown) => Some(*shown),
        _ => None,
    });
    shown.ok_or_else(cut)
}

/// The list from which somebody came.
fn list(visitor: &Visitor) -> &str {
    local(visitor.query.get("list")).unwrap_or("/console/mail")
}

pub async fn page(visitor: Visitor) -> Answered {
    let shown = shown(&visitor, id(&visitor)?).await?;
    let t = visitor.t();
    let list = list(&visitor);
    let title = if shown.subject.is_empty() {
        t.no_subject
    } else {
        &shown.subject
    };
    let here = format!("/console/mail/{}", shown.id);
    let reading = Reading {
        shown: &shown,
        list,
        path: &here,
        parameters: &[("list", list)],
    };
    let body = html! {
        p.back { a #back href=(list) { "← " (t.back_to_list) } }
        (reading.body(&visitor))
    };
    Ok(visitor.page(Place::Mail, title, body))
}

/// A message that is read, alone or beside its list.
pub struct Reading<'r> {
    pub shown: &'r Shown,
    /// The page to come back to.
    pub list: &'r str,
    /// The address of this page.
    pub path: &'r str,
    pub parameters: &'r [(&'r str, &'r str)],
}

impl Reading<'_> {
    /// This page with more parameters.
    fn to(&self, more: &[(&str, &str)]) -> String {
        address(self.path, self.parameters, more)
    }

    /// All below its subject.
    pub fn body(&self, visitor: &Visitor) -> Markup {
        let (t, language, shown) = (visitor.t(), visitor.face.look.language, self.shown);
        let here = format!("/console/mail/{}", shown.id);
        let below = |what: &str| link(&format!("{here}/{what}"), &[("list", self.list)]);
        let as_text = shown.html.is_none() || visitor.query.get("view") == "text";
        html! {
            (header(visitor, shown))
            @for note in &shown.notes { (notice("note", html! { p { (note) } })) }
            div.actions {
                a.button href={ (here) "/download" } download { (t.download) }
                a href=(below("headers")) { (t.all_headers) }
                a href={ (here) "/source" } { (t.source) }
                a href=(self.on_paper(visitor)) target="_blank" rel="noopener" { (t.print) }
                @if !shown.journals.is_empty() { a href=(below("journal")) { (t.journal) } }
            }
            (attachments(visitor, shown, &below))
            @if shown.html.is_some() {
                p.views {
                    @if as_text { a href=(self.to(&[])) { (t.as_page) } }
                    @else { a href=(self.to(&[("view", "text")])) { (t.as_text) } }
                }
            }
            @if as_text {
                div.text.paper { (folded(language, &shown.text)) }
                @if shown.text_is_cut { (notice("note", html! { p { (t.text_is_cut) } })) }
            } @else {
                (self.framed(visitor, &here))
            }
            (why(visitor, shown))
        }
    }

    /// The message as it is shown, to be printed.
    fn on_paper(&self, visitor: &Visitor) -> String {
        let parameters = ["view", "outside"].map(|name| (name, visitor.query.get(name)));
        link(&format!("/console/mail/{}/print", self.shown.id), &parameters)
    }

    /// The page of a message, shut in: what others sent is neither ours nor trusted.
    fn framed(&self, visitor: &Visitor, here: &str) -> Markup {
        let t = visitor.t();
        let outside = !visitor.query.get("outside").is_empty();
        let page = self.shown.html.as_deref().unwrap_or_default();
        let images = page.matches(OUTSIDE).count() as u64;
        let has_images = images > 0 || page.contains(OF_PART);
        html! {
            @if images > 0 && !outside {
                (notice("note", html! {
                    p {
                        (words::count(visitor.face.look.language, images, [t.image_outside, t.images_outside])) " "
                        a href=(self.to(&[("outside", "1")])) { (t.load_images) }
                        " " (t.load_images_means)
                    }
                }))
            }
            iframe.paper.short[is_short(&self.shown.text) && !has_images] title=(t.page_of_message) sandbox="allow-popups allow-popups-to-escape-sandbox"
                referrerpolicy="no-referrer" src=(link(&format!("{here}/body"), &[("outside", if outside { "1" } else { "" })])) {}
            // On paper a frame is cut, and what is in it says nobody how high it is.
            div.text.printed {
                pre dir="auto" { (self.shown.text) }
                @if self.shown.text_is_cut { p { (t.text_is_cut) } }
            }
        }
    }
}

/// The way back from a page below a message.
fn back(visitor: &Visitor, id: MessageId) -> Markup {
    let list = local(visitor.query.get("list")).unwrap_or_default();
    // Beside a list a message is part of its page.
    let to = match list.contains("open=") {
        true => list.to_owned(),
        false => link(&format!("/console/mail/{id}"), &[("list", list)]),
    };
    html! { p.back { a #back href=(to) { "← " (visitor.t().back_to_message) } } }
}

fn header(visitor: &Visitor, shown: &Shown) -> Markup {
    let (t, language) = (visitor.t(), visitor.face.look.language);
    html! {
        dl.envelope {
            dt { (t.from) } dd { bdi { (shown.from) } }
            dt { (t.to) } dd { bdi { (shown.to) } }
            @if !shown.cc.is_empty() { dt { (t.cc) } dd { bdi { (shown.cc) } } }
            dt { (t.sent) } dd { (moment(&visitor.face, shown.date)) }
            dt { (t.size) } dd { (words::bytes(language, shown.size)) }
        }
    }
}

/// Lines of a text that need no high frame, and characters of one.
const SHORT: usize = 8;
const WIDTH: usize = 80;

fn is_short(text: &str) -> bool {
    let lines = text.lines().map(|line| 1 + line.chars().count() / WIDTH);
    lines.take(SHORT + 1).sum::<usize>() <= SHORT
}

/// Whether a part is a file, or not shown as the text.
pub fn is_file(part: &ShownPart) -> bool {
    part.name.is_some() || !part.kind.starts_with("text/")
}

pub fn named<'p>(part: &'p ShownPart, t: &'static Texts) -> &'p str {
    part.name
        .as_deref()
        .filter(|name| !name.is_empty())
        .unwrap_or(t.unnamed)
}

/// Parts that are files, or that are not shown as the text.
fn attachments(visitor: &Visitor, shown: &Shown, below: &dyn Fn(&str) -> String) -> Markup {
    let (t, language) = (visitor.t(), visitor.face.look.language);
    let parts = shown.parts.iter().enumerate().filter(|(_, part)| is_file(part));
    let parts: Vec<_> = parts.map(|(at, part)| (at + 1, part)).collect();
    html! {
        @if !parts.is_empty() {
            section aria-labelledby="attached" {
                h2 #attached { (words::count(language, parts.len() as u64, [t.attachment, t.attachments])) }
                ul.files {
                    @for (number, part) in parts {
                        li {
                            a href={ "/console/mail/" (shown.id) "/parts/" (number) } download {
                                bdi { (named(part, t)) }
                            }
                            " " span.hint { (part.kind) " · " (words::bytes(language, part.size)) }
                            @if part.kind == ENCLOSED {
                                " " a href=(below(&format!("nested/{number}"))) { (t.open_it) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Why the message is in these archives.
fn why(visitor: &Visitor, shown: &Shown) -> Markup {
    let t = visitor.t();
    html! {
        details.why {
            summary { (t.why_here) }
            table {
                thead { tr { th scope="col" { (t.archive) } th scope="col" { (t.because) } th scope="col" { (t.folder) }
                    th scope="col" { (t.archived_at) } th scope="col" { (t.in_run) } } }
                tbody {
                    @for user in &shown.users {
                        tr {
                            th scope="row" { bdi { (user.user) } }
                            td {
                                @if user.why == "unknown" { (t.why_unknown) }
                                @else { (t.why_field) " " code { (user.why) } }
                            }
                            td { bdi { (user.folder) } }
                            td { (moment(&visitor.face, user.archived_at)) }
                            td { (user.run) }
                        }
                    }
                }
            }
            p.hint { "SHA-256 " code.digest { (shown.sha256) } }
        }
    }
}

pub async fn headers(visitor: Visitor) -> Answered {
    let shown = shown(&visitor, id(&visitor)?).await?;
    let t = visitor.t();
    let body = html! {
        (back(&visitor, shown.id))
        table.headers {
            thead { tr { th scope="col" { (t.field) } th scope="col" { (t.value) } } }
            tbody {
                @for field in &shown.headers { tr { th scope="row" { (field.name) } td { bdi { (field.value) } } } }
            }
        }
    };
    Ok(visitor.page(Place::Mail, t.all_headers, body))
}

pub async fn journal(visitor: Visitor) -> Answered {
    let t = visitor.t();
    let id = id(&visitor)?;
    let replies = visitor.ask(Request::Journals { id }).await?;
    let journals: Vec<ShownJournal> = replies
        .into_iter()
        .filter_map(|reply| match reply {
            Reply::Journal(journal) => Some(*journal),
            _ => None,
        })
        .collect();
    let body = html! {
        (back(&visitor, id))
        @if journals.is_empty() { p.nothing { (t.no_journal) } }
        @for journal in &journals {
            section.card {
                h2 { (moment(&visitor.face, journal.archived_at)) }
                pre dir="auto" { (journal.envelope.as_deref().unwrap_or_default()) }
            }
        }
    };
    Ok(visitor.page(Place::Mail, t.journal, body))
}

/// The exact bytes, as text that nothing is made of.
pub async fn source(mut visitor: Visitor) -> Answered {
    let id = id(&visitor)?;
    let mut answer = visitor.visit.begin(Request::Raw { id, named: false }).await?;
    let first = answer.next().await;
    let as_text = Bytewise {
        kind: "text/plain; charset=utf-8",
        file: None,
    };
    let mut response = as_text.answer(&mut visitor.visit, first, answer, bytes)?;
    let shut_in = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, shut_in);
    Ok(response)
}

pub async fn download(visitor: Visitor) -> Answered {
    web::raw(visitor.visit).await
}

pub async fn part(visitor: Visitor) -> Answered {
    web::attachment(visitor.visit).await
}

/// What part `number` of a message says it is, and what it holds; nothing where that is more than `most` bytes.
pub async fn content(
    visitor: &Visitor,
    id: MessageId,
    number: usize,
    most: usize,
) -> Result<Option<(ShownPart, Vec<u8>)>, Refused> {
    let mut answer = visitor.visit.begin(Request::Part { id, part: number }).await?;
    let (mut said, mut held) = (None, Vec::new());
    loop {
        match answer.next().await.ok_or_else(cut)? {
            Reply::Part(part) if part.size > most as u64 => return Ok(None),
            Reply::Part(part) => said = Some(part),
            Reply::Bytes(stretch) => held.extend(STANDARD.decode(stretch).map_err(|_| cut())?),
            Reply::Failed(failure) => return Err(visitor.visit.failed(failure)),
            Reply::Done => return Ok(Some((said.ok_or_else(cut)?, held))),
            _ => {}
        }
        if held.len() > most {
            return Ok(None);
        }
    }
}

/// A message within a message.
pub async fn nested(visitor: Visitor) -> Answered {
    let (t, language) = (visitor.t(), visitor.face.look.language);
    let (id, number) = (id(&visitor)?, visitor.visit.number("n", "part")?);
    let Some((part, bytes)) = content(&visitor, id, number, NESTED).await? else {
        return Err(Refused::new(StatusCode::CONFLICT)
            .because(t.too_large_to_open)
            .do_so(t.do_download_it));
    };
    if part.kind != ENCLOSED {
        return Err(Refused::new(StatusCode::NOT_FOUND).because(t.no_message_in_it));
    }
    let (summary, layout) = (Summary::of(&bytes), Layout::read(&bytes));
    let text = layout.text(&bytes);
    let files = layout.parts.iter().filter(|part| part.is_file());
    let title = if summary.subject.is_empty() {
        t.no_subject
    } else {
        &summary.subject
    };
    let body = html! {
        (back(&visitor, id))
        p.hint { (t.is_nested) }
        dl.envelope {
            dt { (t.from) } dd { bdi { (summary.from) } }
            dt { (t.to) } dd { bdi { (summary.to) } }
        }
        div.actions { a.button href={ "/console/mail/" (id) "/parts/" (number) } download { (t.download) } }
        ul.files {
            @for file in files {
                li {
                    bdi { (file.name.as_deref().unwrap_or(t.unnamed)) }
                    " " span.hint { (file.kind) " · " (words::bytes(language, file.size(&bytes))) }
                }
            }
        }
        div.text.paper { (folded(language, &text)) }
    };
    let page: HttpResponse = visitor.page(Place::Mail, title, body);
    Ok(page)
}
