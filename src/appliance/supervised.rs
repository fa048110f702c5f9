//! A profile of the appliance, and who keeps it running.

use actix::{Actor, Addr};
use jiff::Timestamp;
use tokio::sync::watch;

use crate::{
    clock,
    config::{self, Config},
    profile::{Live, Stages, Standing, Supervisor},
    report::metrics,
    token::Login,
};

/// A profile, from outside.
#[derive(Clone)]
pub struct Supervised {
    pub supervisor: Addr<Supervisor>,
    pub live: watch::Receiver<Live>,
    pub standing: watch::Receiver<Standing>,
    /// Since when it is known.
    pub since: Timestamp,
}

impl Supervised {
    /// `idle`, `running` or `failing`.
    pub fn state(&self) -> &'static str {
        let busy = self.live.borrow().busy;
        self.standing.borrow().state(busy)
    }
}

/// A profile and who keeps it running.
pub fn supervise(
    config: &Config,
    profile: &config::Profile,
    stages: &Stages,
    standing: Standing,
    scheduled: bool,
) -> Supervised {
    let since = clock::now();
    metrics::profile_known(
        &profile.name,
        since.as_second(),
        standing.last_success.map(Timestamp::as_second),
    );
    let login = Login::new(config, profile);
    let supervisor = Supervisor::new(profile.clone(), login, stages.clone(), standing, scheduled);
    let (live, standing) = (supervisor.live(), supervisor.standing());
    Supervised {
        supervisor: supervisor.start(),
        live,
        standing,
        since,
    }
}
