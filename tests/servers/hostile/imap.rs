//! IMAP servers that misbehave.

use std::time::Duration;

use crate::hostile::{
    case::{Ends, imap, message, play},
    mailserver::at,
};

#[test]
fn connections_that_break() {
    play(vec![
        imap("the connection is cut in the greeting")
            .fault(at("greeting").cut(3))
            .ends(Ends::Unreachable, &["closed"]),
        imap("the connection is cut behind the login")
            .fault(at("LOGIN").once().cut(0))
            .ends(Ends::Unreachable, &["login"]),
        imap("the connection is cut behind EXAMINE")
            .fault(at("EXAMINE").once().cut(0))
            .ends(Ends::Mended, &["EXAMINE", "closed"]),
        imap("the connection is cut in the middle of SEARCH")
            .fault(at("SEARCH").once().cut(12))
            .ends(Ends::Mended, &["SEARCH", "closed"]),
        imap("the connection is cut between sizes")
            .fault(at("FETCH SIZE").once().message(3).cut(0))
            .ends(Ends::Mended, &["FETCH", "closed"]),
        imap("the connection is cut between messages")
            .fault(at("FETCH BODY").once().message(4).cut(0))
            .ends(Ends::Mended, &["FETCH", "closed"]),
        imap("the connection is cut within a literal")
            .fault(at("FETCH BODY").once().message(4).cut(500))
            .ends(Ends::Mended, &["FETCH", "closed"]),
        imap("the connection is cut behind a literal's last byte")
            .fault(at("FETCH BODY").once().change(up_to_the_last_literal))
            .fault(at("FETCH BODY").once().cut(usize::MAX))
            .ends(Ends::Mended, &["FETCH", "closed"]),
        imap("the connection is cut before the tagged OK")
            .known("chatmail/core issue 5009: a lost connection read as the end of an answer")
            .fault(at("FETCH BODY").once().change(without_the_last_line))
            .fault(at("FETCH BODY").once().cut(usize::MAX)),
        imap("the connection is cut at every fetch of bodies")
            .fault(at("FETCH BODY").cut(0))
            .ends(Ends::Failed(&[1, 2, 3, 4, 5, 6, 7]), &["each time", "closed"]),
        imap("one message closes the connection each time it is fetched")
            .known("Exchange 2013 with items it cannot convert")
            .fault(at("FETCH BODY").message(5).cut(40))
            .ends(Ends::Failed(&[5]), &["each time", "closed"]),
        imap("BYE in the middle of a fetch")
            .known("Exchange Online: * BYE Connection is closed. 13")
            .fault(
                at("FETCH BODY")
                    .once()
                    .message(3)
                    .instead("* BYE Connection is closed. 13\r\n"),
            )
            .ends(Ends::Mended, &["Connection is closed. 13"]),
        imap("BYE in place of the greeting")
            .known("Dovecot: Maximum number of connections from user+IP exceeded")
            .fault(at("greeting").instead("* BYE too many connections\r\n"))
            .ends(Ends::Unreachable, &["too many connections"]),
        imap("BYE at the login")
            .fault(at("LOGIN").instead("* BYE shutting down\r\n"))
            .ends(Ends::Unreachable, &["shutting down"]),
        imap("LOGOUT is answered by closing")
            .known("Exchange 2003")
            .fault(at("LOGOUT").cut(0)),
        imap("silence in place of a greeting")
            .silent()
            .fault(at("greeting").hang(0))
            .ends(Ends::Unreachable, &["no greeting on port"]),
        imap("silence in place of an answer to EXAMINE")
            .silent()
            .fault(at("EXAMINE").once().hang(0))
            .ends(Ends::Mended, &["silent", "EXAMINE"]),
        imap("silence within a literal")
            .silent()
            .fault(at("FETCH BODY").once().message(2).hang(300))
            .ends(Ends::Mended, &["silent", "FETCH"]),
        imap("silence before the tagged OK")
            .silent()
            .fault(at("SEARCH").once().hang(5))
            .ends(Ends::Mended, &["silent", "SEARCH"]),
        imap("silence at LOGOUT").silent().fault(at("LOGOUT").hang(0)),
        imap("a greeting that comes byte by byte")
            .known("servers behind tarpits and greylisting proxies")
            .fault(at("greeting").drip(Duration::from_millis(150))),
    ]);
}

