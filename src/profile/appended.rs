//! Whether nearly every message ends its header with an envelope field that does not count there; and the notice about
//! it, of a run and of its rehearsal. Pure.

use crate::{
    config,
    said::{Said, said},
};

/// The notice is given from this many messages on, and if this share of them is so.
const LEAST: u64 = 10;
const PERCENT: u64 = 90;

/// Where a hoster appends the envelope, copies for Bcc recipients go as duplicates of the others', in silence.
pub(super) fn notice_of_appended(seen: u64, appended: u64, profile: &config::Profile) -> Option<Said> {
    let nearly_all = appended >= LEAST && appended * 100 >= seen * PERCENT;
    nearly_all.then(|| {
        said!(
            EnvelopeAtEnd,
            "the header of {0} of {1} messages ends with an envelope header, where it does not count, and nothing else that \
             your server wrote names anybody: recipients in Bcc are not found. If your server appends it to all mail, write \
             envelope_at = \"end\" in [profile.recipients] of profile {2:?}; `explain` shows the field",
            appended,
            seen,
            profile.name
        )
    })
}

#[cfg(test)]
mod tests {
    use figment::{
        Figment,
        providers::{Format, Toml},
    };

    use super::*;

    #[test]
    fn copies_for_bcc_recipients_were_duplicates_and_nothing_was_said() {
        let text = "name = \"company\"\n[server]\naccess = \"imap\"\nhost = \"x\"\nusername = \"x\"\n";
        let profile = Figment::new().merge(Toml::string(text)).extract().unwrap();
        let said = |seen, appended| notice_of_appended(seen, appended, &profile);
        assert!(said(20, 20).unwrap().contains("envelope_at = \"end\""));
        assert_eq!(said(20, 17), None, "others have none");
        assert_eq!(said(9, 9), None, "too few to say");
        assert_eq!(said(0, 0), None);
    }
}
