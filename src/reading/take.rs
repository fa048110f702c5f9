//! Several messages as one file, made while it is taken.

use std::{
    io::{self, Write},
    ops::ControlFlow,
};

use jiff::{Timestamp, tz::TimeZone};
use roaring::RoaringTreemap;
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions, write::StreamWriter};

use super::{
    message::{Stretches, message},
    search::found_of,
    tell::{End, Tell},
};
use crate::{
    access::Archives,
    api::{Code, Exit, Failure, Taken, TakenForm, Wrong},
    archive::{Message, Retrieval, Store, StoreError},
    formats::{mbox_out::Quoting, names_out},
    identify::Summary,
    ids::{MessageId, Seconds},
    search::Search,
};

/// Messages that are named one by one: all of them stand in the audit log.
const NAMED: usize = 200;
/// Messages of a ZIP, whose names are held until its end.
const OF_ZIP: u64 = 50_000;
/// Messages that could not be read and are named.
const MOST_NAMED: usize = 1000;
/// Bytes of a message in which its subject and its sender are looked for.
const BEGINNING: usize = 64 << 10;
/// The file of a ZIP that names those that could not be read. Its end shows that it is whole.
const NOT_TAKEN: &str = "not taken.txt";

/// Those of a query, or those that are named, in the order in which they were archived.
pub fn take(store: &Store, search: &Search, archives: &Archives, taken: &Taken, tell: &mut Tell) -> Result<(), End> {
    let ids = match &taken.query {
        Some(_) if !taken.ids.is_empty() => {
            return Err(Failure::usage("either a query or messages can be taken, not both").into());
        }
        Some(query) => found_of(store, search, archives, query, taken.user.as_deref())?,
        None => named(store, archives, taken)?,
    };
    if taken.form == TakenForm::Zip && ids.len() > OF_ZIP {
        return Err(Failure::usage(format!(
            "{} messages are too many for a ZIP, which takes {OF_ZIP}: take them as an mbox, or ask for fewer",
            ids.len()
        ))
        .for_that(Wrong::new(Code::TooManyForZip, &[&ids.len(), &OF_ZIP]))
        .into());
    }
    let mut stretches = Stretches::new(tell);
    let mut out = match taken.form {
        TakenForm::Zip => Out::Zip(Box::new(ZipWriter::new_stream(&mut stretches))),
        TakenForm::Mbox => Out::Mbox(&mut stretches),
    };
    let ended = put_all(store, archives, &ids, &mut out).and_then(|damaged| out.end(damaged));
    stretches.end()?;
    Ok(ended?)
}

fn named(store: &Store, archives: &Archives, taken: &Taken) -> Result<RoaringTreemap, Failure> {
    if taken.user.is_some() || taken.ids.is_empty() || taken.ids.len() > NAMED {
        return Err(Failure::usage(format!(
            "a query, with a user or without, or from 1 to {NAMED} messages can be taken"
        )));
    }
    for id in &taken.ids {
        message(store, archives, *id)?;
    }
    Ok(taken.ids.iter().map(|id| id.0).collect())
}

/// Which messages could not be read.
#[derive(Default)]
struct Damaged {
    named: usize,
    lines: String,
    first: Option<StoreError>,
}

/// Puts each message there while it is taken: whoever takes it slowly takes no memory.
fn put_all(store: &Store, archives: &Archives, ids: &RoaringTreemap, out: &mut Out) -> Result<Damaged, Failure> {
    let (mut retrieval, mut damaged) = (Retrieval::new(store), Damaged::default());
    for id in ids.iter().map(MessageId) {
        // It may have been taken away from whoever asks, meanwhile.
        let Some(message) = store.message_for(archives, id)? else {
            continue;
        };
        if out.is_over() {
            break;
        }
        match put(&mut retrieval, id, &message, out) {
            Ok(()) => {}
            Err(Unput::NotRead(why @ StoreError::Damaged { .. })) => damaged.add(id, why),
            Err(Unput::NotRead(error)) => return Err(error.into()),
            Err(Unput::Cut(failure)) => return Err(failure),
        }
    }
    Ok(damaged)
}

/// Why a message is not in the file.
enum Unput {
    /// And nothing of it is.
    NotRead(StoreError),
    /// Only its beginning is.
    Cut(Failure),
}

