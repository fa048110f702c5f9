//! Whether the appliance is ready, and why not.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, PoisonError},
};

/// Whether the appliance is ready: the store open, the supervisors up, nothing closed for writing. At first it is not.
#[derive(Clone)]
pub struct Readiness(Arc<Mutex<Option<Cow<'static, str>>>>);

impl Default for Readiness {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Some("starting".into()))))
    }
}

impl Readiness {
    pub fn ready(&self) {
        self.set(None);
    }

    /// Not ready, for a reason that whoever asks is told: a few words, with nothing in them that is not everybody's.
    pub fn not_ready(&self, why: impl Into<Cow<'static, str>>) {
        self.set(Some(why.into()));
    }

    pub fn is_ready(&self) -> bool {
        self.why_not().is_none()
    }

    /// Why it is not ready; `None` where it is.
    pub fn why_not(&self) -> Option<Cow<'static, str>> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, why_not: Option<Cow<'static, str>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = why_not;
    }
}
