//! How much was archived lately, how the archive grew, what went wrong in the last day, and how old its backup is.

use jiff::{Timestamp, ToSpan, Zoned, tz::TimeZone};
use maud::{Markup, html};

use super::{
    charts::{Bar, bars},
    frame::Face,
    parts::{figure, moment, notice},
    said::said,
    texts::growth::{self, Texts},
    visitor::Visitor,
    words,
};
use crate::{
    api::{ApplianceLine, BackupLine, GrowthLine, Reply, Request, SizeLine},
    clock,
    report::{Run, RunFilter},
    web::{Refused, cut},
};

/// Days of the chart, and after how many a backup is old.
const DAYS: i64 = 30;
const OLD: i64 = 7 * 24 * 3600;
/// Runs of the last day that are shown.
const RUNS: usize = 5;

pub fn texts(face: &Face) -> &'static Texts {
    growth::of(face.look.language)
}

/// Moments that part a time into hours or days, with its beginning and its end.
struct Parts {
    hours: Vec<Timestamp>,
    days: Vec<Timestamp>,
}

impl Parts {
    /// The hours of today so far, and the last days, as the clocks of this machine have them.
    fn until(now: &Zoned) -> Self {
        let first = |day: Zoned| day.start_of_day().map(|zoned| zoned.timestamp()).ok();
        let today = first(now.clone());
        let end = now.timestamp() + 1.second();
        let hours = today.into_iter().flat_map(|today| {
            (0..26_i64)
                .map(move |hour| today + hour.hours())
                .take_while(move |time| *time < end)
        });
        let days = (0..DAYS)
            .rev()
            .filter_map(|ago| first(now.checked_sub(ago.days()).ok()?));
        Self {
            hours: hours.chain([end]).collect(),
            days: days.chain([end]).collect(),
        }
    }
}

/// What is shown.
pub struct Lately {
    parts: Parts,
    pub growth: GrowthLine,
    /// Runs of the last day that did not end as completed, the newest first, and whether there are more.
    runs: Vec<Run>,
}

impl Lately {
    pub async fn of(visitor: &Visitor) -> Result<Self, Refused> {
        let now = clock::now();
        let parts = Parts::until(&now.to_zoned(TimeZone::system()));
        let before = parts.hours.iter().chain(&parts.days).copied().collect();
        let filter = RunFilter {
            since: Some(now - 24.hours()),
            troubled: true,
            ..RunFilter::default()
        };
        let runs = Request::Protocols {
            newest: Some(RUNS + 1),
            filter,
            before: None,
        };
        let (growth, runs) = futures_util::join!(visitor.ask(Request::Growth { before }), visitor.ask(runs));
        let growth = growth?.into_iter().find_map(|reply| match reply {
            Reply::Growth(line) => Some(*line),
            _ => None,
        });
        let runs = runs?.into_iter().filter_map(|reply| match reply {
            Reply::Run(run) => Some(*run),
            _ => None,
        });
        Ok(Self {
            parts,
            growth: growth.ok_or_else(cut)?,
            runs: runs.collect(),
        })
    }

    /// What came in, as charts.
    pub fn charts(&self, face: &Face) -> Markup {
        let g = texts(face);
        let (hours, days) = (&self.parts.hours, &self.parts.days);
        let (by_hour, by_day) = self
            .growth
            .archived
            .split_at(hours.len().min(self.growth.archived.len()));
        let hours = counted(face, hours, by_hour, words::hour);
        let days = counted(face, days, by_day, |time| words::day(face.look.language, time));
        let all = |bars: &[Bar]| words::messages(face.look.language, bars.iter().map(|bar| bar.height).sum());
        html! {
            section aria-labelledby="lately" {
                h2 #lately { (g.lately) }
                div.charts {
                    (bars("today", g.today, &all(&hours), [g.hour, g.messages], g.as_table, &hours))
                    (bars("month", g.days_title, &all(&days), [g.day, g.messages], g.as_table, &days))
                    (self.sizes(face))
                }
            }
        }
    }

    fn sizes(&self, face: &Face) -> Markup {
        let (g, language) = (texts(face), face.look.language);
        let sizes = &self.growth.sizes;
        let shown = &sizes[sizes.len().saturating_sub(DAYS as usize)..];
        let shown: Vec<_> = shown
            .iter()
            .map(|size| Bar {
                of: words::day(language, size.at),
                height: size.stored_bytes,
                words: words::bytes(language, size.stored_bytes),
            })
            .collect();
        html! {
            @if let (true, Some(last)) = (shown.len() > 1, shown.last()) {
                (bars("sizes", g.size_title, &last.words, [g.day, g.size], g.as_table, &shown))
            }
        }
    }

    /// By how much the archive grew, in words.
    pub fn grown(&self, face: &Face, line: &ApplianceLine) -> Markup {
        let (g, language) = (texts(face), face.look.language);
        let grown = grown(&self.growth.sizes, line.stored_bytes, clock::now());
        html! {
            @match grown {
                Some((bytes, seconds)) => {
                    @if bytes < 0 { "−" } (words::bytes(language, bytes.unsigned_abs())) " " (g.within) " " (words::seconds(language, seconds))
                }
                None => (g.not_known_yet)
            }
        }
    }

