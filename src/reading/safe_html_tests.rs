use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

fn safe(page: &str) -> String {
    super::safe(page, HashMap::from([("logo@x".to_owned(), 2)]))
}

#[test]
fn images_are_named_and_not_loaded() {
    assert_eq!(
        safe("<p><img SRC=\"CID:logo%40x\" alt='a \"b\" <c>' onerror=x><img src=cid:other>"),
        "<p><img data-part=\"2\" alt=\"a &quot;b&quot; &lt;c&gt;\"></p>"
    );
    assert_eq!(
        safe(
            "<img src='https://x.example/?a=1&b=2' src=cid:logo@x width=1><img src=/x><img src=mailto:x><img src=data:x>"
        ),
        "<img data-src=\"https://x.example/?a=1&amp;b=2\" width=\"1\">"
    );
    // Nobody names one by an attribute of ours, or in text.
    assert_eq!(
        safe("<img data-part=2 data-src=https://x><p data-src=\"https://x\"> data-src=\"x"),
        "<p> data-src=&quot;x</p>"
    );
    assert_eq!(safe("<img alt=' data-src=\"x' title=' data-part=\"2'>"), "");
}

#[test]
fn what_is_harmless_stays() {
    let page = "<!DOCTYPE html><html><head><title>t</title><style>p { color: red }</style></head><body bgcolor=white>\
                <p>Dear <b>Jane</b>,<p align=\"center\">a &lt; b &amp; c<br>\
                <a href='https://example.com/?a=1&b=2'>here</a></body></html>";
    assert_eq!(
        safe(page),
        "<p>Dear <b>Jane</b>,</p><p align=\"center\">a &lt; b &amp; c<br><a target=\"_blank\" \
         rel=\"noopener noreferrer nofollow\" href=\"https://example.com/?a=1&amp;b=2\">here</a></p>"
    );
    assert_eq!(
        safe("<table><tr><td>1<td>2<tr><td>3</table>x"),
        "<table><tr><td>1</td><td>2<tr><td>3</td></tr></td></tr></table>x"
    );
    assert_eq!(safe("a</p></div>b"), "ab");
}

#[test]
fn nothing_runs_or_is_loaded() {
    for page in [
        "<script>alert(1)</script>",
        "<SCRIPT SRC=//evil.example></SCRIPT>",
        "<img src=x onerror=alert(1)>",
        "<p onclick=\"alert(1)\" style=\"background: url(//evil.example)\">x",
        "<a href=\"javascript:alert(1)\">x</a>",
        "<a href=\" java\nscript:alert(1)\">x</a>",
        "<a href=\"&#106;avascript:alert(1)\">x</a>",
        "<a href=\"data:text/html,<script>alert(1)</script>\">x</a>",
        "<a href=\"//evil.example\">x</a>",
        "<a href=\"/api/v1/session\">x</a>",
        "<svg><script>alert(1)</script></svg>",
        "<svg><style><img src=x onerror=alert(1)></style></svg>",
        "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
        "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
        "<form action=//evil.example><input name=password></form>",
        "<iframe src=//evil.example></iframe>",
        "<object data=x></object><embed src=x><applet>",
        "<meta http-equiv=refresh content=\"0;url=//evil.example\"><base href=//evil.example><link rel=stylesheet href=x>",
        "<table background=//evil.example><td bgcolor=\"url(x)\">",
        "<!--><img src=x onerror=alert(1)>-->",
        "<p title=\"><img src=x onerror=alert(1)>\">x",
        "<textarea><img src=x onerror=alert(1)></textarea>",
        "<plaintext><img src=x onerror=alert(1)>",
        "<b <script>alert(1)</script>",
        "<p align='\"><img src=x onerror=alert(1)>'>",
    ] {
        is_harmless(&safe(page), page);
    }
}

/// Read again, it has tags and attributes of the lists alone, in their order.
fn is_harmless(html: &str, page: &str) {
    let mut rest = html;
    let mut open = Vec::new();
    while let Some(at) = rest.find('<') {
        assert!(!rest[..at].contains('>'), "{page}: {html}");
        let end = rest[at..].find('>').unwrap_or_else(|| panic!("{page}: {html}"));
        let tag = &rest[at + 1..at + end];
        rest = &rest[at + end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{page}: {html}");
            continue;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(TAGS.contains(&name) || VOID.contains(&name), "{page}: {html}");
        if !VOID.contains(&name) {
            open.push(name);
        }
        let mut attributes = attributes;
        while let Some((attribute, value)) = attributes.split_once("=\"") {
            let (value, more) = value.split_once('"').unwrap();
            let attribute = attribute.trim();
            let others = ["href", "target", "rel", "alt", "data-part", "data-src"];
            let known = ATTRIBUTES.contains(&attribute) || others.contains(&attribute);
            let leads = ["href", "data-src"].contains(&attribute);
            assert!(known && (!leads || leads_somewhere(value)), "{page}: {html}");
            attributes = more;
        }
        assert_eq!(attributes.trim(), "", "{page}: {html}");
    }
    assert!(open.is_empty() && !rest.contains('>'), "{page}: {html}");
}

#[test]
fn a_page_takes_time_and_memory_in_proportion_to_it() {
    for piece in [
        "<div>",
        "<b><p>",
        "<table><tr><td>",
        "</x>",
        "<a href=x>",
        "<p a=b>",
        "<!--",
        "&amp;",
        "<svg>",
    ] {
        let page = piece.repeat((1 << 20) / piece.len());
        let began = Instant::now();
        let html = safe(&page);
        assert!(began.elapsed() < Duration::from_secs(20), "{piece}");
        assert!(html.len() < 30 << 20, "{piece}: {}", html.len());
    }
}

const PIECES: [&str; 24] = [
    "<",
    ">",
    "\"",
    "'",
    "=",
    "/",
    "<!--",
    "-->",
    "<p",
    "<a href=",
    "https://x",
    "javascript:",
    "<script",
    "</script>",
    "<svg>",
    "<style>",
    "</style>",
    "<title>",
    "<textarea>",
    "<plaintext>",
    " onerror=x",
    "&lt;",
    "\0",
    "<td",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn whatever_a_page_is_nothing_else_comes_of_it(pieces in prop::collection::vec(0..PIECES.len(), 0..40)) {
        let page: String = pieces.into_iter().map(|piece| PIECES[piece]).collect();
        is_harmless(&safe(&page), &page);
    }
}
