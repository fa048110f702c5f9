//! Addresses as the index has them: besides their words, as terms that stand for the whole address, and for its domain and
//! each parent of it.
//!
//! Of `ada@mail.example.com` these are `ada@mail.example.com`, `@mail.example.com` and `@example.com`. A local part is the
//! terms that begin with it and the `@`.

use super::words::{self, words};

/// Bytes of an address or domain at most: of what is longer, there are words only.
const LONGEST: usize = 320;
/// Labels of a domain at most for which its parents are terms.
const LABELS: usize = 16;

/// Terms of a text, each with its position.
pub type AddressTokens = std::vec::IntoIter<(usize, String)>;

/// The words of a text, and the terms for addresses in it, which stand at the position of the address's first word.
pub fn tokens(text: &str) -> AddressTokens {
    let mut tokens = Vec::new();
    let mut addresses = memchr::memchr_iter(b'@', text.as_bytes())
        .map(|at| around(text, at))
        .peekable();
    for (position, word) in words(text).enumerate() {
        while let Some(found) = addresses.next_if(|found| found.from <= word.from) {
            found.terms(|term| tokens.push((position, term)));
        }
        tokens.push((position, word.folded));
    }
    tokens.into_iter()
}

/// The term for a whole address; `None` where it is none, or has more than one `@`.
pub fn whole(address: &str) -> Option<String> {
    let (local, domain) = only(address)?;
    let local = fold_local(local);
    (!local.is_empty()).then(|| local + "@" + &fold_domain(domain))
}

/// The term for the first whole address in a text.
pub fn first(text: &str) -> Option<String> {
    let mut found = memchr::memchr_iter(b'@', text.as_bytes()).map(|at| around(text, at));
    found.find_map(|found| found.whole())
}

/// The term for a domain, given with or without the `@` before it; `None` where it is none.
pub fn domain(domain: &str) -> Option<String> {
    let domain = domain.strip_prefix('@').unwrap_or(domain);
    let (local, domain) = only(&format!("@{domain}")).map(|(local, domain)| (local.to_owned(), fold_domain(domain)))?;
    local.is_empty().then(|| format!("@{domain}"))
}

/// With what the terms begin for a local part, given without the `@` behind it; `None` where it is none.
pub fn local(local: &str) -> Option<String> {
    let is_one = !local.is_empty() && local.len() <= LONGEST && local.chars().all(is_of_local);
    let folded = fold_local(local);
    (is_one && !folded.is_empty()).then(|| folded + "@")
}

/// What is taken for an address around an `@`.
struct Around<'t> {
    /// Where it begins.
    from: usize,
    local: &'t str,
    domain: &'t str,
}

fn around(text: &str, at: usize) -> Around<'_> {
    let before = &text[..at];
    let begins = before
        .char_indices()
        .rev()
        .take_while(|(_, char)| is_of_local(*char))
        .last()
        .map_or(at, |(from, _)| from);
    let local = before[begins..].trim_start_matches(|char: char| !char.is_alphanumeric());
    let behind = &text[at + 1..];
    let ends = behind.find(|char| !is_of_domain(char)).unwrap_or(behind.len());
    let domain = behind[..ends].trim_end_matches(|char: char| !char.is_alphanumeric());
    Around {
        from: at - local.len(),
        local,
        domain,
    }
}

impl Around<'_> {
    /// Neither without a domain, nor too long.
    fn is_one(&self) -> bool {
        !self.domain.is_empty() && self.local.len() + self.domain.len() <= LONGEST
    }

    fn whole(&self) -> Option<String> {
        let is_one = self.is_one() && !self.local.is_empty();
        is_one.then(|| fold_local(self.local) + "@" + &fold_domain(self.domain))
    }

    fn terms(&self, mut term: impl FnMut(String)) {
        let Self { local, domain, .. } = self;
        if !self.is_one() {
            return;
        }
        let (local, domain) = (fold_local(local), fold_domain(domain));
        if !local.is_empty() {
            term(format!("{local}@{domain}"));
        }
        let labels = domain.split('.').count();
        let mut parent = domain.as_str();
        let mut left = labels;
        term(format!("@{parent}"));
        while let Some((_, rest)) = parent.split_once('.') {
            (parent, left) = (rest, left - 1);
            if (2..LABELS).contains(&left) {
                term(format!("@{parent}"));
            }
        }
    }
}

