//! What a configuration that was read anew asks of a supervisor.

use actix::Message;

use crate::{config, profile::task::Stages, token::Login};

/// From a configuration that was read anew: what the profile is from its next run on.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Reconfigure {
    pub config: config::Profile,
    /// `None` where it logs in as before: a token that the disk did not take is known there alone.
    pub login: Option<Login>,
    pub stages: Stages,
}

/// From a configuration that has the profile no more, once no run goes on: end.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Leave;
