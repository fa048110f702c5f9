//! The words of a mail about one run. Names, addresses and errors in it are foreign text: each is one line, without
//! anything that steers a reader. Pure.

use std::fmt::Write;

use super::troubles::{Occasion, fails};
use crate::{
    config::ByteSize,
    harmless,
    ids::RunId,
    report::{CopyError, Counts, DELETION, Run, RunState, UnknownAddresses, remedy},
    said::Said,
};

/// Errors, addresses and notices that are shown; the protocol has the rest.
const SHOWN: usize = 20;
/// Characters of one of them.
pub const LINE: usize = 400;
/// Characters of a name in a subject.
const NAME: usize = 60;

/// What a mail says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Words {
    pub subject: String,
    pub body: String,
}

/// Foreign text as part of a line.
pub fn one_line(text: &str, most: usize) -> String {
    let text = harmless::one_line(text);
    let mut chars = text.chars();
    let mut line: String = chars.by_ref().take(most).collect();
    if chars.next().is_some() {
        line.push('…');
    }
    line
}

/// How a run ended, in words.
pub fn state(state: RunState) -> &'static str {
    match state {
        RunState::Running => "is running",
        RunState::Completed => "completed",
        RunState::CompletedWithErrors => "completed with errors",
        RunState::Failed => "failed",
        RunState::Interrupted => "was interrupted",
    }
}

/// The mail about a run; `host` is where dropkeep runs.
pub fn of_run(run: &Run, occasion: &Occasion, host: &str) -> Words {
    let name = one_line(&run.profile, NAME);
    let how = match (occasion, run.import.is_empty()) {
        (Occasion::Over { .. }, _) => "works again",
        (Occasion::Lasts { .. }, _) => match run.state {
            RunState::Failed => "still fails",
            _ => "still has errors",
        },
        (_, false) => match run.state {
            RunState::Completed => "import completed",
            RunState::Interrupted => "import was interrupted",
            _ => "import had errors",
        },
        _ => state(run.state),
    };
    let subject = format!("dropkeep: {name} {how}: {}", summary(run));
    let mut body = String::new();
    // Writing to a String does not fail.
    let _ = write_body(&mut body, run, occasion, host);
    Words { subject, body }
}

fn write_body(body: &mut String, run: &Run, occasion: &Occasion, host: &str) -> std::fmt::Result {
    let what = match run.run {
        RunId(0) => "a run could not begin".to_owned(),
        number => format!("run {number} {}", state(run.state)),
    };
    writeln!(
        body,
        "Profile {} on {}: {what}.\n",
        one_line(&run.profile, LINE),
        one_line(host, LINE)
    )?;
    match occasion {
        Occasion::Always => {}
        Occasion::Begins => writeln!(
            body,
            "This is the first failure. While it lasts, there is one mail a day, and one when it works again.\n"
        )?,
        Occasion::Lasts { since } => writeln!(body, "It has failed since {since}.\n")?,
        Occasion::Over { since } => writeln!(body, "It had failed since {since}.\n")?,
    }
    let owner = run
        .import_user
        .as_ref()
        .map(|user| format!(", for {}", one_line(user, NAME)));
    let owner = owner.unwrap_or_default();
    for path in run.import.iter().take(SHOWN) {
        writeln!(body, "Import of {}{owner}", one_line(path, LINE))?;
    }
    let finished = run.finished_at.map(|time| time.to_string());
    writeln!(
        body,
        "{} to {}",
        run.started_at,
        finished.as_deref().unwrap_or("(not finished)")
    )?;
    write_errors(body, &run.errors, run.errors_omitted)?;
    body.push('\n');
    write_counts(body, &run.counts, false)?;
    write_addresses(body, &run.unknown_addresses)?;
    write_list(body, "Notices", &run.notices)?;
    write_list(body, "Users created", &run.created_users)?;
    if run.run > RunId(0) {
        writeln!(body, "\nThe whole protocol: dropkeep protocols {}", run.run)?;
    }
    Ok(())
}

/// What became of the copies. Outcomes that none had are left out with `briefly`.
pub fn write_counts(body: &mut String, counts: &Counts, briefly: bool) -> std::fmt::Result {
    let fetched = ByteSize(counts.bytes);
    writeln!(body, "{:>10}  copies seen ({fetched} fetched)", counts.seen)?;
    for (count, what, always) in [
        (counts.archived, "archived", true),
        (counts.duplicates, "duplicates", true),
        (counts.skipped, "skipped", true),
        (counts.excluded, "excluded", true),
        (counts.too_large, "too large", true),
        (counts.vanished, "vanished", true),
        (counts.failed, "failed", true),
        (counts.filings, "filings in users' archives", true),
        (counts.unknown, "without a known address", false),
        (
            counts.reopened,
            "fetched anew: the server gave their UIDs or UIDLs to other mail",
            false,
        ),
        (counts.deleted, "deleted on the server", false),
    ] {
        if count > 0 || (always && !briefly) {
            writeln!(body, "{count:>10}  {what}")?;
        }
    }
    Ok(())
}

