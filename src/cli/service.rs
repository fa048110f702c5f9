//! The service manager: systemd is told when the appliance is ready, how it is, and that it is alive (sd_notify(3)).
//! Where no service manager started it, nothing is said.

use std::{sync::Arc, time::Duration};

use sd_notify::NotifyState;

// A line end would begin another message to systemd.
use crate::{appliance::Appliance, harmless::one_line};

/// All is up, or the configuration is read again. `status` is what `systemctl status` shows.
pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(&one_line(status))]);
}

/// The configuration is being read again; [`ready`] ends that.
pub fn reloading() {
    // When it began, for Type=notify-reload; there is always such a clock.
    let since = NotifyState::monotonic_usec_now().ok();
    let states: Vec<_> = [NotifyState::Reloading].into_iter().chain(since).collect();
    tell(&states);
}

pub fn stopping() {
    let status = NotifyState::Status("stopping: mail already fetched is being committed");
    tell(&[NotifyState::Stopping, status]);
}

pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}

pub fn status(text: &str) {
    tell(&[NotifyState::Status(&one_line(text))]);
}

/// How long systemd waits for [`alive`] before it ends and restarts the appliance (`WatchdogSec=`); `None` where it
/// does not wait for that.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().filter(|within| !within.is_zero())
}

/// Says that the appliance is alive, as long as it is: while somebody does not answer nothing is said, and systemd
/// restarts the appliance.
pub async fn keep_alive(appliance: Arc<Appliance>) {
    let Some(within) = watchdog() else { return };
    // An answer that takes all of its time is still told in half of systemd's.
    let patience = within / 4;
    let mut tick = tokio::time::interval(patience);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        match appliance.heartbeat(patience).await {
            Ok(()) => alive(),
            Err(who) => tracing::error!("{who}; if that lasts, systemd restarts the appliance"),
        }
    }
}

fn tell(states: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager cannot be told how the appliance is");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_cannot_say_anything_else() {
        assert_eq!(one_line("failing\nWATCHDOG=1"), "failing WATCHDOG=1");
    }
}
