//! What must hold for identities: their numbers, by which bytes they are found, and who has them.

use heed::RoTxn;

use super::{
    damage::{Damage, Kind},
    near::Facts,
    tables::Check,
    uneven,
    words::Desk,
};
use crate::archive::{
    packings::Digest,
    rows::{IdentityNumber, MessageId, UserId},
};

impl Check<'_> {
    pub(super) fn identity(&mut self, digest: &Digest, number: IdentityNumber, desk: &mut Desk) {
        if number == IdentityNumber(0) {
            desk.damage(self.found("identity number 0 is in use, but is never assigned".into()));
        }
        self.below(number.0, self.counters.identity.0, desk);
        let extent = self.context.extent.counters.as_ref();
        if extent.is_some_and(|counters| number < counters.identity) {
            self.seen.digests.in_table(number, digest);
            if !self.seen.identities.insert(number.0) {
                desk.damage(self.found(format!("identity number {number} stands for two digests")));
            }
        }
    }

    pub(super) fn bytes(
        &mut self,
        txn: &RoTxn,
        (identity, head): (IdentityNumber, [u8; 8]),
        id: MessageId,
        desk: &mut Desk,
    ) -> heed::Result<()> {
        let fits = |message: Facts| message.identity == identity && message.sha256[..8] == head;
        if self.message(txn, id)?.is_some_and(fits) {
            self.seen.by_bytes.insert(id.0);
        } else {
            let detail = format!(
                "a row for identity number {identity} refers to message {id}, which is missing or has another identity"
            );
            desk.damage(self.found(detail).message(id));
        }
        Ok(())
    }

    pub(super) fn held(
        &mut self,
        txn: &RoTxn,
        (identity, user): (IdentityNumber, UserId),
        id: MessageId,
        desk: &mut Desk,
    ) -> heed::Result<()> {
        let mut wrong = |detail: String| {
            let damage = Damage::new(Kind::Held, detail).message(id);
            desk.damage(damage.user(self.context.name(user)));
        };
        let row = || format!("the row of user {user} and identity number {identity}");
        let found = self.near.get(self.catalog, txn, id);
        match &found {
            Err(error) => wrong(format!("held: identity number {identity}, user {user}: {error}")),
            Ok(None) => wrong(format!("{} refers to message {id}, which is missing", row())),
            Ok(Some(message)) if message.identity != identity => {
                wrong(format!("{} refers to message {id}, which has another identity", row()));
            }
            Ok(Some(_)) if !self.context.follows(id) => {}
            Ok(Some(message)) if self.waits(desk) => self.waiting.held((identity, user), id, *message),
            Ok(Some(message)) if !self.adds_up() => {
                let found = uneven::of_held(self.context, self.catalog, txn, (identity, user), (id, message))?;
                found.into_iter().for_each(|damage| desk.damage(damage));
            }
            Ok(Some(_)) => {}
        }
        let message = found.ok().flatten();
        // Where there is none, the user's sums differ, and so the filing is looked at.
        if let (Some(message), true) = (message, self.counts(user, id)) {
            self.seen.balance.in_held(user, id, message.date);
        }
        if self.adds_up() {
            self.sums.add(user, message.map(|message| message.size));
        }
        if !self.knows_user(txn, user)? {
            desk.damage(self.found(format!("{}: the user does not exist", row())).message(id));
        }
        Ok(())
    }
}
