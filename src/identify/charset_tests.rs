use super::*;

fn read(label: &str, text: &[u8]) -> String {
    decoded(text, Charset::named(label.as_bytes()), None)
}

/// Each as Python's codec of that name writes it, and the labels that mail has for it.
#[test]
fn text_was_not_read_for_the_label_that_it_has() {
    for (labels, bytes, text) in [
        (
            "cp932 CP-932 ms932 windows-31j x-sjis shift_jis Shift-JIS sjis ibm943 x-mac-japanese",
            &b"\x82\xb1\x82\xf1\x87\x40"[..],
            "こん①",
        ),
        (
            "cp949 ks_c_5601-1987 ksc5601 euc-kr euc_kr EUCKR uhc ms949 windows-949 x-windows-949 cseuckr",
            b"\xbe\xc8\xb3\xe7\x8c\x63",
            "안녕똠",
        ),
        (
            "cp950 x-big5 big5 big5-hkscs big-5 x-x-big5 ms950 cn-big5 big5-eten",
            b"\xa7\x41\xa6\x6e",
            "你好",
        ),
        (
            "cp936 gbk gb2312 GB_2312-80 x-gbk gb18030 euc-cn ms936 cn-gb",
            b"\xc4\xe3\xba\xc3",
            "你好",
        ),
        ("gb18030", b"\xfeV", "㑇"),
        (
            "euc-jp eucjp x-euc-jp ujis cp51932 euc-jp-ms",
            b"\xa4\xb3\xa4\xf3",
            "こん",
        ),
        ("iso-2022-kr csiso2022kr cp50225", b"\x1b$)C\x0e>H3g\x0f", "안녕"),
        (
            "iso-2022-jp iso-2022-jp-2 iso-2022-jp-ext iso2022jp csiso2022jp cp50220 cp50221 cp50222 ISO-2022-JP-MS",
            b"\x1b$B$3$s\x1b(B \x1b(I6E\x1b(B",
            "こん ｶﾅ",
        ),
        ("hz-gb-2312 hz", b"~{<:Ky~}", "己所"),
        (
            "utf-7 unicode-1-1-utf-7 UTF7 x-unicode-2-0-utf-7 cp65000 csUnicode11UTF7",
            b"+ZeVnLIqe-",
            "日本語",
        ),
        (
            "utf-8 utf8 UTF_8 \"utf-8\" 'utf-8' utf-8; cp65001 utf8mb4 charset=utf-8 x-utf-8 utf-8*en UTF-8_",
            "Grüße".as_bytes(),
            "Grüße",
        ),
        ("utf-16le", b"G\0r\0\xfc\0", "Grü"),
        ("utf-16be utf-16 ucs-2", b"\0G\0r\0\xfc", "Grü"),
        ("utf-16 utf-16le utf-16be", b"\xfe\xff\0G\0r\0\xfc", "Grü"),
        (
            "ibm437 cp437 437 cspc8codepage437 ibm-437 IBM00437",
            b"Gr\x81\xe1e",
            "Grüße",
        ),
        (
            "ibm850 cp850 cspc850multilingual pc850 850 dos-850",
            b"Gr\x81\xe1e \xd5",
            "Grüße ı",
        ),
        ("cp858 ibm00858 ccsid00858", b"Gr\x81\xe1e \xd5", "Grüße €"),
        ("cp852 ibm852 cspcp852", b"\x88\xa9", "łę"),
        ("cp866 ibm866", b"\x8f\xe0\xa8", "При"),
        ("cp775", b"\xd0\xd1", "ąč"),
        ("cp1250 windows-1250 x-cp1250 win-1250 ansi-1250", b"\xb3\xea", "łę"),
        (
            "windows-1251 cp1251 WINDOWS1251 windows-1251http-equivcontent-type",
            b"\xcf\xf0\xe8",
            "При",
        ),
        (
            "iso-8859-1 \"iso-8859-1\" iso8859-1 ISO_8859-1:1987 latin1 latin-1 l1 8859-1 iso88591 iso8859_1 cp1252 cp819 \
          windows-1252 iso-8859-1; <iso-8859-1> iso-8859-1,utf-8 =iso-8859-1 iso-latin-1 28591",
            b"Gr\xfc\xdfe",
            "Grüße",
        ),
        (
            "iso-8859-15 iso8859-15 iso8859_15 latin9 latin-9 latin0 ISO8859-15 iso-8859-15-foo",
            b"\xa4\xbd",
            "€œ",
        ),
        ("iso-8859-2 latin2 iso8859-2 cp28592", b"\xb3\xea", "łę"),
        ("iso-8859-8-i iso-8859-8", b"\xf9\xec", "של"),
        ("iso-8859-11 tis-620 windows-874 cp874", b"\xa1\xd2", "กา"),
        ("koi8-r koi8r KOI8 cp20866", b"\xf0\xd2\xc9", "При"),
        ("koi8-u", b"\xf0\xd2\xa6", "Прі"),
        ("macintosh x-mac-roman mac macroman cp10000", b"Gr\x9f\xa7e", "Grüße"),
        (
            "x-mac-ce x-mac-centraleurroman mac-latin2 cp10029",
            b"\xb8\xab\x88",
            "łęą",
        ),
        ("x-mac-cyrillic maccyrillic x-mac-ukrainian", b"\x8f\xf0\xe8", "При"),
        ("x-mac-greek", b"\xe1\xe2", "αβ"),
        ("x-mac-turkish", b"\xdd\xdf", "ış"),
        ("x-mac-croatian", b"\xe6\xe8", "ćč"),
        ("x-mac-romanian", b"\xbe\xdf", "ăț"),
        ("x-mac-icelandic", b"\xdd\xdf", "ðþ"),
    ] {
        for label in labels.split_whitespace() {
            assert_eq!(read(label, bytes), text, "{label}");
        }
    }
}

