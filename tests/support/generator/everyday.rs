//! The mail of an office as its people see it: partners by their names, conversations, quotations and invoices, over
//! some years. For whoever looks at the demonstration; what is odd is in [`Mailbox`](super::Mailbox).

mod topics;

use self::topics::{PARTNERS, TOPICS, Topic};
use super::{
    Random,
    company::{self, DOMAIN, Person},
    mail::{Delivery, Mail, date},
    text,
};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// The same time, or the next morning: few write at night, or from Saturday to Sunday.
fn in_office_hours(time: i64) -> i64 {
    let (mut day, of_day) = (time.div_euclid(DAY), time.rem_euclid(DAY));
    if (7 * HOUR..18 * HOUR).contains(&of_day) && day_of_week(day) < 5 {
        return time;
    }
    if of_day >= 18 * HOUR {
        day += 1;
    }
    day += match day_of_week(day) {
        5 => 2,
        6 => 1,
        _ => 0,
    };
    day * DAY + 7 * HOUR + of_day % HOUR
}

/// Of a day since 1970-01-01, a Thursday; Monday is 0.
fn day_of_week(day: i64) -> i64 {
    (day + 3).rem_euclid(7)
}

/// Conversations that may still go on.
const GOING_ON: usize = 30;

/// The messages of the mailbox, in the order in which they arrived. Same seed, same bytes; memory does not grow.
pub struct Everyday {
    random: Random,
    people: Vec<Person>,
    /// Seconds since 1970 of the last message, and from one to the next, on average.
    clock: i64,
    pace: usize,
    talks: Vec<Talk>,
    /// Copies of messages that the server delivers once for each recipient.
    waiting: Vec<(Mail, String)>,
}

/// A conversation that may go on.
struct Talk {
    topic: &'static Topic,
    subject: String,
    file: Option<String>,
    /// The two who write in turn, as header fields write them.
    authors: [String; 2],
    names: [String; 2],
    /// Also for them.
    cc: Vec<String>,
    ids: Vec<String>,
    /// What the next one quotes.
    last: String,
}

impl Everyday {
    /// Mail from this second on, since 1970.
    pub fn new(seed: u64, begin: i64, pace: usize) -> Self {
        Self {
            random: Random(seed),
            people: company::company(),
            clock: begin,
            pace,
            talks: Vec::new(),
            waiting: Vec::new(),
        }
    }

    fn person(&mut self) -> (String, String) {
        // Jane, the first, has more to do than others; the last one is no person.
        let number = match self.random.chance(12) {
            true => 0,
            false => self.random.below(self.people.len() - 1),
        };
        let person = &self.people[number];
        let (name, address) = (person.display.clone(), person.addresses[0].clone());
        (mailbox(&name, &address), name)
    }

    /// A conversation begins.
    fn begin(&mut self) -> Talk {
        let topic = &TOPICS[self.random.below(TOPICS.len())];
        let (second, second_name) = self.person();
        let (first, first_name) = match topic.partner {
            Some(partner) => {
                let (name, address, _) = PARTNERS[partner];
                (mailbox(name, address), name.to_owned())
            }
            None => loop {
                let one = self.person();
                if one.0 != second {
                    break one;
                }
            },
        };
        let mut cc = Vec::new();
        for _ in 0..self.random.below(5).saturating_sub(2) {
            cc.push(self.person().0);
        }
        cc.retain(|one| *one != first && *one != second);
        cc.dedup();
        let number = 1000 + self.random.below(9000);
        Talk {
            subject: self.filled(topic.subject, number),
            file: topic.file.map(|name| self.filled(name, number)),
            topic,
            authors: [first, second],
            names: [first_name, second_name],
            cc,
            ids: Vec::new(),
            last: String::new(),
        }
    }

    fn filled(&self, template: &str, number: usize) -> String {
        let time = jiff::Timestamp::from_second(self.clock).expect("a time of these years");
        let time = time.to_zoned(jiff::tz::TimeZone::UTC);
        let in_days = |days: i64| time.saturating_add(jiff::Span::new().days(days));
        template
            .replace("{n}", &number.to_string())
            .replace("{year}", &time.strftime("%Y").to_string())
            .replace("{month}", &time.strftime("%B").to_string())
            .replace("{day}", &in_days(3 + number as i64 % 4).strftime("%A").to_string())
    }

