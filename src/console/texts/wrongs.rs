//! What is wrong with what somebody asked for, by its code: `{0}` and so on stand for what it is about.

use super::{
    super::{bilingual::texts, language::Language},
    filled,
};
use crate::{
    api::{Code, Wrong},
    web::Refused,
};

texts! {
    user_name: "“{0}” cannot be the name of a user: it is empty, begins with @, or has what cannot be typed.", "„{0}“ kann nicht der Name eines Benutzers sein: Er ist leer, beginnt mit @ oder enthält, was man nicht tippen kann.";
    user_exists: "There is a user “{0}” already.", "Es gibt schon einen Benutzer „{0}“.";
    no_user: "No user is named “{0}”.", "Kein Benutzer heißt „{0}“.";
    did_you_mean: "Did you mean “{1}”?", "Meinten Sie „{1}“?";
    user_of_configuration: "“{0}” is a user of the configuration, and is changed there.", "„{0}“ ist ein Benutzer aus der Konfiguration und wird dort geändert.";
    user_built_in: "“{0}” is built in.", "„{0}“ ist eingebaut.";
    user_retired: "“{0}” is retired, and gets no mail.", "„{0}“ ist ausgeschieden und erhält keine Mail.";
    user_has_mail: "“{0}” and “{1}” cannot become one user: “{1}” has {2} messages.", "„{0}“ und „{1}“ können nicht ein Benutzer werden: „{1}“ hat {2} Nachrichten.";
    no_address: "“{0}” is not an address.", "„{0}“ ist keine Adresse.";
    no_pattern: "“{0}” is neither an address nor a pattern: a * stands for all of a domain, as in *@example.com.", "„{0}“ ist weder eine Adresse noch ein Muster: Ein * steht für alle einer Domain, wie in *@example.com.";
    address_taken: "{0} is an address of “{1}” already.", "{0} ist schon eine Adresse von „{1}“.";
    address_of_list: "{0} is the address of a list.", "{0} ist die Adresse einer Liste.";
    too_many_ignored: "{0} addresses are ignored already. Take some of them back.", "{0} Adressen werden schon ignoriert. Nehmen Sie einige zurück.";
    user_without_address: "“{0}” has no address. Write: name,address,address", "„{0}“ hat keine Adresse. Schreiben Sie: Name,Adresse,Adresse";
    open_quote: "A field goes on beyond the end of its line. Is a closing quotation mark missing?", "Ein Feld geht über das Ende seiner Zeile hinaus. Fehlt ein schließendes Anführungszeichen?";
    semicolons: "There are semicolons between the fields. Write commas: name,address,address", "Zwischen den Feldern stehen Semikolons. Schreiben Sie Kommas: Name,Adresse,Adresse";
    heading: "“{0}” is not an address. If this line is a heading, write: name,address", "„{0}“ ist keine Adresse. Wenn diese Zeile eine Überschrift ist, schreiben Sie: name,address";
    table_unreadable: "The table cannot be read. Save it as CSV, in UTF-8.", "Die Tabelle ist nicht lesbar. Speichern Sie sie als CSV in UTF-8.";
    table_empty: "The table names no user. Write a line for each: name,address,address", "Die Tabelle nennt keinen Benutzer. Schreiben Sie eine Zeile für jeden: Name,Adresse,Adresse";
    account_name: "“{0}” cannot be the name of an account. Take up to 64 letters, digits and . _ - + @, with a letter or digit first; “owner” and “dropkeep” are taken.", "„{0}“ kann nicht der Name eines Kontos sein. Nehmen Sie bis zu 64 Buchstaben, Ziffern und . _ - + @, zuerst einen Buchstaben oder eine Ziffer; „owner“ und „dropkeep“ sind vergeben.";
    account_exists: "There is an account “{0}” already.", "Es gibt schon ein Konto „{0}“.";
    no_account: "No account is named “{0}”.", "Kein Konto heißt „{0}“.";
    account_disabled: "The account “{0}” is disabled.", "Das Konto „{0}“ ist gesperrt.";
    password_short: "The password is too short: take {0} characters or more.", "Das Passwort ist zu kurz: Nehmen Sie {0} Zeichen oder mehr.";
    password_long: "The password is longer than {0} bytes.", "Das Passwort ist länger als {0} Bytes.";
    password_is_name: "The password is the name of the account. Take another one.", "Das Passwort ist der Name des Kontos. Nehmen Sie ein anderes.";
    password_so_far: "The password so far is another one.", "Das bisherige Passwort ist ein anderes.";
    password_changed: "The password was changed just now. Try again.", "Das Passwort wurde eben geändert. Versuchen Sie es noch einmal.";
    code_wrong: "The one-time code is wrong. Look at the clocks of both machines.", "Der Einmalcode ist falsch. Vergleichen Sie die Uhren beider Geräte.";
    code_used: "This one-time code was used before.", "Dieser Einmalcode wurde schon benutzt.";
    codes_on: "The account has one-time codes already. Turn them off first.", "Das Konto hat schon Einmalcodes. Schalten Sie sie zuerst aus.";
    codes_not_begun: "One-time codes were not begun. Begin anew.", "Einmalcodes wurden nicht begonnen. Beginnen Sie neu.";
    application_name: "The name of a program has 1 to {0} characters.", "Der Name eines Programms hat 1 bis {0} Zeichen.";
    application_exists: "There is a password of this name already.", "Es gibt schon ein Passwort dieses Namens.";
    no_application: "There is no password of this name.", "Es gibt kein Passwort dieses Namens.";
    applications: "The account has as many of these passwords as it can have. Remove one first.", "Das Konto hat so viele dieser Passwörter, wie es haben kann. Entfernen Sie zuerst eines.";
    archive_given: "This archive was given to the account already.", "Dieses Archiv wurde dem Konto schon gegeben.";
    archive_not_given: "This archive was not given to the account.", "Dieses Archiv wurde dem Konto nicht gegeben.";
    last_administrator: "“{0}” is the only account by which somebody can administer dropkeep. Make another one an administrator first.", "„{0}“ ist das einzige Konto, mit dem jemand dropkeep verwalten kann. Machen Sie zuerst ein anderes zum Verwalter.";
    busy: "Too many log-ins at once. Try again in a moment.", "Zu viele Anmeldungen auf einmal. Versuchen Sie es gleich noch einmal.";
    slowed: "Too many failed log-ins. Try again in {0} s.", "Zu viele fehlgeschlagene Anmeldungen. Versuchen Sie es in {0} s wieder.";
    no_share: "Write a number above 0 and up to 100.", "Schreiben Sie eine Zahl über 0 und bis 100.";
    going_on: "The same is going on already. Wait until it has ended.", "Das läuft schon. Warten Sie, bis es beendet ist.";
    may_not: "The role of your account may not do this.", "Die Rolle Ihres Kontos darf das nicht.";
    needs_codes: "The role of your account needs one-time codes first.", "Die Rolle Ihres Kontos braucht zuerst Einmalcodes.";
    needs_reason: "Say first why you read mail.", "Sagen Sie zuerst, warum Sie Mail lesen.";
    no_message: "There is no message {0}.", "Es gibt keine Nachricht {0}.";
    no_run: "There is no run {0}.", "Es gibt keinen Lauf {0}.";
    run_forgotten: "The protocol of run {0} was removed, as it is older than protocols are kept.", "Das Laufprotokoll von Lauf {0} wurde entfernt, weil es älter ist, als Laufprotokolle behalten werden.";
    no_place: "This is no place in the list.", "Das ist keine Stelle in der Liste.";
    too_wild: "{0} stands for more than {1} words. Write more letters of the word.", "{0} steht für mehr als {1} Wörter. Schreiben Sie mehr Buchstaben des Wortes.";
    wild_in_all: "The words with * or ? together stand for too many words. Write more of their letters, ask for fewer, or have the newest come first.", "Die Wörter mit * oder ? stehen zusammen für zu viele Wörter. Schreiben Sie mehr ihrer Buchstaben, suchen Sie nach weniger, oder lassen Sie das Neueste zuerst kommen.";
    too_many_for_zip: "{0} messages are too many for a ZIP, which takes {1}. Search for fewer.", "{0} Nachrichten sind zu viele für ein ZIP, das {1} fasst. Suchen Sie nach weniger.";
    index_off: "There is no search index: it is turned off in the configuration.", "Es gibt keinen Suchindex: Er ist in der Konfiguration ausgeschaltet.";
    index_building: "The search index is made anew, and has {0} of {1} messages. Try again later.", "Der Suchindex wird neu angelegt und hat {0} von {1} Nachrichten. Versuchen Sie es später noch einmal.";
    index_failing: "There is no search index: {0}", "Es gibt keinen Suchindex: {0}";
    index_missing: "There is no search index yet.", "Es gibt noch keinen Suchindex.";

    // Queries.
    query_too_long: "The query is longer than {0} bytes.", "Die Suche ist länger als {0} Bytes.";
    asks_for_nothing: "The query asks for nothing; * finds all messages.", "Die Suche fragt nach nichts; * findet alle Nachrichten.";
    asks_too_much: "The query asks for more than {0} things.", "Die Suche fragt nach mehr als {0} Dingen.";
    closes_none: "This parenthesis closes none.", "Diese Klammer schließt keine.";
    not_closed: "This parenthesis is not closed.", "Diese Klammer ist nicht geschlossen.";
    nothing_in_them: "These parentheses ask for nothing.", "Diese Klammern fragen nach nichts.";
    too_deep: "More than {0} parentheses stand in each other.", "Mehr als {0} Klammern stehen ineinander.";
    quote_not_closed: "This quotation mark is not closed.", "Dieses Anführungszeichen ist nicht geschlossen.";
    or_between: "OR stands between two things to look for. Quote it to look for the word.", "OR steht zwischen zwei Dingen, die gesucht werden. Setzen Sie es in Anführungszeichen, um das Wort zu suchen.";
    and_between: "AND stands between two things to look for. Quote it to look for the word.", "AND steht zwischen zwei Dingen, die gesucht werden. Setzen Sie es in Anführungszeichen, um das Wort zu suchen.";
    not_before: "NOT stands before what is not to be there. Quote it to look for the word.", "NOT steht vor dem, was nicht da sein soll. Setzen Sie es in Anführungszeichen, um das Wort zu suchen.";
    minus_before: "A minus stands before what is not to be there. Quote the word to look for it.", "Ein Minus steht vor dem, was nicht da sein soll. Setzen Sie das Wort in Anführungszeichen, um es zu suchen.";
    no_letter: "There is no letter and no digit in this.", "Darin ist kein Buchstabe und keine Ziffer.";
    wild_alone: "* and ? stand for letters of a word. Write some of its letters beside them.", "* und ? stehen für Buchstaben eines Wortes. Schreiben Sie einige seiner Buchstaben dazu.";
    no_field: "No field is named {0}: quote the text to look for it as it stands.", "Kein Feld heißt {0}: Setzen Sie den Text in Anführungszeichen, um ihn so zu suchen.";
    field_in_parentheses: "The field before the parentheses holds for all that stands in them.", "Das Feld vor den Klammern gilt für alles, was darin steht.";
    no_field_of_text: "Only fields of text may stand before parentheses.", "Vor Klammern können nur Felder mit Text stehen.";
    space_behind_field: "What stands behind {0}: has no space before it. Quote the word to look for it.", "Was hinter {0}: steht, hat kein Leerzeichen davor. Setzen Sie das Wort in Anführungszeichen, um es zu suchen.";
    no_date: "“{0}” is not a date. Write a day (2025-01-31), a month (2025-01) or a year (2025).", "„{0}“ ist kein Datum. Schreiben Sie einen Tag (2025-01-31), einen Monat (2025-01) oder ein Jahr (2025).";
    no_span: "“{0}” is not a length of time. Write 30d, or with h, w, m (months) or y.", "„{0}“ ist keine Zeitspanne. Schreiben Sie 30d oder mit h, w, m (Monate) oder y.";
    no_size: "“{0}” is not a size. Write 1M, 500K or a number of bytes.", "„{0}“ ist keine Größe. Schreiben Sie 1M, 500K oder eine Zahl von Bytes.";
    only_attachment: "A message can only be asked for has:attachment.", "Nur nach has:attachment kann gefragt werden.";
    unread_words: "unread: finds attachments that could not be read whole, by one of these: *, {0}", "unread: findet Anhänge, die nicht ganz gelesen werden konnten, nach einem von diesen: *, {0}";
    range_open: "A range has a beginning or an end.", "Ein Zeitraum hat einen Anfang oder ein Ende.";
    range_backwards: "This range ends before it begins.", "Dieser Zeitraum endet, bevor er beginnt.";
    no_id: "“{0}” is not the number of a message.", "„{0}“ ist keine Nummer einer Nachricht.";
    message_id_empty: "This Message-ID is empty.", "Diese Message-ID ist leer.";
    name_empty: "This name is empty.", "Dieser Name ist leer.";

    // A profile that is set up.
    profile_name_missing: "The profile needs a name.", "Das Profil braucht einen Namen.";
    profile_name: "“{0}” cannot be the name of a profile: it begins with @, is too long, or has what cannot be typed.", "„{0}“ kann nicht der Name eines Profils sein: Er beginnt mit @, ist zu lang oder enthält, was man nicht tippen kann.";
    profile_exists: "There is a profile “{0}” already. Take another name.", "Es gibt schon ein Profil „{0}“. Nehmen Sie einen anderen Namen.";
    profile_keeps_name: "A profile keeps its name, which is “{0}”.", "Ein Profil behält seinen Namen; dieses heißt „{0}“.";
    schedule_missing: "Write the other schedule: every 15m, say, or a cron line such as 30 2 * * 0.", "Schreiben Sie den anderen Zeitplan: etwa every 15m oder eine cron-Zeile wie 30 2 * * 0.";
    no_schedule: "“{0}” is no schedule. Write every 15m (or with s, h, d), or a cron line such as 30 2 * * 0.", "„{0}“ ist kein Zeitplan. Schreiben Sie every 15m (oder mit s, h, d) oder eine cron-Zeile wie 30 2 * * 0.";
    no_time_zone: "“{0}” is not the name of a time zone. Write one such as Europe/Berlin.", "„{0}“ ist nicht der Name einer Zeitzone. Schreiben Sie einen wie Europe/Berlin.";
    no_hours: "“{0}” names no hours. Write them as in 08:00-18:00.", "„{0}“ nennt keine Uhrzeiten. Schreiben Sie sie wie in 08:00-18:00.";
    no_duration: "“{0}” is not a duration. Write a number above 0 and a unit: 60s, 15m, 30d.", "„{0}“ ist keine Dauer. Schreiben Sie eine Zahl über 0 und eine Einheit: 60s, 15m, 30d.";
    connections: "“{0}” is not possible. Write a number from 1 to 16.", "„{0}“ ist nicht möglich. Schreiben Sie eine Zahl von 1 bis 16.";
    one_session: "Over POP3 there is one session at a time: its server locks the mailbox.", "Über POP3 gibt es nur eine Sitzung zur selben Zeit: Der Server sperrt das Postfach.";
    nothing_is_deleted: "This counts only where mail is deleted after archiving. Choose that, or leave this empty.", "Dies gilt nur, wenn nach dem Archivieren gelöscht wird. Wählen Sie das, oder lassen Sie dies leer.";
    no_folder_to_move_to: "Over POP3 there are no folders to move mail to. Leave this empty.", "Über POP3 gibt es keine Ordner, in die Mail verschoben werden kann. Lassen Sie dies leer.";
    folder_to_move_to: "Name a folder that is not archived, or leave this empty.", "Nennen Sie einen Ordner, der nicht archiviert wird, oder lassen Sie dies leer.";
    server_missing: "Name the server that has the mailbox.", "Nennen Sie den Server, der das Postfach hat.";
    server_name: "“{0}” is not the name or address of a server alone, such as mail.example.com. Kind of access, port and user have fields of their own.", "„{0}“ ist nicht nur der Name oder die Adresse eines Servers, wie mail.example.com. Für Art des Zugangs, Port und Benutzer gibt es eigene Felder.";
    no_choice: "“{0}” is none of the choices.", "„{0}“ steht nicht zur Wahl.";
    no_port: "“{0}” is not a port. Write a number from 1 to 65535.", "„{0}“ ist kein Port. Schreiben Sie eine Zahl von 1 bis 65535.";
    mailbox_user_missing: "Type the user name by which the mailbox logs in.", "Geben Sie den Benutzernamen ein, mit dem sich das Postfach anmeldet.";
    mailbox_user: "A user name has no control characters. Type it anew.", "Ein Benutzername hat keine Steuerzeichen. Geben Sie ihn neu ein.";
    fingerprint_missing: "To trust only one certificate, give its fingerprint. Or choose that it is checked: the test shows it, and you can trust it then.", "Um nur einem Zertifikat zu vertrauen, geben Sie dessen Fingerabdruck an. Oder wählen Sie, dass es geprüft wird: Der Test zeigt es, und Sie können ihm dann vertrauen.";
    fingerprint: "“{0}” is not the fingerprint of a certificate, which has 64 hexadecimal digits.", "„{0}“ ist nicht der Fingerabdruck eines Zertifikats: Der hat 64 hexadezimale Ziffern.";
    endpoint_missing: "Give the token endpoint; for Microsoft 365 and Google it is filled in above.", "Geben Sie den Token-Endpunkt an; für Microsoft 365 und Google wird er oben ausgefüllt.";
    endpoint: "“{0}” cannot be the token endpoint: take an address that begins with https:// and has no question mark.", "„{0}“ kann nicht der Token-Endpunkt sein: Nehmen Sie eine Adresse, die mit https:// beginnt und kein Fragezeichen hat.";
    client_id_missing: "Give the ID of the registered application.", "Geben Sie die ID der registrierten Anwendung an.";
    secret_missing: "This is missing. Type it, or paste it.", "Dies fehlt. Geben Sie es ein, oder fügen Sie es ein.";
    secret_again: "The one that is kept is for the server and token endpoint from before: give it again.", "Das gespeicherte gilt für den Server und Token-Endpunkt von zuvor: Geben Sie es neu ein.";
    secret_text: "What was typed is empty, or has a character that cannot be sent. Type it anew.", "Das Eingegebene ist leer oder hat ein Zeichen, das nicht gesendet werden kann. Geben Sie es neu ein.";
    no_purpose: "With \\ begins a folder by its purpose, and {0} is none: there are {1}.", "Mit \\ beginnt ein Ordner nach seinem Zweck, und {0} ist keiner: Es gibt {1}.";
    no_domain: "“{0}” is not a domain. Write one such as example.com.", "„{0}“ ist keine Domain. Schreiben Sie eine wie example.com.";
    no_header_field: "“{0}” is not the name of a header field, such as Delivered-To.", "„{0}“ ist nicht der Name eines Kopffelds wie Delivered-To.";
    no_whole_number: "“{0}” is not a whole number. Write one from 0.", "„{0}“ ist keine ganze Zahl. Schreiben Sie eine ab 0.";
    no_prefix: "Write what stands before a local part, without an @: example.com-, say.", "Schreiben Sie, was vor dem Namensteil steht, ohne @: etwa example.com-.";
    no_unwrap: "Write an address with {0} and perhaps {1} where the parts of the one that is meant stand: journal+{0}={1}@example.com, say.", "Schreiben Sie eine Adresse mit {0} und vielleicht {1}, wo die Teile der gemeinten stehen: etwa journal+{0}={1}@example.com.";
    hosts_missing: "Name the hosts whose reports are believed, in the field below.", "Nennen Sie im Feld darunter die Rechner, deren Berichten geglaubt wird.";
    hosts_without_journal: "These hosts count only where journal reports are believed from these hosts. Choose that, or leave this empty.", "Diese Rechner zählen nur, wenn Journalberichte von diesen Rechnern gelten. Wählen Sie das, oder lassen Sie dies leer.";
    no_host: "“{0}” names no hosts. Write mail.example.com, *.example.com or a network such as 192.0.2.0/24.", "„{0}“ nennt keine Rechner. Schreiben Sie mail.example.com, *.example.com oder ein Netz wie 192.0.2.0/24.";
    journal_left_out: "With To and Cc alone, whom a journal report names is left out. Choose another way, or take journal reports for messages like others.", "Nur mit To und Cc bleibt ungenutzt, wen ein Journalbericht nennt. Wählen Sie einen anderen Weg, oder nehmen Sie Journalberichte als Nachrichten wie andere.";
    domains_missing: "To make users of addresses, name the domains that are yours.", "Um Benutzer für Adressen anzulegen, nennen Sie die Domains, die Ihre sind.";
    user_missing: "Name the user for whom these messages are kept.", "Nennen Sie den Benutzer, für den diese Nachrichten aufbewahrt werden.";
    did_you_mean_field: "Did you mean {1}: ?", "Meinten Sie {1}: ?";

    on_line: "Line {0}:", "Zeile {0}:";
}

