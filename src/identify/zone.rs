//! Where in a header our own server writes the envelope: no sender can have written what is there.

use super::{
    address::{first_addresses, is_all_addresses, received_for},
    header::{Field, Header},
    rules::Rules,
    step::{Barred, RECEIVED, Step},
};
use crate::{config::EnvelopeAt, message::Address};

/// What mail stores and clients put behind all that was there: it is not what a server wrote on delivery.
const PUT_BEHIND: [&str; 13] = [
    "Status",
    "X-Status",
    "X-UID",
    "X-UIDL",
    "X-Keywords",
    "X-IMAP",
    "X-IMAPbase",
    "X-Mozilla-Status",
    "X-Mozilla-Status2",
    "X-Mozilla-Keys",
    "Content-Length",
    "Lines",
    "X-getmail-retrieved-from-mailbox",
];

/// The part of a header in which envelope fields count.
pub enum Zone {
    /// Above this place, where the last Received field of ours begins.
    Above(usize),
    /// From this place on to the end.
    From(usize),
    /// The same, for the one recipient whom our server took the message for; where it names another, one address alone.
    ForOne(usize, Option<Address>),
    Nowhere(Barred),
}

impl Zone {
    pub fn of(rules: &Rules, header: &Header) -> Self {
        let mut received = header.all(RECEIVED);
        let topmost = received.next();
        // A message with fewer hops than promised: what is above the topmost is ours all the same.
        let edge = match rules.trusted_received {
            0 => topmost,
            further => received.nth(further - 1).or(topmost),
        };
        match (edge, rules.envelope_at) {
            (None, _) => Self::Nowhere(Barred::NoZone),
            (Some(edge), EnvelopeAt::Top) => Self::Above(edge.start),
            (Some(edge), EnvelopeAt::End) => Self::last(rules, header, edge),
        }
    }

    /// The last field, and those of its name right above it: servers write one for each recipient.
    ///
    /// The one above it can be the sender's own last field, though. Where the server noted `for` whom it took the
    /// message, there was one recipient: then what names that one counts, and where nothing does, the last field alone.
    fn last(rules: &Rules, header: &Header, edge: Field) -> Self {
        let Some((first, last)) = at_end(header) else {
            return Self::Nowhere(Barred::NotLast);
        };
        let Some(one) = received_for(edge.value).map(|one| rules.meant(Step::Received, one)) else {
            return Self::From(first.start);
        };
        // A server that took it for the mailbox itself has nobody else to name.
        if rules.is_own(&one) {
            return Self::ForOne(last.start, None);
        }
        let mut fields = header.fields().skip_while(|field| field.start < first.start);
        match fields.any(|field| field.start <= last.start && only_address(rules, &field).as_ref() == Some(&one)) {
            true => Self::ForOne(first.start, Some(one)),
            false => Self::ForOne(last.start, None),
        }
    }

    /// Why an envelope field does not count.
    pub fn bars(&self, rules: &Rules, field: &Field) -> Option<Barred> {
        let odd = |is_odd: bool| is_odd.then_some(Barred::Odd);
        match self {
            Self::Nowhere(barred) => Some(*barred),
            Self::Above(place) if field.start >= *place => Some(Barred::Below),
            Self::From(place) | Self::ForOne(place, _) if field.start < *place => Some(Barred::NotLast),
            Self::Above(_) | Self::From(_) => odd(!is_all_addresses(field.value)),
            Self::ForOne(_, one) => match only_address(rules, field) {
                Some(address) => odd(one.as_ref().is_some_and(|one| *one != address)),
                None => odd(true),
            },
        }
    }
}

/// The first and the last of the fields of one name with which a header ends; `None` where a server may see another
/// end: at a line that is not a field, wherever it stands, or where it is cut off.
pub fn at_end<'m>(header: &Header<'m>) -> Option<(Field<'m>, Field<'m>)> {
    let mut found: Option<(Field, Field)> = None;
    let (mut end, mut goes_on, mut whole) = (0, false, header.well_ended);
    for field in header.fields() {
        whole &= end == 0 || end == field.start;
        end = field.end;
        if PUT_BEHIND.iter().any(|name| field.is(name)) {
            goes_on = false;
            continue;
        }
        let first = found.filter(|(_, last)| goes_on && last.name.eq_ignore_ascii_case(field.name));
        found = Some((first.map_or(field, |(first, _)| first), field));
        goes_on = true;
    }
    found.filter(|_| whole && end == header.end)
}

/// The address that a field names; `None` where there is anything else in it.
fn only_address(rules: &Rules, field: &Field) -> Option<Address> {
    let mut named = first_addresses(field.value, 2);
    let only = named
        .pop()
        .filter(|_| named.is_empty() && is_all_addresses(field.value))?;
    Some(rules.meant(Step::Envelope, only))
}