#[test]
fn answers_that_refuse() {
    play(vec![
        imap("NO in the middle of a fetch, once")
            .known("Yahoo: NO [SERVERBUG] FETCH Server error while fetching messages (MailKit issue 358)")
            .fault(at("FETCH BODY").once().change(ends_at_message_4_with_no)),
        imap("NO for one message, always")
            .known("Yahoo (MailKit issue 358), office365.com (node-imap issue 867)")
            .fault(
                at("FETCH BODY")
                    .naming(4)
                    .instead("{tag} NO [SERVERBUG] FETCH Server error\r\n"),
            )
            .ends(Ends::Failed(&[4]), &["Server error"]),
        imap("BAD for whatever names one message")
            .known("Exchange 2010: BAD Command Argument Error")
            .fault(
                at("FETCH BODY")
                    .naming(4)
                    .instead("{tag} BAD Command Argument Error. 12\r\n"),
            )
            .ends(Ends::Failed(&[4]), &["Command Argument Error. 12"]),
        imap("OK without the message")
            .known("Exchange 2010 (offlineimap issue 62), 1and1 (offlineimap issue 429)")
            .fault(at("FETCH BODY").message(3).change(nothing))
            .ends(Ends::Failed(&[3]), &["did not send it"]),
        imap("NIL in place of a body")
            .known("263.net (imapsync issue 79)")
            .fault(at("FETCH BODY").message(2).change(nil))
            .ends(Ends::Failed(&[2]), &["NIL"]),
        imap("no body at all in the answer")
            .known("iCloud (modern-email/defects issue 36)")
            .fault(
                at("FETCH BODY")
                    .message(2)
                    .change(|line| [before(&line, b" BODY[]"), b")\r\n"].concat()),
            )
            .ends(Ends::Failed(&[2]), &["did not send it"]),
        imap("no UID in the answer")
            .known("DavMail (offlineimap issue 479), Zoho (offlineimap issue 93)")
            .fault(at("FETCH BODY").message(6).replace("(UID 16 ", "("))
            .ends(Ends::Failed(&[6]), &["did not send it"]),
        imap("UID 0 in the answer")
            .known("offlineimap issue 336")
            .fault(at("FETCH BODY").message(6).replace("(UID 16 ", "(UID 0 "))
            .ends(Ends::Failed(&[6]), &["did not send it"]),
        imap("a size is missing")
            .known("pobox.com (Mailpile issue 1080)")
            .fault(at("FETCH SIZE").message(3).change(nothing))
            .ends(Ends::Failed(&[3]), &["size"]),
        imap("SEARCH is refused")
            .fault(at("SEARCH").once().instead("{tag} NO [SERVERBUG] not now\r\n"))
            .ends(Ends::Never, &["not now"]),
        imap("EXAMINE is refused")
            .fault(at("EXAMINE").instead("{tag} NO [INUSE] not now\r\n"))
            .ends(Ends::Never, &["not now"]),
        imap("LIST is refused")
            .fault(at("LIST").instead("{tag} NO not now\r\n"))
            .ends(Ends::Never, &["not now"]),
        imap("LOGIN is refused")
            .fault(at("LOGIN").instead("{tag} NO [UNAVAILABLE] later\r\n"))
            .ends(Ends::Unreachable, &["later"]),
        imap("the end of a command that nobody gave")
            .fault(at("FETCH BODY").once().ahead("X99 OK done\r\n"))
            .ends(Ends::Well, &[]),
    ]);
}