impl Texts {
    fn of_code(&self, code: Code) -> &'static str {
        match code {
            Code::UserName => self.user_name,
            Code::UserExists => self.user_exists,
            Code::NoUser => self.no_user,
            Code::UserOfConfiguration => self.user_of_configuration,
            Code::UserBuiltIn => self.user_built_in,
            Code::UserRetired => self.user_retired,
            Code::UserHasMail => self.user_has_mail,
            Code::NoAddress => self.no_address,
            Code::NoPattern => self.no_pattern,
            Code::AddressTaken => self.address_taken,
            Code::AddressOfList => self.address_of_list,
            Code::UserWithoutAddress => self.user_without_address,
            Code::OpenQuote => self.open_quote,
            Code::Semicolons => self.semicolons,
            Code::Heading => self.heading,
            Code::TableUnreadable => self.table_unreadable,
            Code::TableEmpty => self.table_empty,
            Code::AccountName => self.account_name,
            Code::AccountExists => self.account_exists,
            Code::NoAccount => self.no_account,
            Code::AccountDisabled => self.account_disabled,
            Code::PasswordShort => self.password_short,
            Code::PasswordLong => self.password_long,
            Code::PasswordIsName => self.password_is_name,
            Code::PasswordSoFar => self.password_so_far,
            Code::PasswordChanged => self.password_changed,
            Code::CodeWrong => self.code_wrong,
            Code::CodeUsed => self.code_used,
            Code::CodesOn => self.codes_on,
            Code::CodesNotBegun => self.codes_not_begun,
            Code::ApplicationName => self.application_name,
            Code::ApplicationExists => self.application_exists,
            Code::NoApplication => self.no_application,
            Code::Applications => self.applications,
            Code::ArchiveGiven => self.archive_given,
            Code::ArchiveNotGiven => self.archive_not_given,
            Code::LastAdministrator => self.last_administrator,
            Code::Busy => self.busy,
            Code::Slowed => self.slowed,
            Code::TooManyIgnored => self.too_many_ignored,
            Code::GoingOn => self.going_on,
            Code::MayNot => self.may_not,
            Code::NeedsCodes => self.needs_codes,
            Code::NeedsReason => self.needs_reason,
            Code::NoMessage => self.no_message,
            Code::NoRun => self.no_run,
            Code::RunForgotten => self.run_forgotten,
            Code::NoPlace => self.no_place,
            Code::TooWild => self.too_wild,
            Code::WildInAll => self.wild_in_all,
            Code::TooManyForZip => self.too_many_for_zip,
            Code::IndexOff => self.index_off,
            Code::IndexBuilding => self.index_building,
            Code::IndexFailing => self.index_failing,
            Code::IndexMissing => self.index_missing,
            Code::QueryTooLong => self.query_too_long,
            Code::AsksForNothing => self.asks_for_nothing,
            Code::AsksTooMuch => self.asks_too_much,
            Code::ClosesNone => self.closes_none,
            Code::NotClosed => self.not_closed,
            Code::NothingInThem => self.nothing_in_them,
            Code::TooDeep => self.too_deep,
            Code::QuoteNotClosed => self.quote_not_closed,
            Code::OrBetween => self.or_between,
            Code::AndBetween => self.and_between,
            Code::NotBefore => self.not_before,
            Code::MinusBefore => self.minus_before,
            Code::NoLetter => self.no_letter,
            Code::WildAlone => self.wild_alone,
            Code::NoField => self.no_field,
            Code::FieldInParentheses => self.field_in_parentheses,
            Code::NoFieldOfText => self.no_field_of_text,
            Code::SpaceBehindField => self.space_behind_field,
            Code::NoDate => self.no_date,
            Code::NoSpan => self.no_span,
            Code::NoSize => self.no_size,
            Code::NoShare => self.no_share,
            Code::OnlyAttachment => self.only_attachment,
            Code::UnreadWords => self.unread_words,
            Code::RangeOpen => self.range_open,
            Code::RangeBackwards => self.range_backwards,
            Code::NoId => self.no_id,
            Code::MessageIdEmpty => self.message_id_empty,
            Code::NameEmpty => self.name_empty,
            Code::ProfileNameMissing => self.profile_name_missing,
            Code::ProfileName => self.profile_name,
            Code::ProfileExists => self.profile_exists,
            Code::ProfileKeepsName => self.profile_keeps_name,
            Code::ScheduleMissing => self.schedule_missing,
            Code::NoSchedule => self.no_schedule,
            Code::NoTimeZone => self.no_time_zone,
            Code::NoHours => self.no_hours,
            Code::NoDuration => self.no_duration,
            Code::Connections => self.connections,
            Code::OneSession => self.one_session,
            Code::NothingIsDeleted => self.nothing_is_deleted,
            Code::NoFolderToMoveTo => self.no_folder_to_move_to,
            Code::FolderToMoveTo => self.folder_to_move_to,
            Code::ServerMissing => self.server_missing,
            Code::ServerName => self.server_name,
            Code::NoChoice => self.no_choice,
            Code::NoPort => self.no_port,
            Code::MailboxUserMissing => self.mailbox_user_missing,
            Code::MailboxUser => self.mailbox_user,
            Code::FingerprintMissing => self.fingerprint_missing,
            Code::Fingerprint => self.fingerprint,
            Code::EndpointMissing => self.endpoint_missing,
            Code::Endpoint => self.endpoint,
            Code::ClientIdMissing => self.client_id_missing,
            Code::SecretMissing => self.secret_missing,
            Code::SecretAgain => self.secret_again,
            Code::SecretText => self.secret_text,
            Code::NoPurpose => self.no_purpose,
            Code::NoDomain => self.no_domain,
            Code::NoHeaderField => self.no_header_field,
            Code::NoWholeNumber => self.no_whole_number,
            Code::NoPrefix => self.no_prefix,
            Code::NoUnwrap => self.no_unwrap,
            Code::HostsMissing => self.hosts_missing,
            Code::HostsWithoutJournal => self.hosts_without_journal,
            Code::NoHost => self.no_host,
            Code::JournalLeftOut => self.journal_left_out,
            Code::DomainsMissing => self.domains_missing,
            Code::UserMissing => self.user_missing,
        }
    }
}

