//! Wrong configurations, files and commands, beside the exact answer to each: the tables in tests/commands/answers.
//!
//! A row begins with `= what is wrong`. Then, each on lines of their own:
//!
//! - `- line`: this line of tests/commands/answers/base.toml is gone, and what `+` says stands in its place;
//! - `+ line`: a line of the configuration; at its end, where no line is gone. `+^ line`: at its beginning;
//! - `@ name mode text`: a file beside the configuration, with `\n`, `\r`, `\t`, `\xEF` and the like in its text;
//!   `@ name mode /` is a folder;
//! - `% NAME=value`: a variable;
//! - `$ command`: what is run, in place of `users`; DIR is the folder of the configuration;
//! - `? code`: the exit code, in place of 2;
//! - `> line`: a line on standard error, and with `--check` on standard output; all of them, in this order. DIR is the
//!   folder, ACCOUNT who runs this.
//!
//! ANSWERS=write writes down what the program says now; read what comes of it.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");
const THREADS: usize = 4;

#[derive(Clone, Debug, Default)]
struct Row {
    /// Headings before it.
    heading: Vec<String>,
    title: String,
    gone: Vec<String>,
    added: Vec<String>,
    first: Vec<String>,
    files: Vec<String>,
    variables: Vec<String>,
    command: Option<String>,
    code: i32,
    answer: Vec<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/commands/answers")
}

fn rows(text: &str) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut heading = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if line.starts_with('#') {
            heading.push(line.to_owned());
            continue;
        }
        let (mark, rest) = line.split_once(' ').unwrap_or((line, ""));
        if mark == "=" {
            rows.push(Row {
                heading: std::mem::take(&mut heading),
                title: rest.to_owned(),
                code: 2,
                ..Row::default()
            });
            continue;
        }
        let row = rows.last_mut().expect("a title first");
        match mark {
            "-" => row.gone.push(rest.to_owned()),
            "+" => row.added.push(rest.to_owned()),
            "+^" => row.first.push(rest.to_owned()),
            "@" => row.files.push(rest.to_owned()),
            "%" => row.variables.push(rest.to_owned()),
            "$" => row.command = Some(rest.to_owned()),
            "?" => row.code = rest.parse().expect("a code"),
            ">" => row.answer.push(rest.to_owned()),
            _ => panic!("what is {line:?}?"),
        }
    }
    rows
}

/// `\n` and `\xEF` as the bytes that they stand for.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        match (first, behind) {
            (b'\\', [b'x', digits @ ..]) => {
                let hex = std::str::from_utf8(&digits[..2]).expect("two digits");
                bytes.push(u8::from_str_radix(hex, 16).expect("a byte"));
                rest = &digits[2..];
            }
            (b'\\', [letter, behind @ ..]) => {
                bytes.push(match letter {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    other => *other,
                });
                rest = behind;
            }
            _ => bytes.push(*first),
        }
    }
    bytes
}

fn configuration(row: &Row) -> String {
    let base = fs::read_to_string(folder().join("base.toml")).expect("base.toml");
    let mut added = Some(row.added.clone());
    let mut lines = row.first.clone();
    for line in base.lines() {
        match row.gone.iter().any(|gone| gone == line) {
            true => lines.extend(added.take().unwrap_or_default()),
            false => lines.push(line.to_owned()),
        }
    }
    let gone: usize = base
        .lines()
        .filter(|line| row.gone.iter().any(|gone| gone == line))
        .count();
    assert_eq!(
        gone,
        row.gone.len(),
        "{}: a line that is gone was not there once",
        row.title
    );
    lines.extend(added.unwrap_or_default());
    lines.join("\n") + "\n"
}

