//! Users out of a table: looked at first, then imported, all of them or none.

use maud::{Markup, html};

use super::{
    assign,
    frame::Place,
    parts::notice,
    texts::{
        self,
        import::{self, Texts},
    },
    visitor::{Answered, Visitor},
    words,
};
use crate::api::{ChangeKind, ChangedLine, Reply, Request};

const PREVIEW: &str = "/console/people/import";
const IMPORT: &str = "/console/people/import/now";
/// Users of a preview, and characters of a line that is shown.
const SHOWN: usize = 500;
const LONGEST: usize = 200;

fn texts(visitor: &Visitor) -> &'static Texts {
    import::of(visitor.face.look.language)
}

pub async fn page(visitor: Visitor) -> Answered {
    visitor.require(Place::People)?;
    Ok(shown(&visitor, None))
}

/// Says what would become of the users of the table.
pub async fn preview(visitor: Visitor) -> Answered {
    match asked(&visitor, true).await {
        Ok(lines) => Ok(shown(&visitor, Some(&lines))),
        Err(refused) => {
            let visitor = visitor.mistaken(&["csv"], refused)?;
            Ok(shown(&visitor, None))
        }
    }
}

pub async fn now(visitor: Visitor) -> Answered {
    match asked(&visitor, false).await {
        Ok(_) => Ok(visitor.done("/console/people", "imported")),
        Err(refused) => {
            let visitor = visitor.mistaken(&["csv"], refused)?;
            Ok(shown(&visitor, None))
        }
    }
}

async fn asked(visitor: &Visitor, dry_run: bool) -> Result<Vec<ChangedLine>, crate::web::Refused> {
    let csv = visitor.form.as_typed("csv").to_owned();
    let replies = visitor.ask(Request::ImportUsers { csv, dry_run }).await?.into_iter();
    let lines = replies.filter_map(|reply| match reply {
        Reply::Changed(line) => Some(line),
        _ => None,
    });
    Ok(lines.collect())
}

fn shown(visitor: &Visitor, preview: Option<&[ChangedLine]>) -> actix_web::HttpResponse {
    let (t, i, face) = (visitor.t(), texts(visitor), &visitor.face);
    // The table was sent by either of the buttons.
    let (previewed, imported) = (visitor.filled(PREVIEW), visitor.filled(IMPORT));
    let filled = if imported.is_wrong() { imported } else { previewed };
    let csv = visitor.form.as_typed("csv");
    let lines: Vec<&str> = csv.lines().collect();
    let mistake = visitor.mistake.as_ref();
    let wrong = mistake.and_then(|mistake| mistake.line);
    let more = mistake.map_or(&[][..], |mistake| &mistake.more);
    let quoted = |number: Option<usize>| {
        let line = number.and_then(|number| lines.get(number.checked_sub(1)?));
        html! {
            @if let Some(line) = line { p.place { (i.wrong_line) " " code { (line.chars().take(LONGEST).collect::<String>()) } } }
        }
    };
    let body = html! {
        p.back { a href="/console/people" { "← " (t.people) } }
        p { (i.means) }
        @if let Some(lines) = preview { (table(visitor, lines)) }
        form method="post" action=(PREVIEW) {
            (face.token())
            div.field {
                label for="csv" { (i.table) }
                textarea.table #csv name="csv" rows="12" required spellcheck="false"
                    aria-invalid=[filled.invalid("csv")] aria-describedby=[filled.described("csv", None)] { "\n" (csv) }
                (filled.said("csv"))
                (quoted(wrong))
                @for (number, why) in more { p.wrong { (why) } (quoted(*number)) }
            }
            // The script puts a file into the field; without it, whoever has one copies it there.
            div.field hidden data-file="csv" {
                label for="file" { (i.file) }
                input #file type="file" accept=".csv,text/csv,text/plain";
            }
            div.actions {
                @if preview.is_some() { button.main type="submit" formaction=(IMPORT) { (i.import) } }
                button type="submit" { (i.preview) }
            }
        }
    };
    visitor.page(Place::People, i.title, body)
}

fn table(visitor: &Visitor, lines: &[ChangedLine]) -> Markup {
    let (t, i, language) = (visitor.t(), texts(visitor), visitor.face.look.language);
    let many = |kind| lines.iter().filter(|line| line.change == kind).count() as u64;
    let kinds = [ChangeKind::Added, ChangeKind::Changed, ChangeKind::Unchanged];
    html! {
        section aria-labelledby="preview" {
            h2 #preview { (i.what_would) }
            p role="status" {
                @for (at, kind) in kinds.into_iter().enumerate() {
                    @if at > 0 { ", " }
                    (words::number(language, many(kind))) " " (name(i, kind))
                }
                ". " (i.nothing_yet)
            }
            table.few {
                thead { tr { th scope="col" { (t.user_title) } th scope="col" { (t.change) } } }
                tbody {
                    @for line in lines.iter().take(SHOWN) {
                        tr { th scope="row" { bdi { (line.name) } } td { (name(i, line.change)) } }
                    }
                }
            }
            @if lines.len() > SHOWN { p.hint { (t.and_more) " " (words::number(language, (lines.len() - SHOWN) as u64)) } }
        }
    }
}

fn name(i: &'static Texts, kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Added => i.added,
        ChangeKind::Unchanged => i.unchanged,
        // A table removes nobody.
        ChangeKind::Changed | ChangeKind::Removed => i.changed,
    }
}

pub fn title(visitor: &Visitor) -> &'static str {
    texts(visitor).title
}

/// What is said on the page of people when they were imported.
pub fn said(visitor: &Visitor) -> Markup {
    let (i, assign_words) = (texts(visitor), texts::assign::of(visitor.face.look.language));
    html! {
        @if visitor.query.get("done") == "imported" {
            (notice("good", html! { p { (i.imported) " " a href=(assign::MAIL) { (assign_words.file_title) } } }))
        }
    }
}