#[test]
fn literals_and_sizes_that_lie() {
    play(vec![
        imap("a literal announced shorter than it is")
            .fault(at("FETCH BODY").once().message(3).change(|line| literal(line, -7)))
            .ends(Ends::Mended, &["FETCH"]),
        imap("a literal announced longer than it is")
            .known("hMailServer (issue 524)")
            .fault(at("FETCH BODY").once().message(3).change(|line| literal(line, 7)))
            .ends(Ends::Mended, &["FETCH"]),
        imap("the last literal is announced longer than it is")
            .silent()
            .fault(at("FETCH BODY").once().message(7).change(|line| literal(line, 70)))
            .ends(Ends::Mended, &["FETCH"]),
        imap("sizes a little too small")
            .known("hMailServer 5.6.8 (issue 476), Exchange 2007")
            .strange(|mailbox| {
                mailbox
                    .inbox()
                    .messages
                    .iter_mut()
                    .for_each(|one| one.claimed = Some(one.size() - 29))
            }),
        imap("sizes three times too large")
            .known("Exchange at OVH (stalwartlabs/vandelay issue 12)")
            .strange(|mailbox| {
                mailbox
                    .inbox()
                    .messages
                    .iter_mut()
                    .for_each(|one| one.claimed = Some(one.size() * 3))
            }),
        imap("sizes are 0").known("GreenMail (issue 967)").strange(|mailbox| {
            mailbox
                .inbox()
                .messages
                .iter_mut()
                .for_each(|one| one.claimed = Some(0))
        }),
        imap("a message far larger than it was announced")
            .strange(|mailbox| {
                mailbox.message(4).bytes = message(4, 60_000);
                mailbox.message(4).claimed = Some(100);
            })
            .ends(Ends::Failed(&[4]), &["announced"]),
        imap("a literal of four gigabytes is announced")
            .silent()
            .fault(
                at("FETCH BODY")
                    .once()
                    .message(3)
                    .change(|line| literal(line, 4_000_000_000)),
            )
            .ends(Ends::Mended, &["announced"]),
        imap("an endless line")
            .fault(at("SEARCH").once().endless("* OK and on, and on"))
            .ends(Ends::Mended, &["SEARCH"]),
        imap("endless untagged answers")
            .fault(at("FETCH SIZE").once().endless("* OK still here\r\n"))
            .ends(Ends::Mended, &["FETCH"]),
        imap("garbage in place of a greeting")
            .fault(at("greeting").instead("\u{0}\u{1}\u{2} SSH-2.0\r\n"))
            .ends(Ends::Unreachable, &["greeting"]),
        imap("garbage in the middle of a fetch")
            .fault(at("FETCH BODY").once().message(5).ahead("\u{0}\u{1} %%% \r\n"))
            .ends(Ends::Mended, &["FETCH"]),
        imap("INTERNALDATE NIL")
            .known("Zarafa 7.2.4 (thunderbird-android issue 1819)")
            .fault(at("FETCH BODY").replace("INTERNALDATE \"17-Jul-2024 02:44:25 +0000\"", "INTERNALDATE NIL")),
        imap("an INTERNALDATE that is none")
            .fault(at("FETCH BODY").replace("17-Jul-2024 02:44:25 +0000", "32-Foo-2024 99:99:99 +9999")),
        imap("an INTERNALDATE with a day of one digit")
            .known("QQ (mailcore2 issue 1178)")
            .fault(at("FETCH BODY").replace("17-Jul-2024", "7-Jul-2024")),
        imap("more items behind the closing bracket")
            .known("Xeams (paperless-ngx issue 13412)")
            .fault(
                at("FETCH BODY")
                    .once()
                    .message(2)
                    .change(|line| [&line[..line.len() - 3], b")\r\n FLAGS (\\Seen))\r\n"].concat()),
            ),
        imap("bare line ends in a message")
            .known("DavMail, Exchange 2007 with mail from Unix programs")
            .strange(|mailbox| {
                mailbox.message(2).bytes.retain(|byte| *byte != b'\r');
                mailbox.message(4).bytes.retain(|byte| *byte != b'\n');
            }),
        imap("a message without a last line end").strange(|mailbox| mailbox.message(3).bytes.truncate(700)),
        imap("a message of no bytes")
            .known("offlineimap issue 584")
            .strange(|mailbox| mailbox.message(3).bytes.clear()),
        imap("the body as a quoted string")
            .known("node-imap issue 153")
            .strange(|mailbox| mailbox.message(3).bytes = b"To: jane@example.com".to_vec())
            .fault(at("FETCH BODY").message(3).change(quoted)),
    ]);
}

