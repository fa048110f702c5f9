//! What a file, or the manifest beside it, says of a message.

use std::sync::Arc;

use crate::said::Said;

/// What is known of a message beside what stands in it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Aside {
    /// What is to be said of it, though it can be archived.
    pub remark: Option<Said>,
    /// It is not the message that its export noted.
    pub is_altered: bool,
    /// Who has it.
    pub holder: Option<Holder>,
}

/// Who has a message, by the manifest of an export.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holder {
    /// The user's name.
    pub user: Arc<str>,
    /// The header that decided it.
    pub why: Arc<str>,
}

impl Aside {
    pub fn remark(remark: Said) -> Option<Box<Self>> {
        let remark = Some(remark);
        Some(Box::new(Self {
            remark,
            ..Self::default()
        }))
    }
}
