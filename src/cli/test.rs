//! `test [PROFILE]`: connects, logs in, looks; stores nothing.

use super::{given::only_profile, interruptible::unless_interrupted, output::Output, remarks};
use crate::{
    api::Failure,
    config::Config,
    explain::directory,
    profile::{NotCounted, Probe, Verdict, probe},
    route::Directory,
};

pub fn run(config: &Config, name: Option<&str>, json: bool) -> Result<u8, Failure> {
    let profile = only_profile(config, name)?;
    // What stands in the way of the store is no reason not to look at the source.
    let directory = directory(config).unwrap_or_else(|_| Directory::of_config(config));
    remarks::warn(&remarks::of_lists(&directory));
    let probe = unless_interrupted(probe(config, profile, directory, None))??;
    let mut output = Output::new();
    if json {
        output.json(&probe);
    } else {
        print(&mut output, &probe);
    }
    output.finish();
    Ok(probe.exit as u8)
}

fn print(output: &mut Output, probe: &Probe) {
    for step in &probe.steps {
        let mark = if step.ok { "ok  " } else { "FAIL" };
        output.line(format!("{mark}  {:<9} {:>6} ms  {}", step.step, step.ms, step.detail));
        if let Some(what_to_do) = &step.what_to_do {
            output.line(format!("      what to do: {what_to_do}"));
        }
    }
    if let Some(tls) = &probe.tls {
        let trusted = if tls.trusted { "trusted" } else { "NOT trusted" };
        output.line(format!("{}, certificate of {}, {trusted}", tls.version(), tls.subject));
        output.line(format!("  issued by {}, valid until {}", tls.issuer, tls.not_after));
        output.line(format!("  {}", tls.fingerprint));
    }
    for warning in &probe.warnings {
        output.line(format!("warning: {warning}"));
    }
    for folder in &probe.folders {
        output.line(format!("folder {}: {} messages", folder.name, folder.messages));
    }
    let looked_at = probe.recipients.as_ref().map_or(0, |recipients| recipients.messages);
    for (name, count) in &probe.envelope_headers {
        output.line(format!("header {name}: on {count} of the {looked_at} newest messages"));
    }
    // What a few senders have put there is no news.
    let often = |seen: &NotCounted| seen.messages * 5 >= looked_at;
    for (name, seen) in probe
        .envelope_headers_not_counted
        .iter()
        .filter(|(_, seen)| often(seen))
    {
        let (messages, why) = (seen.messages, seen.why);
        output.line(format!(
            "header {name} does not count on {messages} of the {looked_at} newest messages: {why}"
        ));
    }
    if let Some(recipients) = &probe.recipients {
        output.line(format!("recipients: {}", recipients.words()));
    }
    match &probe.proposal {
        Some(proposal) if proposal.toml.is_empty() && probe.verdict == Verdict::Works => {
            output.line("the rules fit the newest messages");
        }
        Some(proposal) if !proposal.toml.is_empty() => {
            output.line(
                "proposed rules, from the newest messages; they replace the keys of the same name in the profile:",
            );
            output.line("");
            output.text(&proposal.toml);
            output.line("");
        }
        Some(_) | None => {}
    }
    for doubt in &probe.doubts {
        output.line(format!("doubt: {doubt}"));
    }
    output.line(match probe.verdict {
        Verdict::Works => "the profile works",
        Verdict::Doubtful => {
            "the source can be archived, but it is in doubt whether each message reaches its recipients: see above"
        }
        Verdict::Fails => "the profile does not work",
    });
}
