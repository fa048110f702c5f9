//! What queries find, for whom.

use std::collections::BTreeSet;

use tantivy::{
    TantivyDocument,
    tokenizer::{PreTokenizedString, Token},
};

use super::*;
use crate::{
    message::Address,
    search::{
        Index, parse,
        schema::{folder_word, message_id},
        words::words,
    },
};

/// A document, as tests write it: fields and their texts.
struct Mail {
    users: &'static [u32],
    date: &'static str,
    size: u64,
    texts: &'static [(&'static str, &'static str)],
}

const MAILS: [Mail; 6] = [
    Mail {
        users: &[1],
        date: "2024-12-31T23:59:59Z",
        size: 1 << 20,
        texts: &[
            ("subject", "Quarterly Report"),
            ("from", "Ada Lovelace <ada@mail.example.com>"),
            ("recipient", "bob@example.com"),
            ("to", "bob@example.com"),
            ("body", "The report of the quarter. See https://example.org/a?b=c"),
            ("filename", "Bilanz 2024.pdf"),
            ("attachment", "Grand total: straße"),
            ("folder", "INBOX"),
            ("list", "dev <dev.lists.example.org> @dev.lists.example.org"),
            ("message-id", "A.b@C"),
            ("sender", "ada@mail.example.com"),
        ],
    },
    Mail {
        users: &[2],
        date: "2025-01-01T00:00:00Z",
        size: (1 << 20) + 1,
        texts: &[
            ("subject", "Report, quarterly"),
            ("from", "Eve <eve@my-example.com>"),
            ("recipient", "john.smith@example.net"),
            ("journal", "secret@example.com"),
            ("body", "automobile auto foo INV-2024/0815"),
            ("folder", "Secret/Place"),
            ("sender", "eve@my-example.com"),
        ],
    },
    Mail {
        users: &[1, 2],
        date: "2025-06-15T12:00:00Z",
        size: 500,
        texts: &[
            ("subject", "北京大学 draft"),
            ("from", "Booking.com <noreply@example.net>"),
            ("recipient", "Ada <ada@example.com>"),
            ("body", "fob for fooo"),
            ("folder", "INBOX"),
            ("sender", "noreply@example.net"),
        ],
    },
    Mail {
        users: &[0],
        date: "2026-01-01T00:00:00Z",
        size: 1,
        texts: &[("subject", "nobody's report"), ("folder", "INBOX")],
    },
    // Of one second, in the order of their numbers.
    Mail {
        users: &[1],
        date: "2026-02-01T00:00:00Z",
        size: 1,
        texts: &[("subject", "twin one"), ("folder", "Archive")],
    },
    Mail {
        users: &[1],
        date: "2026-02-01T00:00:00Z",
        size: 1,
        texts: &[("subject", "twin two"), ("folder", "Archive")],
    },
];

fn index(of_others: u64) -> Index {
    let index = Index::in_memory().unwrap();
    let fields = *index.fields();
    let mut writer = index.inner.writer_with_num_threads(1, 20 << 20).unwrap();
    for (mail, id) in MAILS.iter().zip(1_u64..) {
        let mut doc = TantivyDocument::new();
        doc.add_u64(fields.id, id);
        let sent: Timestamp = mail.date.parse().unwrap();
        doc.add_i64(fields.date, sent.as_second());
        doc.add_u64(fields.size, mail.size);
        mail.users
            .iter()
            .for_each(|user| doc.add_u64(fields.users, (*user).into()));
        let has_attachment = mail.texts.iter().any(|(name, _)| *name == "filename");
        doc.add_u64(fields.has_attachment, has_attachment.into());
        for (name, text) in mail.texts {
            if *name == "message-id" {
                doc.add_u64(fields.message_id, message_id(text));
                continue;
            }
            doc.add_text(index.inner.schema().get_field(name).unwrap(), text);
            if *name == "folder" {
                mail.users
                    .iter()
                    .for_each(|user| doc.add_pre_tokenized_text(fields.folder_of, of_user(*user, text)));
            }
        }
        writer.add_document(doc).unwrap();
        // In several parts.
        if id % 2 == 0 {
            writer.commit().unwrap();
        }
    }
    for id in 0..of_others {
        let mut doc = TantivyDocument::default();
        doc.add_u64(fields.id, 100 + id);
        doc.add_u64(fields.users, 2);
        doc.add_text(fields.body, "report automobile");
        writer.add_document(doc).unwrap();
    }
    writer.commit().unwrap();
    index.reload().unwrap();
    index
}