/// Local part and domain of a text that is one address and nothing else.
fn only(text: &str) -> Option<(&str, &str)> {
    let at = memchr::memchr(b'@', text.as_bytes())?;
    let found = around(text, at);
    let is_all = |char: char| !char.is_alphanumeric() && char != '@';
    let (before, behind) = (&text[..found.from], &text[at + 1 + found.domain.len()..]);
    let fits = !found.domain.is_empty() && found.local.len() + found.domain.len() <= LONGEST;
    (fits && before.chars().all(is_all) && behind.chars().all(is_all)).then_some((found.local, found.domain))
}

fn fold_local(local: &str) -> String {
    words::fold_all(local.trim_start_matches(|char: char| !char.is_alphanumeric()))
}

/// In the letters that people read.
fn fold_domain(domain: &str) -> String {
    words::fold_all(&idna::domain_to_unicode(domain).0)
}

fn is_of_local(char: char) -> bool {
    words::is_of_word(char) || words::goes_on(char) || "!#$%&'*+/=?^_`{|}~-.".contains(char)
}

fn is_of_domain(char: char) -> bool {
    words::is_of_word(char) || words::goes_on(char) || "-._".contains(char)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str) -> Vec<String> {
        tokens(text)
            .map(|(position, term)| format!("{position} {term}"))
            .collect()
    }

    #[test]
    fn an_address_is_its_words_and_whole_terms() {
        assert_eq!(
            terms("Ada L. <ada.l@mail.example.com>"),
            [
                "0 ada",
                "1 l",
                "2 ada.l@mail.example.com",
                "2 @mail.example.com",
                "2 @example.com",
                "2 ada",
                "3 l",
                "4 mail",
                "5 example",
                "6 com"
            ]
        );
        assert_eq!(terms("'x'@y"), ["0 x'@y", "0 @y", "0 x", "1 y"]);
        assert_eq!(
            terms("@lists.example.org"),
            [
                "0 @lists.example.org",
                "0 @example.org",
                "0 lists",
                "1 example",
                "2 org"
            ]
        );
        assert_eq!(terms("a @ b"), ["0 a", "1 b"]);
    }

    #[test]
    fn a_query_has_the_terms_of_the_index() {
        let all = terms("<ADA@Bücher.example>");
        for (term, expected) in [
            (whole("ada@xn--bcher-kva.example"), "ada@bucher.example"),
            (whole("Ada@BÜCHER.example."), "ada@bucher.example"),
            (domain("bücher.example"), "@bucher.example"),
            (domain("@xn--bcher-kva.EXAMPLE"), "@bucher.example"),
        ] {
            assert_eq!(term.as_deref(), Some(expected));
            assert!(all.contains(&format!("0 {expected}")), "{expected}: {all:?}");
        }
        let ada = local("ADA").unwrap();
        assert!(all.iter().any(|term| term.starts_with(&format!("0 {ada}"))), "{all:?}");
        assert_eq!(
            (whole("@x.y"), whole("a@b c"), whole("a@b@c"), domain("a@b")),
            (None, None, None, None)
        );
    }

    #[test]
    fn hostile_text_makes_no_more_terms_than_it_has_letters() {
        for text in [
            "a@".repeat(10_000),
            "a.".repeat(10_000) + "@" + &"a.".repeat(10_000),
            "@.".repeat(10_000),
        ] {
            let bytes: usize = tokens(&text).map(|(_, term)| term.len()).sum();
            assert!(bytes <= 20 * text.len(), "{bytes}");
        }
    }
}
