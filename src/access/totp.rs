//! One-time codes (RFC 6238): six digits of HMAC-SHA-1 over the half minute, as all authenticator apps make them; and
//! recovery codes, for whoever lost the app.

use ring::hmac;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::{
    Hidden,
    words::{Digest, NoRandom, base32, digest, random, spelled, typed},
};
use crate::ids::Seconds;

/// Seconds for which a code stands.
const STEP: i64 = 30;
/// Steps by which a clock may be off, to either side.
const OFF: i64 = 1;
const MODULUS: u32 = 1_000_000;
const DIGITS: usize = 6;
/// Bytes of a secret: those of the digest (RFC 4226, 4).
const SECRET: usize = 20;
/// How many recovery codes there are, and the bytes of each.
const RECOVERY_CODES: usize = 10;
const RECOVERY: usize = 10;
const KIND: &str = "dropkeep recovery code 1";

/// What an account needs besides its password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totp {
    secret: Hidden<Vec<u8>>,
    /// Whoever has the account has shown a code. Until then none is asked for.
    pub confirmed: bool,
    /// The step of the last code that was taken: neither it nor an earlier one is taken again.
    last: i64,
    /// Digests of the recovery codes that were not used.
    pub recovery: Vec<Digest>,
}

/// A code that proved to be right, and is used up by this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    Step(i64),
    Recovery(Digest),
}

impl Totp {
    /// With a new secret, which is not confirmed yet.
    ///
    /// # Errors
    /// The machine gives no random numbers.
    pub fn new() -> Result<Self, NoRandom> {
        Ok(Self {
            secret: Hidden(random::<SECRET>()?.to_vec()),
            confirmed: false,
            last: 0,
            recovery: Vec::new(),
        })
    }

    /// What an app is told: the address behind the QR code.
    pub fn address(&self, account: &str) -> String {
        let account: String = form_urlencoded::byte_serialize(account.as_bytes()).collect();
        let account = account.replace('+', "%20");
        format!(
            "otpauth://totp/dropkeep:{account}?secret={}&issuer=dropkeep&algorithm=SHA1&digits={DIGITS}&period={STEP}",
            self.secret()
        )
    }

    /// The secret as it is typed into an app.
    pub fn secret(&self) -> String {
        base32(&self.secret.0)
    }

    /// What a code proves at this time; `None` of a wrong one. Whether it was used before is looked at where it is
    /// used up.
    pub fn proof(&self, code: &str, now: Seconds) -> Option<Proof> {
        let code = typed(code);
        if code.len() == DIGITS && code.bytes().all(|byte| byte.is_ascii_digit()) {
            let step = now.div_euclid(STEP);
            // All are looked at, so that the time taken says nothing.
            let mut right = None;
            for step in step - OFF..=step + OFF {
                if bool::from(self.code(step).as_bytes().ct_eq(code.as_bytes())) {
                    right = Some(Proof::Step(step));
                }
            }
            return right;
        }
        let digest = digest(KIND, code.as_bytes());
        self.recovery.contains(&digest).then_some(Proof::Recovery(digest))
    }

    /// Uses a code up; whether it was still to be used.
    pub fn use_up(&mut self, proof: &Proof) -> bool {
        match proof {
            Proof::Step(step) if *step > self.last => {
                self.last = *step;
                true
            }
            Proof::Step(_) => false,
            Proof::Recovery(digest) => {
                let before = self.recovery.len();
                self.recovery.retain(|kept| kept != digest);
                self.recovery.len() < before
            }
        }
    }

    /// The code that an app shows at this time.
    #[cfg(test)]
    pub fn code_at(&self, now: Seconds) -> String {
        self.code(now.div_euclid(STEP))
    }

    /// The code of a step, by RFC 4226, 5.3.
    fn code(&self, step: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.secret.0);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag[tag.len() - 1] & 15);
        let word = tag[offset..].first_chunk().map_or(0, |word| u32::from_be_bytes(*word));
        format!("{:06}", (word & 0x7fff_ffff) % MODULUS)
    }
}

/// Recovery codes as they are given out, and the digests that are kept.
///
/// # Errors
/// The machine gives no random numbers.
pub fn recovery_codes() -> Result<(Vec<String>, Vec<Digest>), NoRandom> {
    let mut codes = Vec::with_capacity(RECOVERY_CODES);
    for _ in 0..RECOVERY_CODES {
        codes.push(spelled(&random::<RECOVERY>()?));
    }
    let digests = codes.iter().map(|code| digest(KIND, typed(code).as_bytes())).collect();
    Ok((codes, digests))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totp(secret: &[u8]) -> Totp {
        Totp {
            secret: Hidden(secret.to_vec()),
            confirmed: true,
            last: 0,
            recovery: Vec::new(),
        }
    }

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // Its appendix B, the last six of eight digits.
        let totp = totp(b"12345678901234567890");
        for (time, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(totp.proof(code, time), Some(Proof::Step(time / STEP)), "{time}");
            assert_eq!(totp.proof(code, time + 2 * STEP), None, "{time}");
        }
    }

    #[test]
    fn a_code_that_was_used_was_taken_again() {
        let mut totp = totp(b"12345678901234567890");
        let code = totp.code(100);
        let at = |step: i64| totp.proof(&code, step * STEP);
        // A clock may be off by half a minute.
        assert_eq!([99, 100, 101].map(at), [Some(Proof::Step(100)); 3]);
        assert_eq!([98, 102].map(at), [None; 2]);
        let earlier = totp.proof(&totp.code(99), 100 * STEP).unwrap();
        assert!(totp.use_up(&Proof::Step(100)));
        assert!(!totp.use_up(&Proof::Step(100)));
        assert!(!totp.use_up(&earlier), "nor one before it");
        assert!(totp.use_up(&Proof::Step(101)));
    }

    #[test]
    fn a_recovery_code_works_once() {
        let (codes, digests) = recovery_codes().unwrap();
        let mut totp = Totp {
            recovery: digests,
            ..totp(b"x")
        };
        let proof = totp.proof(&codes[3].to_uppercase().replace('-', " "), 0).unwrap();
        assert!(totp.use_up(&proof));
        assert!(!totp.use_up(&proof));
        assert_eq!(totp.proof(&codes[3], 0), None);
        assert!(totp.proof(&codes[4], 0).is_some());
        assert_eq!(totp.proof("aaaa-aaaa-aaaa-aaaa", 0), None);
        assert_eq!(totp.recovery.len(), RECOVERY_CODES - 1);
    }

    #[test]
    fn the_secret_stands_in_the_address_alone() {
        let totp = totp(b"foobar");
        assert_eq!(
            totp.address("jane doe@x"),
            "otpauth://totp/dropkeep:jane%20doe%40x?secret=MZXW6YTBOI&issuer=dropkeep&algorithm=SHA1&digits=6&period=30"
        );
        assert!(!format!("{totp:?}").contains("102"));
    }
}
