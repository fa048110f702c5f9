//! What a form sends, and addresses with a query.

use actix_web::http::{StatusCode, header::CONTENT_TYPE};

use crate::{http::Asked, web::Refused};

/// Fields at most; the largest form of ours has those of a thousand folders.
const MOST: usize = 2000;

/// The fields of a form, or of the query of an address.
#[derive(Clone, Debug, Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// # Errors
    /// The body is not that of a form.
    pub fn of_body(asked: &Asked) -> Result<Self, Refused> {
        let kind = asked
            .request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        Ok(Self::read(&asked.body))
    }

    pub fn of_query(asked: &Asked) -> Self {
        Self::read(asked.request.query_string().as_bytes())
    }

    #[cfg(test)]
    pub fn of<const N: usize>(fields: [(&str, &str); N]) -> Self {
        Self(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }

    fn read(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().take(MOST).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A field without the spaces around it; empty where it is not there.
    pub fn get(&self, name: &str) -> &str {
        self.as_typed(name).trim()
    }

    /// A field as it was typed, as passwords are.
    pub fn as_typed(&self, name: &str) -> &str {
        let field = self.0.iter().find(|(known, _)| known == name);
        field.map_or("", |(_, value)| value)
    }

    /// All fields of this name, as they were sent.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let fields = self.0.iter().filter(move |(known, _)| known == name);
        fields.map(|(_, value)| value.as_str())
    }

    /// The fields whose names begin so, by what goes on behind that, as `get` gives them.
    pub fn under<'f>(&'f self, prefix: &'f str) -> impl Iterator<Item = (&'f str, &'f str)> {
        let named = move |(name, value): &'f (String, String)| Some((name.strip_prefix(prefix)?, value.trim()));
        self.0.iter().filter_map(named)
    }

    /// A field that says something.
    pub fn some(&self, name: &str) -> Option<String> {
        Some(self.get(name))
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
    }
}

/// `path` with those parameters that are not empty.
pub fn link(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let said = parameters.iter().filter(|(_, value)| !value.is_empty());
    query.extend_pairs(said);
    match query.finish().as_str() {
        "" => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

/// A path of segments, each of which is encoded.
pub fn path(segments: &[&str]) -> String {
    let encoded = segments
        .iter()
        .map(|segment| percent_encoding::utf8_percent_encode(segment, percent_encoding::NON_ALPHANUMERIC).to_string());
    let joined: Vec<_> = encoded.collect();
    format!("/console/{}", joined.join("/"))
}

#[test]
fn what_a_form_sends_is_read_and_a_link_says_what_it_is_told() {
    let form = Form::read(b"q=a+%26+b&user=&x=1&x=2&name=%20J%C3%BCrgen%20");
    assert_eq!(
        (form.get("q"), form.get("name"), form.get("none")),
        ("a & b", "Jürgen", "")
    );
    assert_eq!((form.some("user"), form.some("x").as_deref()), (None, Some("1")));
    assert_eq!(
        link("/console/mail", &[("q", "a & b"), ("user", "")]),
        "/console/mail?q=a+%26+b"
    );
    assert_eq!(path(&["people", "a/b c"]), "/console/people/a%2Fb%20c");
}