fn of_user(user: u32, folder: &str) -> PreTokenizedString {
    let tokens = words(folder).enumerate().map(|(position, word)| Token {
        position,
        text: folder_word(user, &word.folded),
        ..Token::default()
    });
    PreTokenizedString {
        text: folder.to_owned(),
        tokens: tokens.collect(),
    }
}

pub(super) fn users() -> Vec<(UserId, User)> {
    let users = ["@catchall", "jane", "Joan"].into_iter().zip(0..);
    users
        .map(|(name, id)| {
            let address = Address::parse(&format!("{name}@example.com").replace("@c", "c"));
            let user = User {
                name: name.into(),
                addresses: address.into_iter().collect(),
                managed: false,
                retired: false,
            };
            (UserId(id), user)
        })
        .collect()
}

pub(super) struct Asking {
    pub(super) index: Index,
    pub(super) users: Vec<(UserId, User)>,
}

impl Asking {
    fn new() -> Self {
        Self {
            index: index(0),
            users: users(),
        }
    }

    pub(super) fn find(
        &self,
        query: &str,
        archives: &Archives,
        change: impl FnOnce(&mut Wanted),
    ) -> Result<Found, FindError> {
        let query = parse(query).unwrap();
        let users: Vec<_> = self.users.iter().filter(|(id, _)| archives.has(*id)).cloned().collect();
        let mut wanted = Wanted {
            users: &users,
            most: 100,
            ..Wanted::all(&query, archives, "2026-03-01T00:00:00Z".parse().unwrap())
        };
        change(&mut wanted);
        find(&self.index.view().unwrap(), &wanted)
    }

    fn ids(&self, query: &str, archives: &Archives) -> Vec<u64> {
        let found = self.find(query, archives, |_| {}).unwrap();
        let mut ids: Vec<_> = found.page.iter().map(|hit| hit.id.0).collect();
        assert_eq!(found.total, ids.len() as u64, "{query}");
        ids.sort_unstable();
        ids
    }
}

fn of(users: &[u32]) -> Archives {
    Archives::Of(users.iter().copied().map(UserId).collect())
}

#[test]
fn queries_find_what_they_ask_for() {
    let asking = Asking::new();
    for (query, expected) in [
        ("*", &[1, 2, 3, 4, 5, 6][..]),
        ("report quarterly", &[1, 2]),
        ("\"quarterly report\"", &[1]),
        ("QUÄRTERLY AND réport", &[1, 2]),
        ("subject:report -quarterly", &[4]),
        ("-report", &[3, 5, 6]),
        ("NOT (report OR twin)", &[3]),
        ("quarterly OR draft", &[1, 2, 3]),
        ("twin (one OR two)", &[5, 6]),
        ("subject:(twin one) OR fob", &[3, 5]),
        ("nothing", &[]),
        // No field ends in another.
        ("\"report ada\"", &[]),
        ("auto*", &[2]),
        ("fo?", &[2, 3]),
        ("*mobile", &[2]),
        ("a*o", &[2]),
        ("subject:\"auto*\"", &[]),
        ("subject:quart*-rep*", &[1]),
        ("subject:rep*-quarter??", &[2]),
        ("INV-2024/0815", &[2]),
        ("inv-20??/0815", &[2]),
        ("0815", &[2]),
        ("https://example.org/a?b=c", &[1]),
        ("STRASSE", &[1]),
        ("attachment:total filename:bilanz", &[1]),
        ("filename:total", &[]),
        ("has:attachment", &[1]),
        ("-has:attachment subject:report", &[2, 4]),
        ("北京", &[3]),
        ("京大", &[3]),
        ("大", &[3]),
        ("学", &[3]),
        ("北大", &[]),
        ("from:ada", &[1]),
        ("from:ada@mail.example.com", &[1]),
        ("from:ada@", &[1]),
        ("from:example.com", &[1]),
        ("from:@example.com", &[1]),
        ("from:my-example.com", &[2]),
        ("from:ada@example.com", &[]),
        ("from:\"lovelace ada\"", &[1]),
        ("from:booking.com", &[]),
        ("from:\"booking.com\"", &[3]),
        ("from:ad*", &[1]),
        ("from:*example*", &[1, 2, 3]),
        ("to:bob recipient:bob", &[1]),
        ("recipient:john.smith", &[2]),
        ("john.smith@example.net", &[2]),
        ("recipient:secret@example.com", &[2]),
        ("secret", &[2]),
        ("list:lists.example.org", &[1]),
        ("list:dev", &[1]),
        ("folder:inbox", &[1, 3, 4]),
        ("folder:secret/place", &[2]),
        ("folder:sec*", &[2]),
        ("user:jane", &[1, 3, 5, 6]),
        ("user:joan", &[2, 3]),
        ("user:joan@example.com", &[2, 3]),
        ("user:@catchall", &[4]),
        ("user:jane user:joan", &[3]),
        ("user:jane -user:joan", &[1, 5, 6]),
        ("user:jim", &[]),
        ("id:3", &[3]),
        ("id:3 OR id:4", &[3, 4]),
        ("message-id:<A.b@C>", &[1]),
        ("message-id:a.b@c", &[]),
        ("date:2024", &[1]),
        ("date:2025", &[2, 3]),
        ("date:2025-01-01", &[2]),
        ("date:2024-12-31..2025-01", &[1, 2]),
        ("date:2025-06..", &[3, 4, 5, 6]),
        ("date:..2024", &[1]),
        ("before:2025", &[1]),
        ("after:2025", &[2, 3, 4, 5, 6]),
        ("-after:2025", &[1]),
        ("newer:30d", &[5, 6]),
        ("newer:2m older:30d", &[4]),
        ("older:1y", &[1, 2]),
        ("larger:1M", &[2]),
        ("smaller:1M", &[3, 4, 5, 6]),
        ("smaller:1", &[]),
    ] {
        assert_eq!(asking.ids(query, &Archives::All), expected, "{query}");
    }
}

