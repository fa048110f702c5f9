//! The steps of getting to mail, and the stages at which something went wrong: the same words in a test and in a protocol.

use super::super::{bilingual::texts, language::Language};

texts! {
    config: "Configuration", "Konfiguration";
    resolve: "Look up the name", "Namen nachschlagen";
    connect: "Connect", "Verbinden";
    tls: "Encrypt", "Verschlüsseln";
    greeting: "Greeting", "Begrüßung";
    token: "Get a token", "Token holen";
    login: "Log in", "Anmelden";
    connection: "Connection", "Verbindung";
    store: "Archive", "Archiv";
    run: "Run", "Lauf";
    folders: "Folders", "Ordner";
    headers: "Newest headers", "Neueste Kopfzeilen";
    message: "One whole message", "Eine ganze Nachricht";
    fetch: "Fetch", "Abholen";
    read: "Read", "Lesen";
    format: "Format", "Format";
    manifest: "Compare with the export", "Mit dem Export vergleichen";
    identify: "Read the message", "Nachricht lesen";
    route: "File", "Ablegen";
    size: "Too large", "Zu groß";
    deletion: "Delete on the server", "Auf dem Server löschen";
}

/// A stage by its word; one that a newer version has stands for itself.
pub fn named(language: Language, stage: &str) -> &str {
    let t = of(language);
    match stage {
        "config" => t.config,
        "resolve" => t.resolve,
        "connect" => t.connect,
        "tls" => t.tls,
        "greeting" => t.greeting,
        "token" => t.token,
        "login" => t.login,
        "connection" => t.connection,
        "store" => t.store,
        "run" => t.run,
        "folders" | "folder" => t.folders,
        "headers" => t.headers,
        "message" => t.message,
        "fetch" => t.fetch,
        "read" => t.read,
        "format" => t.format,
        "manifest" => t.manifest,
        "identify" => t.identify,
        "route" => t.route,
        "size" => t.size,
        "deletion" => t.deletion,
        other => other,
    }
}
