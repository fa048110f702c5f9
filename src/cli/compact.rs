//! `compact`: small blocks are merged now, and not in the quiet hours; `--dry-run` says what room there is.

use indicatif::HumanBytes;
use serde::Serialize;

use super::{
    ask, interruptible,
    output::{Output, grouped},
    progress::bar,
};
use crate::{
    api::{CompactedLine, Exit, Failure, Reply, Request},
    archive::{Absent, StoreError, Survey, SurveyedFile, shrink_catalog, survey},
    config::Config,
};

/// What is printed as JSON.
#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    compacted: CompactedLine,
    /// Bytes by which the catalog's file is smaller.
    catalog_given_back: u64,
}

pub fn run(config: Config, dry_run: bool, json: bool) -> Result<u8, Failure> {
    let mut output = Output::new();
    if dry_run {
        let survey = interruptible::run("survey", interruptible::PERCENT, move |hooks| {
            survey(&interruptible::open_for_reading(&config)?, hooks)
        })?;
        if json {
            output.json(&survey);
        } else {
            print_survey(&mut output, &survey);
        }
        output.finish();
        return Ok(0);
    }
    let shrinking = config.clone();
    let catalog_given_back = interruptible::run("compact", interruptible::BYTES, move |hooks| {
        match shrink_catalog(&shrinking, hooks) {
            Err(StoreError::Full { .. }) => {
                tracing::warn!("not enough space to copy the catalog, so it stays as large as it is");
                Ok(0)
            }
            given_back => given_back,
        }
    })?;
    let bar = bar(&format!("{{spinner}} compact: {}", interruptible::PERCENT));
    let mut ended = None;
    ask::act(
        config,
        Absent::Refused,
        Request::Compact,
        Some(Request::InterruptCompaction),
        &mut |reply| match reply {
            Reply::Compacting { done, expected } => {
                bar.set_length(expected);
                bar.set_position(done);
            }
            Reply::Compacted(compacted) => ended = Some(*compacted),
            _ => {}
        },
    )?;
    bar.finish_and_clear();
    let Some(mut compacted) = ended else {
        let error = "the compaction ended without an answer; this is a bug in dropkeep";
        return Err(Failure::new(Exit::Errors, error));
    };
    compacted.disk_before += catalog_given_back;
    let line = Line {
        compacted,
        catalog_given_back,
    };
    if json {
        output.json(&line);
    } else {
        print(&mut output, &line);
    }
    output.finish();
    match line.compacted.interrupted {
        true => Err(Failure::new(
            Exit::Interrupted,
            "interrupted; what was merged stays merged",
        )),
        false if line.compacted.damaged => Err(Failure::new(
            Exit::Store,
            "damaged mail was left where it is; run `dropkeep verify` to see what",
        )),
        false => Ok(0),
    }
}

fn print(output: &mut Output, line: &Line) {
    let done = &line.compacted;
    output.line(format!(
        "merged: {} messages and parts ({}); removed: {} blocks, {} volumes",
        grouped(done.moved),
        HumanBytes(done.bytes),
        grouped(done.blocks),
        done.volumes
    ));
    output.line(format!(
        "on disk: {} before, {} now; {} of this is free and is used before any file grows",
        HumanBytes(done.disk_before),
        HumanBytes(done.disk_after),
        HumanBytes(done.free_after)
    ));
    if done.left {
        output.line(
            "not everything was merged: another command was reading, it was interrupted, or mail is damaged; \
                run it again later",
        );
    }
}

fn print_survey(output: &mut Output, survey: &Survey) {
    output.line(format!("{} on disk", HumanBytes(survey.disk_bytes)));
    let file = |file: &SurveyedFile| {
        format!(
            "{}, of which {} free",
            HumanBytes(file.bytes),
            HumanBytes(file.free_bytes)
        )
    };
    output.line(format!("catalog  {}", file(&survey.catalog)));
    for volume in &survey.volumes {
        output.line(format!(
            "{:06}   {}; {} blocks, {} of them small; {}: {}",
            volume.number,
            file(&volume.file),
            grouped(volume.blocks),
            grouped(volume.small_blocks),
            volume.state,
            match volume.plan {
                "nothing" => "nothing to do",
                "merge" => "small blocks would be merged",
                _ => "all blocks would be moved, and the file removed",
            }
        ));
    }
}
