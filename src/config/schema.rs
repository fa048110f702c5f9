//! Which keys there are, in which section, and how each is written: read from the shipped configuration, which shows
//! all of them. Errors are worded by it.

use std::{collections::BTreeMap, sync::LazyLock};

use toml_edit::Value;

/// What `make install` and the package ship, too.
pub(super) const SHIPPED: &str = include_str!("../../config/dropkeep.toml");

/// Keys that hold a secret, each also there with `_file` and `_env`.
const SECRETS: [&str; 4] = ["password", "token", "client_secret", "refresh_token"];
/// Addresses that may have a secret in them.
const ADDRESSES: [&str; 2] = ["url", "token_endpoint"];
/// Tables whose keys are the administrator's.
pub(super) const FREE: [&str; 2] = ["domain_aliases", "profile.server.oauth2.parameters"];
/// A table that the shipped configuration explains at another place.
const SAME: (&str, &str) = ("mail.tls", "profile.server.tls");

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::read(SHIPPED));

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// `[http]`.
    Section,
    /// `[[profile]]`.
    Sections,
    /// `tls = { … }`.
    Inline,
    /// What is like this example.
    Value,
}

#[derive(Clone, Debug)]
pub(super) struct Known {
    pub kind: Kind,
    /// A value of the key; of a section, nothing of use.
    pub example: Value,
}

/// The keys by their dotted paths, without the numbers of profiles and users.
#[derive(Debug, Default)]
pub(super) struct Schema(BTreeMap<String, Known>);

impl Schema {
    pub fn get() -> &'static Self {
        &SCHEMA
    }

    /// What commented lines say, as well as those that are not.
    fn read(text: &str) -> Self {
        let mut schema = Self::default();
        let mut section = String::new();
        for line in text.lines().map(uncommented) {
            if let Some((name, kind)) = header(line) {
                section = name.to_owned();
                schema.add(&section, kind, Value::from(true));
            } else if let Some((key, value)) = entry(line) {
                schema.entry(&join(&section, key), value);
            }
        }
        let (to, from) = SAME;
        let same: Vec<_> = schema
            .below(from)
            .map(|(key, known)| (join(to, key), known.clone()))
            .collect();
        schema.0.extend(same);
        schema
    }

    fn entry(&mut self, path: &str, value: Value) {
        let Some(table) = value.as_inline_table().filter(|_| !FREE.contains(&path)) else {
            if let Some(stem) = path.strip_suffix("_file").filter(|stem| is_secret(stem)) {
                self.add(stem, Kind::Value, Value::from("…"));
                self.add(&format!("{stem}_env"), Kind::Value, Value::from("VARIABLE"));
            }
            let kind = if value.is_inline_table() {
                Kind::Inline
            } else {
                Kind::Value
            };
            return self.add(path, kind, value);
        };
        for (key, value) in table {
            self.add(&join(path, key), Kind::Value, value.clone());
        }
        self.add(path, Kind::Inline, value);
    }

    fn add(&mut self, path: &str, kind: Kind, mut example: Value) {
        example.decor_mut().clear();
        self.0.entry(path.to_owned()).or_insert(Known { kind, example });
    }

    pub fn known(&self, path: &str) -> Option<&Known> {
        self.0.get(path)
    }

    /// The keys of a section.
    pub fn below<'s>(&'s self, section: &'s str) -> impl Iterator<Item = (&'s str, &'s Known)> {
        let inside = move |path: &'s str| match section {
            "" => Some(path),
            _ => path.strip_prefix(section)?.strip_prefix('.'),
        };
        self.0
            .iter()
            .filter_map(move |(path, known)| Some((inside(path)?, known)))
            .filter(|(key, _)| !key.contains('.'))
    }

    /// The sections, and the tables in braces.
    #[cfg(test)]
    pub fn sections(&self) -> impl Iterator<Item = &str> {
        let sections = self.0.iter().filter(|(_, known)| known.kind != Kind::Value);
        sections.map(|(path, _)| path.as_str())
    }

    /// Where a key belongs that is not known in `section`: the places nearest to it, in words. `None` where no section
    /// has such a key.
    pub fn home(&self, section: &str, key: &str) -> Option<String> {
        let places = self.0.keys().filter(|path| parent(path).1 == key);
        let shared = |path: &str| {
            let both = path.split('.').zip(section.split('.'));
            both.take_while(|(one, other)| one == other).count()
        };
        let nearest = places.clone().map(|path| shared(path)).max()?;
        let places: Vec<_> = places
            .filter(|path| shared(path) == nearest)
            .map(|path| self.place(path))
            .collect();
        // Said once for all of them.
        Some(places.join(" or ").replace(" or it belongs below", " or"))
    }

    fn place(&self, path: &str) -> String {
        let (section, key) = parent(path);
        match (&self.0[path].kind, self.0.get(section).map(|known| &known.kind)) {
            (Kind::Section, _) => format!("write [{path}]"),
            (Kind::Sections, _) => format!("write [[{path}]]"),
            (_, None) => "it belongs at the top of the file, before the first [section]".to_owned(),
            (_, Some(Kind::Sections)) => format!("it belongs below [[{section}]]"),
            (_, Some(Kind::Inline)) => {
                let (outer, table) = parent(section);
                format!("write {table} = {{ {key} = {} }} below [{outer}]", self.0[path].example)
            }
            _ => format!("it belongs below [{section}]"),
        }
    }

    /// How to write a key: `host = "mail.example.com"`, or `[profile.server]`.
    pub fn written(&self, path: &str) -> Option<String> {
        let known = self.0.get(path)?;
        let key = parent(path).1;
        Some(match known.kind {
            Kind::Section => format!("[{path}] on a line of its own, and its keys below"),
            Kind::Sections => format!("[[{path}]] on a line of its own, and its keys below"),
            Kind::Inline | Kind::Value => format!("{key} = {}", known.example),
        })
    }

    /// The example of the first key of this name, for a line of which the section is not known.
    pub fn example(&self, key: &str) -> Option<&Value> {
        let mut named = self
            .0
            .iter()
            .filter(|(path, known)| parent(path).1 == key && matches!(known.kind, Kind::Value | Kind::Inline));
        named.next().map(|(_, known)| &known.example)
    }
}