/// What was refused, in words of the language as far as there are any; nothing where nothing was said.
pub fn said(language: Language, refused: &Refused) -> Option<String> {
    let own = refused.wrong().map(|wrong| words(language, wrong));
    own.or_else(|| refused.detail().map(str::to_owned))
}

/// What is wrong, in words.
pub fn words(language: Language, wrong: &Wrong) -> String {
    let t = of(language);
    let mut words = filled(t.of_code(wrong.code), &wrong.about);
    let near = match wrong.code {
        Code::NoUser => Some(t.did_you_mean),
        Code::NoField => Some(t.did_you_mean_field),
        _ => None,
    };
    if let Some(near) = near.filter(|_| wrong.about.len() > 1) {
        words = format!("{words} {}", filled(near, &wrong.about));
    }
    match wrong.line {
        Some(line) => format!("{} {words}", filled(t.on_line, &[line.to_string()])),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_is_about_stands_in_its_place() {
        let wrong = |code, about: &[&dyn ToString]| Wrong::new(code, about);
        let taken = wrong(Code::AddressTaken, &[&"{1}@example.com", &"jane"]).on_line(Some(3));
        assert_eq!(
            words(Language::English, &taken),
            "Line 3: {1}@example.com is an address of “jane” already."
        );
        let near = wrong(Code::NoUser, &[&"jnae", &"jane"]);
        assert_eq!(
            words(Language::German, &near),
            "Kein Benutzer heißt „jnae“. Meinten Sie „jane“?"
        );
        assert_eq!(
            words(Language::English, &wrong(Code::NoUser, &[&"x"])),
            "No user is named “x”."
        );
    }

    #[test]
    fn both_languages_name_the_same() {
        let places = |text: &str| {
            let mut places: Vec<_> = text
                .match_indices('{')
                .map(|(at, _)| text[at..at + 3].to_owned())
                .collect();
            places.sort();
            places.dedup();
            places
        };
        for (english, german) in ALL {
            assert_eq!(places(english), places(german), "{english}");
        }
    }
}
