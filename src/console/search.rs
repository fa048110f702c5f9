//! Mail: what a search finds.

use actix_web::{HttpResponse, http::StatusCode};
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    answers::{cookie, html as page_of, in_two, see},
    asked::{Asked, HERE, PAGE},
    beside::beside,
    filled::Mistake,
    form::link,
    frame::Place,
    look::local,
    narrowing::facets,
    parts::{next_page, notice},
    rows::{Row, TAKE, address, marked, rows},
    said::{english, failed},
    texts::wrongs,
    visitor::{Answered, Visitor},
    words,
};
use crate::{
    api::{FoundLine, HitLine, IndexLine, SearchOrder, Searched, Taken},
    ids::MessageId,
    search::parse,
    web::{self, REASON, Refused},
};

/// Messages of a ZIP.
const MOST_TAKEN: u64 = 50_000;
const REASON_FORM: &str = "/console/mail/reason";

pub async fn page(visitor: Visitor) -> Answered {
    let account = &visitor.visit.account;
    if account.needs_reason && account.reason.is_none() {
        let body = reason_form(&visitor, true);
        return Ok(visitor.page(Place::Mail, visitor.t().mail, body));
    }
    let asked = Asked::of(&visitor);
    let query = asked.query();
    if let Err(error) = parse(query) {
        let body = html! { (bar(&visitor, &asked, true)) (misunderstood(&visitor, query, error.at, &wrongs::words(visitor.face.look.language, &error.wrong))) };
        return Ok(titled(&visitor, StatusCode::BAD_REQUEST, body));
    }
    let bar = bar(&visitor, &asked, false);
    let names_more = [&asked.user, &asked.cursor, visitor.query.get("open")]
        .into_iter()
        .any(|given| !given.is_empty());
    if names_more || visitor.mistake.is_some() {
        let (status, found) = found(&visitor, &asked).await;
        return Ok(titled(&visitor, status, html! { (bar) (found) }));
    }
    // The browser begins with the page while the search goes on, which takes as long as it needs for that. If it fails, the
    // page says why, and its status no more.
    let (head, end) = visitor.face.around("wide", Place::Mail, visitor.t().mail);
    let rest = async move { found(&visitor, &asked).await.1.into_string() + &end };
    Ok(in_two(head + &bar.into_string(), rest))
}

/// What is below the bar, with the status of the page.
async fn found(visitor: &Visitor, asked: &Asked) -> (StatusCode, Markup) {
    below_bar(visitor, asked).await.unwrap_or_else(|refused| {
        let why = wrongs::said(visitor.face.look.language, &refused);
        // What nobody has words for is in the log.
        let said = html! {
            @if let Some(why) = why { p { (why) } } @else { p { (visitor.t().went_wrong) } p { (visitor.t().do_look_at_log) } }
        };
        (refused.status(), notice("bad", said))
    })
}

async fn below_bar(visitor: &Visitor, asked: &Asked) -> Result<(StatusCode, Markup), Refused> {
    let searched = Searched {
        query: asked.query().to_owned(),
        user: Some(asked.user.clone()).filter(|user| !user.is_empty()),
        order: if asked.by_relevance() {
            SearchOrder::Relevance
        } else {
            SearchOrder::Newest
        },
        limit: PAGE,
        facets: true,
        after: Some(asked.cursor.clone()).filter(|cursor| !cursor.is_empty()),
        snippets: true,
    };
    let (hits, found, more) = web::hits(&visitor.visit, searched).await?;
    let beside = beside(visitor, HERE, &asked.list()).await?;
    let face = &visitor.face;
    let notes = found.notes.iter().map(|note| english(face, note));
    let notes: Vec<_> = notes.chain(more.map(|failure| failed(face, &failure))).collect();
    let body = html! {
        @if visitor.visit.account.needs_reason { (reason_form(visitor, false)) }
        (behind(visitor, &found.index))
        @for note in &notes { (notice("note", html! { p { (note) } })) }
        div.columns.beside[beside.is_some()] {
            (facets(visitor, asked, found.facets.as_ref()))
            (results(visitor, asked, &hits, &found))
            @if let Some(beside) = &beside { (beside.pane) }
        }
    };
    let mistaken = visitor.mistake.as_ref().map(|mistake| mistake.status);
    let status = beside.map(|beside| beside.status).or(mistaken);
    Ok((status.unwrap_or(StatusCode::OK), body))
}

fn titled(visitor: &Visitor, status: StatusCode, body: Markup) -> HttpResponse {
    page_of(
        status,
        visitor.face.page_of("wide", Place::Mail, visitor.t().mail, body),
    )
}

/// Where one says what is looked for.
fn bar(visitor: &Visitor, asked: &Asked, is_wrong: bool) -> Markup {
    let t = visitor.t();
    html! {
        form.search role="search" method="get" action="/console/mail" {
            label.unseen for="q" { (t.search_mail) }
            input #q name="q" type="search" value=(asked.q) placeholder=(t.search_mail) autocomplete="off"
                spellcheck="false" maxlength="16000" aria-describedby="search-hint" aria-invalid=[is_wrong.then_some("true")];
            @if !asked.user.is_empty() { input type="hidden" name="user" value=(asked.user); }
            label.unseen for="sort" { (t.order) }
            select #sort name="sort" {
                option value="date" selected[!asked.by_relevance()] { (t.newest_first) }
                option value="relevance" selected[asked.by_relevance()] { (t.best_first) }
            }
            button.main type="submit" { (t.search) }
        }
        details.hint {
            summary #search-hint { (t.search_hint) }
            dl.language {
                @for (words, means) in t.search_language() { dt { code { (words) } } dd { (means) } }
            }
        }
        @if !asked.user.is_empty() {
            p.filter { (t.only_of) " " bdi { (asked.user) } " · " a href=(asked.address(&asked.q, "")) { (t.of_all) } }
        }
    }
}