    /// The next message of a conversation.
    fn write(&mut self, talk: &mut Talk) -> Mail {
        let turn = talk.ids.len();
        let number = 1000 + self.random.below(9000);
        let text = self.filled(talk.topic.turns[turn], number);
        let (me, other) = (turn % 2, (turn + 1) % 2);
        let id = format!("<{:016x}@{}>", self.random.next(), domain(&talk.authors[me]));
        let mut mail = Mail::default();
        mail.field("From", talk.authors[me].as_str());
        mail.field("To", talk.authors[other].as_str());
        if !talk.cc.is_empty() {
            mail.field("Cc", talk.cc.join(",\n\t"));
        }
        mail.field("Date", date(self.clock - 20, 1));
        let subject = match turn {
            0 => talk.subject.clone(),
            _ => format!("Re: {}", talk.subject),
        };
        mail.field("Subject", self.encoded(&subject));
        mail.field("Message-ID", id.as_str());
        if let Some(before) = talk.ids.last() {
            mail.field("In-Reply-To", before.as_str());
            mail.field("References", talk.ids.join("\n\t"));
        }
        mail.field("MIME-Version", "1.0");
        let first = |name: &str| name.split(' ').next().unwrap_or(name).to_owned();
        let (dear, regards) = match talk.topic.subject.split(' ').next() {
            Some("Angebot") => ("Guten Tag", "Viele Grüße"),
            Some("Épreuves") => ("Bonjour", "Cordialement"),
            _ => ("Dear", "Kind regards"),
        };
        let (name, author) = (first(&talk.names[other]), &talk.names[me]);
        let mut body = format!("{dear} {name},\n\n{text}\n\n{regards}\n{author}\n");
        if let Some((.., company)) = PARTNERS.iter().find(|(name, ..)| *name == talk.names[me]) {
            body += &format!("-- \n{company}\n");
        }
        let quoted: String = talk.last.lines().take(12).map(|line| format!("> {line}\n")).collect();
        if !quoted.is_empty() {
            body += &format!("\n{} wrote:\n{quoted}", talk.names[other]);
        }
        talk.last.clone_from(&body);
        talk.ids.push(id);
        let file = talk.file.as_ref().filter(|_| turn == 0).cloned();
        self.fill(&mut mail, &body, file);
        mail
    }

    fn fill(&mut self, mail: &mut Mail, body: &str, file: Option<String>) {
        let Some(name) = file else {
            mail.field("Content-Type", "text/plain; charset=utf-8");
            mail.field("Content-Transfer-Encoding", "8bit");
            mail.body = body.as_bytes().to_vec();
            return;
        };
        let boundary = format!("=_{:016x}", self.random.next());
        mail.field("Content-Type", format!("multipart/mixed;\n\tboundary=\"{boundary}\""));
        let (kind, begin): (_, &[u8]) = match name.rsplit('.').next() {
            Some("pdf") => ("application/pdf", b"%PDF-1.7\n"),
            Some("jpg") => ("image/jpeg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"),
            Some("xlsx") => (
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                b"PK\x03\x04",
            ),
            _ => (
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                b"PK\x03\x04",
            ),
        };
        let size = 4_000 + self.random.around(16_000);
        let bytes = [begin, &self.random.bytes(size)].concat();
        let name = self.encoded(&name);
        mail.body = format!(
            "--{boundary}\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{body}\n--{boundary}\n\
             Content-Type: {kind}\nContent-Transfer-Encoding: base64\n\
             Content-Disposition: attachment; filename=\"{name}\"\n\n{}--{boundary}--\n",
            text::base64_lines(&bytes)
        )
        .into_bytes();
    }

    fn encoded(&mut self, text: &str) -> String {
        match text.is_ascii() {
            true => text.to_owned(),
            false => text::encoded_word(&mut self.random, "utf-8", text.as_bytes()),
        }
    }

