//! Addresses that nobody has, and to whom they are given.

use super::super::bilingual::texts;

texts! {
    assign: "Assign", "Zuordnen";
    named_by: "of the newest runs named it.", "der neuesten Läufe nannten sie.";
    back_to_unknown: "Unknown addresses", "Unbekannte Adressen";
    to_user: "To a user there is", "Einem vorhandenen Benutzer";
    to_user_means: "The address becomes one more of theirs.", "Die Adresse wird eine weitere von ihm.";
    managed_means: "Users of the configuration get it there: put it among their addresses, then run", "Benutzer aus der Konfiguration erhalten sie dort: Schreiben Sie sie zu ihren Adressen, dann führen Sie aus:";
    to_new_user: "To a new user", "Einem neuen Benutzer";
    to_list: "To several people", "Mehreren Personen";
    to_list_means: "A list gives its mail to several users. Lists stand in the configuration file. Put this there with the names of the users, run", "Eine Liste gibt ihre Mail mehreren Benutzern. Listen stehen in der Konfigurationsdatei. Schreiben Sie dies mit den Namen der Benutzer dorthin, führen Sie aus:";
    then_file: "and then see what is in the archive for them:", "und sehen Sie dann, was für sie im Archiv ist:";
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
