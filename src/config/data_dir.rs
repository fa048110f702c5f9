//! The data directory of a configuration that is refused: an appliance that started with an earlier one may run there.

use std::{
    fs,
    path::{Path, PathBuf},
};

use toml_edit::ImDocument;

use super::Config;

/// The variable that overrides the file.
const VARIABLE: &str = "DROPKEEP__DATA_DIR";

/// The data directory that `file` names, whatever else is wrong with it. `None` where this cannot be told: the file
/// cannot be read, or what it says of `data_dir` is no text.
pub fn data_dir_of(file: &Path) -> Option<PathBuf> {
    let named = match std::env::var_os(VARIABLE) {
        Some(named) => PathBuf::from(named),
        None => named_in(&String::from_utf8_lossy(&fs::read(file).ok()?))?,
    };
    Some(file.parent().unwrap_or(Path::new("")).join(named))
}

fn named_in(text: &str) -> Option<PathBuf> {
    let parsed = match ImDocument::parse(text) {
        Ok(document) => document.into_mut(),
        // One line with an error does not make the others unreadable.
        Err(_) => top_level(text)?.parse().ok()?,
    };
    match parsed.get("data_dir") {
        Some(item) => item.as_str().map(PathBuf::from),
        None => Some(Config::default().data_dir),
    }
}

/// The line of `data_dir`, which stands before the first table.
fn top_level(text: &str) -> Option<&str> {
    let lines = text.lines().map(str::trim);
    let mut top = lines.take_while(|line| !line.starts_with('['));
    top.find(|line| {
        line.strip_prefix("data_dir")
            .is_some_and(|rest| rest.trim_start().starts_with('='))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_directory_is_read_whatever_else_is_wrong() {
        let named = |text: &str| named_in(text).map(|path| path.display().to_string());
        for (text, expected) in [
            ("data_dir = \"/srv/mail\"\nunknown_key = 1\n", Some("/srv/mail")),
            (
                "host = 127.0.0.1\n  data_dir='/srv/mail' # here\n[http\n",
                Some("/srv/mail"),
            ),
            ("[http]\nlisten = 8080\n", Some("data")),
            ("", Some("data")),
            // What stands in a table is no key of the top level.
            ("nonsense\n[http]\ndata_dir = \"/srv/mail\"\n", None),
            ("nonsense\n", None),
            ("data_dir = /srv/mail\n", None),
            ("data_dir = 7\n", None),
            ("nonsense\ndata_directory = \"/srv/mail\"\n", None),
        ] {
            assert_eq!(named(text).as_deref(), expected, "{text}");
        }
    }
}