/// Whether what is given under this key must not be shown.
pub(super) fn is_secret(path: &str) -> bool {
    let key = parent(path).1;
    SECRETS.contains(&key) || ADDRESSES.contains(&key) || path.split('.').any(|part| part == "parameters")
}

/// The same of a word that may be a misspelt key.
pub(super) fn may_be_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    let names = ["pass", "secret", "token", "pw", "key", "url", "parameters"];
    names.iter().any(|name| key.contains(name)) && !key.ends_with("_file") && !key.ends_with("_env")
}

pub(super) fn parent(path: &str) -> (&str, &str) {
    path.rsplit_once('.').unwrap_or(("", path))
}

pub(super) fn join(section: &str, key: &str) -> String {
    match section {
        "" => key.to_owned(),
        _ => format!("{section}.{key}"),
    }
}

fn uncommented(line: &str) -> &str {
    line.trim_start_matches('#').trim()
}

/// `[http]` or `[[profile]]`, of known letters alone: prose has brackets, too.
pub(super) fn header(line: &str) -> Option<(&str, Kind)> {
    let inside = line.strip_prefix('[')?.strip_suffix(']')?;
    let (name, kind) = match inside.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(name) => (name, Kind::Sections),
        None => (inside, Kind::Section),
    };
    is_name(name.replace('.', "").as_str()).then_some((name, kind))
}

/// `key = value`, where the value is one.
pub(super) fn entry(line: &str) -> Option<(&str, Value)> {
    let (key, value) = line.split_once('=')?;
    let key = key.trim();
    let named = is_name(key).then(|| value.trim().parse().ok());
    Some((key, named??))
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}