/// The first errors, and below them what to do about them.
fn write_errors(body: &mut String, errors: &[CopyError], omitted: u64) -> std::fmt::Result {
    if errors.is_empty() {
        return Ok(());
    }
    writeln!(body, "\nWhat went wrong:")?;
    // What ended the run stands last, and must not be hidden by what single copies failed over.
    let (of_the_run, of_copies): (Vec<_>, Vec<_>) = errors.iter().partition(|error| error.copy.is_empty());
    let shown: Vec<&CopyError> = of_the_run.into_iter().chain(of_copies).take(SHOWN).collect();
    for error in &shown {
        writeln!(body, "- {}", of_error(error))?;
    }
    let more = (errors.len() - shown.len()) as u64 + omitted;
    if more > 0 {
        writeln!(body, "- and {more} more")?;
    }
    write_advice(body, &shown)
}

/// What to do about these errors, each thing once.
pub fn write_advice(body: &mut String, errors: &[&CopyError]) -> std::fmt::Result {
    let mut advice: Vec<(&str, Said)> = Vec::new();
    for error in errors.iter().filter(|error| !error.what_to_do.is_empty()) {
        let one = (error.stage.as_str(), Said::from(error.what_to_do.as_str()));
        if !advice.contains(&one) {
            advice.push(one);
        }
    }
    // The error that says it is not among these, or of a version that did not say it.
    for error in errors {
        if !advice.iter().any(|(stage, _)| *stage == error.stage) {
            advice.push((&error.stage, remedy(&error.stage)));
        }
    }
    writeln!(body, "\nWhat to do:")?;
    for (stage, what) in advice {
        writeln!(body, "- {}: {}", one_line(stage, LINE), one_line(&what, LINE))?;
    }
    Ok(())
}

/// What a run came to, in a few words.
fn summary(run: &Run) -> String {
    let mut parts = Vec::new();
    if fails(run)
        && let Some(error) = run.errors.iter().rfind(|error| error.copy.is_empty())
    {
        parts.push(in_short(error).to_owned());
    }
    if run.counts.failed > 0 {
        parts.push(format!("{} of {} messages failed", run.counts.failed, run.counts.seen));
    }
    match (run.counts.archived, run.counts.duplicates) {
        (0, 0) => {}
        (0, 1) => parts.push("1 duplicate".to_owned()),
        (0, duplicates) => parts.push(format!("{duplicates} duplicates")),
        (archived, _) => parts.push(format!("{archived} archived")),
    }
    match (parts.is_empty(), run.state) {
        (true, RunState::Completed) => "nothing new".to_owned(),
        (true, _) => "nothing archived".to_owned(),
        (false, _) => parts.join(", "),
    }
}

/// An error that is no matter of one copy, in a few words.
fn in_short(error: &CopyError) -> &'static str {
    let says = |words: &str| error.error.contains(words);
    match error.stage.as_str() {
        "config" => "wrong configuration",
        "resolve" => "host not found",
        "connect" => "no connection",
        "tls" if says("certificate") => "certificate refused",
        "tls" => "no TLS",
        "greeting" if says("turns the connection away") => "connection refused",
        "greeting" => "no greeting",
        "token" => "no token",
        "login" if says("refuses the login") => "login refused",
        "login" => "login failed",
        "connection" => "connection lost",
        "store" => "the archive cannot be written",
        "run" => "given up",
        "folder" if says("there is no folder") => "folder not found",
        "folder" if says("no folder is left") => "no folder left",
        "folder" => "folder not readable",
        DELETION => "nothing deleted",
        _ => "see its protocol",
    }
}

/// An error in a line: its stage, where it was, and why.
pub fn of_error(error: &CopyError) -> String {
    let place = [error.folder.trim(), error.copy.trim()];
    let place: Vec<_> = place.into_iter().filter(|part| !part.is_empty()).collect();
    let place = match place.is_empty() {
        true => String::new(),
        false => format!("{}: ", place.join(", ")),
    };
    one_line(&format!("{}: {place}{}", error.stage, error.error), LINE)
}

