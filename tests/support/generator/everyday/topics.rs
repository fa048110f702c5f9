//! Who writes to an office, and about what.

/// Somebody who writes to us: name, address, and the company in the signature.
pub type Partner = (&'static str, &'static str, &'static str);

pub const PARTNERS: [Partner; 10] = [
    (
        "Helen Marsh",
        "helen.marsh@northgate-paper.example",
        "Northgate Paper Ltd.",
    ),
    (
        "Tom Aldridge",
        "accounts@northgate-paper.example",
        "Northgate Paper Ltd., Accounts",
    ),
    ("Priya Nair", "priya.nair@brightwater.example", "Brightwater Logistics"),
    ("Uwe Kessler", "uwe@kessler-sohn.example", "Kessler & Sohn, Regalbau"),
    (
        "Camille Rousseau",
        "camille@atelier-rousseau.example",
        "Atelier Rousseau",
    ),
    (
        "Maja Lindqvist",
        "maja.lindqvist@lindqvist-revision.example",
        "Lindqvist Revision AB",
    ),
    ("Daniel Brandt", "d.brandt@brandt-legal.example", "Brandt Legal"),
    ("山田 太郎", "taro.yamada@yamada-print.example", "Yamada Print"),
    ("Sofia Almeida", "sofia@fernhill-offices.example", "Fernhill Offices"),
    (
        "Marek Zielinski",
        "marek.zielinski@riverside-fairs.example",
        "Riverside Trade Fairs",
    ),
];

/// A conversation: its subject, what each writes in turn, and the file that the first one attaches. `{n}` is a number,
/// `{month}` and `{year}` are those of the message, `{day}` a day of the week.
pub struct Topic {
    /// The partner who begins it; otherwise one of us does, and it stays among us.
    pub partner: Option<usize>,
    pub subject: &'static str,
    pub turns: &'static [&'static str],
    pub file: Option<&'static str>,
}

const fn topic(
    partner: Option<usize>,
    subject: &'static str,
    turns: &'static [&'static str],
    file: Option<&'static str>,
) -> Topic {
    Topic {
        partner,
        subject,
        turns,
        file,
    }
}

