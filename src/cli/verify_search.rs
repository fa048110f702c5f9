//! `verify --search`: whether the search index agrees with the archive.

use super::{
    interruptible,
    output::{Output, counted, grouped},
};
use crate::{
    api::{Exit, Failure},
    config::Config,
    search::{Agreement, Search, SearchError, check},
};

pub fn run(config: &Config, json: bool) -> Result<u8, Failure> {
    if !config.search.enabled {
        return Err(Failure::usage(
            "there is no search index: `enabled` in [search] is false",
        ));
    }
    let config = config.clone();
    let checked = interruptible::run("verify --search", interruptible::PERCENT, move |hooks| {
        let store = std::sync::Arc::new(interruptible::open_for_reading(&config)?);
        let search = Search::new(store.clone(), config.search.clone());
        // Not an error of the store: it is told apart below.
        let index = search.index();
        Ok(index.and_then(|index| index.map(|index| check(&store, &index, hooks)).transpose()))
    })?;
    let agreement = match checked {
        Ok(Some(agreement)) => agreement,
        Ok(None) => {
            let error = "there is no search index of this archive: `dropkeep index rebuild` makes one";
            return Err(Failure::new(Exit::Store, error));
        }
        Err(error @ SearchError::Damaged { .. }) => {
            return Err(Failure::new(
                Exit::Store,
                format!("{error} by `dropkeep serve`, or by the next search"),
            ));
        }
        Err(error) => return Err(error.into()),
    };
    let mut output = Output::new();
    match json {
        true => output.json(&agreement),
        false => print(&mut output, &agreement),
    }
    output.finish();
    Ok(if agreement.ok { Exit::Done } else { Exit::Store } as u8)
}

fn print(output: &mut Output, agreement: &Agreement) {
    for damage in &agreement.damages {
        match damage.id {
            Some(id) => output.line(format!("message {id}: {}", damage.detail)),
            None => output.line(&damage.detail),
        }
    }
    let damages = agreement.damages.len() as u64 + agreement.damages_omitted;
    let compared = format!(
        "{} compared with {}",
        counted(agreement.messages, "message"),
        counted(agreement.documents, "document")
    );
    output.line(match damages {
        0 => format!("{compared}: the search index agrees with the archive."),
        _ => format!(
            "{compared}: {} found. `dropkeep index rebuild` makes the index anew.",
            counted(damages, "difference")
        ),
    });
    if agreement.behind > 0 {
        output.line(format!(
            "note: {} groups of changes are not in the index yet; what they are about was not compared",
            grouped(agreement.behind)
        ));
    }
}