/// Addresses that nobody has, the most frequent first.
pub fn write_addresses(body: &mut String, addresses: &UnknownAddresses) -> std::fmt::Result {
    if addresses.is_empty() {
        return Ok(());
    }
    writeln!(body, "\nAddresses that no user has, most frequent first:")?;
    let messages = |count: u64| if count == 1 { "message" } else { "messages" };
    let (listed, omitted) = addresses.most_frequent(SHOWN);
    for (address, count) in listed {
        let retired = addresses.retired_user(address);
        let retired = retired.map_or_else(String::new, |user| {
            format!(", of {}, who is retired", one_line(user, NAME))
        });
        writeln!(
            body,
            "- {} ({count} {}{retired})",
            one_line(address, LINE),
            messages(count)
        )?;
    }
    if omitted.addresses > 0 {
        let (more, count) = (omitted.addresses, omitted.messages);
        // One message may name many of them.
        writeln!(
            body,
            "- and {more} more (named {})",
            if count == 1 {
                "once".into()
            } else {
                format!("{count} times")
            }
        )?;
    }
    Ok(())
}

/// A list under a heading, where there is something in it.
pub fn write_list(body: &mut String, heading: &str, lines: &[String]) -> std::fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(body, "\n{heading}:")?;
    for line in lines.iter().take(SHOWN) {
        writeln!(body, "- {}", one_line(line, LINE))?;
    }
    if lines.len() > SHOWN {
        writeln!(body, "- and {} more", lines.len() - SHOWN)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn foreign_text_stays_in_its_line() {
        let mut run = Run::begin("x\r\nBcc: everybody@example.com", Timestamp::UNIX_EPOCH);
        run.state = RunState::Failed;
        run.unknown_addresses.count("a@example.com\r\n\r\nFrom: b");
        run.notice("n\u{2028}\u{202e}\u{1b}[2J");
        run.error(
            "INBOX\nUID 1",
            "",
            "connect\r\n",
            "refused\r\n.\r\nMAIL FROM:<a@example.com>",
        );
        let words = of_run(&run, &Occasion::Begins, "host\nname");
        assert!(!words.subject.contains(['\r', '\n']), "{:?}", words.subject);
        let control = |c: char| (c.is_control() && c != '\n') || ['\u{2028}', '\u{202e}'].contains(&c);
        assert!(!words.body.contains(control), "{:?}", words.body);
        for line in ["Bcc: everybody", "From: b", ".", "MAIL FROM"] {
            assert!(!words.body.lines().any(|body| body.starts_with(line)), "{}", words.body);
        }
    }

    #[test]
    fn the_first_errors_are_shown_with_what_to_do() {
        let mut run = Run::begin("company", Timestamp::UNIX_EPOCH);
        run.state = RunState::CompletedWithErrors;
        for number in 0..900 {
            run.counts.count(crate::report::Outcome::Failed);
            run.error("INBOX", format!("UID {number}"), "fetch", "refused ".repeat(1000));
        }
        run.error("", "", "connection", "lost");
        let since = Timestamp::UNIX_EPOCH;
        let words = of_run(&run, &Occasion::Lasts { since }, "host");
        assert_eq!(
            words.subject,
            "dropkeep: company still has errors: connection lost, 900 of 900 messages failed"
        );
        assert!(
            words
                .body
                .contains("- connection: lost\n- fetch: INBOX, UID 0: refused"),
            "{}",
            words.body
        );
        assert!(words.body.contains("- and 881 more\n"), "{}", words.body);
        assert_eq!(words.body.matches(&*remedy("fetch")).count(), 1);
        assert_eq!(words.body.matches(&*remedy("connection")).count(), 1);
        assert!(words.body.len() < 30_000);
    }

    #[test]
    fn a_subject_says_in_a_few_words_how_it_went() {
        let mut run = Run::begin("company", Timestamp::UNIX_EPOCH);
        run.state = RunState::Completed;
        let subject = |run: &Run| of_run(run, &Occasion::Always, "host").subject;
        assert_eq!(subject(&run), "dropkeep: company completed: nothing new");
        run.counts.count(crate::report::Outcome::Archived);
        assert_eq!(subject(&run), "dropkeep: company completed: 1 archived");
        run.state = RunState::Failed;
        run.error("", "", "connection", "the connection was lost");
        assert_eq!(subject(&run), "dropkeep: company failed: connection lost, 1 archived");
        let mut run = Run::begin("company", Timestamp::UNIX_EPOCH);
        run.state = RunState::Failed;
        for (stage, error, short) in [
            (
                "login",
                "mail.example.com refuses the login of all@example.com: no",
                "login refused",
            ),
            (
                "login",
                "the login to mail.example.com was broken off (LOGIN): closed",
                "login failed",
            ),
            (
                "tls",
                "the certificate of mail.example.com is refused: it expired",
                "certificate refused",
            ),
            ("greeting", "no greeting on port 993", "no greeting"),
            ("resolve", "there is no host mail.example.com", "host not found"),
            ("folder", "there is no folder \"Sent Items\"", "folder not found"),
        ] {
            run.errors.clear();
            run.error("", "", stage, error);
            assert_eq!(subject(&run), format!("dropkeep: company failed: {short}"));
        }
    }
}