pub const TOPICS: [Topic; 18] = [
    topic(
        Some(0),
        "Quotation {n}: envelopes and letterheads",
        &[
            "Please find our quotation attached. The prices hold until the end of {month}; we can deliver within ten days.",
            "Thank you. Could you also quote 5,000 pieces instead of 2,000? We would order twice a year then.",
            "With 5,000 pieces you get 4 % off, and we would hold half of them in stock for you. Should I send a new quotation?",
            "That sounds good. Please go ahead, and put our order number {n} on the invoice.",
        ],
        Some("Quotation {n}.pdf"),
    ),
    topic(
        Some(1),
        "Invoice {n} for {month} {year}",
        &[
            "Please find our invoice for {month} attached. It is due within 30 days.",
            "The invoice names the old address in Mill Lane. Could you send us a corrected one?",
            "Of course, and sorry for that. The corrected invoice follows today; please throw the first one away.",
        ],
        Some("Invoice-{year}-{n}.pdf"),
    ),
    topic(
        Some(2),
        "Delivery on {day}",
        &[
            "Your delivery of four pallets is planned for {day} between 8 and 12. Will somebody be at the ramp?",
            "Yes, I will be there from 7:30. Please have the driver ring at gate B, gate A is closed for repairs.",
            "Noted, thank you. The driver has your number and calls half an hour before.",
        ],
        None,
    ),
    topic(
        None,
        "Minutes of the meeting in {month}",
        &[
            "Here are the minutes. Please tell me by {day} if anything is missing or wrong; after that they go on file.",
            "Thanks! One correction: we agreed on two new chairs for the front desk, not three.",
            "Right, I have changed it.",
        ],
        Some("Minutes {month} {year}.docx"),
    ),
    topic(
        None,
        "Budget {year}, second draft",
        &[
            "The second draft is attached. Travel is down by a tenth, training is up; the rest is as we discussed.",
            "Looks fine to me. What about the fair in {month}? I cannot find the booth.",
            "It is under marketing, row 42. I will give it a line of its own.",
        ],
        Some("Budget {year} draft 2.xlsx"),
    ),
    topic(
        None,
        "On holiday from {day}",
        &[
            "I will be away for two weeks from {day}. For anything urgent about orders please ask whoever sits next to my desk.",
            "Have a good time! Could you leave me the key to the archive before you go?",
        ],
        None,
    ),
    topic(
        Some(8),
        "Contract renewal {year}",
        &[
            "Your maintenance contract ends in {month}. Attached is the new one, with the changes that we spoke about marked.",
            "I have read it. In section 7 the notice period is still six months; we agreed on three.",
            "You are right. I have corrected section 7; the rest is unchanged. Please sign both copies.",
            "Both copies are signed and in the post. Thank you.",
        ],
        Some("Maintenance contract {year}.pdf"),
    ),
    topic(
        None,
        "Printer on the second floor",
        &[
            "The printer on the second floor takes no large paper since this morning. Does anybody know whom to call?",
            "I have called the service. They come on {day}; until then please use the one next to the kitchen.",
        ],
        None,
    ),
    topic(
        Some(3),
        "Angebot {n}: Regale für das Lager",
        &[
            "anbei unser Angebot über zwölf Regale, wie am Telefon besprochen. Die Lieferzeit beträgt vier Wochen.",
            "vielen Dank! Sind die Böden höhenverstellbar, und gilt der Preis auch für zehn Stück?",
            "Ja, alle 5 cm. Für zehn Stück bleibt der Preis gleich. Die Maßzeichnung finden Sie im Angebot auf Seite 2.",
        ],
        Some("Angebot {n} Regale.pdf"),
    ),
    topic(
        Some(4),
        "Épreuves du catalogue {year}",
        &[
            "vous trouverez ci-joint les épreuves du catalogue. Merci de nous donner votre accord avant {day}.",
            "Merci beaucoup. La page 14 est encore en anglais; pour le reste, c'est parfait.",
        ],
        Some("Catalogue {year} épreuves.pdf"),
    ),
    topic(
        Some(9),
        "Booth {n} at the fair in {month}",
        &[
            "We have reserved booth {n} for you, near the east entrance. The plan of the hall is attached.",
            "Great. We need two sockets and a table for six. Can we set up the evening before?",
            "Yes, the hall is open until 22:00 on the evening before. Sockets and table are ordered.",
        ],
        Some("Hall plan east.pdf"),
    ),
    topic(
        Some(2),
        "Order {n} arrived damaged",
        &[
            "Three of the cartons of order {n} were wet when they reached our customer. A photo is attached. How should we proceed?",
            "That is annoying, I am sorry. We send new ones tomorrow. Please keep the damaged ones for the insurance until {day}.",
            "Thank you, that was quick. The new cartons are here and dry.",
        ],
        Some("IMG_{n}.jpg"),
    ),
    topic(
        None,
        "Lunch on {day}?",
        &[
            "The new place in Harbour Street has a table for five at 12:30. Who comes along?",
            "Count me in.",
        ],
        None,
    ),
    topic(
        Some(5),
        "Annual accounts {year}: open questions",
        &[
            "For the annual accounts I still need the stock list of 31 December and the lease of the delivery van.",
            "The stock list is attached to my next mail, the lease is with Brandt Legal; I have asked for a copy.",
            "Received, thank you. The draft of the accounts comes by the end of {month}.",
        ],
        None,
    ),
    topic(
        Some(6),
        "Terms of delivery, revised",
        &[
            "Attached are the terms with my remarks. The second paragraph on late delivery would not hold in court as it is.",
            "Understood. Please write it as you suggest; we use the new text from {month} on.",
        ],
        Some("Terms of delivery (remarks).docx"),
    ),
    topic(
        None,
        "New colleague in {month}",
        &[
            "Our new colleague starts on {day}. Please prepare a desk, a key, and an account; I show the building at 9.",
            "Desk and key are ready. For the account I need the name as it is to stand in the address.",
        ],
        None,
    ),
    topic(
        Some(8),
        "Heating: appointment on {day}",
        &["The engineer looks at your heating on {day} at 10. It takes about an hour, and the rooms stay warm."],
        None,
    ),
    topic(
        Some(7),
        "Price list {month} {year}",
        &["Our new price list is attached. Paper is up by 2 %, everything else stays as it was."],
        Some("Price list {month} {year}.xlsx"),
    ),
];
