//! What a configuration that was read anew makes of a supervisor and its profile.

use actix::{ActorContext, AsyncContext, Context, Handler, WrapFuture};

use super::{
    Supervisor,
    asked::{Leave, Reconfigure},
};
use crate::{
    clock, config,
    profile::watcher::{Watched, watch},
    report::metrics,
};

impl Handler<Reconfigure> for Supervisor {
    type Result = ();

    fn handle(&mut self, reconfigure: Reconfigure, ctx: &mut Self::Context) {
        self.reconfigured = Some(Box::new(reconfigure));
        if !self.restarting {
            self.take_up_configuration(ctx);
        }
    }
}

impl Handler<Leave> for Supervisor {
    type Result = ();

    fn handle(&mut self, _: Leave, ctx: &mut Self::Context) {
        ctx.stop();
    }
}

impl Supervisor {
    /// What is configured now takes effect between two runs: the profile of the next one is made of it.
    pub(super) fn take_up_configuration(&mut self, ctx: &mut Context<Self>) {
        if self.asked > 0 || self.live.borrow().busy {
            return;
        }
        let Some(reconfigured) = self.reconfigured.take() else {
            return;
        };
        let Reconfigure { config, login, stages } = *reconfigured;
        if config.server != self.config.server {
            // Of another server there is none yet.
            metrics::certificate_expiry(&config.name, 0);
        }
        if config.schedule != self.config.schedule {
            self.cut_short = false;
        }
        let watched_anew = config != self.config || login.is_some();
        if config != self.config {
            let interval = config.interval(clock::now()).filter(|_| self.scheduled);
            self.standing.send_modify(|standing| standing.reconfigured(interval));
            metrics::profile_times(&config.name, interval, config.stall_timeout.0);
        }
        (self.config, self.stages) = (config, stages);
        if let Some(login) = login {
            self.login = login;
        }
        if watched_anew {
            self.watch(ctx);
        }
        self.show(false);
    }

    /// Has the source watched that is archived continuously.
    pub(super) fn watch(&mut self, ctx: &mut Context<Self>) {
        if let Some(watcher) = self.watcher.take() {
            ctx.cancel_future(watcher);
            self.watched = Watched::default();
        }
        let continuous = self.config.schedule == config::Schedule::Continuous;
        if self.scheduled && continuous && self.config.server.access.family() == config::Family::Imap {
            let watch = watch(self.config.clone(), self.login.clone(), self.watched.clone());
            self.watcher = Some(ctx.spawn(watch.into_actor(self)));
        }
    }
}