#[test]
fn nobody_finds_what_others_have() {
    let asking = Asking::new();
    let (jane, joan) = (of(&[1]), of(&[2]));
    for (query, by_jane, by_joan) in [
        ("*", &[1, 3, 5, 6][..], &[2, 3][..]),
        ("-nothing", &[1, 3, 5, 6], &[2, 3]),
        ("NOT user:jane", &[], &[2, 3]),
        ("report", &[1], &[2]),
        ("report OR -report", &[1, 3, 5, 6], &[2, 3]),
        ("user:jane", &[1, 3, 5, 6], &[]),
        ("user:joan", &[], &[2, 3]),
        ("user:@catchall", &[], &[]),
        ("id:2", &[], &[2]),
        ("folder:inbox", &[1, 3], &[3]),
        ("folder:secret", &[], &[2]),
        ("folder:sec*", &[], &[2]),
        ("folder:\"secret place\"", &[], &[2]),
        ("folder:se*-place", &[], &[2]),
        ("-folder:secret", &[1, 3, 5, 6], &[3]),
        // Journal reports name everybody.
        ("recipient:secret@example.com", &[], &[]),
        ("secret", &[], &[]),
        ("-secret", &[1, 3, 5, 6], &[2, 3]),
    ] {
        assert_eq!(asking.ids(query, &jane), by_jane, "{query}");
        assert_eq!(asking.ids(query, &joan), by_joan, "{query}");
        assert_eq!(asking.ids(query, &of(&[])), [0; 0], "{query}");
        let both: BTreeSet<u64> = by_jane.iter().chain(by_joan).copied().collect();
        if !query.contains('-') && !query.contains("NOT") {
            let both: Vec<_> = both.into_iter().collect();
            assert_eq!(asking.ids(query, &of(&[1, 2])), both, "{query}");
        }
    }
    let facets = |archives: &Archives| {
        asking
            .find("*", archives, |wanted| wanted.facets = true)
            .unwrap()
            .facets
            .unwrap()
    };
    // What was counted of the same messages for somebody else is not what she is told.
    let of_hers = asking.find("user:Joan", &Archives::All, |wanted| wanted.facets = true);
    assert!(of_hers.unwrap().facets.unwrap().users.len() > 1);
    assert_eq!(facets(&joan).users, [("Joan".to_owned(), 2)]);
    assert_eq!(facets(&joan), facets(&joan));
    let senders: Vec<_> = facets(&joan).senders.into_iter().map(|(name, _)| name).collect();
    assert_eq!(senders, ["eve@my-example.com", "noreply@example.net"]);
}

