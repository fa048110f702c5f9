//! The audit log, oldest or newest first, page by page, and whether it is whole.

use super::{
    tell::{End, Tell},
    view,
};
use crate::{
    access::{AccountName, AuditRow},
    api::{AuditEnd, AuditFilter, AuditLine, Exit, Failure, Reply},
    archive::{Store, check_audit},
    ids::Seconds,
};

pub fn audit(store: &Store, filter: &AuditFilter, tell: &mut Tell) -> Result<(), End> {
    let mut asked = Asked {
        filter,
        left: filter.limit.unwrap_or(usize::MAX),
        last: None,
        ended: None,
    };
    let mut end = AuditEnd::default();
    let wrong = if filter.check {
        // All of it is read, whatever is wanted of it.
        let check = check_audit(store, &mut |number, row| {
            asked.take(number, row, tell);
            asked.ended.is_none()
        })?;
        (end.checked, end.damages) = (check.entries, check.damages);
        check.wrong
    } else {
        let mut last = filter.after;
        'pages: loop {
            let page = match filter.newest_first {
                true => store.audit_page_below(last.unwrap_or(u64::MAX))?,
                false => store.audit_page(last.map_or(0, |last| last.saturating_add(1)))?,
            };
            let Some((number, _)) = page.last() else { break };
            last = Some(*number);
            for (number, row) in &page {
                match row {
                    Some(row) => asked.take(*number, row, tell),
                    None => end.damages.push(format!("entry {number} is missing or damaged")),
                }
                if asked.left == 0 || asked.ended.is_some() {
                    break 'pages;
                }
            }
        }
        end.damages.len() as u64
    };
    if let Some(ended) = asked.ended {
        return Err(ended);
    }
    end.next = asked.last.filter(|_| asked.left == 0);
    let first = end.damages.first().cloned();
    tell(Reply::AuditEnd(end))?;
    match first {
        None => Ok(()),
        Some(first) => Err(Failure::new(
            Exit::Store,
            format!(
                "the audit log is damaged: {first}{}; compare it with that of a backup",
                if wrong > 1 {
                    format!(", and {} more", wrong - 1)
                } else {
                    String::new()
                }
            ),
        )
        .into()),
    }
}

struct Asked<'f> {
    filter: &'f AuditFilter,
    /// Lines that may still come.
    left: usize,
    /// The entry that was told last.
    last: Option<u64>,
    ended: Option<End>,
}

impl Asked<'_> {
    fn take(&mut self, number: u64, row: &AuditRow, tell: &mut Tell) {
        if self.left == 0 || self.ended.is_some() || !self.wants(number, row) {
            return;
        }
        self.left -= 1;
        self.last = Some(number);
        self.ended = tell(Reply::Audited(Box::new(line(number, row)))).err();
    }

    fn wants(&self, number: u64, row: &AuditRow) -> bool {
        let Self { filter, .. } = self;
        let second = |time: &jiff::Timestamp| -> Seconds { time.as_second() };
        let entry = &row.entry;
        filter.after.is_none_or(|after| {
            if filter.newest_first {
                number < after
            } else {
                number > after
            }
        }) && filter.since.as_ref().map(second).is_none_or(|since| entry.at >= since)
            && filter.until.as_ref().map(second).is_none_or(|until| entry.at <= until)
            && filter
                .account
                .as_ref()
                .is_none_or(|account| is_same(account, &entry.account))
            && filter.action.as_ref().is_none_or(|action| *action == entry.action)
    }
}

/// Whether two names are of one account: a log-in that was refused is noted by the name as it was typed.
fn is_same(one: &str, other: &str) -> bool {
    match (AccountName::parse(one), AccountName::parse(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one.to_lowercase() == other.to_lowercase(),
    }
}

fn line(number: u64, row: &AuditRow) -> AuditLine {
    let entry = row.entry.clone();
    AuditLine {
        number,
        at: view::time(entry.at),
        account: entry.account,
        address: entry.address,
        action: entry.action,
        object: entry.object,
        outcome: entry.outcome.as_str().to_owned(),
        detail: entry.detail,
        reason: entry.reason,
    }
}
