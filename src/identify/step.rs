//! The steps on the way to a message's addresses, and why a field does not count in one.

pub const RECEIVED: &str = "Received";

/// A step on the way to a message's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    Journal,
    Envelope,
    Received,
    Addressees,
    Senders,
}

impl Step {
    /// Those that find recipients, in their order.
    pub const RECIPIENTS: [Self; 4] = [Self::Journal, Self::Envelope, Self::Received, Self::Addressees];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Journal => "journal",
            Self::Envelope => "envelope",
            Self::Received => "received",
            Self::Addressees => "addressees",
            Self::Senders => "senders",
        }
    }
}

/// Why a field does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Barred {
    /// It stands below the trusted zone, where the sender may have written it.
    Below,
    /// There is no Received field, and so no trusted zone.
    NoZone,
    /// A Received field of other people's servers.
    NotOurs,
    /// Several addresses stand behind `for`, of which each may be meant.
    Several,
    /// It is not what stands at the header's end, where alone the profile trusts envelope fields.
    NotLast,
    /// It holds more, or something else, than a server writes.
    Odd,
}

impl Barred {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Below => "it stands below your own server's Received header, where a sender can write anything",
            Self::NoZone => "the message has no Received header, so nothing shows that your own server wrote this one",
            Self::NotOurs => "this Received header is not your own server's",
            Self::Several => "your servers' Received headers name several addresses",
            Self::NotLast => {
                "it is not the last field of a whole header, the only one that envelope_at = \"end\" trusts"
            }
            Self::Odd => {
                "it holds something that is not an address, or more addresses than its server knew: somebody may \
                 have put several into one"
            }
        }
    }
}
