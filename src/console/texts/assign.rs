//! Addresses that nobody has, and to whom they are given.

use super::super::bilingual::texts;

texts! {
    assign: "Assign", "Zuordnen";
    named_by: "of the newest runs named it.", "der neuesten Läufe nannten sie.";
    back_to_unknown: "Unknown addresses", "Unbekannte Adressen";
    to_user: "To a user there is", "Einem vorhandenen Benutzer";
    to_user_means: "The address becomes one more of theirs.", "Die Adresse wird eine weitere von ihm.";
    nobody_to_give_to: "There is no user who can get an address here.", "Es gibt keinen Benutzer, der hier eine Adresse erhalten kann.";
    managed_means: "Users of the configuration get it there: put it among their addresses, then run", "Benutzer aus der Konfiguration erhalten sie dort: Schreiben Sie sie zu ihren Adressen, dann führen Sie aus:";
    to_new_user: "To a new user", "Einem neuen Benutzer";
    to_list: "To several people", "Mehreren Personen";
    to_list_means: "A list gives its mail to several users: their names, one a line.", "Eine Liste gibt ihre Mail mehreren Benutzern: deren Namen, einer je Zeile.";
    members: "Who gets the mail", "Wer die Mail erhält";
    make_list: "Make a list", "Liste anlegen";
    change_list: "Change the list", "Liste ändern";
    remove_list: "Remove the list", "Liste entfernen";
    names_nobody: "Name somebody who gets the mail.", "Nennen Sie jemanden, der die Mail erhält.";
    list_of_file: "This is a list of the configuration file. Change it there, then run", "Dies ist eine Liste aus der Konfigurationsdatei. Ändern Sie sie dort, dann führen Sie aus:";
    lists: "Lists", "Listen";
    lists_mean: "Addresses whose mail several users get. An address becomes a list where it is unknown so far, or here:", "Adressen, deren Mail mehrere Benutzer erhalten. Eine Adresse wird zur Liste, wo sie noch unbekannt ist, oder hier:";
    list_address: "Address of a list", "Adresse einer Liste";
    go_on: "Go on", "Weiter";
    not_in_force: "not in force: the address is somebody's in the configuration", "nicht in Kraft: Die Adresse gehört in der Konfiguration jemandem";
    ignore: "Ignore", "Ignorieren";
    ignore_title: "To nobody", "Niemandem";
    ignore_means: "An ignored address is named no more, in this list or in the protocols of runs to come. Its mail goes where the rules of the profile put mail for nobody known, as it did so far. You can take this back.", "Eine ignorierte Adresse wird nicht mehr genannt, weder in dieser Liste noch in den Protokollen künftiger Läufe. Ihre Mail geht dorthin, wohin die Regeln des Profils Mail für niemand Bekannten legen, wie bisher. Sie können das zurücknehmen.";
    is_ignored: "This address is ignored.", "Diese Adresse wird ignoriert.";
    ignored_title: "Ignored addresses", "Ignorierte Adressen";
    ignored_means: "These are not reported. Their mail goes where the rules put it.", "Diese werden nicht gemeldet. Ihre Mail geht dorthin, wohin die Regeln sie legen.";
    ignore_no_longer: "Ignore no longer", "Nicht mehr ignorieren";
    has_it: "has now:", "hat jetzt:";
    file_title: "Mail that is in the archive already", "Mail, die schon im Archiv ist";
    counting: "All of the archive is looked through for mail that somebody should have by now. Nothing is filed by this.", "Das ganze Archiv wird nach Mail durchgesehen, die jemand inzwischen haben sollte. Dabei wird nichts abgelegt.";
    filing_goes_on: "Mail is being filed at the moment.", "Zurzeit wird Mail abgelegt.";
    watch_it: "Watch it", "Zusehen";
    not_counted: "It was not counted yet how much that is.", "Wie viel das ist, wurde noch nicht gezählt.";
    count: "Count it", "Zählen";
    count_again: "Count again", "Neu zählen";
    as_of: "As of", "Stand";
    nothing_for_them: "There is nothing in the archive that somebody lacks.", "Im Archiv ist nichts, was jemandem fehlt.";
    would_be_filed: "would be filed. Nothing is taken away by it.", "würden abgelegt. Weggenommen wird dabei nichts.";
    for_whom: "For whom", "Für wen";
    are_filed: "were filed.", "wurden abgelegt.";
    its_protocol: "Protocol", "Protokoll";
    stopped_early: "This was stopped before its end.", "Dies wurde vor dem Ende angehalten.";
    stays_with: "stay with retired users, whose address it was.", "bleiben bei ausgeschiedenen Benutzern, deren Adresse es war.";
    file_now: "File it now", "Jetzt ablegen";
}