#[test]
fn mailboxes_that_change() {
    play(vec![
        imap("new mail during a fetch")
            .fault(at("FETCH BODY").once().meanwhile(|mailbox| {
                mailbox.deliver(message(8, 0));
            }))
            .absent(&[8]),
        imap("new mail during SEARCH")
            .fault(at("SEARCH").once().meanwhile(|mailbox| {
                mailbox.deliver(message(8, 0));
            }))
            .absent(&[8]),
        imap("a message is expunged between sizes and bodies")
            .fault(at("FETCH BODY").once().meanwhile(|mailbox| mailbox.remove(3)))
            .absent(&[3]),
        imap("a message is expunged during SEARCH")
            .fault(at("SEARCH").once().meanwhile(|mailbox| mailbox.remove(1)))
            .absent(&[1]),
        imap("all messages are expunged between sizes and bodies")
            .fault(
                at("FETCH BODY")
                    .once()
                    .meanwhile(|mailbox| mailbox.inbox().messages.clear()),
            )
            .absent(&[1, 2, 3, 4, 5, 6, 7]),
        imap("UIDVALIDITY changes after a cut, and UIDs name other messages")
            .known("servers that rebuild their index: Courier, Dovecot without dovecot-uidlist")
            .fault(at("FETCH BODY").once().message(4).cut(0))
            .fault(at("EXAMINE").nth(2).perhaps().meanwhile(shuffle))
            .ends(Ends::Mended, &["FETCH"]),
        imap("UIDVALIDITY is another on every connection")
            .known("servers without UIDs that last: Exchange public folders, mbox over UW-IMAP after external changes")
            .fault(at("EXAMINE").meanwhile(|mailbox| mailbox.inbox().renumber())),
        imap("UIDVALIDITY 0")
            .known("xwtec.cn (modern-email/defects issue 52)")
            .strange(|mailbox| mailbox.inbox().uidvalidity = 0),
        imap("UIDVALIDITY is not told")
            .fault(at("EXAMINE").change(without_uidvalidity))
            .ends(Ends::Never, &["UIDVALIDITY"]),
        imap("UIDs out of order")
            .known("Yahoo, GreenMail (issue 377)")
            .strange(|mailbox| mailbox.inbox().messages.reverse()),
        imap("the largest UIDs there are").strange(|mailbox| {
            let highest = (u32::MAX - 6..=u32::MAX).zip(&mut mailbox.inbox().messages);
            highest.for_each(|(uid, message)| message.uid = uid);
        }),
        imap("flags are forgotten").fault(at("EXAMINE").meanwhile(|mailbox| {
            mailbox.inbox().messages.iter_mut().for_each(|one| one.flags.clear());
        })),
    ]);
}

#[test]
fn answers_in_odd_forms() {
    play(vec![
        imap("untagged FETCH of other UIDs in between")
            .known("Gmail, Box (node-imap issue 464)")
            .fault(at("FETCH BODY").message(3).ahead("* 1 FETCH (UID 11 FLAGS (\\Seen))\r\n* 90 FETCH (UID 4711 FLAGS ())\r\n"))
            .fault(at("FETCH SIZE").message(3).ahead("* 90 FETCH (UID 4711 RFC822.SIZE 9 FLAGS ())\r\n")),
        imap("a body that was not asked for")
            .fault(at("FETCH BODY").message(3).ahead("* 90 FETCH (UID 4711 BODY[] {5}\r\nother)\r\n")),
        imap("a message twice in one answer").known("Gmail").fault(at("FETCH BODY").message(3).change(|line| [line.clone(), line].concat())),
        imap("messages in any order").known("Gmail, Yahoo").fault(at("FETCH BODY").change(reversed)),
        imap("the UID behind the body").known("mailio issue 135").fault(at("FETCH BODY").message(2).change(uid_last)),
        imap("responses in lower case").fault(at("SEARCH").replace("SEARCH", "search")).fault(at("EXAMINE").replace("EXISTS", "exists")).fault(at("FETCH SIZE").replace("RFC822.SIZE", "rfc822.size")).fault(at("FETCH SIZE").replace("FETCH", "fetch")),
        imap("the capabilities come untagged with the login").known("Gmail (modern-email/defects issue 18)").fault(
            at("LOGIN").instead("* CAPABILITY IMAP4rev1 CHILDREN UNSELECT LITERAL+ NAMESPACE UIDPLUS ID IDLE MOVE\r\n{tag} OK LOGIN Completed.\r\n"),
        ),
        imap("warnings and notes in between").known("Dovecot: * OK Still here").fault(at("FETCH BODY").message(3).ahead("* OK Still here\r\n* NO [ALERT] the disk is nearly full {5}\r\n")),
        imap("SEARCH in several lines").fault(at("SEARCH").replace("12 13 14", "12\r\n* SEARCH 13 14")),
        imap("SEARCH with a blank behind it").known("Exchange, iCloud").fault(at("SEARCH").replace("17\r\n", "17 \r\n")),
        imap("SEARCH names a UID twice").fault(at("SEARCH").once().replace("12 13 14", "12 13 14 12")),
        imap("SEARCH finds nothing where messages stand")
            .known("Strato (codefuturist/email-mcp issue 91), Exchange (MailKit issue 1177)")
            .fault(at("SEARCH").replace(" 11 12 13 14 15 16 17", ""))
            ,
        imap("SEARCH leaves some out")
            .fault(at("SEARCH").replace(" 13 14", ""))
            ,
        imap("INBOX is called Inbox").known("Exchange 2003, Lotus Domino").fault(at("LIST").replace("INBOX", "Inbox")),
        imap("LIST without the folder").known("servers that show only subscribed folders").fault(at("LIST").instead("{tag} OK done\r\n")),
        imap("a server of plain IMAP4rev1").known("UW-IMAP").capabilities(&["IMAP4rev1"]),
    ]);
}

