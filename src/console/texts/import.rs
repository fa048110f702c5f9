//! Users out of a table.

use super::super::bilingual::texts;

texts! {
    title: "Import users", "Benutzer importieren";
    means: "A line for each user: the name, then addresses, with commas between them. Users whom the table does not name stay as they are; those of the configuration are changed there.", "Eine Zeile je Benutzer: der Name, dann Adressen, mit Kommas dazwischen. Benutzer, die die Tabelle nicht nennt, bleiben, wie sie sind; die aus der Konfiguration werden dort geändert.";
    table: "Table (CSV)", "Tabelle (CSV)";
    file: "Or take a file", "Oder eine Datei nehmen";
    preview: "Preview", "Vorschau";
    what_would: "What would become of them", "Was aus ihnen würde";
    import: "Import", "Importieren";
    added: "added", "neu";
    changed: "changed", "geändert";
    unchanged: "unchanged", "unverändert";
    wrong_line: "The line:", "Die Zeile:";
    nothing_yet: "Nothing was changed yet.", "Noch wurde nichts geändert.";
    imported: "Users were imported. Mail for new addresses that is in the archive already can be filed for them:", "Benutzer wurden importiert. Mail für neue Adressen, die schon im Archiv ist, kann für sie abgelegt werden:";
}
