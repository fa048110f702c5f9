//! `index`: how the search index stands; `index rebuild` makes it anew.

use indicatif::HumanBytes;

use super::{
    ask,
    output::{Output, counted, grouped},
    progress::bar_of,
};
use crate::{
    api::{Exit, Failure, IndexLine, Reply, Request},
    archive::Absent,
    config::Config,
};

pub fn run(config: Config, rebuild: bool, json: bool) -> Result<u8, Failure> {
    let (request, interrupt) = match rebuild {
        true => (Request::RebuildIndex, Some(Request::InterruptIndex)),
        false => (Request::Index, None),
    };
    let bar = bar_of("messages");
    let mut stands = None;
    let answered = ask::act(config, Absent::Refused, request, interrupt, &mut |reply| match reply {
        Reply::Indexing { done, expected } => {
            bar.set_length(expected);
            bar.set_position(done);
        }
        Reply::Index(line) => stands = Some(line),
        _ => {}
    });
    bar.finish_and_clear();
    answered?;
    let Some(line) = stands else {
        let error = "there was no answer; this is a bug in dropkeep";
        return Err(Failure::new(Exit::Errors, error));
    };
    let mut output = Output::new();
    match json {
        true => output.json(&line),
        false => lines(&line).into_iter().for_each(|line| output.line(line)),
    }
    output.finish();
    Ok(0)
}

/// How it stands, for people.
pub fn lines(index: &IndexLine) -> Vec<String> {
    let mut lines = Vec::new();
    let why = index.why.as_deref().unwrap_or_default();
    match index.state.as_str() {
        "off" => return vec!["no search index: `enabled` in [search] is false".into()],
        "failing" => lines.push(format!("SEARCH IS BEHIND: {why}; it is tried again")),
        "building" => lines.push(format!(
            "the search index is made anew ({why}): until then, search finds only a part"
        )),
        _ if !why.is_empty() => lines.push(why.to_owned()),
        _ => {}
    }
    lines.push(format!(
        "search: {} of {} found, {} on disk",
        grouped(index.documents),
        counted(index.messages, "message"),
        HumanBytes(index.bytes)
    ));
    if index.behind > 0 && index.state == "waiting" {
        lines.push("the rest is indexed by `dropkeep serve`, or by the next search".into());
    }
    if index.unread > 0 {
        lines.push(format!(
            "{} could not be read, and can be found by date, size and user only: run `dropkeep verify`",
            counted(index.unread, "message")
        ));
    }
    lines
}
