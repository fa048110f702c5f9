//! Answers that are handed out while they are made, in little memory: the bytes of messages, events, lines of CSV.

use std::io;

use actix_web::{HttpResponse, http::header::CONTENT_DISPOSITION};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::door::{Answered, Visit, cut};
use crate::{api::Reply, appliance::Answer, http::Entered};

/// What stands in the name of a file as it is (RFC 8187, 3.2.1).
const ATTRIBUTE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');

/// Bytes that the replies to a request are.
pub struct Bytewise {
    pub kind: &'static str,
    /// The name of the file that a browser makes of it; none of what it shows.
    pub file: Option<String>,
}

impl Bytewise {
    /// The rest of `answer`, which begins with `first`. What fails after the beginning cuts the answer, so that nobody
    /// takes it for whole.
    ///
    /// # Errors
    /// It begins with a failure.
    pub fn answer<L>(self, visit: &mut Visit, first: Option<Reply>, answer: Answer, line: L) -> Answered
    where
        L: FnMut(Reply) -> Result<Option<Bytes>, io::Error> + 'static,
    {
        self.answer_below(None, visit, first, answer, line)
    }

    /// The same below a heading.
    ///
    /// # Errors
    /// As [`answer`](Self::answer).
    pub fn answer_below<L>(
        self,
        heading: Option<Bytes>,
        visit: &mut Visit,
        first: Option<Reply>,
        answer: Answer,
        line: L,
    ) -> Answered
    where
        L: FnMut(Reply) -> Result<Option<Bytes>, io::Error> + 'static,
    {
        let first = first.ok_or_else(cut)?;
        if let Reply::Failed(failure) = first {
            return Err(visit.failed(failure));
        }
        let going_on = GoingOn {
            heading,
            first: Some(first),
            answer,
            line,
            _entered: visit.take_entered(),
        };
        let body = futures_util::stream::unfold(Some(going_on), |going_on| async {
            let mut going_on = going_on?;
            match going_on.next().await {
                Ok(Some(bytes)) => Some((Ok(bytes), Some(going_on))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        });
        let mut response = HttpResponse::Ok();
        response.content_type(self.kind);
        if let Some(file) = self.file {
            let file = utf8_percent_encode(&file, ATTRIBUTE);
            response.insert_header((CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{file}")));
        }
        Ok(response.streaming(body))
    }
}

struct GoingOn<L> {
    heading: Option<Bytes>,
    first: Option<Reply>,
    answer: Answer,
    /// What is sent of a reply.
    line: L,
    _entered: Option<Entered>,
}

impl<L: FnMut(Reply) -> Result<Option<Bytes>, io::Error>> GoingOn<L> {
    /// What is sent next; nothing at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, io::Error> {
        if let Some(heading) = self.heading.take() {
            return Ok(Some(heading));
        }
        loop {
            let reply = match self.first.take() {
                Some(first) => Some(first),
                None => self.answer.next().await,
            };
            match reply {
                Some(Reply::Done) => return Ok(None),
                None => return Err(io::Error::other("the answer was cut")),
                Some(reply) => {
                    if let Some(bytes) = (self.line)(reply)? {
                        return Ok(Some(bytes));
                    }
                }
            }
        }
    }
}

/// The bytes of a message, or of a part of it.
pub fn bytes(reply: Reply) -> Result<Option<Bytes>, io::Error> {
    match reply {
        Reply::Bytes(stretch) => Ok(Some(STANDARD.decode(stretch).map_err(io::Error::other)?.into())),
        Reply::Failed(failure) => Err(io::Error::other(failure.error)),
        _ => Ok(None),
    }
}
