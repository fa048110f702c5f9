//! All words of the console, in English and German. A plain table: the compiler sees that each text is there in both
//! languages and used somewhere, and nothing is to be read or found at run time. What one room alone says has a file of its
//! own; each has `of`, which gives the texts in a language.

use super::{bilingual::texts, language::Language};

pub mod accounts;
pub mod assign;
pub mod growth;
pub mod import;
pub mod said;
pub mod schedule;
pub mod stages;
pub mod store;
pub mod wrongs;

impl Language {
    /// What most pages say.
    pub fn texts(self) -> &'static Texts {
        of(self)
    }
}

texts! {
    // The frame.
    skip: "Skip to the content", "Zum Inhalt springen";
    main_navigation: "Main", "Hauptnavigation";
    overview: "Overview", "Übersicht";
    archive_mail: "Archive mail", "Mail archivieren";
    mail: "Mail", "Mail";
    runs: "Runs", "Läufe";
    people: "People", "Personen";
    audit: "Audit log", "Prüfprotokoll";
    store: "Store", "Speicher";
    account: "Account", "Konto";
    log_out: "Log out", "Abmelden";
    language: "Language", "Sprache";
    theme: "Theme", "Darstellung";
    theme_auto: "as the system", "wie das System";
    theme_light: "light", "hell";
    theme_dark: "dark", "dunkel";
    apply: "Apply", "Übernehmen";
    handbook: "Handbook", "Handbuch (englisch)";
    times_are_in: "Times are those of", "Zeiten gelten für";

    // What went wrong.
    wrong_request: "That cannot be taken", "Das kann nicht übernommen werden";
    not_allowed: "Not allowed", "Nicht erlaubt";
    not_there: "Not found", "Nicht gefunden";
    in_the_way: "Something stands in the way", "Etwas steht im Weg";
    too_much: "Too many requests", "Zu viele Anfragen";
    not_now: "Not at the moment", "Zurzeit nicht möglich";
    went_wrong: "Something went wrong", "Etwas ging schief";
    do_mend_request: "Go back, put it right, and send it again.", "Gehen Sie zurück, berichtigen Sie es und senden Sie es noch einmal.";
    do_ask_administrator: "Ask an administrator for the right to do this.", "Bitten Sie die Verwaltung um das Recht dazu.";
    do_look_at_lists: "It is not there, or not for this account. Look at the lists for what there is.", "Es ist nicht vorhanden oder nicht für dieses Konto. Die Listen zeigen, was vorhanden ist.";
    do_look_again: "Look at how things stand, and try again.", "Sehen Sie nach, wie es steht, und versuchen Sie es noch einmal.";
    do_wait: "Wait a moment, and try again.", "Warten Sie einen Augenblick und versuchen Sie es noch einmal.";
    do_try_later: "Try again in a moment. If it stays so, ask an administrator.", "Versuchen Sie es gleich noch einmal. Wenn es so bleibt, fragen Sie die Verwaltung.";
    do_look_at_log: "The log of dropkeep says more.", "Das Log von dropkeep sagt mehr.";
    do_load_again: "Load the page again, and send the form from there.", "Laden Sie die Seite neu und senden Sie das Formular von dort.";
    no_form_token: "The form does not come from a page of this session.", "Das Formular stammt nicht von einer Seite dieser Sitzung.";
    to_the_start: "To the start", "Zum Anfang";
    wrong_place: "This is no place in the list.", "Das ist keine Stelle in der Liste.";

    // What was done.
    done_saved: "Saved.", "Gespeichert.";
    done_removed: "Removed.", "Entfernt.";
    done_ended: "Ended.", "Beendet.";
    done_begun: "It has begun, and goes on by itself.", "Es hat begonnen und läuft von selbst weiter.";
    done_interrupted: "The run is ending in good order.", "Der Lauf wird geordnet beendet.";
    done_password: "The password was changed. All other sessions of the account have ended.", "Das Passwort wurde geändert. Alle anderen Sitzungen des Kontos sind beendet.";
    done_codes_off: "One-time codes are not asked for any more.", "Einmalcodes werden nicht mehr verlangt.";

    // Logging in.
    log_in: "Log in", "Anmelden";
    no_account_yet: "There is no account yet. When dropkeep serve starts, it prints a link that makes the first one; as a service it prints it into the journal: journalctl -u dropkeep", "Es gibt noch kein Konto. Beim Start gibt dropkeep serve einen Link aus, mit dem das erste angelegt wird; als Dienst ins Journal: journalctl -u dropkeep";
    log_in_first: "Please log in; you will come back to where you were.", "Bitte melden Sie sich an; Sie kommen dorthin zurück, wo Sie waren.";
    account_name: "Name of the account", "Name des Kontos";
    password: "Password", "Passwort";
    one_time_code: "One-time code", "Einmalcode";
    one_time_code_hint: "Only for accounts that have them; a recovery code works, too.", "Nur für Konten, die welche haben; ein Ersatzcode gilt auch.";
    wrong_log_in: "Name or password is wrong.", "Name oder Passwort ist falsch.";
    needs_code: "Type the password again, and the one-time code that your app shows.", "Geben Sie das Passwort noch einmal ein und dazu den Einmalcode, den Ihre App zeigt.";
    wrong_code: "The one-time code is wrong, or was used before.", "Der Einmalcode ist falsch oder wurde schon benutzt.";
    slowed: "Too many failed log-ins. Try again in", "Zu viele fehlgeschlagene Anmeldungen. Versuchen Sie es wieder in";
    no_log_in_now: "Nobody can log in at the moment. The log of dropkeep says why.", "Zurzeit kann sich niemand anmelden. Das Log von dropkeep sagt, warum.";
    first_account: "The first account", "Das erste Konto";
    first_means: "There is no account yet. This one will administer dropkeep: profiles, people, and who may read what. It reads no mail but that of archives given to it.", "Es gibt noch kein Konto. Dieses wird dropkeep verwalten: Profile, Personen, und wer was lesen darf. Es liest keine Mail außer in Archiven, die ihm gegeben werden.";
    make_account: "Make the account", "Konto anlegen";
    link_is_over: "This link does not count, or not any more.", "Dieser Link gilt nicht oder nicht mehr.";
    do_link_is_over: "Log in, if there is an account. Otherwise start dropkeep again: it prints a new link.", "Melden Sie sich an, wenn es ein Konto gibt. Starten Sie dropkeep sonst neu: Es gibt einen neuen Link aus.";

    // Mail.
    search: "Search", "Suchen";
    search_mail: "Search mail", "Mail durchsuchen";
    search_hint: "What can be searched for", "Wonach man suchen kann";
    order: "Order", "Reihenfolge";
    newest_first: "Newest first", "Neueste zuerst";
    best_first: "Best first", "Beste zuerst";
    only_of: "Only in the archive of", "Nur im Archiv von";
    of_all: "search in all archives", "in allen Archiven suchen";
    not_understood: "This cannot be understood:", "Das ist nicht verständlich:";
    not_searchable_yet: "message cannot be found yet: the search index is still reading it.", "Nachricht ist noch nicht auffindbar: Der Suchindex liest sie noch.";
    none_searchable_yet: "messages cannot be found yet: the search index is still reading them.", "Nachrichten sind noch nicht auffindbar: Der Suchindex liest sie noch.";
    index_stands: "The search index does not follow the archive at the moment, so what came last may be missing.", "Der Suchindex folgt dem Archiv zurzeit nicht; das Neueste kann fehlen.";
    narrow_down: "Narrow down", "Eingrenzen";
    narrowed_to: "Narrowed down to", "Eingegrenzt auf";
    take_off: "take off", "aufheben";
    years: "Years", "Jahre";
    senders: "Senders", "Absender";
    archive: "Archive", "Archiv";
    archives: "Archives", "Archive";
    browse_archives: "Browse the archives", "Archive durchblättern";
    results: "Results", "Treffer";
    message: "message", "Nachricht";
    messages: "messages", "Nachrichten";
    messages_title: "Messages", "Nachrichten";
    take_all: "Download all as ZIP", "Alle als ZIP herunterladen";
    take_chosen: "Download the chosen ones as ZIP", "Ausgewählte als ZIP herunterladen";
    choose: "Choose", "Auswählen";
    none_chosen: "Choose messages by the boxes before them first.", "Wählen Sie zuerst Nachrichten durch die Kästchen davor aus.";
    close_message: "Close", "Schließen";
    read_alone: "Read alone", "Allein lesen";
    nothing_found: "Nothing was found.", "Nichts gefunden.";
    keys: "Keys: j and k go down and up, Enter opens, / goes to the search box, Esc goes back.", "Tasten: j und k gehen ab und auf, Enter öffnet, / springt zum Suchfeld, Esc geht zurück.";
    more: "More", "Weitere";
    older: "Older ones", "Ältere";
    previous_page: "Previous page", "Vorige Seite";
    to_first_page: "Back to the first page", "Zurück zur ersten Seite";
    attachment: "attachment", "Anhang";
    attachments: "attachments", "Anhänge";
    user: "user", "Benutzer";
    users: "users", "Benutzer";
    user_title: "User", "Benutzer";
    users_title: "Users", "Benutzer";
    no_sender: "(no sender)", "(ohne Absender)";
    no_subject: "(no subject)", "(ohne Betreff)";
    reason: "Why you read mail", "Warum Sie Mail lesen";
    reason_needed: "Your role has to say why it reads mail. The reason stands in the audit log with all that you look at.", "Ihre Rolle muss sagen, warum sie Mail liest. Der Grund steht im Prüfprotokoll bei allem, was Sie ansehen.";
    reason_wrong: "The reason has to be a line of 1 to 300 characters.", "Der Grund muss eine Zeile mit 1 bis 300 Zeichen sein.";
    keep: "Keep", "Merken";
    no_archives: "No archive was given to this account. An administrator can give it one.", "Diesem Konto wurde kein Archiv gegeben. Die Verwaltung kann ihm eines geben.";
    search_in_it: "Search in it", "Darin suchen";
    retired: "retired", "ausgeschieden";
    archive_empty: "There is nothing in it yet.", "Es ist noch nichts darin.";

    // A message.
    back_to_list: "Back to the list", "Zurück zur Liste";
    back_to_message: "Back to the message", "Zurück zur Nachricht";
    from: "From", "Von";
    to: "To", "An";
    cc: "Cc", "Kopie";
    sent: "Sent", "Gesendet";
    size: "Size", "Größe";
    download: "Download (EML)", "Herunterladen (EML)";
    all_headers: "All headers", "Alle Kopfzeilen";
    source: "Source", "Quelltext";
    print: "Print", "Drucken";
    print_hint: "All of the message, to be printed by the browser (Ctrl-P).", "Die ganze Nachricht, zum Drucken mit dem Browser (Strg-P).";
    journal: "Journal report", "Journalbericht";
    no_journal: "It came in no journal report.", "Sie kam in keinem Journalbericht.";
    unnamed: "(without a name)", "(ohne Namen)";
    open_it: "open", "öffnen";
    as_page: "Show as a page", "Als Seite zeigen";
    as_text: "Show as text", "Als Text zeigen";
    text_is_cut: "The text is longer. Download the message to read all of it.", "Der Text ist länger. Laden Sie die Nachricht herunter, um alles zu lesen.";
    page_of_message: "The message", "Die Nachricht";
    image_outside: "image lies elsewhere and is not loaded.", "Bild liegt anderswo und wird nicht geladen.";
    images_outside: "images lie elsewhere and are not loaded.", "Bilder liegen anderswo und werden nicht geladen.";
    load_images: "Load from there", "Von dort laden";
    load_images_means: "– whoever keeps them learns that the message was read.", "– wer sie bereithält, erfährt, dass die Nachricht gelesen wurde.";
    has_no_page: "The message has no page.", "Die Nachricht hat keine Seite.";
    why_here: "Why is this here?", "Warum ist das hier?";
    because: "Because", "Weil";
    why_field: "an address of theirs stands in", "eine Adresse davon steht in";
    why_unknown: "nobody has an address in it", "niemand hat eine Adresse darin";
    folder: "Folder", "Ordner";
    archived_at: "Archived", "Archiviert";
    in_run: "In run", "Im Lauf";
    field: "Field", "Feld";
    value: "Value", "Wert";
    too_large_to_open: "It is too large to be opened here.", "Sie ist zu groß, um hier geöffnet zu werden.";
    do_download_it: "Download it.", "Laden Sie sie herunter.";
    no_message_in_it: "This part is no message.", "Dieser Teil ist keine Nachricht.";
    is_nested: "This message is attached to another one.", "Diese Nachricht hängt an einer anderen.";
    quoted: "Quoted", "Zitat";
    line: "line", "Zeile";
    lines: "lines", "Zeilen";

    // Overview.
    all_well: "All is well.", "Alles in Ordnung.";
    look_at: "To be looked at", "Anzusehen";
    profiles: "Profiles", "Profile";
    no_profiles: "Nothing is archived: there is no profile yet.", "Nichts wird archiviert: es gibt noch kein Profil.";
    the_archive: "The archive", "Das Archiv";
    idle: "idle", "ruht";
    failing: "failing", "schlägt fehl";
    archives_now: "It is archiving:", "Es archiviert gerade:";
    out_of: "of", "von";
    watch_it: "Watch it", "Zusehen";
    failed_time: "failed run since", "fehlgeschlagener Lauf seit";
    failed_times: "failed runs since", "fehlgeschlagene Läufe seit";
    last_run: "Last run", "Letzter Lauf";
    next_run: "Next run", "Nächster Lauf";
    schedule: "Schedule", "Zeitplan";
    by_hand: "by hand", "von Hand";
    watches: "and whenever mail arrives", "und sobald Mail eintrifft";
    still_open: "Not archived yet", "Noch nicht archiviert";
    not_known: "not known", "nicht bekannt";
    none_yet: "none yet", "noch keiner";
    not_yet: "not yet", "noch nicht";
    newly_archived: "archived", "archiviert";
    failed_copies: "failed", "fehlgeschlagen";
    run_now: "Run now", "Jetzt ausführen";
    stop: "Stop", "Anhalten";
    its_runs: "Its runs", "Seine Läufe";
    messages_in_it: "Messages", "Nachrichten";
    as_they_came: "As they came", "Wie empfangen";
    on_disk: "On disk", "Auf der Platte";
    free: "Free on the disk", "Frei auf der Platte";
    disk: "Disk", "Platte";
    index: "Search index", "Suchindex";
    index_is_up: "up to date", "auf dem Stand";
    verified: "Verified", "Geprüft";
    runs_since: "dropkeep runs since", "dropkeep läuft seit";
    not_ready: "Mail cannot be archived:", "Mail kann nicht archiviert werden:";
    damage: "damage", "Schaden";
    damages: "damages", "Schäden";
    damages_title: "Damages", "Schäden";
    damages_found: "in the archive. Run dropkeep verify, and restore what is damaged from a backup.", "im Archiv. Führen Sie dropkeep verify aus und stellen Sie Beschädigtes aus einer Sicherung wieder her.";
    profile_fails: "fails: its last run says why.", "schlägt fehl: der letzte Lauf sagt, warum.";
    disk_is_full: "are free on the disk; that will not last.", "sind frei auf der Platte; das reicht nicht lange.";
    unaccounted: "Of some copies nobody knows what became of them. This is a bug in dropkeep.", "Von einigen Kopien ist nicht bekannt, was aus ihnen wurde. Das ist ein Fehler in dropkeep.";
    no_progress: "no progress for", "kein Fortschritt seit";
    is_late: "has not succeeded for three times as long as it should.", "war dreimal so lange nicht erfolgreich, wie es sollte.";
    configuration_refused: "The configuration is refused, and the earlier one counts:", "Die Konfiguration wird abgelehnt, und die frühere gilt:";
    verify_is_late: "Parts of the archive should have been verified again by now.", "Teile des Archivs hätten inzwischen wieder geprüft werden sollen.";

    // Runs.
    run: "Run", "Lauf";
    profile: "Profile", "Profil";
    state: "State", "Zustand";
    any: "any", "alle";
    since: "Since", "Von";
    until: "Until", "Bis";
    no_day: "This is not a day. Write it as 2025-01-31.", "Das ist kein Tag. Schreiben Sie ihn als 2025-01-31.";
    backwards: "This day comes before the first one.", "Dieser Tag liegt vor dem ersten.";
    show: "Show", "Zeigen";
    no_runs: "There are no such runs.", "Es gibt keine solchen Läufe.";
    began: "Began", "Begonnen";
    took: "Took", "Dauerte";
    seen: "Seen", "Gesehen";
    archived: "Archived", "Archiviert";
    duplicates: "Duplicates", "Doppelte";
    skipped: "Skipped", "Übergangen";
    excluded: "Excluded", "Ausgeschlossen";
    too_large: "Too large", "Zu groß";
    vanished: "Vanished", "Verschwunden";
    failed: "Failed", "Fehlgeschlagen";
    archived_means: "newly filed for somebody", "für jemanden neu abgelegt";
    duplicates_means: "everybody concerned had them already", "alle Betroffenen hatten sie schon";
    skipped_means: "left where they are, and judged again next time", "bleiben, wo sie sind, und werden nächstes Mal neu beurteilt";
    excluded_means: "the profile leaves them out", "das Profil lässt sie aus";
    too_large_means: "larger than the profile takes", "größer, als das Profil annimmt";
    vanished_means: "gone from the server meanwhile", "inzwischen vom Server verschwunden";
    failed_means: "tried again in the next run", "werden im nächsten Lauf wieder versucht";
    seen_means: "all of the above, added up", "alles darüber zusammen";
    what_became: "What became of the copies", "Was aus den Kopien wurde";
    outcome: "Outcome", "Ergebnis";
    copies: "Copies", "Kopien";
    meaning: "Meaning", "Bedeutung";
    filing: "filing in an archive", "Ablage in einem Archiv";
    filings: "filings in archives", "Ablagen in Archiven";
    without_known: "without a known address", "ohne bekannte Adresse";
    deleted_there: "deleted on the server", "auf dem Server gelöscht";
    fetched: "fetched", "geholt";
    state_running: "running", "läuft";
    state_completed: "completed", "vollständig";
    state_completed_with_errors: "completed with errors", "mit Fehlern beendet";
    state_failed: "failed", "fehlgeschlagen";
    state_interrupted: "interrupted", "unterbrochen";
    an_import: "an import", "ein Import";
    a_reroute: "filing anew", "neues Ablegen";
    progress: "Progress", "Fortschritt";
    per_second: "per second", "je Sekunde";
    left: "left: about", "noch etwa";
    load_again: "Load the page again to see how far it is", "Seite neu laden, um den Stand zu sehen";
    errors: "Errors", "Fehler";
    what_to_do: "What to do:", "Was zu tun ist:";
    and_more: "and more:", "und weitere:";
    notices: "Notices", "Hinweise";
    unknown_addresses: "Unknown addresses", "Unbekannte Adressen";
    unknown_means: "Addresses of ours that no user had when mail for them came, by how many messages of the newest runs named them.", "Eigene Adressen, die niemand hatte, als Mail für sie kam, nach der Zahl der Nachrichten in den neuesten Läufen.";
    none_unknown: "There are none.", "Es gibt keine.";
    address: "Address", "Adresse";
    messages_named: "Messages", "Nachrichten";

    // People.
    name: "Name", "Name";
    addresses: "Addresses", "Adressen";
    addresses_hint: "One a line; *@example.com stands for all of a domain.", "Eine je Zeile; *@example.com steht für alle einer Domain.";
    name_or_address: "Name or address", "Name oder Adresse";
    narrow_users: "There are more: narrow them down by name or address.", "Es gibt mehr: grenzen Sie nach Name oder Adresse ein.";
    change: "Change", "Ändern";
    of_configuration: "of the configuration", "aus der Konfiguration";
    new_name: "New name", "Neuer Name";
    rename: "Rename", "Umbenennen";
    retire: "Retire", "Ausscheiden lassen";
    retire_means: "Nothing new is filed for them, and their archive stays.", "Es wird nichts Neues abgelegt, und das Archiv bleibt.";
    add_user: "Add a user", "Benutzer hinzufügen";
    accounts: "Accounts", "Konten";
    add_account: "Add an account", "Konto hinzufügen";
    role: "Role", "Rolle";
    role_hint: "A user reads the archives given to it; an auditor all, which is in the audit log; an administrator runs dropkeep and reads none but those given.", "Ein Benutzer liest die ihm gegebenen Archive; ein Prüfer alle, was im Prüfprotokoll steht; ein Verwalter betreibt dropkeep und liest nur gegebene.";
    role_user: "user", "Benutzer";
    role_auditor: "auditor", "Prüfer";
    role_administrator: "administrator", "Verwalter";
    archives_to_give: "Archives to give, by the names of users", "Zu gebende Archive, nach Namen der Benutzer";
    archives_to_give_hint: "With commas between them; more can be given later.", "Mit Kommas dazwischen; weitere können später gegeben werden.";
    disabled: "disabled", "gesperrt";
    yes: "yes", "ja";
    no: "no", "nein";
    is_disabled: "Nobody can log in by this account.", "Mit diesem Konto kann sich niemand anmelden.";
    change_role: "Change the role", "Rolle ändern";
    archives_given: "Archives given", "Gegebene Archive";
    take_away: "Take away", "Wegnehmen";
    give: "Give", "Geben";
    coming_in: "Coming in", "Zugang";
    set_password: "Set the password", "Passwort setzen";
    reset_codes: "Reset one-time codes", "Einmalcodes zurücksetzen";
    enable: "Let it log in again", "Wieder zulassen";
    disable: "Disable", "Sperren";
    remove_account: "Remove the account", "Konto entfernen";

    // One's own account.
    password_so_far: "Password so far", "Bisheriges Passwort";
    new_password: "New password", "Neues Passwort";
    once_more: "Once more", "Noch einmal";
    password_hint: "10 characters or more.", "10 Zeichen oder mehr.";
    change_password: "Change the password", "Passwort ändern";
    not_alike: "The two passwords are not alike.", "Die beiden Passwörter sind nicht gleich.";
    one_time_codes: "One-time codes", "Einmalcodes";
    codes_are_on: "Codes are asked for when you log in.", "Bei der Anmeldung wird ein Code verlangt.";
    codes_are_off: "Only the password is asked for when you log in.", "Bei der Anmeldung wird nur das Passwort verlangt.";
    codes_mean: "An app on your phone shows a new code every half minute. Whoever learns your password cannot log in without it.", "Eine App auf dem Telefon zeigt jede halbe Minute einen neuen Code. Wer Ihr Passwort erfährt, kann sich ohne ihn nicht anmelden.";
    role_needs_codes: "Your role needs one-time codes. Set them up to go on.", "Ihre Rolle braucht Einmalcodes. Richten Sie sie ein, um weiterzumachen.";
    set_up_codes: "Set up one-time codes", "Einmalcodes einrichten";
    later: "Later", "Später";
    turn_off: "Turn off", "Ausschalten";
    scan_it: "Scan this with an authenticator app:", "Erfassen Sie dies mit einer Authenticator-App:";
    qr_code: "QR code with the secret", "QR-Code mit dem Geheimnis";
    or_type: "Or type it:", "Oder tippen Sie es ab:";
    type_code: "Type the code that it shows", "Geben Sie den Code ein, den sie zeigt";
    confirm: "Confirm", "Bestätigen";
    begin_anew: "Begin anew", "Neu beginnen";
    wrong_code_hint: "If a code is not taken, begin anew, and look at the clocks of both machines.", "Wird ein Code nicht angenommen, beginnen Sie neu und vergleichen Sie die Uhren beider Geräte.";
    codes_work: "One-time codes work, and are asked for from now on.", "Einmalcodes funktionieren und werden ab jetzt verlangt.";
    recovery_codes: "Recovery codes", "Ersatzcodes";
    recovery_codes_mean: "Keep these where you find them without your phone. Each takes the place of a code once. They are shown this once.", "Bewahren Sie diese dort auf, wo Sie sie ohne Telefon finden. Jeder ersetzt einmal einen Code. Sie werden nur dieses eine Mal gezeigt.";
    kept_them: "I have kept them", "Ich habe sie notiert";
    sessions: "Sessions", "Sitzungen";
    no_sessions: "Nobody is logged in.", "Niemand ist angemeldet.";
    used_last: "Used last", "Zuletzt benutzt";
    from_address: "From", "Von";
    this_one: "this one", "diese hier";
    end_it: "End", "Beenden";
    end_all: "End all others", "Alle anderen beenden";
    applications: "Passwords for programs", "Passwörter für Programme";
    applications_mean: "A program that cannot ask for a code gets a password of its own. It may do what the account may.", "Ein Programm, das keinen Code erfragen kann, erhält ein eigenes Passwort. Es darf, was das Konto darf.";
    program: "Program", "Programm";
    made: "Made", "Angelegt";
    never: "never", "nie";
    remove: "Remove", "Entfernen";
    make_password: "Make a password", "Passwort anlegen";
    application_password: "Password for a program", "Passwort für ein Programm";
    application_password_means: "Copy it into the program now. It is shown this once.", "Übertragen Sie es jetzt in das Programm. Es wird nur dieses eine Mal gezeigt.";
    kept_it: "I have copied it", "Ich habe es übertragen";

    // Audit log.
    action: "Action", "Aktion";
    object: "On what", "Woran";
    at: "When", "Wann";
    no_entries: "There are no such entries.", "Es gibt keine solchen Einträge.";
    earlier_entries: "Earlier entries", "Frühere Einträge";
    as_csv: "Download as CSV", "Als CSV herunterladen";
    outcome_begun: "begun", "begonnen";
    outcome_done: "done", "getan";
    outcome_refused: "refused", "verweigert";
    outcome_failed: "failed", "fehlgeschlagen";

    // Store.
    sizes: "Sizes", "Größen";
    compact: "Compact", "Verdichten";
    compact_means: "Compacting merges small blocks, and gives back what nothing needs any more.", "Verdichten fasst kleine Blöcke zusammen und gibt frei, was nichts mehr braucht.";
    verified_last: "A part, last", "Ein Teil, zuletzt";
    verified_all: "All of it, last", "Alles, zuletzt";
    verified_every: "All of it within", "Frist für alles";
    not_verified: "dropkeep does not verify the archive by itself.", "dropkeep prüft das Archiv nicht von selbst.";
    searchable: "Can be found", "Auffindbar";
    behind: "Not yet", "Noch nicht";
    unreadable: "Could not be read", "Nicht lesbar";
    rebuild_index: "Make the index anew", "Index neu anlegen";
    rebuild_means: "Searching goes on meanwhile, and finds what the new index has so far.", "Währenddessen kann gesucht werden; gefunden wird, was der neue Index bisher hat.";

    // Spans of time.
    second: "second", "Sekunde";
    seconds: "seconds", "Sekunden";
    minute: "minute", "Minute";
    minutes: "minutes", "Minuten";
    hour: "hour", "Stunde";
    hours: "hours", "Stunden";
    day: "day", "Tag";
    days: "days", "Tage";

    // What can be searched for, by example.
    means_words: "both words, anywhere", "beide Wörter, irgendwo";
    means_phrase: "the words in a row", "die Wörter in dieser Folge";
    means_or: "one of them; not the other", "eines davon; das andere nicht";
    means_ending: "any ending; any one letter", "jede Endung; ein beliebiger Buchstabe";
    means_fields: "where a word stands; also cc: bcc: recipient: body: folder: list:", "wo ein Wort steht; auch cc: bcc: recipient: body: folder: list:";
    means_files: "with files; by the name of a file", "mit Dateien; nach dem Namen einer Datei";
    means_dates: "when it was sent; also before: after: older:", "wann gesendet; auch before: after: older:";
    means_sizes: "how large it is", "wie groß";

    // How the index stands.
    index_off: "off", "ausgeschaltet";
    index_waiting: "waiting", "wartet";
    index_building: "being made anew", "wird neu angelegt";
    index_following: "following the archive", "folgt dem Archiv";
    index_failing: "failing", "schlägt fehl";
}

