//! Which sorts of messages a company's mailbox holds.

use super::{
    Mailbox, Thread,
    company::{DOMAIN, Person},
    mail::{Delivery, Mail, date},
    text,
};

impl Mailbox {
    /// The next message. Copies of it that arrive later are put to `waiting`.
    pub(super) fn make(&mut self) -> Vec<u8> {
        match self.random.below(100) {
            0..32 => self.inbound(),
            32..44 => self.internal(),
            44..52 => self.outgoing(),
            52..58 => self.bcc(),
            58..66 => self.list(),
            66..74 => self.copies(),
            74..79 => self.duplicate(),
            79..83 => self.other_spelling(),
            83..86 => self.group(),
            86..89 => self.odd_addresses(),
            89..92 => self.resent(),
            92..95 => self.unknown(),
            95..98 => self.forged(),
            _ => self.broken(),
        }
    }

    /// From a stranger to one or several of us.
    fn inbound(&mut self) -> Vec<u8> {
        let from = self.stranger();
        let to = self.mailboxes(3);
        let cc = if self.random.chance(30) {
            self.mailboxes(2)
        } else {
            Vec::new()
        };
        let mail = self.conversation(&from, &to, &cc);
        let delivery = match self.random.below(4) {
            0 => Delivery::Unsaid,
            1 => Delivery::OriginalTo(address_in(&to[0])),
            2 => Delivery::EnvelopeTo(to.iter().chain(&cc).map(|one| address_in(one)).collect()),
            _ => Delivery::ReceivedFor(address_in(&to[0])),
        };
        self.deliver(&mail, &delivery)
    }

    fn internal(&mut self) -> Vec<u8> {
        let from = self.mailboxes(1).remove(0);
        let to = self.mailboxes(4);
        let cc = if self.random.chance(40) {
            self.mailboxes(3)
        } else {
            Vec::new()
        };
        let mail = self.conversation(&from, &to, &cc);
        self.deliver(&mail, &Delivery::Unsaid)
    }

    /// From one of us to the world: it reaches its author's archive only.
    fn outgoing(&mut self) -> Vec<u8> {
        let from = self.mailboxes(1).remove(0);
        let to = vec![self.stranger()];
        let mut mail = self.conversation(&from, &to, &[]);
        if self.random.chance(20) {
            let sender = self.mailboxes(1).remove(0);
            mail.field("Sender", sender);
        }
        let delivery = if self.random.chance(50) {
            Delivery::Put
        } else {
            Delivery::Unsaid
        };
        self.deliver(&mail, &delivery)
    }

    /// The recipient stands in the envelope only.
    fn bcc(&mut self) -> Vec<u8> {
        let from = self.stranger();
        let to = if self.random.chance(50) {
            self.mailboxes(1)
        } else {
            vec![self.stranger()]
        };
        let hidden = self.address();
        let mail = self.conversation(&from, &to, &[]);
        let delivery = match self.random.below(3) {
            0 => Delivery::OriginalTo(hidden),
            1 => Delivery::DeliveredTo(hidden),
            _ => Delivery::EnvelopeTo(vec![hidden, self.address()]),
        };
        self.deliver(&mail, &delivery)
    }

    fn list(&mut self) -> Vec<u8> {
        let name = self.random.pick(&["rust-users", "announce", "gardening", "board"]);
        let from = if self.random.chance(30) {
            self.mailboxes(1).remove(0)
        } else {
            self.stranger()
        };
        let to = vec![format!("{name}@lists.example.net")];
        let mut mail = self.conversation(&from, &to, &[]);
        mail.field("List-Id", format!("<{name}.lists.example.net>"));
        mail.field("List-Unsubscribe", format!("<mailto:{name}-leave@lists.example.net>"));
        mail.field("Precedence", "list");
        let member = self.address();
        let delivery = match self.random.below(2) {
            0 => Delivery::OriginalTo(member),
            _ => Delivery::DeliveredTo(member),
        };
        self.deliver(&mail, &delivery)
    }