    /// What its machines and lists send: to one of us, and no answer.
    fn bulk(&mut self) -> Mail {
        let (to, _) = self.person();
        let number = 100 + self.random.below(900);
        let (from, subject, text) = match self.random.below(4) {
            0 => (
                "Backup <backup@machines.example.net>".to_owned(),
                "Backup of the file server: OK",
                "All {n} folders were backed up. The next backup runs tonight at 02:00.",
            ),
            1 => (
                "Scanner <scanner@machines.example.net>".to_owned(),
                "Scan from the front desk",
                "The scan is attached.",
            ),
            2 => (
                "Northgate Paper <news@northgate-paper.example>".into(),
                "Paper news, {month} {year}",
                "New in {month}: recycled envelopes in three sizes, and free delivery from {n} boxes on.",
            ),
            _ => (
                "Fernhill Offices <reception@fernhill-offices.example>".into(),
                "Parcel {n} at the reception",
                "A parcel for you is at the reception. It is open until 18:00.",
            ),
        };
        let (subject, text) = (self.filled(subject, number), self.filled(text, number));
        let file = subject.starts_with("Scan").then(|| format!("scan-{number}.pdf"));
        let mut mail = Mail::default();
        mail.field("From", from.as_str());
        mail.field("To", to);
        mail.field("Date", date(self.clock - 20, 1));
        mail.field("Subject", subject);
        mail.field("Message-ID", format!("<{:016x}@{}>", self.random.next(), domain(&from)));
        mail.field("MIME-Version", "1.0");
        self.fill(&mut mail, &format!("{text}\n"), file);
        mail
    }

    /// The message as it lies in the mailbox. What goes out lies there without a word on for whom; what comes for
    /// several comes once, or once for each.
    fn delivered(&mut self, mail: Mail) -> Vec<u8> {
        let field = |name: &str| {
            let found = mail.fields.iter().find(|(field, _)| field == name);
            found.map_or_else(String::new, |(_, value)| String::from_utf8_lossy(value).into_owned())
        };
        let ours = |text: String| -> Vec<String> {
            let addresses = text.split(',').map(|one| address(one).to_owned());
            addresses.filter(|one| one.ends_with(DOMAIN)).collect()
        };
        let mut to = ours(format!("{},{}", field("To"), field("Cc")));
        let delivery = match (to.len(), ours(field("From")).is_empty()) {
            (0, _) | (_, false) => Delivery::Unsaid,
            (1, true) => Delivery::OriginalTo(to.remove(0)),
            _ if self.random.chance(40) => {
                for one in to.split_off(1) {
                    self.waiting.push((mail.clone(), one));
                }
                Delivery::OriginalTo(to.remove(0))
            }
            _ => Delivery::EnvelopeTo(to),
        };
        mail.delivered(&delivery, self.clock, &mut self.random)
    }
}

impl Iterator for Everyday {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        self.clock += 1 + self.random.below(2 * self.pace) as i64;
        if self.pace > HOUR as usize / 60 {
            self.clock = in_office_hours(self.clock);
        }
        if let Some((mail, to)) = self.waiting.pop() {
            return Some(mail.delivered(&Delivery::OriginalTo(to), self.clock, &mut self.random));
        }
        let mut mail = match self.random.below(100) {
            0..18 => self.bulk(),
            18..75 if !self.talks.is_empty() => {
                let number = self.random.below(self.talks.len());
                let mut talk = self.talks.swap_remove(number);
                let mail = self.write(&mut talk);
                self.keep(talk);
                mail
            }
            _ => {
                let mut talk = self.begin();
                let mail = self.write(&mut talk);
                self.keep(talk);
                mail
            }
        };
        // Some write to people who have left.
        if self.random.chance(2) {
            let to = mail.fields.iter_mut().find(|(name, _)| name == "To");
            if let Some((_, to)) = to.filter(|(_, to)| to.ends_with(format!("@{DOMAIN}>").as_bytes())) {
                *to = format!("\"Walter Finch\" <walter.finch@{DOMAIN}>").into_bytes();
            }
        }
        Some(self.delivered(mail))
    }
}

impl Everyday {
    fn keep(&mut self, talk: Talk) {
        if talk.ids.len() < talk.topic.turns.len() && self.talks.len() < GOING_ON {
            self.talks.push(talk);
        }
    }
}

fn mailbox(name: &str, address: &str) -> String {
    match name.is_ascii() {
        true => format!("{name} <{address}>"),
        false => {
            let name = text::encoded_word(&mut Random(1), "utf-8", name.as_bytes());
            format!("{name} <{address}>")
        }
    }
}

fn address(mailbox: &str) -> &str {
    mailbox
        .rsplit('<')
        .next()
        .unwrap_or(mailbox)
        .trim()
        .trim_end_matches('>')
}

fn domain(mailbox: &str) -> &str {
    address(mailbox).rsplit('@').next().unwrap_or(DOMAIN)
}
