//! What messages are filled with: words, HTML, files, and writing in other alphabets.

use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::STANDARD};

use super::Random;

const WORDS: &str = "about account address after again agreed already also answer attached back because before \
    between board budget build call change check client close company contract copy costs could customer date day \
    deadline delivery department details discuss document does draft due each early effort end enough error every \
    example fact figures file final find first follow forward found from friday given good group half have head help \
    here hold hours idea important invoice issue item january keep kind know large last late learn letter line list \
    little local long look made mail make many march market meeting message might minutes monday month more morning \
    most move much must name need never next night note notice now number offer office often only open order other \
    over page paper part past people perhaps person phone place plan please point possible present price problem \
    process product project proposal public question quite rate read ready reason received recent record reply report \
    request rest result review right room said same schedule second see send sent service set several short should \
    show side since small some soon start state step still stop such support sure system table take team tell than \
    thank that their them then there these they thing think this thought three through time today together too total \
    toward train try tuesday two under until update used user value very version want was way week well were what \
    when where which while whole will with without word work would write year yes yet you your";

static WORD_LIST: LazyLock<Vec<&str>> = LazyLock::new(|| WORDS.split_whitespace().collect());

/// One word.
pub fn word(random: &mut Random) -> &'static str {
    random.pick(&WORD_LIST)
}

/// About `size` bytes of plain text in lines, among it the odd number and the odd web address.
pub fn plain(random: &mut Random, size: usize) -> String {
    let mut text = String::with_capacity(size + 80);
    let mut column = 0;
    while text.len() < size {
        let word = match random.below(60) {
            0 => format!("{}", random.below(100_000)),
            1 => format!("https://www.example.net/{:x}", random.next()),
            2 => "\n\n".to_owned(),
            _ => word(random).to_owned(),
        };
        column += word.len() + 1;
        text.push_str(&word);
        if word.ends_with('\n') {
            column = 0;
        } else if column > 68 {
            text.push('\n');
            column = 0;
        } else {
            text.push(' ');
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

pub fn subject(random: &mut Random) -> String {
    let count = 2 + random.below(6);
    (0..count).map(|_| word(random)).collect::<Vec<_>>().join(" ")
}

/// The text as a mail program writes HTML: markup around every paragraph.
pub fn html(text: &str) -> String {
    let paragraphs: String = text
        .split("\n\n")
        .map(|part| {
            format!("<p style=\"margin:0;font-family:Calibri,sans-serif\"><span lang=\"EN-GB\">{part}</span></p>\n")
        })
        .collect();
    format!(
        "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title></title></head>\n<body>\n{paragraphs}</body></html>\n"
    )
}

/// A file of `size` bytes: some compress, some (as pictures and archives do) not at all.
pub fn file(random: &mut Random, size: usize) -> Vec<u8> {
    if random.chance(50) {
        random.bytes(size)
    } else {
        plain(random, size).into_bytes()
    }
}

/// Base64 in lines of 76, as mail has it.
pub fn base64_lines(bytes: &[u8]) -> String {
    let encoded = STANDARD.encode(bytes);
    let mut lines = String::with_capacity(encoded.len() + encoded.len() / 76 + 1);
    for line in encoded.as_bytes().chunks(76) {
        lines.push_str(std::str::from_utf8(line).expect("base64 is ASCII"));
        lines.push('\n');
    }
    lines
}

/// Writing in a charset: the label it is sent under, which may be wrong or unheard of, and the bytes.
pub const WRITINGS: [(&str, &[u8]); 9] = [
    ("iso-8859-1", b"Gr\xfc\xdfe aus K\xf6ln"),
    ("utf-8", "Grüße aus Köln, 東京 und Москва".as_bytes()),
    ("koi8-r", b"\xf0\xd2\xc9\xd7\xc5\xd4 \xc9\xda \xed\xcf\xd3\xcb\xd7\xd9"),
    ("iso-2022-jp", b"\x1b$B$3$s$K$A$O\x1b(B from \x1b$BEl5~\x1b(B"),
    ("shift_jis", b"\x82\xb1\x82\xf1\x82\xc9\x82\xbf\x82\xcd"),
    ("gb2312", b"\xc4\xe3\xba\xc3"),
    ("us-ascii", b"not ASCII: \xe9\xe8\xff"),
    ("x-no-such-charset", b"\x80\x81\x82 ?"),
    ("utf-8", b"cut \xe2\x82 in the middle \xff"),
];

/// An encoded word (RFC 2047), in B or in Q.
pub fn encoded_word(random: &mut Random, charset: &str, bytes: &[u8]) -> String {
    if random.chance(50) {
        return format!("=?{charset}?B?{}?=", STANDARD.encode(bytes));
    }
    let quoted: String = bytes
        .iter()
        .map(|&byte| match byte {
            b' ' => "_".to_owned(),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            _ => format!("={byte:02X}"),
        })
        .collect();
    format!("=?{charset}?Q?{quoted}?=")
}
