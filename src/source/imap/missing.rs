//! What is said of a folder that is not there: those that are, the ones most like it first. Pure.

use super::{answer::Listed, names};
use crate::said::{Said, said};

/// Folders that an error names.
const SHOWN: usize = 10;
/// Characters of a name that are compared, and shown.
const COMPARED: usize = 100;
/// Names at least this much alike (1: the same) may have been meant.
const ALIKE: f64 = 0.85;

/// Why `wanted`, a name or pattern of `include`, cannot be opened, where these folders are there; `None` where it is
/// one of them.
pub(super) fn why_missing(wanted: &str, there: &[Listed]) -> Option<Said> {
    let readable = |folder: &Listed| names::decode(&folder.raw).unwrap_or_else(|| folder.raw.clone());
    if let Some(folder) = there.iter().find(|folder| readable(folder) == wanted) {
        let below = folder.delimiter.map_or('/', |delimiter| delimiter);
        return (!folder.selectable).then(|| {
            let below = format!("\"{wanted}{below}*\"");
            said!(
                FolderOfFolders,
                "{0} holds no mail, only other folders; {1} means those",
                format!("{wanted:?}"),
                below
            )
        });
    }
    let what = match (is_special_use(wanted), names::has_wildcard(wanted)) {
        (true, _) => said!(NoFolderMarked, "the server marks no folder as {0}", wanted),
        (false, true) => said!(NoFolderMatches, "no folder matches {0:?}", wanted),
        (false, false) => said!(NoFolder, "there is no folder {0:?}", wanted),
    };
    let mut scored: Vec<(f64, String)> = there
        .iter()
        .filter(|folder| folder.selectable)
        .map(|folder| {
            let name = readable(folder);
            (likeness(wanted, &name, folder), name)
        })
        .collect();
    if scored.is_empty() {
        return Some(said!(NoFolderAtAll, "{0}: the server lists no folder at all", what));
    }
    scored.sort_by(|(a, one), (b, other)| {
        b.total_cmp(a)
            .then_with(|| (one != "INBOX", one).cmp(&(other != "INBOX", other)))
    });
    let meant = Some(&scored[0])
        .filter(|(alike, _)| *alike >= ALIKE)
        .map(|(_, name)| shown(name));
    if meant.is_none() {
        // Nothing is near: then an order that people know.
        scored.sort_by_key(|(_, name)| (name != "INBOX", name.clone()));
    }
    let list: Vec<String> = scored.iter().take(SHOWN).map(|(_, name)| shown(name)).collect();
    let (more, list) = (scored.len() - list.len(), Said::quoted(list.join(", ")));
    let list = match more {
        0 => list,
        more => said!(AndMore, "{0} and {1} more", list, more),
    };
    Some(match meant {
        Some(name) => said!(
            DidYouMeanFolder,
            "{0}; did you mean {1}? The server has {2}",
            what,
            name,
            list
        ),
        None => said!(FoldersAre, "{0}. The server has {1}", what, list),
    })
}

fn shown(name: &str) -> String {
    match name.chars().count() > COMPARED {
        true => format!("{:?}…", name.chars().take(COMPARED).collect::<String>()),
        false => format!("{name:?}"),
    }
}

/// How much alike a folder is to what was wanted, from 0 to 1: by its name without case, whatever stands between its
/// parts and before them (some servers have all folders below INBOX), and by what it is for.
fn likeness(wanted: &str, name: &str, folder: &Listed) -> f64 {
    let whole = |text: &str| -> String {
        let text = text.chars().take(COMPARED).flat_map(char::to_lowercase);
        text.map(|c| if ['.', '/', '\\'].contains(&c) { '/' } else { c })
            .filter(|c| !['*', '%'].contains(c))
            .collect()
    };
    let (wanted, name) = (whole(wanted), whole(name));
    let below = |name: &str| name.trim_start_matches("inbox/").trim_matches('/').to_owned();
    let last = |name: &str| name.trim_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
    let special = || {
        let mut uses = folder.attributes.iter().map(|attribute| whole(attribute));
        uses.any(|special| special.trim_matches('/') == last(&wanted))
    };
    if wanted == name {
        1.0
    } else if below(&wanted) == below(&name) {
        0.99
    } else if special() {
        0.98
    } else if last(&wanted) == last(&name) {
        0.97
    } else {
        0.96 * strsim::jaro_winkler(&below(&wanted), &below(&name))
    }
}

/// Whether a pattern is no name, but a special use such as `\Junk`.
pub(super) fn is_special_use(pattern: &str) -> bool {
    pattern.starts_with('\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(raw: &str, delimiter: char, attributes: &[&str]) -> Listed {
        Listed {
            raw: raw.to_owned(),
            delimiter: Some(delimiter),
            selectable: !attributes.contains(&"\\Noselect"),
            attributes: attributes.iter().map(|text| (*text).to_owned()).collect(),
        }
    }

    #[test]
    fn the_folder_that_was_meant_is_named_first() {
        let there = [
            listed("INBOX", '.', &[]),
            listed("INBOX.Archive", '.', &[]),
            listed("INBOX.Archive.2025", '.', &[]),
            listed("INBOX.Gesendet", '.', &["\\Sent"]),
            listed("INBOX.Entw&APw-rfe", '.', &["\\Drafts"]),
            listed("Shared", '.', &["\\Noselect"]),
        ];
        for (wanted, meant) in [
            ("archive", "INBOX.Archive"),
            ("Archive", "INBOX.Archive"),
            ("INBOX/Archive", "INBOX.Archive"),
            ("Archive/2025", "INBOX.Archive.2025"),
            ("Archiv", "INBOX.Archive"),
            ("Sent", "INBOX.Gesendet"),
            ("\\Sent Items", "INBOX"),
            ("Entwürfe", "INBOX.Entwürfe"),
        ] {
            let words = why_missing(wanted, &there).unwrap();
            if wanted.starts_with('\\') {
                assert!(
                    words.contains("marks no folder") && !words.contains("Shared"),
                    "{words}"
                );
                continue;
            }
            assert!(
                words.contains(&format!("did you mean {meant:?}? The server has {meant:?}, ")),
                "{words}"
            );
        }
        let words = why_missing("Quarantine", &there).unwrap();
        assert!(
            words.starts_with("there is no folder \"Quarantine\". The server has \"INBOX\", "),
            "{words}"
        );
        assert_eq!(why_missing("INBOX", &there), None);
        let words = why_missing("Shared", &there).unwrap();
        assert_eq!(
            words,
            "\"Shared\" holds no mail, only other folders; \"Shared.*\" means those"
        );
    }

    #[test]
    fn of_many_folders_few_are_named() {
        let there: Vec<Listed> = (0..5000)
            .map(|n| listed(&format!("Customers/{n:04}"), '/', &[]))
            .collect();
        let words = why_missing("Customers/42", &there).unwrap();
        assert!(words.ends_with(" and 4990 more") && words.len() < 400, "{words}");
        assert!(why_missing("x", &[]).unwrap().contains("lists no folder at all"));
    }
}
