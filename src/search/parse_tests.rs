//! Queries, and what is understood of them.

use proptest::prelude::*;

use super::{DEEPEST, LONGEST_QUERY as LONGEST, MOST, parse};

/// Each query, and as what it is understood.
const UNDERSTOOD: [(&str, &str); 59] = [
    ("quarterly report", "quarterly report"),
    ("quarterly AND report", "quarterly report"),
    ("\"quarterly report\"", "\"quarterly report\""),
    ("“quarterly report”", "\"quarterly report\""),
    ("a OR b c", "a OR b c"),
    ("(a OR b) c", "(a OR b) c"),
    ("a (b c)", "a b c"),
    ("a OR (b OR c)", "a OR b OR c"),
    ("a OR (b c)", "a OR b c"),
    ("((a))", "a"),
    ("report -draft", "report NOT draft"),
    ("report NOT draft", "report NOT draft"),
    ("NOT NOT a", "a"),
    ("-(-a)", "a"),
    ("-(a b)", "NOT (a b)"),
    ("-(a OR b)", "NOT (a OR b)"),
    ("-\"a b\"", "NOT \"a b\""),
    ("-from:ada", "NOT from:ada"),
    ("-draft", "NOT draft"),
    ("*", "*"),
    ("or and not", "or and not"),
    ("\"OR\"", "\"OR\""),
    ("report - draft", "report draft"),
    ("black & white", "black white"),
    ("--force", "--force"),
    ("NOT --force", "NOT --force"),
    ("from:ada@example.com", "from:ada@example.com"),
    ("FROM:Ada", "from:Ada"),
    ("from:(ada OR bob)", "from:ada OR from:bob"),
    ("subject:(a \"b c\" -d)", "subject:a subject:\"b c\" NOT subject:d"),
    ("from:((a OR b) c)", "(from:a OR from:b) from:c"),
    ("subject:\"a b\"c", "subject:\"a b\" c"),
    ("foo(bar)", "foo bar"),
    ("auto* fo? in*ner", "auto* fo? in*ner"),
    ("https://example.com/a?b=c&d", "https://example.com/a?b=c&d"),
    ("http://a.example:8080/", "http://a.example:8080/"),
    ("mailto:ada@example.com", "mailto:ada@example.com"),
    ("10:30", "10:30"),
    ("Re: offer", "Re: offer"),
    ("std::string", "std::string"),
    ("C:\\temp", "C:\\temp"),
    ("a:b", "a:b"),
    ("has:attachment has:attachments", "has:attachment has:attachment"),
    ("date:2025", "date:2025"),
    ("date:2025-01..2025-03", "date:2025-01..2025-03"),
    ("date:2025/1/3..", "date:2025-01-03.."),
    ("date:..2025-03-31", "date:..2025-03-31"),
    ("date:2025..2025", "date:2025"),
    ("before:2025-01-31 after:2024", "before:2025-01-31 after:2024"),
    ("newer:30d older:2Y", "newer:30d older:2y"),
    ("larger:1M", "larger:1048576"),
    ("smaller:10k", "smaller:10240"),
    ("larger:1.5MiB smaller:\"2 MB\"", "larger:1572864 smaller:2000000"),
    ("smaller:500", "smaller:500"),
    ("id:42", "id:42"),
    ("message-id:<a.b@c>", "message-id:\"a.b@c\""),
    ("message-id:\"<a(b)@c>\"", "message-id:\"a(b)@c\""),
    ("user:jane user:\"Jane Doe\"", "user:\"jane\" user:\"Jane Doe\""),
    (
        "北京 list:dev.example.org folder:INBOX/2025",
        "北京 list:dev.example.org folder:INBOX/2025",
    ),
];

