//! `archive [PROFILE] --dry-run`: what a run over the whole source would do, in this command's own process. Stores
//! nothing.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{
    ask::{Interrupts, runtime},
    below_counts::{AddressLine, addresses, notices_and_errors},
    given::only_profile,
    output::{Output, grouped, say},
    progress::bar_of,
    remarks,
};
use crate::{
    api::Failure,
    archive::{Store, StoreError},
    config::{Config, Profile, Recipients, Unknown},
    explain::directory,
    profile::{Kept, Rehearsal, SoFar, UnknownAddress, rehearse},
    report::{Omitted, RunState},
    token::Login,
};

pub fn run(config: &Config, name: Option<&str>, json: bool) -> Result<u8, Failure> {
    let profile = only_profile(config, name)?;
    let directory = directory(config)?;
    remarks::warn(&remarks::of_lists(&directory));
    let bar = bar_of("copies");
    let watch = |so_far: SoFar<'_>| {
        bar.set_length(so_far.expected);
        bar.set_position(so_far.done);
    };
    let kept = kept(config, profile)?;
    let rehearsal = runtime()?.block_on(async {
        let mut interrupts = Interrupts::new()?;
        let cancel = CancellationToken::new();
        let most = config.limits.max_message_size.0;
        let login = Login::new(config, profile);
        let rehearsing = rehearse(profile, &login, directory, most, kept.as_ref(), &cancel, &watch);
        tokio::pin!(rehearsing);
        loop {
            tokio::select! {
                rehearsal = &mut rehearsing => return rehearsal.map_err(Failure::from),
                () = interrupts.next() => cancel.cancel(),
            }
        }
    })?;
    bar.finish_and_clear();
    let mut output = Output::new();
    if json {
        output.json(&rehearsal);
    } else {
        print(&mut output, &rehearsal, &profile.recipients);
    }
    output.finish();
    // What came to nothing says so where cron and people look, whatever standard output is for.
    if rehearsal.state == RunState::Failed
        && let Some(error) = rehearsal.errors.last()
    {
        say(&error.error);
    }
    Ok(rehearsal.exit as u8)
}

/// The archive, where there is one.
fn kept(config: &Config, profile: &Profile) -> Result<Option<Kept>, Failure> {
    match Store::open_for_reading(config) {
        Ok(store) => Ok(Some(Kept::new(Arc::new(store), profile)?)),
        Err(StoreError::None { .. } | StoreError::NotMade { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn print(output: &mut Output, rehearsal: &Rehearsal, recipients: &Recipients) {
    // One that looked at nothing has counted nothing.
    if rehearsal.state == RunState::Failed
        && rehearsal.seen == 0
        && let Some(error) = rehearsal.errors.last()
    {
        let (profile, why) = (&rehearsal.profile, &error.error);
        output.line(format!(
            "dry run of profile {profile} failed: {why}; nothing was stored"
        ));
        if !error.what_to_do.is_empty() {
            output.line(format!("  what to do: {}", error.what_to_do));
        }
        return;
    }
    let state = match rehearsal.state {
        RunState::Completed => String::new(),
        state => format!(" ({})", state.as_str().replace('_', " ")),
    };
    output.line(format!(
        "dry run: {} messages read by the rules of profile {}; nothing was stored{state}",
        grouped(rehearsal.seen),
        rehearsal.profile
    ));
    for folder in &rehearsal.folders {
        output.line(format!("  folder {}: {} messages", folder.name, grouped(folder.copies)));
    }
    let mut count = |count: u64, words: &str, always: bool| {
        if count > 0 || always {
            output.line(format!("  {:>10}  {words}", grouped(count)));
        }
    };
    let would = match &recipients.unknown {
        Unknown::Create if recipients.create_limit == 0 => {
            "create_limit = 0, so no user is made; would be filed for @catchall".to_owned()
        }
        Unknown::Catchall => "would be filed for @catchall".to_owned(),
        Unknown::Create => "users would be made for what is local; the rest would be filed for @catchall".to_owned(),
        Unknown::Skip => "would be left where they are".to_owned(),
        Unknown::User(name) => format!("would be filed for {name}"),
    };
    count(rehearsal.archived_before, "archived already", false);
    count(rehearsal.unknown, &format!("without a known address: {would}"), true);
    let no_user = "addresses that would get no user: create_limit is reached";
    count(rehearsal.users_not_created, no_user, false);
    count(rehearsal.too_large, "too large (would be left where they are)", false);
    count(rehearsal.excluded, "excluded (would be left where they are)", false);
    count(rehearsal.failed, "failed", false);
    count(
        rehearsal.would_delete,
        "archived before, and would be deleted on the server",
        false,
    );
    count(rehearsal.reports.believed, "journal reports, believed", false);
    count(rehearsal.reports.untrusted, "journal reports, not believed", false);
    let unreadable = "journal reports that cannot be read whole (filed for @catchall too)";
    count(rehearsal.reports.unreadable, unreadable, false);
    let mut users: Vec<_> = rehearsal.users.iter().collect();
    users.sort_by_key(|(_, copies)| std::cmp::Reverse(**copies));
    for (user, copies) in users {
        output.line(format!("    {user}: {}", grouped(*copies)));
    }
    let listed: Vec<_> = rehearsal.unknown_addresses.iter().map(line).collect();
    let omitted = Omitted {
        addresses: rehearsal.unknown_addresses_omitted,
        messages: rehearsal.unknown_addresses_omitted_messages,
    };
    addresses(output, &listed, omitted);
    notices_and_errors(output, &rehearsal.notices, &rehearsal.errors, rehearsal.errors_omitted);
}

fn line(unknown: &UnknownAddress) -> AddressLine<'_> {
    AddressLine {
        address: unknown.address.as_str(),
        messages: unknown.copies,
        retired_user: unknown.retired_user.as_deref(),
        remark: match (unknown.local, unknown.candidate) {
            (true, _) => "",
            (_, true) => ", perhaps missing from local_domains",
            _ => ", of another domain",
        },
    }
}