/// It grew with what others had: whoever asked for a word could tell how often it was in the mail of others.
#[test]
fn how_well_a_message_fits_says_nothing_of_the_mail_of_others() {
    let [few, many] = [0, 50].map(|of_others| Asking {
        index: index(of_others),
        users: users(),
    });
    let scores = |asking: &Asking, archives: &Archives, query| -> Vec<(u64, Option<f32>)> {
        let found = asking.find(query, archives, |wanted| wanted.order = SearchOrder::Relevance);
        found.unwrap().page.iter().map(|hit| (hit.id.0, hit.score)).collect()
    };
    for query in ["report", "\"quarterly report\"", "report OR total", "repo* quarterly"] {
        let own = scores(&few, &of(&[1]), query);
        assert!(!own.is_empty(), "{query}");
        assert_eq!(scores(&many, &of(&[1]), query), own, "{query}");
    }
    assert_ne!(
        scores(&many, &Archives::All, "total"),
        scores(&few, &Archives::All, "total")
    );
}

#[test]
fn what_is_found_is_counted() {
    let asking = Asking::new();
    let found = asking.find("*", &Archives::All, |wanted| wanted.facets = true).unwrap();
    let facets = found.facets.unwrap();
    let named = |counts: &[(String, u64)]| counts.iter().map(|(name, n)| format!("{name} {n}")).collect::<Vec<_>>();
    assert_eq!(named(&facets.users), ["jane 4", "Joan 2", "@catchall 1"]);
    assert_eq!(facets.years, [(2026, 3), (2025, 2), (2024, 1)]);
    assert_eq!(
        named(&facets.senders),
        [
            "ada@mail.example.com 1",
            "eve@my-example.com 1",
            "noreply@example.net 1"
        ]
    );
    let of_joan = asking
        .find("*", &Archives::All, |wanted| wanted.of = Some(UserId(2)))
        .unwrap();
    assert_eq!(of_joan.total, 2);
    let counted = asking.find("*", &Archives::All, |wanted| wanted.most = 0).unwrap();
    assert_eq!((counted.total, counted.page.len(), counted.next), (6, 0, None));
}

#[test]
fn pages_follow_each_other() {
    let asking = Asking::new();
    for order in [SearchOrder::Newest, SearchOrder::Relevance] {
        for query in ["*", "report OR twin", "subject:report", "fo?"] {
            let all = asking
                .find(query, &Archives::All, |wanted| wanted.order = order)
                .unwrap();
            for most in 1..=3 {
                let (mut pages, mut after) = (Vec::new(), None);
                loop {
                    let page = asking.find(query, &Archives::All, |wanted| {
                        (wanted.order, wanted.most, wanted.after) = (order, most, after);
                    });
                    let Found { total, page, next, .. } = page.unwrap();
                    assert_eq!((total, page.len() <= most), (all.total, true));
                    pages.extend(page);
                    let Some(next) = next else { break };
                    let text = next.to_string();
                    assert_eq!(text.parse::<Cursor>().unwrap(), next, "{text}");
                    after = Some(next);
                }
                assert_eq!(pages, all.page, "{query}, {order:?}, {most}");
            }
        }
    }
    let newest = asking.find("*", &Archives::All, |_| {}).unwrap();
    let ids: Vec<_> = newest.page.iter().map(|hit| hit.id.0).collect();
    assert_eq!(ids, [6, 5, 4, 3, 2, 1]);
    // What is in the subject fits better.
    let best = asking
        .find("quarterly", &Archives::All, |wanted| {
            wanted.order = SearchOrder::Relevance
        })
        .unwrap();
    assert!(
        best.page.iter().all(|hit| hit.score.is_some_and(|score| score > 0.0)),
        "{best:?}"
    );
}

#[test]
fn a_cursor_is_of_one_order() {
    let asking = Asking::new();
    let newest = asking
        .find("*", &Archives::All, |wanted| wanted.most = 1)
        .unwrap()
        .next
        .unwrap();
    let refused = asking.find("*", &Archives::All, |wanted| {
        (wanted.order, wanted.after) = (SearchOrder::Relevance, Some(newest));
    });
    assert!(matches!(refused, Err(FindError::NoPlace)));
    for none in [
        "",
        "x",
        "ü",
        "000000001111111111111111111111",
        "zzzzzzzz",
        &"A".repeat(30),
        &"ü".repeat(15),
    ] {
        let parsed: Result<Cursor, _> = none.parse();
        assert!(parsed.is_err() || none.len() == 30, "{none}");
    }
}