#[test]
fn a_label_that_says_nothing_leaves_what_the_text_itself_shows() {
    for label in [
        "unknown-8bit",
        "x-unknown",
        "default",
        "us-ascii",
        "ANSI_X3.4-1968",
        "ansi_x3.4",
        "8bit",
        "",
        "uft-8",
        "foo",
        "_x-user-defined",
    ] {
        assert_eq!(read(label, "Grüße".as_bytes()), "Grüße", "{label}");
        assert_eq!(read(label, b"Gr\xfc\xdfe \x80"), "Grüße €", "{label}");
        assert_eq!(read(label, b"\x1b$B$3$s\x1b(B"), "こん", "{label}");
    }
    assert_eq!(undeclared(b"Gr\xfc\xdfe", Charset::named(b"iso-8859-2")), "Grüße");
    assert_eq!(undeclared(b"\xb3\xea", Charset::named(b"iso-8859-2")), "łę");
    assert_eq!(undeclared("łę".as_bytes(), Charset::named(b"iso-8859-2")), "łę");
}

#[test]
fn a_wrong_label_is_seen_through_where_the_text_shows_it() {
    assert_eq!(read("utf-8", b"Gr\xfc\xdfe"), "Grüße");
    assert_eq!(read("euc-kr", "Grüße, 안녕".as_bytes()), "Grüße, 안녕");
    assert_eq!(read("iso-2022-jp", b"\xa4\xb3\xa4\xf3"), "こん");
    assert_eq!(read("iso-2022-kr", b"\xbe\xc8\xb3\xe7"), "안녕");
    assert_eq!(read("iso-8859-15", b"\x93so\x94 \xa4"), "“so” €");
    // One letter of a text that is plainly UTF-8.
    assert_eq!(read("utf-8", b"Gr\xc3\xbc\xdfe"), "Grü\u{fffd}e");
    // The text was cut within its last letter.
    assert_eq!(read("", b"Gr\xc3\xbc\xc3"), "Grü");
    assert_eq!(read("", "\u{feff}Grüße".as_bytes()), "Grüße");
}

proptest::proptest! {
    #[test]
    fn whatever_bytes_have_whatever_label_they_are_text(label in "[a-z0-9_ \"-]{0,20}", bytes: Vec<u8>) {
        let text = read(&label, &bytes);
        proptest::prop_assert!(text.len() <= 4 * bytes.len() + 4);
    }
}
