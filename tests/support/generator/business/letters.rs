//! Who writes what to whom: conversations, forwards, newsletters, reports and scans.

use std::collections::VecDeque;

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    super::{Random, mail::date, text},
    Business,
    files::File,
    office::{Office, paragraph},
    parts::Part,
};

/// Conversations that may still go on, and files that may be attached again.
const TALKS: usize = 60;
const FILES: usize = 400;
/// Bytes of earlier texts that a reply quotes, in either form; people cut longer ones.
const QUOTED_PLAIN: usize = 6_000;
const QUOTED_HTML: usize = 20_000;
/// Logos of others in a reply.
const LOGOS: usize = 2;
/// Message-IDs in References.
const REFERENCES: usize = 12;

/// A message as its author sent it.
pub struct Letter {
    /// Where it comes from.
    pub domain: String,
    /// Header and body.
    pub bytes: Vec<u8>,
    /// Bytes of attached files, those of them that are new, and bytes of pictures inside the text.
    pub attached: usize,
    pub fresh: usize,
    pub inline: usize,
}

/// A conversation: what the next message of it answers, quotes, or passes on.
pub struct Talk {
    subject: String,
    ids: VecDeque<String>,
    /// The partner in it; ours is 0.
    office: usize,
    plain: String,
    html: String,
    /// Whose logos the text shows.
    logos: Vec<usize>,
    files: Vec<File>,
    /// The last message as it was sent, and how many bytes of files are in it.
    last: Vec<u8>,
    attached: usize,
}

impl Talk {
    fn new(office: usize, random: &mut Random) -> Self {
        Self {
            subject: text::subject(random),
            ids: VecDeque::new(),
            office,
            plain: String::new(),
            html: String::new(),
            logos: Vec::new(),
            files: Vec::new(),
            last: Vec::new(),
            attached: 0,
        }
    }
}

/// Who writes: the office's number, and as header fields write them.
struct Author {
    office: usize,
    name: String,
}

/// What goes into a message beside its text.
#[derive(Default)]
struct Enclosed {
    new: Vec<File>,
    again: Vec<File>,
    /// A whole message, and how many bytes of files are in it.
    message: Option<(Vec<u8>, usize)>,
}

impl Business {
    /// A new message, and those of us who get it.
    pub(super) fn write(&mut self) -> (Letter, Vec<String>) {
        match self.random.below(100) {
            0..18 => self.newsletter(),
            18..23 => self.machine(File::report, "report"),
            23..28 => self.machine(File::scan, "scan"),
            28..60 if !self.talks.is_empty() => self.reply(),
            60..68 if !self.talks.is_empty() => self.forward(),
            _ => self.first(),
        }
    }

    /// A conversation begins.
    fn first(&mut self) -> (Letter, Vec<String>) {
        let office = match self.random.chance(30) {
            true => 0,
            false => 1 + self.random.below(self.offices.len() - 1),
        };
        let talk = Talk::new(office, &mut self.random);
        let mut enclosed = Enclosed::default();
        if self.random.chance(35) {
            for _ in 0..1 + self.random.below(2) {
                match self.random.chance(12) && !self.files.is_empty() {
                    true => enclosed.again.push(self.recent_file()),
                    false => enclosed.new.push(File::new(&mut self.random)),
                }
            }
        }
        self.talk(talk, "", enclosed)
    }

    /// The answer quotes what it answers; few programs send the files back.
    fn reply(&mut self) -> (Letter, Vec<String>) {
        let talk = self.some_talk();
        let mut enclosed = Enclosed::default();
        if self.random.chance(12) {
            enclosed.new.push(File::new(&mut self.random));
        }
        if self.random.chance(5) {
            enclosed.again.clone_from(&talk.files);
        }
        self.talk(talk, "Re: ", enclosed)
    }

