//! What the configuration says of telling.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{Config, Mail, Mailbox, Notify, Schedule, Webhook, When};

#[derive(Default)]
pub struct Settings {
    pub mail: Option<Mail>,
    pub webhook: Option<Webhook>,
    /// All profiles, with what is otherwise for them.
    pub profiles: BTreeMap<String, Notify>,
    /// Those of them that no schedule runs.
    pub by_hand: BTreeSet<String>,
}

impl Settings {
    pub fn new(config: &Config) -> Self {
        let profiles = config.profile.iter();
        let by_hand = profiles.clone().filter(|profile| profile.schedule == Schedule::Manual);
        Self {
            by_hand: by_hand.map(|profile| profile.name.clone()).collect(),
            mail: config.mail.clone(),
            webhook: config.webhook.clone(),
            profiles: profiles
                .map(|profile| (profile.name.clone(), profile.notify.clone()))
                .collect(),
        }
    }

    /// How mail is sent, who gets it of this profile, and when; `None` where nobody ever does.
    pub fn mail_for(&self, profile: &str) -> Option<(&Mail, &[Mailbox], When)> {
        let mail = self.mail.as_ref()?;
        let own = self.profiles.get(profile);
        let to = own.and_then(|own| own.to.as_ref()).unwrap_or(&mail.to);
        let when = own.and_then(|own| own.when).unwrap_or(mail.when);
        (when != When::default()).then_some((mail, to, when))
    }

    /// Who gets mail: each list of them once.
    pub fn recipients(&self) -> Vec<&[Mailbox]> {
        let mut all: Vec<&[Mailbox]> = self.mail.iter().map(|mail| &mail.to[..]).collect();
        for to in self.profiles.values().filter_map(|own| own.to.as_deref()) {
            if !all.contains(&to) {
                all.push(to);
            }
        }
        all
    }
}
