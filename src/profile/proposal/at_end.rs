//! An envelope field that stands as the last of the header, where a hoster appends it. Pure.

use super::measure::{NEARLY_ALL, View};
use crate::{
    config::EnvelopeAt,
    profile::evidence::{Envelope, by_frequency},
};

/// The field that a server seems to append.
pub struct AtEnd {
    pub name: usize,
    /// On so many messages, of so many.
    on: usize,
    of: usize,
}

impl AtEnd {
    /// The field that stands last on nearly all messages and names others than the mailbox. Where some lack it, a
    /// sender can write it in place of the server.
    pub fn find(view: &View) -> Option<Self> {
        if view.recipients.envelope_at == EnvelopeAt::End {
            return None;
        }
        let of = view.plain().count();
        let last = view.plain().filter_map(|message| message.last.as_ref());
        let names = by_frequency(last.filter(|field| names_others(view, field)).map(|field| field.name));
        let (name, on) = names.into_iter().next()?;
        (on * 100 >= of * NEARLY_ALL).then_some(Self { name, on, of })
    }

    /// A comment, for the one who knows what the server does: senders could have written them all.
    pub fn comment(&self, names: &[String]) -> String {
        let Self { name, on, of } = self;
        format!(
            "# envelope_at = \"end\"   # only if your server appends {} to all mail, as the last field of the header: there it \
             stands on {on} of {of} messages, and counts only so\n",
            names[*name]
        )
    }
}

/// Whether a field names others than the mailbox.
pub fn names_others(view: &View, field: &Envelope) -> bool {
    field.addresses.iter().any(|address| !view.is_own(address))
}
