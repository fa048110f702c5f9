//! The upkeep of the store.

use super::super::bilingual::texts;

texts! {
    nightly: "By itself, each night", "Von selbst, jede Nacht";
    nightly_means: "Each night dropkeep reads back a part of the archive, so that all of it is verified within the time that the configuration says. It does this by itself, whatever you begin here.", "Jede Nacht liest dropkeep einen Teil des Archivs zurück, sodass innerhalb der Zeit, die die Konfiguration nennt, alles geprüft ist. Das geschieht von selbst, unabhängig davon, was Sie hier beginnen.";
    verify_now: "Verify now", "Jetzt prüfen";
    verify_means: "Everything is read back, and every digest is computed again. Nothing is changed, archiving goes on meanwhile, and it gives way to everything else on the machine. A sample looks at a random share, and takes about that share of the time.", "Alles wird zurückgelesen und jede Prüfsumme neu berechnet. Nichts wird geändert, das Archivieren geht weiter, und es lässt allem anderen auf der Maschine den Vortritt. Eine Stichprobe betrachtet einen zufälligen Teil und braucht etwa diesen Teil der Zeit.";
    how_much: "How much", "Wie viel";
    all_of_it: "All of it", "Alles";
    sample: "A sample of", "Eine Stichprobe von";
    percent_of_sample: "Percent of a sample", "Prozent einer Stichprobe";
    verifying: "The archive is being verified.", "Das Archiv wird geprüft.";
    compacting: "The store is being compacted.", "Der Speicher wird verdichtet.";
    indexing: "The index is being made anew.", "Der Index wird neu angelegt.";
    last_verification: "The last one that was begun here", "Die letzte, die hier begonnen wurde";
    ended_at: "Ended", "Beendet";
    looked_at: "Looked at", "Betrachtet";
    intact: "Nothing is damaged.", "Nichts ist beschädigt.";
    interrupted: "It was stopped before its end.", "Sie wurde vor ihrem Ende angehalten.";
    failed: "Nothing could be verified:", "Nichts konnte geprüft werden:";
    read_back: "Read back", "Zurückgelesen";
    damages: "Damages", "Schäden";
    kind: "What", "Was";
    where_it_is: "Where", "Wo";
    what_is_wrong: "What is wrong", "Was falsch ist";
    message: "message", "Nachricht";
    of_user: "of", "von";
    volume: "volume", "Volume";
    notes: "Notes", "Hinweise";
    last_compaction: "The last one since the start", "Die letzte seit dem Start";
    merged: "Merged", "Zusammengefasst";
    removed: "Removed", "Entfernt";
    blocks: "blocks", "Blöcke";
    volumes: "volumes", "Volumes";
    disk_before: "On disk before", "Vorher auf der Platte";
    disk_after: "On disk now", "Nachher auf der Platte";
    free_within: "Of this free for what comes", "Davon frei für Neues";
    some_left: "Not everything was merged: somebody was reading, it was stopped, or mail is damaged. Do it again later.", "Nicht alles wurde zusammengefasst: Jemand las gerade, es wurde angehalten, oder Mail ist beschädigt. Wiederholen Sie es später.";
    met_damage: "Damaged mail was left where it is. Verify the archive to see what it is.", "Beschädigte Mail blieb, wo sie ist. Prüfen Sie das Archiv, um zu sehen, welche.";
}
