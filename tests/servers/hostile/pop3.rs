//! POP3 servers that misbehave.

use std::time::Duration;

use crate::hostile::{
    case::{Ends, message, play, pop3},
    mailserver::at,
};

#[test]
fn connections_that_break() {
    play(vec![
        pop3("the connection is cut in the greeting")
            .fault(at("greeting").cut(2))
            .ends(Ends::Unreachable, &["closed"]),
        pop3("the connection is cut behind the login")
            .fault(at("PASS").once().cut(0))
            .ends(Ends::Unreachable, &["PASS"]),
        pop3("the connection is cut behind STAT")
            .fault(at("STAT").once().cut(0))
            .ends(Ends::Mended, &["STAT", "closed"]),
        pop3("the connection is cut in the middle of LIST")
            .fault(at("LIST").once().cut(12))
            .ends(Ends::Mended, &["LIST", "closed"]),
        pop3("the connection is cut in the middle of UIDL")
            .fault(at("UIDL").once().cut(30))
            .ends(Ends::Mended, &["UIDL", "closed"]),
        pop3("the connection is cut before the final dot of UIDL")
            .fault(at("UIDL").once().change(without_dot))
            .fault(at("UIDL").once().cut(usize::MAX))
            .ends(Ends::Mended, &["UIDL", "closed"]),
        pop3("the connection is cut between messages")
            .fault(at("RETR").message(4).once().cut(0))
            .ends(Ends::Mended, &["RETR", "closed"]),
        pop3("the connection is cut within a message")
            .fault(at("RETR").message(4).once().cut(500))
            .ends(Ends::Mended, &["RETR", "closed"]),
        pop3("the connection is cut before the final dot")
            .fault(at("RETR").message(4).once().change(without_dot))
            .fault(at("RETR").message(4).once().cut(usize::MAX))
            .ends(Ends::Mended, &["RETR", "closed"]),
        pop3("one message closes the connection each time it is fetched")
            .known("Exchange 2013 with items it cannot convert, qpopper with a From line in a message")
            .fault(at("RETR").message(5).cut(60))
            .ends(Ends::Failed(&[5]), &["each time", "closed"]),
        pop3("the connection is cut at every message")
            .fault(at("RETR").cut(0))
            .ends(Ends::Failed(&[1, 2, 3, 4, 5, 6, 7]), &["each time", "closed"]),
        pop3("QUIT is answered by closing")
            .known("Outlook.com")
            .fault(at("QUIT").cut(0)),
        pop3("silence in place of a greeting")
            .silent()
            .fault(at("greeting").hang(0))
            .ends(Ends::Unreachable, &["no greeting on port"]),
        pop3("silence within a message")
            .silent()
            .fault(at("RETR").message(3).once().hang(300))
            .ends(Ends::Mended, &["silent", "RETR"]),
        pop3("silence within UIDL")
            .silent()
            .fault(at("UIDL").once().hang(30))
            .ends(Ends::Mended, &["silent", "UIDL"]),
        pop3("silence at QUIT").silent().fault(at("QUIT").hang(0)),
        pop3("a greeting that comes byte by byte")
            .known("servers behind tarpits")
            .fault(at("greeting").drip(Duration::from_millis(150))),
    ]);
}

