//! How somebody wants to see the pages: language and theme, by their choice, which a cookie keeps, or by what their browser
//! says.

use actix_web::{
    HttpRequest,
    http::{
        Method, Uri,
        header::{ACCEPT_LANGUAGE, REFERER},
    },
};

pub use super::language::Language;
use super::texts::Texts;
use crate::web::shown_cookie;

pub const LANGUAGE: &str = "dropkeep-language";
pub const THEME: &str = "dropkeep-theme";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Theme {
    /// As the browser has it.
    Auto,
    Light,
    Dark,
}

impl Language {
    /// The first that somebody understands who sent this `Accept-Language`, in the order of their weights.
    fn accepted(field: &str) -> Self {
        let mut best = (0.0_f32, Self::English);
        for range in field.split(',').take(20) {
            let (tag, weight) = range.split_once(";q=").unwrap_or((range, "1"));
            let weight: f32 = weight.trim().parse().unwrap_or(0.0);
            if let Some(language) = Self::of_tag(tag)
                && weight > best.0
            {
                best = (weight, language);
            }
        }
        best.1
    }
}

impl Theme {
    pub const ALL: [Self; 3] = [Self::Auto, Self::Light, Self::Dark];

    pub fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.word() == word)
    }
}

/// What a request says about how its answer is to look.
#[derive(Clone, Debug)]
pub struct Look {
    pub language: Language,
    pub theme: Theme,
    /// Path and query, to come back to.
    pub here: String,
}

impl Look {
    pub fn of(request: &HttpRequest) -> Self {
        let accepted = request
            .headers()
            .get(ACCEPT_LANGUAGE)
            .and_then(|field| field.to_str().ok());
        let chosen = shown_cookie(request, LANGUAGE).and_then(Language::of_tag);
        Self {
            language: chosen.unwrap_or_else(|| Language::accepted(accepted.unwrap_or_default())),
            theme: shown_cookie(request, THEME)
                .and_then(Theme::of_word)
                .unwrap_or(Theme::Auto),
            here: here(request),
        }
    }

    pub fn t(&self) -> &'static Texts {
        self.language.texts()
    }
}

/// The page that is asked for; of a form that is sent, the one that has it.
fn here(request: &HttpRequest) -> String {
    let from = request
        .headers()
        .get(REFERER)
        .and_then(|field| field.to_str().ok()?.parse::<Uri>().ok());
    let page = match request.method() == Method::POST {
        true => from.as_ref(),
        false => Some(request.uri()),
    };
    let page = page.and_then(|page| page.path_and_query()).map(|page| page.as_str());
    page.and_then(local).unwrap_or("/console").to_owned()
}

/// The address of a page of ours, where `path` is one: nobody is sent elsewhere by what stands in a link.
pub fn local(path: &str) -> Option<&str> {
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let ours = path == "/console" || path.starts_with("/console/") || path.starts_with("/console?");
    (plain && ours).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_one_that_is_liked_best() {
        for (field, language) in [
            ("", Language::English),
            ("fr", Language::English),
            ("de", Language::German),
            ("de-AT, en;q=0.8", Language::German),
            ("en-GB,de;q=0.9", Language::English),
            ("en;q=0.5, de;q=0.9", Language::German),
            ("fr, de;q=x", Language::English),
        ] {
            assert_eq!(Language::accepted(field), language, "{field}");
        }
    }

    #[test]
    fn nobody_is_sent_elsewhere() {
        for ours in ["/console", "/console/mail?q=a%20b", "/console?x"] {
            assert_eq!(local(ours), Some(ours));
        }
        for other in [
            "",
            "/",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/consolex",
            "/console/\r\nx",
            "/api/v1/me",
        ] {
            assert_eq!(local(other), None, "{other}");
        }
    }
}