impl Texts {
    /// Examples of what can be searched for, and what each means.
    pub fn search_language(&self) -> [(&'static str, &'static str); 8] {
        [
            ("quarterly report", self.means_words),
            ("\"quarterly report\"", self.means_phrase),
            ("report OR invoice -draft", self.means_or),
            ("auto* fo?", self.means_ending),
            ("from:jane to:example.com subject:offer", self.means_fields),
            ("has:attachment filename:pdf", self.means_files),
            ("date:2025-01..2025-03 newer:30d", self.means_dates),
            ("larger:1M smaller:10M", self.means_sizes),
        ]
    }

    /// How something ended that is in the audit log; one that a newer version has stands for itself.
    pub fn outcome_named<'o>(&self, outcome: &'o str) -> &'o str {
        match outcome {
            "begun" => self.outcome_begun,
            "done" => self.outcome_done,
            "refused" => self.outcome_refused,
            "failed" => self.outcome_failed,
            other => other,
        }
    }

    pub fn index_state(&self, state: &str) -> &'static str {
        match state {
            "off" => self.index_off,
            "waiting" => self.index_waiting,
            "building" => self.index_building,
            "following" => self.index_following,
            _ => self.index_failing,
        }
    }
}

/// A text with what it is about in its places. What is put in is no text of ours, and nothing is put into it.
pub fn filled(text: &str, about: &[String]) -> String {
    let mut pieces = text.split('{');
    let mut words = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (number, rest) = piece.split_once('}').unwrap_or((piece, ""));
        let value = number.parse().ok().and_then(|number: usize| about.get(number));
        words.push_str(value.map_or("", String::as_str));
        words.push_str(rest);
    }
    words
}
