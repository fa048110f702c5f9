//! `raw ID`: a message's exact bytes.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{ask, output::Output};
use crate::{
    api::{Exit, Failure, Reply, Request},
    config::Config,
    ids::MessageId,
};

pub fn run(config: Config, id: MessageId) -> Result<u8, Failure> {
    let mut output = Output::new();
    let mut broken = None;
    let answered = ask::read(&config, &Request::Raw { id, named: false }, &mut |reply| {
        let Reply::Bytes(stretch) = reply else { return };
        match STANDARD.decode(stretch) {
            Ok(bytes) => output.bytes(&bytes),
            Err(error) => broken = Some(error),
        }
    });
    let whole = output.finish();
    match broken {
        Some(error) => Err(Failure::new(
            Exit::Errors,
            format!(
                "message {id} did not arrive whole from the appliance ({error}); what was written is not all of it"
            ),
        )),
        None if !whole => Err(Failure::new(
            Exit::Errors,
            format!("message {id} was not written whole: standard output was closed, or its disk is full"),
        )),
        None => answered.map(|()| 0),
    }
}