    /// What went wrong in the last day.
    pub fn troubles(&self, face: &Face) -> Markup {
        let (t, g) = (face.t(), texts(face));
        html! {
            section aria-labelledby="last-day" {
                h2 #last-day { (g.last_day) }
                @if self.runs.is_empty() { p.nothing { (g.nothing_wrong) } } @else {
                    ul.plain {
                        @for run in self.runs.iter().take(RUNS) {
                            li {
                                span.state.(words::state_kind(run.state)) { (words::state(face.look.language, run.state)) }
                                span {
                                    a href={ "/console/runs/" (run.run) } { (t.run) " " (run.run) } ", " bdi { (run.profile) } ", " (moment(face, run.started_at))
                                    @if let Some(error) = run.errors.first() { ": " (said(face, &error.said())) }
                                }
                            }
                        }
                    }
                    @if self.runs.len() > RUNS { p { a href="/console/runs" { (g.more_runs) } } }
                }
            }
        }
    }

    /// That the archive should be backed up, where that is so.
    pub fn backup_trouble(&self, face: &Face, line: &ApplianceLine) -> Option<String> {
        let first = self.growth.sizes.first().map(|size| size.at);
        let said = match (&line.backup, first) {
            (Some(backup), _) if is_old(backup.ended_at) => texts(face).backup_is_old,
            (None, Some(first)) if is_old(first) && line.messages > 0 => texts(face).never_backed_up,
            _ => return None,
        };
        Some(said.to_owned())
    }
}

/// How many there were between each two of these times.
fn counted(face: &Face, times: &[Timestamp], before: &[u64], name: impl Fn(Timestamp) -> String) -> Vec<Bar> {
    let bars = times.iter().zip(before.windows(2)).map(|(time, before)| {
        let many = before[1].saturating_sub(before[0]);
        Bar {
            of: name(*time),
            height: many,
            words: words::number(face.look.language, many),
        }
    });
    bars.collect()
}

/// By how many bytes it grew, and within how many seconds: since a month ago, or since it is known.
fn grown(sizes: &[SizeLine], stored: u64, now: Timestamp) -> Option<(i64, u64)> {
    let age = |size: &SizeLine| now.as_second() - size.at.as_second();
    let from = sizes
        .iter()
        .rev()
        .find(|size| age(size) >= DAYS * 24 * 3600)
        .or(sizes.first());
    let from = from.filter(|size| age(size) >= 23 * 3600)?;
    let signed = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    Some((signed(stored) - signed(from.stored_bytes), age(from).unsigned_abs()))
}

fn is_old(time: Timestamp) -> bool {
    clock::now().as_second() - time.as_second() > OLD
}

/// When the last backup was made, in a line.
pub fn backed_up(face: &Face, backup: Option<&BackupLine>) -> Markup {
    let (g, language) = (texts(face), face.look.language);
    html! {
        @if let Some(backup) = backup {
            @let age = clock::now().as_second() - backup.ended_at.as_second();
            (moment(face, backup.ended_at)) " (" (words::seconds(language, u64::try_from(age).unwrap_or(0))) ")"
        } @else { (g.no_backup) }
    }
}

/// What the page of the store says of backups.
pub fn backup_card(face: &Face, line: &ApplianceLine) -> Markup {
    let (g, language) = (texts(face), face.look.language);
    html! {
        section.card aria-labelledby="backup" {
            h2 #backup { (g.backup) }
            dl.figures {
                (figure(g.last_backup, backed_up(face, line.backup.as_ref())))
                @if let Some(backup) = &line.backup {
                    (figure(g.backup_in, html! { bdi { (backup.to) } }))
                    (figure(g.backup_messages, html! { (words::number(language, backup.messages)) }))
                }
            }
            @if let Some(backup) = line.backup.as_ref().filter(|backup| backup.damaged > 0) {
                (notice("bad", html! { p { (words::number(language, backup.damaged)) " " (g.backup_damaged) } }))
            }
            p.hint { (g.backup_means) " " code { "dropkeep backup DIR" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zoned(text: &str) -> Zoned {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_has_as_many_hours_as_its_clocks_say() {
        let parts = Parts::until(&zoned("2026-03-29T23:30:00+02:00[Europe/Berlin]"));
        assert_eq!(
            (parts.hours.len(), parts.days.len()),
            (24, 31),
            "an hour less, and the end"
        );
        let longer = Parts::until(&zoned("2026-10-25T23:30:00+01:00[Europe/Berlin]"));
        assert_eq!(longer.hours.len(), 26);
        assert!(longer.hours.is_sorted() && longer.days.is_sorted());
        let first = Parts::until(&zoned("2026-03-01T00:00:00+01:00[Europe/Berlin]"));
        assert_eq!(first.hours.len(), 2);
    }

    #[test]
    fn growth_is_that_of_a_month_or_of_what_is_known() {
        let now = zoned("2026-03-29T23:30:00+00:00[UTC]").timestamp();
        let size = |days_ago: i64, stored_bytes| SizeLine {
            at: now - (days_ago * 24).hours(),
            messages: 0,
            raw_bytes: 0,
            stored_bytes,
        };
        assert_eq!(grown(&[], 5, now), None);
        assert_eq!(grown(&[size(0, 3)], 5, now), None);
        assert_eq!(grown(&[size(2, 3)], 5, now), Some((2, 2 * 86_400)));
        let sizes = [size(40, 1), size(31, 9), size(3, 8)];
        assert_eq!(grown(&sizes, 5, now), Some((-4, 31 * 86_400)));
    }
}