    /// The same conversation with others, who get its files too.
    fn forward(&mut self) -> (Letter, Vec<String>) {
        let mut talk = self.some_talk();
        // What is passed on is more often what has a file.
        if talk.files.is_empty() {
            self.talks.push_back(talk);
            talk = self.some_talk();
        }
        let mut enclosed = Enclosed::default();
        if self.random.chance(33) {
            enclosed.message = Some((std::mem::take(&mut talk.last), talk.attached));
        } else {
            enclosed.again.clone_from(&talk.files);
        }
        if self.random.chance(50) {
            talk.office = 0;
        }
        self.talk(talk, "Fw: ", enclosed)
    }

    /// A page full of links, each with a number of its own for each reader; nothing attached.
    fn newsletter(&mut self) -> (Letter, Vec<String>) {
        let office = 1 + self.random.below(self.offices.len() - 1);
        let mut inside = String::new();
        let size = 5_000 + self.random.around(16_000);
        while inside.len() < size {
            let random = &mut self.random;
            let (link, words) = (random.next(), 60 + random.below(300));
            inside += &format!(
                "<table width=\"600\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\"><tr><td style=\"padding:0 24px;\
                 font-family:Arial,Helvetica,sans-serif;font-size:14px;line-height:20px\">\r\n\
                 <a href=\"https://news.{0}/c/{link:016x}{1:016x}\" style=\"color:#0a66c2\">\
                 <img src=\"https://news.{0}/i/{2}.png\" width=\"552\" height=\"200\" border=\"0\"></a>\r\n{3}</td></tr>\
                 </table>\r\n",
                self.offices[office].domain,
                random.next(),
                random.below(10_000),
                text::plain(random, words).replace('\n', "\r\n")
            );
        }
        let page = self.offices[office].page(&inside);
        let plain = format!("Read this on https://news.{}/\r\n", self.offices[office].domain);
        let author = self.author(office);
        let to = self.recipients();
        let program = self.offices[office].program;
        let texts = vec![Part::text("plain", &plain, program), Part::text("html", &page, program)];
        let part = Part::multipart("alternative", texts, &mut self.random);
        let subject = text::subject(&mut self.random);
        let head = self.head(&author, &to, &subject, &VecDeque::new()).0;
        (self.letter(&author, head, part), to)
    }

    /// A machine's mail: a line of text and a file.
    fn machine(&mut self, make: fn(&mut Random) -> File, what: &str) -> (Letter, Vec<String>) {
        let file = make(&mut self.random);
        let author = Author {
            office: 0,
            name: format!("{what}@machines.{}", self.offices[0].domain),
        };
        let to = self.recipients();
        let program = self.offices[0].program;
        let text = format!("The {what} of {} is attached.\r\n", date(self.clock, 1));
        let attached = Part::file(&file, None, program);
        let bytes = attached.body.len();
        let parts = vec![Part::text("plain", &text, program), attached];
        let part = Part::multipart("mixed", parts, &mut self.random);
        let head = self.head(&author, &to, what, &VecDeque::new()).0;
        self.remember(file);
        let letter = Letter {
            attached: bytes,
            fresh: bytes,
            ..self.letter(&author, head, part)
        };
        (letter, to)
    }

    /// One more message of a conversation.
    fn talk(&mut self, mut talk: Talk, prefix: &str, enclosed: Enclosed) -> (Letter, Vec<String>) {
        // With a partner, every other message is ours.
        let outgoing = talk.office != 0 && self.random.chance(45);
        let author = self.author(if outgoing { 0 } else { talk.office });
        let ours = if outgoing { Vec::new() } else { self.recipients() };
        let to = match outgoing {
            true => vec![self.offices[talk.office].someone(&mut self.random)],
            false => ours.clone(),
        };
        let shown: Vec<(usize, String)> = self
            .logos(author.office, &talk.logos)
            .into_iter()
            .map(|office| (office, format!("image{office:03}.png@{:016X}", self.random.next())))
            .collect();
        let subject = format!("{prefix}{}", talk.subject);
        let (head, id) = self.head(&author, &to, &subject, &talk.ids);
        self.say(&author, &mut talk, &shown, &subject);
        let office = &self.offices[author.office];
        let (part, sizes) = compose(office, &self.offices, &talk, &shown, &enclosed, &mut self.random);
        let mut letter = self.letter(&author, head, part);
        (letter.attached, letter.fresh, letter.inline) = sizes;
        let files: Vec<File> = enclosed.new.into_iter().chain(enclosed.again).collect();
        files.iter().cloned().for_each(|file| self.remember(file));
        if !files.is_empty() {
            talk.files = files;
        }
        talk.logos = shown.into_iter().map(|(office, _)| office).collect();
        talk.last.clone_from(&letter.bytes);
        talk.attached = letter.attached;
        talk.ids.push_back(id);
        if talk.ids.len() > REFERENCES {
            talk.ids.pop_front();
        }
        self.talks.push_back(talk);
        if self.talks.len() > TALKS {
            self.talks.pop_front();
        }
        (letter, ours)
    }