#[test]
fn answers_that_refuse() {
    play(vec![
        pop3("-ERR for one message, always")
            .known("Exchange 2003 with damaged items: -ERR Message corrupted")
            .fault(at("RETR").message(4).instead("-ERR Message corrupted\r\n"))
            .ends(Ends::Failed(&[4]), &["Message corrupted"]),
        pop3("-ERR for one message, without pipelining")
            .capabilities(&["USER", "UIDL", "TOP"])
            .fault(at("RETR").message(4).instead("-ERR Message corrupted\r\n"))
            .ends(Ends::Failed(&[4]), &["Message corrupted"]),
        pop3("-ERR for the last message")
            .fault(at("RETR").message(7).instead("-ERR\r\n"))
            .ends(Ends::Failed(&[7]), &["refused it"]),
        pop3("-ERR behind half of a message")
            .known("Courier over a failing disk")
            .fault(
                at("RETR")
                    .message(4)
                    .once()
                    .change(|answer| [&answer[..400], b"\r\n-ERR disk error\r\n"].concat()),
            )
            .ends(Ends::Mended, &[]),
        pop3("a greeting that refuses")
            .fault(at("greeting").instead("-ERR [SYS/TEMP] busy\r\n"))
            .ends(Ends::Unreachable, &["busy"]),
        pop3("the mailbox is in use")
            .known("Dovecot, qpopper: [IN-USE]")
            .fault(at("PASS").instead("-ERR [IN-USE] locked by another session\r\n"))
            .ends(Ends::Unreachable, &["locked by another"]),
        pop3("STAT is refused")
            .fault(at("STAT").instead("-ERR not now\r\n"))
            .ends(Ends::Never, &["not now"]),
        pop3("UIDL is refused though it is offered")
            .fault(at("UIDL").instead("-ERR [SYS/TEMP] later\r\n"))
            .ends(Ends::Never, &["later"]),
        pop3("LIST is refused")
            .fault(at("LIST").instead("-ERR not now\r\n"))
            .ends(Ends::Never, &["not now"]),
        pop3("QUIT is refused").fault(at("QUIT").instead("-ERR not removed\r\n")),
        pop3("CAPA is not known")
            .known("qpopper 2, Exchange 5.5")
            .fault(at("CAPA").instead("-ERR what?\r\n")),
        pop3("a server of plain RFC 1939").capabilities(&["USER", "UIDL"]),
    ]);
}

#[test]
fn messages_that_are_framed_wrongly() {
    play(vec![
        pop3("the final dot is missing, without pipelining")
            .silent()
            .capabilities(&["USER", "UIDL"])
            .fault(at("RETR").message(3).once().change(without_dot))
            .ends(Ends::Mended, &["silent", "RETR"]),
        pop3("the final dot is missing, and the next answer follows")
            .silent()
            .fault(at("RETR").message(3).once().change(without_dot))
            .ends(Ends::Mended, &["RETR"]),
        pop3("the final dot of the last message is missing")
            .silent()
            .fault(at("RETR").message(7).once().change(without_dot))
            .ends(Ends::Mended, &["RETR"]),
        pop3("the final dot stands behind the last line")
            .silent()
            .fault(
                at("RETR")
                    .message(3)
                    .once()
                    .change(|answer| [&answer[..answer.len() - 5], b".\r\n"].concat()),
            )
            .ends(Ends::Mended, &["RETR"]),
        pop3("a line of a single dot is not stuffed, once")
            .known("hand-made servers; fetchmail's FAQ has several")
            .fault(
                at("RETR")
                    .message(3)
                    .once()
                    .replace("\r\n..\r\n...\r\n", "\r\n.\r\n...\r\n"),
            )
            .ends(Ends::Mended, &["RETR"]),
        pop3("a line of a single dot is not stuffed, without pipelining")
            .capabilities(&["USER", "UIDL"])
            .fault(
                at("RETR")
                    .message(3)
                    .once()
                    .replace("\r\n..\r\n...\r\n", "\r\n.\r\n...\r\n"),
            )
            .ends(Ends::Mended, &["RETR"]),
        pop3("a line of a single dot in the last message is not stuffed")
            .fault(
                at("RETR")
                    .message(7)
                    .once()
                    .replace("\r\n..\r\n...\r\n", "\r\n.\r\n...\r\n"),
            )
            .ends(Ends::Mended, &["RETR"]),
        pop3("a line of a single dot is never stuffed")
            .fault(at("RETR").replace("\r\n..\r\n...\r\n", "\r\n.\r\n...\r\n"))
            .ends(Ends::Failed(&[1, 2, 3, 4, 5, 6, 7]), &["neither +OK nor -ERR"]),
        pop3("dots before words are not stuffed").fault(at("RETR").replace("\r\n..dot\r\n", "\r\n.dot\r\n")),
        pop3("a message ends in bare line ends, without pipelining")
            .silent()
            .capabilities(&["USER", "UIDL"])
            .fault(at("RETR").message(3).once().change(|answer| without(&answer, b'\r')))
            .ends(Ends::Mended, &["silent", "RETR"]),
        pop3("all messages end in bare line ends")
            .silent()
            .fault(at("RETR").change(|answer| without(&answer, b'\r')))
            .ends(Ends::Failed(&[1, 2, 3, 4, 5, 6, 7]), &["silent"]),
        pop3("status lines end in bare line ends")
            .fault(at("STAT").replace("\r\n", "\n"))
            .fault(at("UIDL").replace("\r\n", "\n"))
            .fault(at("LIST").replace("\r\n", "\n")),
        pop3("bare line ends within messages")
            .known("Maillennium, Exchange 2007 with mail from Unix programs")
            .strange(|mailbox| {
                mailbox.message(2).bytes.retain(|byte| *byte != b'\r');
                mailbox.message(4).bytes.retain(|byte| *byte != b'\n');
            }),
        pop3("a message without a last line end").strange(|mailbox| mailbox.message(3).bytes.truncate(700)),
        pop3("a message of no bytes").strange(|mailbox| mailbox.message(3).bytes.clear()),
        pop3("a message of lines that look like answers").strange(|mailbox| {
            let more = b"+OK 1234 octets\r\nSubject: x\r\n\r\n-ERR no\r\n.\r\n+OK\r\n".to_vec();
            mailbox.message(3).bytes.extend_from_slice(&more);
            mailbox.message(7).bytes.extend_from_slice(&more);
        }),
        pop3("garbage in place of a greeting")
            .fault(at("greeting").instead("\u{0}\u{1} SSH-2.0\r\n"))
            .ends(Ends::Unreachable, &["greeting"]),
        pop3("garbage between messages")
            .fault(at("RETR").message(4).once().ahead("%%%\r\n"))
            .ends(Ends::Mended, &["RETR"]),
        pop3("an endless line in place of an answer")
            .fault(at("STAT").once().endless("x"))
            .ends(Ends::Mended, &["STAT"]),
        pop3("an endless message")
            .fault(at("RETR").message(3).once().ahead("+OK\r\n"))
            .fault(at("RETR").message(3).once().endless("and on, and on\r\n"))
            .ends(Ends::Mended, &["announced"]),
        pop3("an endless list")
            .fault(at("UIDL").once().endless("+OK\r\n"))
            .ends(Ends::Mended, &["UIDL"]),
        pop3("+ok in lower case")
            .fault(at("RETR").replace("+OK", "+ok"))
            .fault(at("STAT").replace("+OK", "+ok")),
    ]);
}

