//! The ledger of an archive that has none: what was there before becomes rows like all others.

use crate::ids::GroupNumber;
use heed::{RoTxn, RwTxn};

use super::{
    catalog::Catalog,
    ledger::{Changed, Filings, Group, LedgerRow, NO_CHAIN},
    rows::{Message, MessageId, Seconds, UserId},
};

/// Messages, and about how many filings, that one row has of what was there before there was a ledger.
const MESSAGES_A_ROW: u64 = 4096;
const FILINGS_A_ROW: usize = 65_536;

/// Writes the ledger of an archive that has none: one row for each stretch of messages. Gives the next group's number.
pub(super) fn take_over(
    catalog: &Catalog,
    txn: &mut RwTxn,
    next_message: MessageId,
    at: Seconds,
) -> heed::Result<GroupNumber> {
    let (mut number, mut chain, mut first) = (GroupNumber(1), NO_CHAIN, MessageId(1));
    while first < next_message {
        let (mut pairs, mut sha256) = (Vec::new(), Vec::new());
        let mut id = first;
        while id < next_message && id.since(first) < MESSAGES_A_ROW && pairs.len() < FILINGS_A_ROW {
            // A damaged row is found by `verify`, and is no reason to leave the archive closed.
            let message = catalog.messages.get(txn, &id).ok().flatten();
            sha256.push(message.as_ref().map_or([0; 32], |message| message.sha256));
            if let Some(message) = message {
                filings_of(catalog, txn, id, &message, &mut pairs)?;
            }
            id = id.next();
        }
        let group = Group {
            at,
            first,
            kept: id.since(first),
            filings: Filings::of(pairs),
            changes: vec![Changed::TakenOver],
        };
        chain = group
            .chain(&chain, number, sha256.into_iter())
            .map_err(|error| heed::Error::Encoding(error.into()))?;
        catalog.ledger.put(txn, &number, &LedgerRow { group, chain })?;
        (number, first) = (number.next(), id);
    }
    Ok(number)
}

/// Who has message `id`.
fn filings_of(
    catalog: &Catalog,
    txn: &RoTxn,
    id: MessageId,
    message: &Message,
    pairs: &mut Vec<(MessageId, UserId)>,
) -> heed::Result<()> {
    let held = (message.identity, UserId::MIN)..=(message.identity, UserId::MAX);
    for row in catalog.held.range(txn, &held)? {
        // As above.
        let Ok(((_, user), kept)) = row else { continue };
        if kept == id
            && catalog
                .filings
                .get(txn, &(user, message.date, id))
                .is_ok_and(|filing| filing.is_some())
        {
            pairs.push((id, user));
        }
    }
    Ok(())
}
