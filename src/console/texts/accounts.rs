//! What is asked before an account goes.

use super::super::bilingual::texts;

texts! {
    remove_title: "Remove the account “{0}”", "Konto „{0}“ entfernen";
    remove_means: "Nobody can log in by it any more, and its sessions and passwords for programs end. Archives stay, and so does what it did in the audit log.", "Niemand kann sich mehr damit anmelden, und seine Sitzungen und Passwörter für Programme enden. Archive bleiben, und was es getan hat, bleibt im Prüfprotokoll.";
    remove_it: "Remove the account", "Konto entfernen";
    disable_title: "Disable the account “{0}”", "Konto „{0}“ sperren";
    disable_means: "Its sessions end, and nobody can log in by it until an administrator lets it in again.", "Seine Sitzungen enden, und niemand kann sich damit anmelden, bis ein Verwalter es wieder zulässt.";
    disable_it: "Disable it", "Sperren";
    is_own: "It is your own account: you are logged out by it.", "Es ist Ihr eigenes Konto: Sie werden dadurch abgemeldet.";
    keep_it: "Leave it as it is", "So lassen";
}
