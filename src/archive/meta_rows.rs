//! What `verify` asks of `meta`, which has single values by name: whether somebody reads each of them, and whether it
//! matches its checksum. To whoever reads them, a value whose name was damaged is not there.

use heed::{RoTxn, types};

use super::{
    audit, catalog,
    catalog::{ARCHIVE_KEY, Catalog, IDENTITIES_KEY, NEXT_KEY, SCHEMA_KEY},
    codec::{self, Row},
    copies::{Uidls, Uids},
    ledger::Mark,
    lists_table,
    memo::Memo,
    news,
    packings::{Bytes, Filings, Held, Identities},
    profiles::{self, StoredProfile},
    runs,
    settled::Settled,
};

impl Catalog {
    /// What is wrong with the values of `meta`, in words.
    pub(super) fn faults_of_values(&self, txn: &RoTxn) -> heed::Result<Vec<String>> {
        // Where they cannot be read, that is said of them.
        let volumes = self.counters(txn).map_or(u32::MAX, |counters| counters.volume);
        let mut faults = Vec::new();
        for row in self.meta.remap_types::<types::Bytes, types::Bytes>().iter(txn)? {
            let (name, value) = row?;
            let shown = String::from_utf8_lossy(name);
            if name != SCHEMA_KEY.as_bytes() && !codec::matches(value) {
                faults.push(format!("the catalog's value {shown:?} does not match its checksum"));
            } else if !str::from_utf8(name).is_ok_and(|name| is_read(name, value, volumes)) {
                faults.push(format!(
                    "the catalog has a value {shown:?}, which nobody reads: its name is damaged, and a value of another name is \
                     missing"
                ));
            }
        }
        Ok(faults)
    }
}

/// Whether somebody reads the value of this name, in a catalog of so many volumes.
fn is_read(name: &str, value: &[u8], volumes: u32) -> bool {
    let single = [
        SCHEMA_KEY,
        NEXT_KEY,
        ARCHIVE_KEY,
        IDENTITIES_KEY,
        runs::KNOWN_RUNS,
        news::NEWS,
        lists_table::KEY,
        audit::AUDIT,
    ];
    if single.contains(&name) || Memo::ALL.iter().any(|memo| memo.key() == name) || name.starts_with(&Mark::key("")) {
        return true;
    }
    let settled = [
        Settled::<Identities>::is_place,
        Settled::<Bytes>::is_place,
        Settled::<Held>::is_place,
        Settled::<Filings>::is_place,
        Settled::<Uids>::is_place,
        Settled::<Uidls>::is_place,
    ];
    if settled.iter().any(|is_place| is_place(name)) {
        return true;
    }
    if let Some(profile) = name.strip_prefix(profiles::PREFIX) {
        // Its name is among its keys, too.
        let stored = <Row<StoredProfile> as heed::BytesDecode>::bytes_decode(value);
        let keys = stored
            .ok()
            .and_then(|stored| serde_json::from_str::<serde_json::Value>(&stored.keys).ok());
        return keys.is_some_and(|keys| keys["name"].as_str().is_none_or(|own| own == profile));
    }
    let number = name.rsplit(' ').next().and_then(|number| number.parse().ok());
    number.is_some_and(|volume| (1..=volumes).contains(&volume) && name == catalog::group_key(volume))
}