/// Queries that cannot be understood, where they are wrong, and why.
const WRONG: [(&str, &str, &str); 42] = [
    ("", "", "asks for nothing"),
    ("  ", "  ", "asks for nothing"),
    ("& -", "& -", "asks for nothing"),
    ("-&", "-&", "asks for nothing"),
    ("a (b", "(", "is not closed"),
    ("a) b", ")", "closes none"),
    ("a ()", "()", "ask for nothing"),
    ("(&)", "(&)", "ask for nothing"),
    ("a \"b c", "\"", "is not closed"),
    ("a OR", "OR", "OR stands between"),
    ("OR a", "OR", "OR stands between"),
    ("a OR OR b", "OR", "OR stands between"),
    ("a OR &", "OR", "OR stands between"),
    ("a (OR b)", "OR", "OR stands between"),
    ("AND a", "AND", "AND stands between"),
    ("a AND", "AND", "AND stands between"),
    ("a AND AND b", "AND", "AND stands between"),
    ("a AND OR b", "AND", "AND stands between"),
    ("a NOT", "NOT", "NOT stands before"),
    ("a NOT OR b", "NOT", "NOT stands before"),
    ("(NOT) a", "NOT", "NOT stands before"),
    ("NOT &", "NOT", "NOT stands before"),
    ("-OR", "-OR", "a minus stands before"),
    ("a \"&\"", "\"&\"", "no letter and no digit"),
    ("subject:!", "subject:!", "no letter and no digit"),
    ("a **", "**", "beside them"),
    ("from:*", "from:*", "beside them"),
    ("subject: report", "subject:", "no space before it"),
    ("a form:ada", "form", "did you mean from: ?"),
    ("sender:ada", "sender", "did you mean from: ?"),
    ("in:inbox", "in", "did you mean folder: ?"),
    ("zzzz:1", "zzzz", "no field is named zzzz: quote"),
    ("from:(to:x)", "to", "holds for all"),
    ("date:(2025)", "date", "only fields of text"),
    ("has:wings", "has:wings", "has:attachment"),
    ("date:31.1.2025", "date:31.1.2025", "is not a date"),
    ("date:..", "date:..", "beginning or an end"),
    ("date:2025..2024", "date:2025..2024", "ends before it begins"),
    ("newer:soon", "newer:soon", "is not a length of time"),
    ("larger:big", "larger:big", "is not a size"),
    ("id:x", "id:x", "is not the id"),
    ("user:\"\"", "user:\"\"", "is empty"),
];

#[test]
fn each_query_is_understood() {
    for (text, expected) in UNDERSTOOD {
        let query = parse(text).expect(text);
        assert_eq!(query.to_string(), expected, "{text}");
        assert_eq!(parse(expected), Ok(query), "{text}");
    }
}

#[test]
fn what_is_wrong_is_pointed_at() {
    for (text, at, why) in WRONG {
        let error = parse(text).expect_err(text);
        assert_eq!(&text[error.at.clone()], at, "{text}: {error}");
        assert!(error.why.contains(why), "{text}: {error}");
    }
}

#[test]
fn what_is_too_much_is_refused() {
    let nested = |depth| "(".repeat(depth) + "a" + &")".repeat(depth);
    assert!(parse(&nested(DEEPEST)).is_ok());
    assert!(
        parse(&nested(DEEPEST + 1))
            .unwrap_err()
            .why
            .contains("stand in each other")
    );
    assert!(parse(&"(".repeat(LONGEST)).is_err());
    assert!(parse(&"a ".repeat(MOST)).is_ok());
    assert!(parse(&"a ".repeat(MOST + 1)).unwrap_err().why.contains("more than 500"));
    assert!(parse(&"a".repeat(LONGEST + 1)).unwrap_err().why.contains("longer than"));
    let long = "NOT ".repeat(LONGEST / 4 - 1) + "a";
    assert!(parse(&long).is_ok());
}

const PIECES: [&str; 39] = [
    " ",
    " ",
    " ",
    "a",
    "b*",
    "?",
    "(",
    ")",
    "\"",
    "-",
    "OR",
    "AND",
    "NOT",
    " OR ",
    " NOT ",
    "from:",
    "subject:",
    "date:",
    "2025",
    "2025-01",
    "..",
    "has:",
    "attachment",
    "larger:",
    "1M",
    "id:",
    "message-id:",
    "<x@y>",
    "user:",
    "newer:",
    "3d",
    "://",
    "//",
    ":",
    "é",
    "北京",
    "\u{301}",
    "\u{201c}",
    "*",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_query_as_text_means_the_same(pieces in prop::collection::vec(0..PIECES.len(), 0..24)) {
        let text: String = pieces.into_iter().map(|nth| PIECES[nth]).collect();
        same(&text);
    }

    #[test]
    fn any_text_is_a_query_or_an_error(text in any::<String>()) {
        same(&text);
    }
}

fn same(text: &str) {
    match parse(text) {
        Ok(query) => assert_eq!(parse(&query.to_string()), Ok(query), "{text:?}"),
        Err(error) => {
            assert!(text.get(error.at.clone()).is_some(), "{text:?}: {error:?}");
            assert!(!error.in_words(text).is_empty());
        }
    }
}

#[test]
fn a_word_of_a_field_that_begins_like_a_path_came_out_as_a_url() {
    let query = parse("from:(ada //m)").unwrap();
    assert_eq!(query.to_string(), "from:ada from:(//m)");
    same("from:(ada //m)");
}