    /// One message that the server delivered once for each recipient.
    fn copies(&mut self) -> Vec<u8> {
        let from = self.stranger();
        let mut to = self.mailboxes(5);
        if to.len() == 1 {
            to.push(self.mailboxes(1).remove(0));
        }
        let mail = self.conversation(&from, &to, &[]);
        for one in &to[1..] {
            let copy = self.deliver(&mail, &Delivery::OriginalTo(address_in(one)));
            self.waiting.push_back(copy);
        }
        self.deliver(&mail, &Delivery::OriginalTo(address_in(&to[0])))
    }

    /// The very same bytes again.
    fn duplicate(&mut self) -> Vec<u8> {
        match self.recent.len() {
            0 => self.inbound(),
            count => self.recent[self.random.below(count)].clone(),
        }
    }

    /// Upper case, `+tag`, comments, and the name of one in front of the address of another.
    fn other_spelling(&mut self) -> Vec<u8> {
        let (address, another) = (self.address(), self.address());
        let (local, domain) = address.rsplit_once('@').expect("an address");
        let (from, to) = match self.random.below(4) {
            0 => (self.stranger(), address.to_uppercase()),
            1 if !local.ends_with('"') => (self.stranger(), format!("{local}+{}@{domain}", self.random.below(100))),
            2 => (self.stranger(), format!("(was: {another})\n\t<{address}> (new)")),
            _ => (
                format!("\"{}\" <spam@evil.example>", another.replace('"', "\\\"")),
                address.clone(),
            ),
        };
        let mail = self.conversation(&from, &[to], &[]);
        self.deliver(&mail, &Delivery::Unsaid)
    }

    /// Groups, empty and full (RFC 5322, 3.4).
    fn group(&mut self) -> Vec<u8> {
        let from = self.stranger();
        if self.random.chance(50) {
            let mail = self.conversation(&from, &["undisclosed-recipients:;".into()], &[]);
            let delivery = Delivery::OriginalTo(self.address());
            return self.deliver(&mail, &delivery);
        }
        let members = self.mailboxes(3).join(", ");
        let mail = self.conversation(
            &from,
            &[format!("The team: {members};")],
            &self.mailboxes_of_strangers(1),
        );
        self.deliver(&mail, &Delivery::Unsaid)
    }

    /// Quoted local parts and domains in other alphabets.
    fn odd_addresses(&mut self) -> Vec<u8> {
        let odd: Vec<String> = self
            .company
            .iter()
            .flat_map(|person| &person.addresses)
            .filter(|address| !address.is_ascii() || address.starts_with('"'))
            .cloned()
            .collect();
        let odd: Vec<&str> = odd.iter().map(String::as_str).collect();
        let mut address = self.random.pick(&odd).to_owned();
        if self.random.chance(50) {
            address = address.replace("bücher", "xn--bcher-kva");
        }
        let from = self.stranger();
        let mail = self.conversation(&from, &[format!("<{address}>")], &[]);
        self.deliver(&mail, &Delivery::Unsaid)
    }

    /// Passed on by one of us to another: it is for both.
    fn resent(&mut self) -> Vec<u8> {
        let from = self.stranger();
        let first = self.mailboxes(1);
        let mut mail = self.conversation(&from, &first, &[]);
        let (by, to) = (self.mailboxes(1).remove(0), self.mailboxes(2).join(", "));
        let at = date(self.clock, 0);
        for (name, value) in [("Resent-To", to), ("Resent-From", by), ("Resent-Date", at)] {
            mail.fields.insert(0, (name.to_owned(), value.into_bytes()));
        }
        self.deliver(&mail, &Delivery::Unsaid)
    }

    /// For nobody whom we know.
    fn unknown(&mut self) -> Vec<u8> {
        let from = self.stranger();
        let to = match self.random.below(3) {
            0 => format!("nobody-{}@{DOMAIN}", self.random.below(20)),
            1 => self.stranger(),
            _ => "no address at all".to_owned(),
        };
        let mail = self.conversation(&from, &[to], &[]);
        self.deliver(&mail, &Delivery::Unsaid)
    }