    /// Puts what the author says above what was said before, in both forms.
    fn say(&mut self, author: &Author, talk: &mut Talk, shown: &[(usize, String)], subject: &str) {
        let size = 150 + self.random.around(900);
        let said = text::plain(&mut self.random, size).replace('\n', "\r\n");
        let office = &self.offices[author.office];
        let sent = date(self.clock, 1);
        let mut plain = format!("{said}\r\n{}", office.signature(&author.name));
        if !talk.plain.is_empty() {
            plain += &format!("\r\nOn {sent}, {} wrote:\r\n", author.name);
            for line in talk.plain.lines() {
                plain += if line.starts_with('>') { ">" } else { "> " };
                plain += line;
                plain += "\r\n";
            }
        }
        cut(&mut plain, QUOTED_PLAIN);
        talk.plain = plain;

        let logo = shown.iter().find(|(office, _)| *office == author.office);
        let mut html: String = said.lines().map(paragraph).collect();
        html += &office.signature_html(&author.name, logo.map(|(_, id)| id.as_str()));
        if !talk.html.is_empty() {
            html += &format!(
                "<div style=\"border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm\">{}{}</div>\r\n\
                 <blockquote>\r\n{}</blockquote>\r\n",
                paragraph(&format!("<b>Sent:</b> {sent}")),
                paragraph(&format!("<b>Subject:</b> {subject}")),
                talk.html
            );
        }
        cut(&mut html, QUOTED_HTML);
        talk.html = html;
    }

    /// The author's logo, and those that the conversation shows already.
    fn logos(&self, author: usize, before: &[usize]) -> Vec<usize> {
        let mut logos = vec![author];
        logos.extend(before.iter().filter(|office| **office != author));
        logos.retain(|office| self.offices[*office].logo.is_some());
        logos.truncate(LOGOS);
        logos
    }

    fn some_talk(&mut self) -> Talk {
        let number = self.random.below(self.talks.len());
        self.talks.remove(number).expect("a conversation of this number")
    }

    fn recent_file(&mut self) -> File {
        self.files[self.random.below(self.files.len())].clone()
    }

    fn remember(&mut self, file: File) {
        self.files.push_back(file);
        if self.files.len() > FILES {
            self.files.pop_front();
        }
    }

    fn author(&mut self, office: usize) -> Author {
        let name = match office {
            0 => {
                let person = &self.people[self.random.below(self.people.len())];
                format!("\"{}\" <{}>", person.name, person.addresses[0])
            }
            office => self.offices[office].someone(&mut self.random),
        };
        Author { office, name }
    }

    /// Addresses of ours: mostly one, sometimes a few, rarely a whole department.
    fn recipients(&mut self) -> Vec<String> {
        let count = match self.random.below(100) {
            0..60 => 1,
            60..78 => 2,
            78..98 => 3 + self.random.below(4),
            _ => 8 + self.random.below(12),
        };
        let from = self.random.below(self.people.len());
        let step = 1 + self.random.below(3);
        let mut chosen: Vec<String> = Vec::with_capacity(count);
        for number in 0..count {
            let address = &self.people[(from + number * step) % self.people.len()].addresses[0];
            if !chosen.contains(address) {
                chosen.push(address.clone());
            }
        }
        chosen
    }