/// What cannot be understood of a query, at its place.
fn misunderstood(visitor: &Visitor, query: &str, at: std::ops::Range<usize>, why: &str) -> Markup {
    let t = visitor.t();
    let piece = |range| query.get(range).unwrap_or_default();
    let (before, wrong, behind) = (piece(0..at.start), piece(at.clone()), piece(at.end..query.len()));
    notice(
        "bad",
        html! {
            p { (t.not_understood) }
            @if query.len() < 500 { p.place { code { (before) mark { (if wrong.is_empty() { "∎" } else { wrong }) } (behind) } } }
            p { (why) }
        },
    )
}

/// What is not found yet.
fn behind(visitor: &Visitor, index: &IndexLine) -> Markup {
    let (t, language) = (visitor.t(), visitor.face.look.language);
    let is_going = matches!(index.state.as_str(), "following" | "building");
    html! {
        @if index.behind > 0 {
            (notice("warn", html! { p { (words::count(language, index.behind, [t.not_searchable_yet, t.none_searchable_yet])) } }))
        }
        @if !is_going {
            @let why = index.why.as_ref().map(|why| english(&visitor.face, why)).unwrap_or_default();
            (notice("warn", html! { p { (t.index_stands) " " (why) } }))
        }
    }
}

fn results(visitor: &Visitor, asked: &Asked, hits: &[HitLine], found: &FoundLine) -> Markup {
    let (t, language) = (visitor.t(), visitor.face.look.language);
    let next = found.next.as_ref().map(|next| asked.next(next, hits.len()));
    let (first, shown) = (asked.first(), hits.len() as u64);
    let last = first.saturating_add(shown).saturating_sub(1);
    let is_part = shown > 0 && shown < found.total && last <= found.total;
    html! {
        section.results aria-label=(t.results) {
            p.total {
                span role="status" {
                    @if is_part { (words::number(language, first)) "–" (words::number(language, last)) " " (t.out_of) " " }
                    (words::messages(language, found.total))
                }
                @if (1..=MOST_TAKEN).contains(&found.total) {
                    " · " a href=(link(TAKE, &[("q", &asked.q), ("user", &asked.user)])) download { (t.take_all) }
                }
            }
            @if hits.is_empty() {
                p.nothing { (t.nothing_found) }
            } @else {
                (rows(visitor, &asked.list(), hits.iter().map(row), |id| address(HERE, &asked.list(), &[("open", &id.to_string())])))
            }
            @if let Some(previous) = asked.previous() {
                p { a.button rel="prev" href=(previous) { (t.previous_page) } }
                p { a href=(asked.address(&asked.q, &asked.user)) { (t.to_first_page) } }
            }
            (next_page(t.more, next))
        }
    }
}

fn row(hit: &HitLine) -> Row<'_> {
    Row {
        id: hit.id,
        from: &hit.from,
        subject: &hit.subject,
        subject_marks: &hit.subject_marks,
        date: hit.date,
        size: hit.size,
        attachments: hit.attachments.into(),
        users: hit.users.len() as u64 + hit.more_users,
        folder: "",
        snippet: hit.snippet.as_ref().map(|snippet| marked(snippet, &hit.marks)),
    }
}

/// Asks why somebody reads mail, where they have to say it.
fn reason_form(visitor: &Visitor, is_first: bool) -> Markup {
    let t = visitor.t();
    let reason = visitor.visit.account.reason.as_deref().unwrap_or_default();
    let filled = visitor.filled(REASON_FORM);
    html! {
        @if is_first { (notice("note", html! { p { (t.reason_needed) } })) }
        form.reason method="post" action=(REASON_FORM) {
            (visitor.face.token())
            label for="reason" { (t.reason) }
            input #reason name="reason" value=(filled.value("reason", reason)) maxlength="300" required
                aria-invalid=[filled.invalid("reason")] aria-describedby=[filled.described("reason", None)];
            button type="submit" { (t.keep) }
            (filled.said("reason"))
        }
    }
}

/// All that a search finds, or what was chosen of it, as one file.
pub async fn take(mut visitor: Visitor) -> Answered {
    if visitor.query.get("chosen").is_empty() {
        return web::take(visitor.visit).await;
    }
    let ids = visitor.query.all("id").map(|id| id.parse().map(MessageId));
    let ids: Vec<_> = ids
        .collect::<Result<_, _>>()
        .map_err(|_| Refused::bad(visitor.t().wrong_place))?;
    if ids.is_empty() {
        visitor.mistake = Some(Mistake::new(TAKE, "id", visitor.t().none_chosen));
        return page(visitor).await;
    }
    let taken = Taken {
        ids,
        ..Taken::default()
    };
    web::take_these(visitor.visit, taken).await
}

/// Keeps why they read mail until they log out or the browser is closed.
pub async fn reason(visitor: Visitor) -> Answered {
    let reason = visitor.form.get("reason");
    let is_line =
        |reason: &str| !reason.is_empty() && reason.chars().count() <= 300 && !reason.contains(char::is_control);
    if !is_line(reason) {
        let why = visitor.t().reason_wrong;
        return page(visitor.mistaken(&["reason"], Refused::bad(why))?).await;
    }
    let mut response = see(local(visitor.form.get("here")).unwrap_or("/console/mail"));
    let encoded = utf8_percent_encode(reason, NON_ALPHANUMERIC).to_string();
    cookie(
        response.headers_mut(),
        REASON,
        &encoded,
        visitor.visit.asked.over_tls,
        None,
    );
    Ok(response)
}