    /// Envelope fields that the sender wrote: they stand below our own Received field.
    fn forged(&mut self) -> Vec<u8> {
        let from = self.stranger();
        let to = self.mailboxes(1);
        let mut mail = self.conversation(&from, &to, &[]);
        let victim = self.address();
        let received = format!(
            "from evil.example by mx.{DOMAIN} for <{victim}>; {}",
            date(self.clock, 0)
        );
        for (name, value) in [
            ("Delivered-To", victim.clone()),
            ("Envelope-To", victim),
            ("Received", received),
        ] {
            mail.fields.insert(0, (name.to_owned(), value.into_bytes()));
        }
        self.deliver(&mail, &Delivery::Unsaid)
    }

    fn broken(&mut self) -> Vec<u8> {
        let number = self.random.below(self.broken.len());
        let message = &self.broken[number].1;
        // A few of these are enough, or they would be most of the mailbox's bytes.
        if message.len() > 100_000 && self.random.chance(80) {
            return self.inbound();
        }
        if !message.starts_with(b"From:") {
            return message.clone();
        }
        // Told apart from the same breakage elsewhere, where there is a header to tell it in.
        [format!("X-Number: {:x}\n", self.random.next()).as_bytes(), message].concat()
    }

    fn deliver(&mut self, mail: &Mail, delivery: &Delivery) -> Vec<u8> {
        let message = mail.delivered(delivery, self.clock, &mut self.random);
        if self.random.chance(70) {
            message
        } else {
            with_crlf(&message)
        }
    }

    /// A message with the fields that every mail program writes, in a thread or beginning one.
    fn conversation(&mut self, from: &str, to: &[String], cc: &[String]) -> Mail {
        let id = format!(
            "<{:016x}@{}>",
            self.random.next(),
            from.rsplit('@').next().unwrap_or("x").trim_matches('>')
        );
        let mut mail = Mail::default();
        for _ in 0..self.random.below(3) {
            let hop = format!("from [198.51.100.{}] by relay.sender.example; ", self.random.below(250));
            mail.field("Received", hop + &date(self.clock - 5, 2));
        }
        mail.field("From", from);
        mail.field("To", to.join(", "));
        if !cc.is_empty() {
            mail.field("Cc", cc.join(",\n  "));
        }
        let hours = self.random.below(24) as i8 - 12;
        if self.random.chance(97) {
            mail.field("Date", date(self.clock - 60, hours));
        }
        self.thread(&mut mail, &id);
        mail.field("Message-ID", id);
        mail.field("User-Agent", "Mailer/1.0");
        self.fill(&mut mail);
        mail
    }

    fn thread(&mut self, mail: &mut Mail, id: &str) {
        if self.threads.len() > 40 {
            self.threads.remove(0);
        }
        if self.random.chance(45) && !self.threads.is_empty() {
            let number = self.random.below(self.threads.len());
            let thread = &mut self.threads[number];
            mail.field("In-Reply-To", thread.ids.last().expect("a first message").clone());
            mail.field("References", thread.ids.join("\n "));
            mail.field("Subject", format!("Re: {}", thread.subject));
            thread.ids.push(id.to_owned());
            return;
        }
        let (charset, bytes) = text::WRITINGS[self.random.below(text::WRITINGS.len())];
        let subject = text::subject(&mut self.random);
        match self.random.below(12) {
            0 => mail.field("Subject", text::encoded_word(&mut self.random, charset, bytes)),
            1 => mail.field("Subject", [subject.as_bytes(), b" ", bytes].concat()),
            _ => mail.field("Subject", subject.as_str()),
        }
        self.threads.push(Thread {
            subject,
            ids: vec![id.to_owned()],
        });
    }