    /// The author's header fields, and the Message-ID.
    fn head(&mut self, author: &Author, to: &[String], subject: &str, ids: &VecDeque<String>) -> (String, String) {
        let office = &self.offices[author.office];
        let random = &mut self.random;
        let signed = |random: &mut Random| STANDARD.encode(random.bytes(256));
        let id = format!(
            "<{:016X}{:08x}@mail.{}>",
            random.next(),
            random.next() as u32,
            office.domain
        );
        let sent = date(self.clock - 20, 1);
        let mut head = format!(
            "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={}; s=mail;\r\n\th=From:To:Date:Subject;\r\n\tbh={};\r\n\
             \tb={}\r\nReceived: from desk-{}.{} ([198.51.100.{}]) by mail.{};\r\n\t{sent}\r\n",
            office.domain,
            STANDARD.encode(random.bytes(32)),
            folded(&signed(random)),
            random.below(40),
            office.domain,
            random.below(250),
            office.domain,
        );
        head += &format!(
            "From: {}\r\nTo: {}\r\nSubject: {subject}\r\n",
            author.name,
            to.join(",\r\n\t")
        );
        head += &format!("Date: {sent}\r\nMessage-ID: {id}\r\n");
        if let Some(last) = ids.back() {
            let all: Vec<&str> = ids.iter().map(String::as_str).collect();
            head += &format!("In-Reply-To: {last}\r\nReferences: {}\r\n", all.join("\r\n\t"));
        }
        head += &format!(
            "X-Mailer: {}\r\nX-Message-Report: {}\r\nMIME-Version: 1.0\r\n",
            office.program.name,
            folded(&signed(random))
        );
        (head, id)
    }

    /// Header and body together; nothing is attached yet as far as is counted.
    fn letter(&self, author: &Author, head: String, part: Part) -> Letter {
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(part.fields.as_bytes());
        bytes.extend_from_slice(b"\r\n");
        bytes.extend(part.body);
        Letter {
            domain: self.offices[author.office].domain.clone(),
            bytes,
            attached: 0,
            fresh: 0,
            inline: 0,
        }
    }
}

/// The parts of a message as one, and the bytes in it of attached files, of new ones, and of pictures.
fn compose(
    office: &Office,
    offices: &[Office],
    talk: &Talk,
    shown: &[(usize, String)],
    enclosed: &Enclosed,
    random: &mut Random,
) -> (Part, (usize, usize, usize)) {
    let program = office.program;
    let (mut attached, mut fresh, mut inline) = (0, 0, 0);
    let texts = vec![
        Part::text("plain", &talk.plain, program),
        Part::text("html", &office.page(&talk.html), program),
    ];
    let mut related = vec![Part::multipart("alternative", texts, random)];
    for (number, id) in shown {
        if let Some(logo) = &offices[*number].logo {
            related.push(Part::file(logo, Some(id), program));
            inline += related.last().map_or(0, |part| part.body.len());
        }
    }
    let mut mixed = vec![Part::multipart("related", related, random)];
    let new = enclosed.new.iter().map(|file| (file, true));
    for (file, is_new) in new.chain(enclosed.again.iter().map(|file| (file, false))) {
        let part = Part::file(file, None, program);
        attached += part.body.len();
        fresh += if is_new { part.body.len() } else { 0 };
        mixed.push(part);
    }
    if let Some((message, files)) = &enclosed.message {
        mixed.push(Part::message(message));
        attached += files;
    }
    (Part::multipart("mixed", mixed, random), (attached, fresh, inline))
}

/// Shortens a text to whole lines of at most this many bytes.
fn cut(text: &mut String, most: usize) {
    if let Some(end) = text.get(..most).and_then(|kept| kept.rfind("\r\n")) {
        text.truncate(end + 2);
    }
}

/// In lines that a header field may have.
fn folded(value: &str) -> String {
    let lines: Vec<_> = value.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    lines.join("\r\n\t")
}