/// A line without what comes from here on.
fn before<'a>(line: &'a [u8], from: &[u8]) -> &'a [u8] {
    let at = memchr::memmem::find(line, from).expect("the place");
    &line[..at]
}

fn nothing(_: Vec<u8>) -> Vec<u8> {
    Vec::new()
}

fn without_the_last_line(answer: Vec<u8>) -> Vec<u8> {
    let end = memchr::memmem::rfind(&answer[..answer.len() - 2], b"\r\n").expect("a line before");
    answer[..end + 2].to_vec()
}

fn up_to_the_last_literal(answer: Vec<u8>) -> Vec<u8> {
    let end = b"end 7\r\n";
    [before(&answer, end), end].concat()
}

fn without_uidvalidity(answer: Vec<u8>) -> Vec<u8> {
    let start = memchr::memmem::find(&answer, b"* OK [UIDVALIDITY").expect("UIDVALIDITY");
    let end = start + memchr::memchr(b'\n', &answer[start..]).expect("its end") + 1;
    [&answer[..start], &answer[end..]].concat()
}

fn ends_at_message_4_with_no(answer: Vec<u8>) -> Vec<u8> {
    let start = memchr::memmem::find(&answer, b"* 4 FETCH").expect("message 4");
    let last = without_the_last_line(answer.clone()).len();
    let tag = answer[last..].split(|byte| *byte == b' ').next().expect("a tag");
    [
        &answer[..start],
        tag,
        b" NO [SERVERBUG] FETCH Server error while fetching messages\r\n",
    ]
    .concat()
}

fn nil(line: Vec<u8>) -> Vec<u8> {
    [before(&line, b"{"), b"NIL)\r\n"].concat()
}

/// The length of the line's literal as so many bytes more.
fn literal(line: Vec<u8>, more: i64) -> Vec<u8> {
    let start = memchr::memchr(b'{', &line).expect("a literal") + 1;
    let end = start + memchr::memchr(b'}', &line[start..]).expect("its end");
    let length: i64 = std::str::from_utf8(&line[start..end])
        .expect("digits")
        .parse()
        .expect("a length");
    [&line[..start], (length + more).to_string().as_bytes(), &line[end..]].concat()
}

fn quoted(line: Vec<u8>) -> Vec<u8> {
    [before(&line, b"{"), b"\"To: jane@example.com\")\r\n"].concat()
}

/// The lines of an answer in the opposite order; the tagged one stays the last.
fn reversed(answer: Vec<u8>) -> Vec<u8> {
    let last = without_the_last_line(answer.clone()).len();
    let starts: Vec<usize> = memchr::memmem::find_iter(&answer, b" FETCH (UID ")
        .map(|at| at - 3)
        .filter(|at| *at == 0 || answer[at - 1] == b'\n')
        .collect();
    let ends = starts.iter().skip(1).copied().chain([last]);
    let mut lines: Vec<&[u8]> = starts
        .iter()
        .zip(ends)
        .map(|(start, end)| &answer[*start..end])
        .collect();
    lines.reverse();
    [lines.concat(), answer[last..].to_vec()].concat()
}

fn uid_last(line: Vec<u8>) -> Vec<u8> {
    let text = b"UID 12 ";
    let at = memchr::memmem::find(&line, text).expect("the UID");
    [&line[..at], &line[at + text.len()..line.len() - 3], b" UID 12)\r\n"].concat()
}

/// New UIDs, of which each was another message's.
fn shuffle(mailbox: &mut crate::hostile::mailserver::Mailbox) {
    let inbox = mailbox.inbox();
    inbox.uidvalidity += 1;
    for (uid, message) in (11..).zip(inbox.messages.iter_mut().rev()) {
        message.uid = uid;
    }
    inbox.messages.reverse();
}
