//! Protocols as CSV, a line a run, for spreadsheets: which take text that begins as a formula does for one.

use std::borrow::Cow;

use super::output::{Output, harmless};
use crate::report::Run;

const COLUMNS: [&str; 34] = [
    "run",
    "profile",
    "state",
    "started_at",
    "finished_at",
    "seen",
    "archived",
    "duplicates",
    "skipped",
    "excluded",
    "too_large",
    "vanished",
    "failed",
    "unknown",
    "filings",
    "deleted",
    "reopened",
    "bytes",
    "journal_reports",
    "untrusted_reports",
    "unreadable_reports",
    "users",
    "created_users",
    "unknown_addresses",
    "notices",
    "errors",
    "first_error_stage",
    "first_error_folder",
    "first_error",
    "import",
    "first_unknown_address",
    "users_not_created",
    "unknown_addresses_omitted",
    "unknown_addresses_omitted_messages",
];

pub fn header(output: &mut Output) {
    record(output, COLUMNS);
}

/// The counts, how many there are of what is listed, the first error, and the most frequent unknown address.
pub fn line(output: &mut Output, run: &Run) {
    let error = run.errors.first();
    let (unknown, omitted) = run.unknown_addresses.as_listed();
    let of_error = |part: fn(&crate::report::CopyError) -> &String| error.map(part).cloned().unwrap_or_default();
    let fields: [String; COLUMNS.len()] = [
        run.run.to_string(),
        run.profile.clone(),
        run.state.as_str().to_owned(),
        run.started_at.to_string(),
        run.finished_at.map(|time| time.to_string()).unwrap_or_default(),
        run.counts.seen.to_string(),
        run.counts.archived.to_string(),
        run.counts.duplicates.to_string(),
        run.counts.skipped.to_string(),
        run.counts.excluded.to_string(),
        run.counts.too_large.to_string(),
        run.counts.vanished.to_string(),
        run.counts.failed.to_string(),
        run.counts.unknown.to_string(),
        run.counts.filings.to_string(),
        run.counts.deleted.to_string(),
        run.counts.reopened.to_string(),
        run.counts.bytes.to_string(),
        run.reports.believed.to_string(),
        run.reports.untrusted.to_string(),
        run.reports.unreadable.to_string(),
        run.users.len().to_string(),
        run.created_users.len().to_string(),
        run.unknown_addresses.addresses().to_string(),
        run.notices.len().to_string(),
        (run.errors.len() as u64 + run.errors_omitted).to_string(),
        of_error(|error| &error.stage),
        of_error(|error| &error.folder),
        of_error(|error| &error.error),
        run.import.join(", "),
        unknown
            .first()
            .map(|(address, _)| (*address).to_owned())
            .unwrap_or_default(),
        run.users_not_created.to_string(),
        omitted.addresses.to_string(),
        omitted.messages.to_string(),
    ];
    record(output, fields.each_ref().map(String::as_str));
}

pub(super) fn record<const N: usize>(output: &mut Output, fields: [&str; N]) {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    let written = writer.write_record(fields.map(|field| harmless_cell(field).into_owned()));
    match written
        .map_err(|error| error.to_string())
        .and_then(|()| writer.into_inner().map_err(|error| error.to_string()))
    {
        Ok(line) => output.bytes(&line),
        Err(error) => tracing::error!(error, "a line does not become CSV; this is a bug in dropkeep"),
    }
}

/// A field as it may reach a terminal and a spreadsheet: an apostrophe before what would be a formula.
fn harmless_cell(field: &str) -> Cow<'_, str> {
    let field = harmless(field);
    match field
        .trim_start()
        .starts_with(['=', '+', '-', '@', '\u{fffd}', '＝', '＋', '－', '＠'])
    {
        true => Cow::Owned(format!("'{field}")),
        false => field,
    }
}

#[test]
fn no_field_is_a_formula() {
    for (field, shown) in [
        ("company", "company"),
        ("a=1", "a=1"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(1)", "'@SUM(1)"),
        (" \t=1", "' \t=1"),
        ("\r=1", "'\u{fffd}=1"),
        ("", ""),
    ] {
        assert_eq!(harmless_cell(field), shown);
    }
}
