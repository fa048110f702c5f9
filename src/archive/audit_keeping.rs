//! Entries of the audit log are kept as long as the configuration says; and once a day its chain is checked.

use std::time::{Duration, Instant};

use super::{Committer, Store, StoreError, audit::check_audit, order::Tidying};
use crate::{clock, config::Audit, report::metrics};

/// How long after a look the next one comes.
const BETWEEN: Duration = Duration::from_secs(3600);
const BETWEEN_CHECKS: Duration = Duration::from_secs(24 * 3600);
/// Entries removed at a time.
const AT_ONCE: u64 = 5_000;

pub(super) struct AuditKeeping {
    keep: Audit,
    looked: Option<Instant>,
    checked: Option<Instant>,
}

impl AuditKeeping {
    pub fn new(keep: Audit) -> Self {
        Self {
            keep,
            looked: None,
            checked: None,
        }
    }

    /// Checks the log and removes what is kept no longer, where it is time to look. Blocking.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub fn look(&mut self, store: &Store, committer: &Committer, go_on: &dyn Fn() -> bool) -> Result<(), StoreError> {
        if is_due(self.checked, BETWEEN_CHECKS) {
            let check = check_audit(store, &mut |_, _| go_on())?;
            if !go_on() {
                return Ok(());
            }
            metrics::audit_entries(store.audit_mark()?.kept());
            metrics::audit_intact(check.wrong == 0);
            for detail in check.damages {
                tracing::error!(
                    detail,
                    "the audit log is damaged; run `dropkeep audit` and `dropkeep verify`"
                );
            }
            self.checked = Some(Instant::now());
        }
        if is_due(self.looked, BETWEEN) {
            self.forget(store, committer, go_on)?;
            self.looked = Some(Instant::now());
        }
        Ok(())
    }

    fn forget(&self, store: &Store, committer: &Committer, go_on: &dyn Fn() -> bool) -> Result<(), StoreError> {
        let now = clock::now();
        let Some(ends_at) = self.keep.keep.ends_at(now).map(jiff::Timestamp::as_second) else {
            return Ok(());
        };
        while go_on() {
            let page = store.audit_page(0)?;
            let is_old = |at: i64| at < ends_at;
            let old = page
                .iter()
                .take_while(|(_, row)| row.as_ref().is_some_and(|row| is_old(row.entry.at)));
            let old = old.take(AT_ONCE as usize).count();
            let Some((before, _)) = old.checked_sub(1).and_then(|last| page.get(last)) else {
                return Ok(());
            };
            // The last entry stays, however old.
            if committer.tidy(Tidying::ForgetAudit(before + 1))? == 0 {
                return Ok(());
            }
            tracing::info!(before = before + 1, "old entries of the audit log were removed");
        }
        Ok(())
    }
}

fn is_due(last: Option<Instant>, between: Duration) -> bool {
    last.is_none_or(|last| last.elapsed() >= between)
}
