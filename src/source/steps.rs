//! The steps by which a session gets connected.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, Instant},
};

use serde::Serialize;
use tokio::sync::mpsc;

use crate::{api::StepLine, net::PeerCertificate, said::Said};

/// The steps of getting connected, in their order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ConnectStep {
    Resolve,
    Connect,
    Tls,
    Greeting,
    /// Getting the access token, if the profile logs in with one. This comes before the server is called.
    Token,
    Login,
}

impl ConnectStep {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Greeting => "greeting",
            Self::Token => "token",
            Self::Login => "login",
        }
    }
}

/// What was done to get connected, for `dropkeep test`: each step that succeeded, with a
/// detail for the reader and how long it took.
#[derive(Default, Debug)]
pub struct Steps {
    pub done: Vec<(ConnectStep, Said, Duration)>,
    /// The certificate that the server showed, also where it was refused.
    pub certificate: Option<PeerCertificate>,
    /// Told each step when it is done; one that has no room for it finds it here.
    pub told: Option<mpsc::Sender<StepLine>>,
    /// Counts the bytes that come from the server, now and as long as the session lasts.
    pub received: Arc<AtomicU64>,
}

impl Steps {
    /// Notes a step that succeeded.
    pub fn did(&mut self, step: ConnectStep, detail: Said, began: Instant) {
        let took = began.elapsed();
        if let Some(told) = &self.told {
            let _ = told.try_send(StepLine::done(step.as_str(), detail.clone(), took));
        }
        self.done.push((step, detail, took));
    }
}
