//! A test of what is told about runs.

use tokio::sync::mpsc;

use super::state::Appliance;
use crate::{
    api::{Failure, NoticeLine, Reply},
    notify::trial,
};

impl Appliance {
    pub(super) async fn test_notices(&self, replies: &mpsc::Sender<Reply>) -> Result<(), Failure> {
        let config = self.config();
        if config.mail.is_none() && config.webhook.is_none() {
            return Err(Failure::usage(
                "the configuration has neither [mail] nor [webhook], so nothing can be sent",
            ));
        }
        let _turn = self.turn()?;
        for tried in trial(&config).await {
            let line = NoticeLine {
                kind: tried.kind.to_owned(),
                to: tried.to,
                ok: tried.ok,
                detail: tried.detail,
                ms: tried.ms,
            };
            // Whoever asked may be gone.
            let _ = replies.send(Reply::Noticed(line)).await;
        }
        Ok(())
    }
}