#[test]
fn listings_that_lie() {
    play(vec![
        pop3("sizes a little too small")
            .known("Exchange 2007, Courier counting bare line ends, hMailServer (issue 476)")
            .strange(|mailbox| {
                mailbox
                    .inbox()
                    .messages
                    .iter_mut()
                    .for_each(|one| one.claimed = Some(one.size() - 29))
            }),
        pop3("sizes three times too large")
            .known("Exchange at OVH (stalwartlabs/vandelay issue 12)")
            .strange(|mailbox| {
                mailbox
                    .inbox()
                    .messages
                    .iter_mut()
                    .for_each(|one| one.claimed = Some(one.size() * 3))
            }),
        pop3("sizes are 0").known("GreenMail (issue 967)").strange(|mailbox| {
            mailbox
                .inbox()
                .messages
                .iter_mut()
                .for_each(|one| one.claimed = Some(0))
        }),
        pop3("a message far larger than it was announced")
            .strange(|mailbox| {
                mailbox.message(4).bytes = message(4, 60_000);
                mailbox.message(4).claimed = Some(100);
            })
            .ends(Ends::Failed(&[4]), &["announced"]),
        pop3("STAT counts fewer than LIST").fault(at("STAT").instead("+OK 3 9999\r\n")),
        pop3("STAT counts more than LIST")
            .fault(at("STAT").instead("+OK 9 9999\r\n"))
            .ends(Ends::Incomplete, &["message 8", "message 9", "size"]),
        pop3("STAT counts messages that LIST and UIDL leave out")
            .fault(at("LIST").naming(6).once().change(|answer| without_line(answer, "6 ")))
            .fault(at("UIDL").naming(6).once().change(|answer| without_line(answer, "6 "))),
        pop3("LIST leaves one out").fault(at("LIST").once().change(|answer| without_line(answer, "3 "))),
        pop3("UIDL leaves one out")
            .known("Outlook.com, Exchange with damaged items")
            .fault(at("UIDL").change(|answer| without_line(answer, "3 "))),
        pop3("UIDL has one that LIST does not have")
            .fault(at("UIDL").replace("\r\n.\r\n", "\r\n8 ghost\r\n.\r\n"))
            .ends(Ends::Incomplete, &["ghost", "size"]),
        pop3("UIDLs stand twice")
            .known("Gmail, MS Exchange 5.5")
            .strange(|mailbox| {
                let uidl = mailbox.message(2).uidl.clone();
                mailbox.message(5).uidl = uidl;
            }),
        pop3("all UIDLs are the same").strange(|mailbox| {
            mailbox
                .inbox()
                .messages
                .iter_mut()
                .for_each(|one| one.uidl = "same".into())
        }),
        pop3("UIDLs with blanks").known("qpopper 2, IMail").strange(|mailbox| {
            mailbox.message(2).uidl = "a b".into();
            mailbox.message(3).uidl = "a c".into();
        }),
        pop3("empty UIDLs").known("GreenMail (issue 58)").strange(|mailbox| {
            mailbox.message(2).uidl = String::new();
            mailbox.message(3).uidl = String::new();
        }),
        pop3("very long UIDLs").known("Lotus Domino, Yahoo").strange(|mailbox| {
            mailbox.message(2).uidl = "u".repeat(10_000) + "2";
            mailbox.message(3).uidl = "u".repeat(10_000) + "3";
        }),
        pop3("UIDLs in eight bits").fault(at("UIDL").message(2).instead(b"2 \xfc\xff\r\n".to_vec())),
        pop3("UIDLs are new in every session")
            .known("mailboxes without UIDs that last: qpopper in server mode, some webmail gateways")
            .fault(
                at("CAPA").meanwhile(|mailbox| mailbox.inbox().messages.iter_mut().for_each(|one| one.uidl.push('x'))),
            ),
        pop3("all UIDLs are new after a cut")
            .known("Cyrus 2.0 (issue 374), servers that number UIDLs")
            .fault(at("RETR").message(4).once().cut(0))
            .fault(at("PASS").nth(2).perhaps().meanwhile(|mailbox| {
                let mut uidls: Vec<_> = mailbox.inbox().messages.iter().map(|one| one.uidl.clone()).collect();
                uidls.reverse();
                let renamed = mailbox.inbox().messages.iter_mut().zip(uidls);
                renamed.for_each(|(message, uidl)| message.uidl = format!("{uidl}-new"));
            }))
            .ends(Ends::Mended, &[])
            .absent(&[1, 2, 3, 4, 5, 6, 7]),
        pop3("new mail during the session")
            .known("Gmail")
            .fault(at("RETR").message(2).once().meanwhile(|mailbox| {
                mailbox.deliver(message(8, 0));
            }))
            .absent(&[8]),
        pop3("a message is removed during the session")
            .fault(at("RETR").message(3).instead("-ERR no such message\r\n"))
            .ends(Ends::Failed(&[3]), &["no such message"]),
        pop3("lines in the listings that are none")
            .fault(at("LIST").replace("+OK\r\n", "+OK\r\n\r\nhello\r\n-1 5\r\n99999999999 5\r\n")),
        pop3("listings with more words").known("Lotus Domino").fault(
            at("LIST")
                .message(2)
                .change(|line| [&line[..line.len() - 2], b" octets (estimated)\r\n"].concat()),
        ),
    ]);
}

fn without_dot(answer: Vec<u8>) -> Vec<u8> {
    answer[..answer.len() - 3].to_vec()
}

fn without(answer: &[u8], unwanted: u8) -> Vec<u8> {
    answer.iter().copied().filter(|byte| *byte != unwanted).collect()
}

fn without_line(answer: Vec<u8>, start: &str) -> Vec<u8> {
    let lines = answer.split_inclusive(|byte| *byte == b'\n');
    lines
        .filter(|line| !line.starts_with(start.as_bytes()))
        .flatten()
        .copied()
        .collect()
}
