//! The companies that write to each other, and how each company's mail looks.

use super::{
    super::{Random, text},
    files::File,
    parts::Encoding,
};

/// A company: ours is the first, the others are its partners.
pub struct Office {
    pub name: String,
    pub domain: String,
    /// In the signature of each of its mails, the same bytes for years.
    pub logo: Option<File>,
    disclaimer: String,
    /// What its mail program puts on top of each HTML text.
    style: String,
    pub program: Program,
}

/// How a mail program writes.
#[derive(Clone, Copy)]
pub struct Program {
    pub name: &'static str,
    /// Characters of base64 in a line.
    pub line: usize,
    /// Whether an empty line stands between a file and the next boundary.
    pub empty_line: bool,
    pub text: Encoding,
}

const PROGRAMS: [Program; 6] = [
    Program {
        name: "Office Mail 16.0",
        line: 76,
        empty_line: true,
        text: Encoding::QuotedPrintable,
    },
    Program {
        name: "Office Mail 16.0 (online)",
        line: 76,
        empty_line: true,
        text: Encoding::Base64,
    },
    Program {
        name: "Bird 102",
        line: 72,
        empty_line: true,
        text: Encoding::Plain,
    },
    Program {
        name: "Post for Phones 5",
        line: 76,
        empty_line: false,
        text: Encoding::QuotedPrintable,
    },
    Program {
        name: "Groupware 8.4",
        line: 64,
        empty_line: false,
        text: Encoding::Plain,
    },
    Program {
        name: "Web Mail",
        line: 76,
        empty_line: false,
        text: Encoding::QuotedPrintable,
    },
];

impl Office {
    pub fn new(number: usize, domain: String, random: &mut Random) -> Self {
        let words = [(); 2].map(|()| text::word(random));
        // Most mail comes from the programs that most people use.
        let program = match random.below(100) {
            0..45 => PROGRAMS[0],
            45..57 => PROGRAMS[1],
            57..70 => PROGRAMS[2],
            70..82 => PROGRAMS[3],
            82..90 => PROGRAMS[4],
            _ => PROGRAMS[5],
        };
        let size = 500 + random.below(900);
        Self {
            name: format!("{} & {} Ltd. {number}", words[0], words[1]),
            domain,
            logo: (number == 0 || random.chance(50)).then(|| File::logo(random)),
            disclaimer: text::plain(random, size),
            style: style(random),
            program,
        }
    }

    /// A colleague's name and address; of so many that the same ones turn up again.
    pub fn someone(&self, random: &mut Random) -> String {
        let number = random.below(12);
        format!(
            "\"{} {number}\" <{}.{number}@{}>",
            self.name,
            ["sales", "office", "support"][number % 3],
            self.domain
        )
    }

    /// What stands below each text: who wrote it, and what the lawyers want.
    pub fn signature(&self, author: &str) -> String {
        let Self {
            name,
            domain,
            disclaimer,
            ..
        } = self;
        format!(
            "-- \r\n{author}\r\n{name}\r\nHouse of Mail, 1 Example Street\r\nPhone +44 20 7946 0{:03}\r\n\
             https://www.{domain}/\r\n\r\n{}",
            author.len() * 7 % 1_000,
            disclaimer.replace('\n', "\r\n")
        )
    }

    /// The signature in HTML; the logo is named by its content id.
    pub fn signature_html(&self, author: &str, logo: Option<&str>) -> String {
        let lines = self.signature(&author.replace(['<', '>', '"'], ""));
        let mut html = String::from("<div class=\"Signature\">\r\n");
        if let Some(id) = logo {
            html += &format!("<p class=\"MailNormal\"><img width=\"128\" height=\"64\" src=\"cid:{id}\"></p>\r\n");
        }
        for line in lines.lines() {
            html += &paragraph(line);
        }
        html + "</div>\r\n"
    }

    /// A whole HTML text around what stands in its body.
    pub fn page(&self, inside: &str) -> String {
        format!(
            "<html>\r\n<head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">\r\n{}</head>\r\n\
             <body lang=\"EN-GB\" link=\"#0563C1\" vlink=\"#954F72\">\r\n<div class=\"Section\">\r\n{inside}</div>\r\n\
             </body>\r\n</html>\r\n",
            self.style
        )
    }
}

/// A line of text as a paragraph of HTML.
pub fn paragraph(line: &str) -> String {
    format!(
        "<p class=\"MailNormal\"><span lang=\"EN-GB\" style=\"font-size:11.0pt;font-family:&quot;Calibri&quot;,\
         sans-serif;color:#1F497D\">{line}</span></p>\r\n"
    )
}

/// Style definitions of 1 to 6 KB.
fn style(random: &mut Random) -> String {
    let mut style = String::from("<style><!--\r\n");
    for number in 0..12 + random.below(50) {
        style += &format!(
            "p.MailStyle{number}, li.MailStyle{number} {{margin:0cm; margin-bottom:.0001pt; font-size:{}.0pt; \
             color:#{:06x};}}\r\n",
            8 + random.below(6),
            random.below(1 << 24)
        );
    }
    style + "--></style>\r\n"
}