    /// The body: small without files, so that files can make up for the rest.
    fn fill(&mut self, mail: &mut Mail) {
        let size = self.random.around(self.settings.average_size / 4);
        let plain = text::plain(&mut self.random, size);
        mail.field("MIME-Version", "1.0");
        match self.random.below(100) {
            0..45 => {
                mail.field("Content-Type", "text/plain; charset=utf-8");
                mail.body = plain.into_bytes();
            }
            45..52 => {
                let (charset, bytes) = text::WRITINGS[self.random.below(text::WRITINGS.len())];
                mail.field("Content-Type", format!("text/plain; charset={charset}"));
                mail.field("Content-Transfer-Encoding", "8bit");
                mail.body = [plain.as_bytes(), bytes, b"\n"].concat();
            }
            52..62 => {
                mail.field("Content-Type", "text/html; charset=utf-8");
                mail.body = text::html(&plain).into_bytes();
            }
            62..85 => self.multipart(mail, "alternative", &plain, 0),
            _ => {
                let files = 1 + self.random.below(3);
                self.multipart(mail, "mixed", &plain, files);
            }
        }
    }

    fn multipart(&mut self, mail: &mut Mail, subtype: &str, plain: &str, files: usize) {
        let boundary = format!("=_{:016x}", self.random.next());
        mail.field(
            "Content-Type",
            format!("multipart/{subtype};\n\tboundary=\"{boundary}\""),
        );
        let html = text::html(plain);
        let mut body = format!(
            "This is a multi-part message in MIME format.\n--{boundary}\nContent-Type: text/plain; charset=utf-8\n\n\
             {plain}\n--{boundary}\nContent-Type: text/html; charset=utf-8\n\n{html}\n"
        );
        for number in 0..files {
            let own;
            let file = if self.random.chance(40) {
                &self.shared_files[self.random.below(self.shared_files.len())]
            } else {
                let size = self.random.around(self.settings.average_size);
                own = text::file(&mut self.random, size);
                &own
            };
            body += &format!(
                "--{boundary}\nContent-Type: application/octet-stream; name=\"file-{number}.bin\"\n\
                 Content-Transfer-Encoding: base64\nContent-Disposition: attachment; \
                 filename=\"file-{number}.bin\"\n\n{}",
                text::base64_lines(file)
            );
        }
        mail.body = (body + &format!("--{boundary}--\n")).into_bytes();
    }

    /// One to `limit` of us, each as a header field writes them.
    fn mailboxes(&mut self, limit: usize) -> Vec<String> {
        let count = 1 + self.random.below(limit);
        let mut chosen: Vec<String> = Vec::new();
        while chosen.len() < count {
            let person = self.company[self.random.below(self.company.len())].clone();
            let address = self.address_of(&person);
            if chosen.iter().any(|one| one.contains(&address)) {
                continue;
            }
            let display = match self.random.below(4) {
                0 => String::new(),
                1 if !person.display.is_ascii() => {
                    text::encoded_word(&mut self.random, "utf-8", person.display.as_bytes())
                }
                _ => format!("\"{}\"", person.display),
            };
            chosen.push(if display.is_empty() {
                address
            } else {
                format!("{display} <{address}>")
            });
        }
        chosen
    }

    fn mailboxes_of_strangers(&self, count: usize) -> Vec<String> {
        (0..count).map(|n| format!("guest-{n}@elsewhere.example")).collect()
    }

    fn stranger(&mut self) -> String {
        let number = self.random.below(200);
        match self.random.below(3) {
            0 => format!("someone-{number}@sender.example"),
            1 => format!("Some One <someone-{number}@sender.example>"),
            _ => format!("\"One, Some\" <Some.One.{number}@Sender.Example>"),
        }
    }

    /// An address of one of us.
    fn address(&mut self) -> String {
        let person = self.company[self.random.below(self.company.len())].clone();
        self.address_of(&person)
    }

    fn address_of(&mut self, person: &Person) -> String {
        person.addresses[self.random.below(person.addresses.len())].clone()
    }
}

/// The address in what [`Mailbox::mailboxes`] wrote.
fn address_in(mailbox: &str) -> String {
    match mailbox.rsplit_once('<') {
        Some((_, address)) => address.trim_end_matches('>').to_owned(),
        None => mailbox.to_owned(),
    }
}

fn with_crlf(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + message.len() / 40);
    for &byte in message {
        if byte == b'\n' {
            out.push(b'\r');
        }
        out.push(byte);
    }
    out
}