/// The exit code, and the lines on standard error with what is this machine's alone taken out of them.
fn asked(row: &Row) -> (i32, Vec<String>) {
    let place = tempfile::tempdir().expect("a folder");
    let dir = place.path().display().to_string();
    let write = |name: &str, bytes: &[u8], mode: u32| {
        let file = place.path().join(name);
        match bytes {
            b"/" => fs::create_dir(&file).expect("a folder"),
            bytes => fs::write(&file, bytes).expect("a file"),
        }
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("its mode");
    };
    write(
        "dropkeep.toml",
        configuration(row).replace("DIR", &dir).as_bytes(),
        0o600,
    );
    write("secret", b"geheim\n", 0o600);
    for file in &row.files {
        let mut parts = file.splitn(3, ' ');
        let mut part = || parts.next().unwrap_or_default();
        let (name, mode) = (part(), u32::from_str_radix(part(), 8).expect("a mode"));
        write(name, &unescaped(part()), mode);
    }
    let command = row.command.as_deref().unwrap_or("--config DIR/dropkeep.toml users");
    let arguments = command
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(|word| word.replace("DIR", &dir));
    let variables = row.variables.iter().filter_map(|variable| variable.split_once('='));
    let output = Command::new(DROPKEEP)
        .args(arguments)
        .current_dir(place.path())
        .env_remove("DROPKEEP_LOG")
        .envs(variables)
        .output()
        .expect("dropkeep");
    let checked = if command.contains("--check") {
        output.stdout
    } else {
        Vec::new()
    };
    let said = String::from_utf8_lossy(&[output.stderr, checked].concat()).replace(&dir, "DIR");
    let said = ["account ", "owner "].iter().fold(said, |said, word| {
        said.replace(
            &format!("{word}{}", dropkeep::account::own()),
            &format!("{word}ACCOUNT"),
        )
    });
    let lines = said.lines().map(str::to_owned).collect();
    (output.status.code().unwrap_or(-1), lines)
}

fn written(row: &Row, code: i32, answer: &[String]) -> String {
    let mut text: String = row.heading.iter().map(|line| format!("{line}\n")).collect();
    text.push_str(if row.heading.is_empty() { "" } else { "\n" });
    text.push_str(&format!("= {}\n", row.title));
    let command: Vec<String> = row.command.iter().cloned().collect();
    let code: Vec<String> = Some(code.to_string()).filter(|code| code != "2").into_iter().collect();
    for (mark, lines) in [
        ("-", &row.gone),
        ("+^", &row.first),
        ("+", &row.added),
        ("@", &row.files),
        ("%", &row.variables),
        ("$", &command),
        ("?", &code),
        (">", &answer.to_vec()),
    ] {
        for line in lines {
            text.push_str(format!("{mark} {line}").trim_end());
            text.push('\n');
        }
    }
    text + "\n"
}

/// Reads a table, asks the program for each of its rows, and gives what is otherwise than it says; how many rows it
/// has.
fn check(table: &str) -> usize {
    let file = folder().join(table);
    let text = fs::read_to_string(&file).expect(table);
    let rows = rows(&text);
    let next = AtomicUsize::new(0);
    let answers = Mutex::new(vec![(0, Vec::new()); rows.len()]);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some((at, row)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, rows.get(at)?)))
                {
                    let answer = asked(row);
                    answers.lock().expect("the answers")[at] = answer;
                }
            });
        }
    });
    let answers = answers.into_inner().expect("the answers");
    if std::env::var("ANSWERS").is_ok_and(|what| what == "write") {
        let all: String = rows
            .iter()
            .zip(&answers)
            .map(|(row, (code, answer))| written(row, *code, answer))
            .collect();
        fs::write(&file, all.trim_end().to_owned() + "\n").expect("the table");
        return rows.len();
    }
    let wrong: Vec<String> = rows
        .iter()
        .zip(&answers)
        // Where dropkeep is installed, there is one.
        .filter(|(row, _)| row.title != "no configuration" || !Path::new("/etc/dropkeep").exists())
        .filter(|(row, (code, answer))| row.code != *code || row.answer != *answer || answer.is_empty() == (*code != 0))
        .map(|(row, (code, answer))| {
            format!(
                "{}instead of\n{}",
                written(row, *code, answer),
                written(row, row.code, &row.answer)
            )
        })
        .collect();
    assert!(wrong.is_empty(), "{table}:\n{}", wrong.join("\n"));
    let hidden = answers
        .iter()
        .flat_map(|(_, answer)| answer)
        .all(|line| !line.contains("geheim"));
    assert!(hidden, "{table}: a secret shows");
    rows.len()
}

#[test]
fn wrong_configurations_are_answered_with_what_to_write() {
    assert!(check("configurations.txt") >= 60);
}

#[test]
fn files_that_cannot_be_used_are_named_with_what_to_do() {
    assert!(check("files.txt") >= 20);
}

#[test]
fn wrong_commands_are_answered_with_those_there_are() {
    assert!(check("commands.txt") >= 15);
}