fn put(retrieval: &mut Retrieval, id: MessageId, message: &Message, out: &mut Out) -> Result<(), Unput> {
    let first = retrieval.beginning(id, message, BEGINNING).map_err(Unput::NotRead)?;
    let (mut putting, mut not_written) = (None, None);
    let read = retrieval.stream(id, message, &mut |piece| {
        let put = match &mut putting {
            Some(putting) => out.go_on(putting, piece),
            None => out
                .begin(id, message, &first)
                .and_then(|begun| out.go_on(putting.insert(begun), piece)),
        };
        match put {
            Ok(()) if !out.is_over() => ControlFlow::Continue(()),
            put => {
                not_written = put.err();
                ControlFlow::Break(())
            }
        }
    });
    if let Some(error) = not_written {
        return Err(Unput::Cut(self::not_written(error)));
    }
    match (read, putting) {
        (Err(error), None) => Err(Unput::NotRead(error)),
        (Err(error), Some(_)) => Err(Unput::Cut(error.into())),
        (Ok(()), begun) => {
            let begun = begun.map_or_else(|| out.begin(id, message, &first), Ok);
            begun
                .and_then(|putting| out.finish(putting))
                .map_err(|error| Unput::Cut(self::not_written(error)))
        }
    }
}

fn not_written(error: io::Error) -> Failure {
    Failure::new(Exit::Errors, format!("the file cannot be made: {error}"))
}

impl Damaged {
    fn add(&mut self, id: MessageId, why: StoreError) {
        match self.named < MOST_NAMED {
            true => self.lines.push_str(&format!("message {id}: {why}\n")),
            false if self.named == MOST_NAMED => self.lines.push_str("and more; `dropkeep verify` names all\n"),
            false => {}
        }
        self.named += 1;
        self.first.get_or_insert(why);
    }
}

/// The file that is made.
enum Out<'o, 't, 'f> {
    Zip(Box<ZipWriter<StreamWriter<&'o mut Stretches<'t, 'f>>>>),
    Mbox(&'o mut Stretches<'t, 'f>),
}

impl Out<'_, '_, '_> {
    /// Whether nobody takes it any more.
    fn is_over(&self) -> bool {
        match self {
            Self::Zip(zip) => zip.get_ref().is_none_or(|out| out.get_ref().is_over()),
            Self::Mbox(stretches) => stretches.is_over(),
        }
    }

    fn begin(&mut self, id: MessageId, message: &Message, first: &[u8]) -> io::Result<Quoting> {
        match self {
            Self::Zip(zip) => {
                let name = names_out::eml(message.date, &Summary::of(first).subject, id);
                let large = message.size >= u64::from(u32::MAX);
                zip.start_file(name, options(message.date).large_file(large))?;
                Ok(Quoting::default())
            }
            Self::Mbox(stretches) => Quoting::begin(&mut **stretches, first, message.date),
        }
    }

    fn go_on(&mut self, quoting: &mut Quoting, piece: &[u8]) -> io::Result<()> {
        match self {
            Self::Zip(zip) => zip.write_all(piece),
            Self::Mbox(stretches) => quoting.push(&mut **stretches, piece),
        }
    }

    fn finish(&mut self, quoting: Quoting) -> io::Result<()> {
        match self {
            Self::Zip(_) => Ok(()),
            Self::Mbox(stretches) => quoting.end(&mut **stretches),
        }
    }

    /// What could not be read stands in a ZIP. An mbox has no place for it, and is cut.
    fn end(self, damaged: Damaged) -> Result<(), Failure> {
        let Self::Zip(mut zip) = self else {
            return damaged.first.map_or(Ok(()), |why| Err(why.into()));
        };
        let mut end = || {
            if damaged.first.is_some() {
                zip.start_file(NOT_TAKEN, options(0))?;
                zip.write_all(damaged.lines.as_bytes())?;
            }
            Ok::<_, zip::result::ZipError>(())
        };
        let ended = end().and_then(|()| zip.finish().map(drop));
        ended.map_err(|error| not_written(error.into()))
    }
}

fn options(date: Seconds) -> SimpleFileOptions {
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let when = Timestamp::from_second(date).map(|date| date.to_zoned(TimeZone::UTC));
    let when = when.ok().and_then(|when| {
        let parts = [when.month(), when.day(), when.hour(), when.minute(), when.second()].map(i8::cast_unsigned);
        let [month, day, hour, minute, second] = parts;
        DateTime::from_date_and_time(when.year().cast_unsigned(), month, day, hour, minute, second).ok()
    });
    options.last_modified_time(when.unwrap_or_default())
}
