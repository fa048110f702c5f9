//! How much came in, how the archive grew, and how old its backup is.

use super::super::bilingual::texts;

texts! {
    lately: "Messages archived", "Archivierte Nachrichten";
    today: "Today", "Heute";
    days_title: "The last 30 days", "Die letzten 30 Tage";
    hour: "Hour", "Stunde";
    day: "Day", "Tag";
    messages: "Messages", "Nachrichten";
    as_table: "As a table", "Als Tabelle";
    size_title: "Size on disk", "Größe auf der Platte";
    size: "Size", "Größe";
    growth: "Growth on disk", "Wachstum auf der Platte";
    within: "within", "innerhalb von";
    not_known_yet: "known after a day", "nach einem Tag bekannt";
    last_day: "The last day", "Der letzte Tag";
    nothing_wrong: "No run ended with errors.", "Kein Lauf endete mit Fehlern.";
    more_runs: "All runs", "Alle Läufe";
    backup: "Backup", "Sicherung";
    last_backup: "Last backup", "Letzte Sicherung";
    backup_in: "In", "In";
    backup_messages: "Messages in it", "Nachrichten darin";
    no_backup: "none that the archive knows of", "keine, von der das Archiv weiß";
    backup_means: "A backup is made on the machine, and may be as often as by a timer:", "Eine Sicherung wird auf der Maschine angelegt, gern regelmäßig durch einen Timer:";
    backup_is_old: "The last backup is older than a week.", "Die letzte Sicherung ist älter als eine Woche.";
    never_backed_up: "The archive knows of no backup of itself.", "Das Archiv weiß von keiner Sicherung.";
    backup_damaged: "damages were in the archive when it was made.", "Schäden waren im Archiv, als sie angelegt wurde.";
}
