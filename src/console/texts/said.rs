//! What is said to people, in German, by its code: `{0}` and so on stand for what it is about, `{0?eine|mehrere}` is the
//! one where that is one, and the other where it is not; `{again}` is what becomes of what only lasts. In English it is
//! shown as it was said.

use crate::said::Code;

macro_rules! german {
    ($($code:ident: $text:literal;)*) => {
        /// In German; empty for what has English words alone.
        pub fn german(code: Code) -> &'static str {
            match code {
                Code::Plain => "",
                $(Code::$code => $text,)*
            }
        }
    };
}

/// What becomes of what only lasts: a schedule tries it again, or whoever reads this does.
pub const BY_ITSELF: &str = "Es wird von selbst wieder versucht.";
pub const BY_HAND: &str = "Führen Sie es danach noch einmal aus.";
/// Before what is wrong with a value.
pub const VALUE: &str = "Dieser Wert ist so nicht möglich:";

german! {
    Quoted: "{0}";
    And: "{0}; {1}";
    Or: "{0} oder {1}";

    // On the way to a server.
    HostIsMore: "{0} ist nicht zu finden: host ist nur ein Name; der Port gehört in port, das Protokoll in access";
    NoNameServer: "{0} lässt sich nicht nachschlagen: Kein Nameserver antwortet ({1})";
    NoSuchHost: "es gibt keinen Rechner {0} ({1})";
    PortRefused: "{0} weist die Verbindung an Port {1} ab: Dort wartet kein Server";
    PortSilent: "{0} antwortet nicht an Port {1}";
    NoWay: "von hier führt kein Weg zu {0}: {1}";
    NotConnected: "keine Verbindung zu {0}, Port {1}: {2}";
    ResolveSilent: "wo {0} ist, hat innerhalb von {1} kein Nameserver gesagt";
    ConnectSilent: "{0} hat innerhalb von {1} nicht geantwortet: Der Server läuft nicht, oder eine Firewall ist dazwischen";
    TlsSilent: "{0} hat innerhalb von {1} nicht auf den TLS-Handshake geantwortet";
    AnswerSilent: "{0} hat innerhalb von {1} nicht geantwortet";
    TlsFailed: "TLS mit {0} ist fehlgeschlagen: {1}";
    CaFile: "ca_file {0}: {1}";
    NoUpgrade: "{0} bietet {1} an diesem Port nicht an; versuchen Sie access = \"{2}\", ohne `port`";
    Injected: "{0} hat nach der Antwort auf {1} Klartext gesendet: Möglicherweise greift jemand in die Verbindung ein";
    AnswerSenseless: "die Antwort von {0} ist unverständlich: {1}";

    // Certificates.
    CertificateRefused: "das Zertifikat von {0} wird abgelehnt: {1}: {2}";
    CertificateNotPinned: "es ist nicht das festgelegte (es wurde erneuert, oder ein anderer Server antwortet)";
    NoRoots: "diese Maschine hat keine Stammzertifikate";
    CertificateExpired: "es ist am {0} abgelaufen";
    CertificateNotYet: "es gilt erst ab {0}";
    CertificateNotFor: "es gilt nicht für {0}";
    CertificateRevoked: "es wurde widerrufen";
    CertificateNotOfServers: "es ist nicht für Server gedacht";
    CertificateUnreadable: "es ist nicht lesbar";
    CertificateSelfSigned: "es ist selbst signiert";
    CertificateIssuer: "diese Maschine kennt seinen Aussteller nicht ({0})";
    CertificateNamesNone: "es nennt keinen Rechner";
    CertificateFor: "es gilt für {0}";
    CertificateForAnd: "es gilt für {0} und {1}";
    CertificateForMore: "es gilt für {0} und {1} weitere";
    MendPin: "wenn es das neue Zertifikat des Servers ist, schreiben Sie {0}";
    MendPinning: "wenn es das Ihres Servers ist, legen Sie es fest: {0}";
    MendHost: "schreiben Sie einen Rechner, für den es gilt";
    MendHostOne: "schreiben Sie diesen als host, wenn er zu Ihrem Server führt";
    MendHostSome: "schreiben Sie einen von diesen als host, wenn er zu Ihrem Server führt";
    MendOrPin: "{0}, oder legen Sie es fest: {1}";
    MendName: "verwenden Sie einen Namen, für den es gilt";
    MendCaFile: "nennen Sie {0} in ca_file";
    MendOneForName: "der Server braucht eines für seinen Namen";
    ThatCertificate: "es";
    IssuersCertificate: "das Zertifikat des Ausstellers";
    MendAnother: "der Server braucht ein anderes Zertifikat";
    MendRenew: "erneuern Sie es auf dem Server (oder stellen Sie die Uhr dieser Maschine)";
    MendClock: "prüfen Sie die Uhr dieser Maschine";
    MendCaCertificates: "installieren Sie das Paket ca-certificates";
    MendSubjectAltName: "der Server braucht eines mit seinem Namen als subjectAltName";

    // A port of another server.
    NoGreeting: "keine Begrüßung an Port {0} innerhalb von {1}: {2}";
    TlsThenNothing: "der Server spricht dort TLS und sagt dann nichts, wie es Webserver tun";
    TakesAndSaysNothing: "was dort wartet, nimmt Verbindungen an und sagt nichts";
    PortIsNot: "Port {0} ist nicht der eines {1}-Servers";
    AServer: "{0}-Server";
    AWebServer: "Webserver";
    PortIsOf: "an Port {0} wartet ein {1}; {2}";
    PortIsOfTls: "an Port {0} wartet ein {1} über TLS; {2}";
    PortIsOfSmtp: "an Port {0} wartet ein {1}, der Mail annimmt und keine herausgibt; {2}";
    PortIsOfSmtpTls: "an Port {0} wartet ein {1} über TLS, der Mail annimmt und keine herausgibt; {2}";
    PortSpeaksOverTls: "keine Begrüßung an Port {0}: Der Port spricht {1} über TLS vom ersten Byte an; versuchen Sie access = \"{2}\"";
    PortProbablyTls: "keine Begrüßung an Port {0}: Der Port spricht wohl TLS vom ersten Byte an; versuchen Sie access = \"{1}\"";
    PortClear: "kein TLS an Port {0}: Der Server begrüßt mit {1} im Klartext; versuchen Sie access = \"{2}\"";
    PortSpeaks: "Port {0} spricht {1}, nicht {2}; versuchen Sie access = \"{3}\"";
    AtAnotherPort: "access = \"{0}\" ist an einem anderen Port oder auf einem anderen Rechner";
    UsuallyAt: "access = \"{0}\" ist gewöhnlich an Port {1}";
    NoMailServer: "Port {0} ist nicht der eines Mailservers; er begrüßt mit: {1}";

    // A session.
    SilentFor: "{0} schwieg {1} lang";
    SilentDuring: "{0} schwieg {1} lang während {2}";
    SilentAfter: "{0} schwieg {1} lang nach {2}";
    Preauth: "{0} begrüßt, als wären wir schon angemeldet (PREAUTH), sodass die Verbindung nicht mehr verschlüsselt werden kann: Möglicherweise greift jemand in sie ein";
    TurnedAway: "{0} weist die Verbindung ab: {1}";
    LoginRefused: "{0} lehnt die Anmeldung von {1} ab: {2}";
    NoPasswordInClear: "er nimmt ohne TLS kein Passwort an (LOGINDISABLED)";
    NoPasswordHere: "er nimmt hier kein Passwort an (LOGINDISABLED, und kein AUTH=PLAIN)";
    NotSendable: "ein Benutzername oder Passwort mit einem Zeilenende darin lässt sich nicht senden";
    TokensNotOffered: "er nimmt hier keine Token an (XOAUTH2 wird nicht angeboten); versuchen Sie einen Zugang mit TLS oder ein Passwort statt oauth2";
    TokenNotSendable: "ein Benutzername oder Token mit einem Steuerzeichen darin lässt sich nicht senden";
    CommandRefused: "der Server lehnt {0} ab: {1}";
    NoFolderLeft: "kein Ordner bleibt übrig: {0}";
    IncludeIsEmpty: "include ist leer";
    ExcludeLeavesNone: "{0} schließt alles aus, was include nennt";
    SubscribedLeavesNone: "subscribed = true schließt alles aus, was include nennt";
    BothLeaveNone: "{0} und subscribed = true schließen alles aus, was include nennt";
    FolderOfFolders: "{0} enthält keine Mail, nur andere Ordner; {1} meint diese";
    NoFolderMarked: "der Server bezeichnet keinen Ordner als {0}";
    NoFolderMatches: "kein Ordner passt zu „{0}“";
    NoFolder: "es gibt keinen Ordner „{0}“";
    NoFolderAtAll: "{0}: Der Server nennt überhaupt keinen Ordner";
    FoldersAre: "{0}. Der Server hat {1}";
    DidYouMeanFolder: "{0}; meinten Sie {1}? Der Server hat {2}";
    AndMore: "{0} und {1} weitere";
    CommaMore: "{0}, {1} weitere";
    Unreadable: "{0} ist nicht lesbar: {1}";
    CannotImport: "{0} lässt sich nicht importieren: {1}";
    GivenUp: "nach mehreren Versuchen aufgegeben: {0}";
    ImportOfSeveral: "{0} lässt sich nicht für einen Benutzer importieren: Es ist ein Export mit der Mail von {1} Benutzern";
    ConnectionLost: "die Verbindung brach bei {0} ab: {1}";
    ServerClosed: "der Server hat sie geschlossen";
    Senseless: "die Antwort des Servers auf {0} ist unverständlich: {1}";
    MailboxHas: "das Postfach hat {0} Nachrichten, und dropkeep nimmt über POP3 {1}: Verschieben Sie Mail in andere Postfächer oder nehmen Sie IMAP";
    MailboxListsMore: "das Postfach nennt mehr Nachrichten oder längere Kennungen, und dropkeep nimmt über POP3 {0}: Verschieben Sie Mail in andere Postfächer oder nehmen Sie IMAP";
    NoUidvalidity: "{0}: Der Server gibt keine UIDVALIDITY an, ohne die Kopien keinen bleibenden Namen haben";
    SentTooMuch: "der Server hat als Antwort auf {0} mehr gesendet, als er angekündigt hat: über {1} Bytes";
    NotGreeted: "{0} hat nicht begrüßt: {1}";
    LoginBrokenOff: "die Anmeldung bei {0} wurde abgebrochen: {1}";
    LoginBrokenOffIn: "die Anmeldung bei {0} wurde abgebrochen ({1}): {2}";
    NotEncrypted: "die Verbindung zu {0} ließ sich nicht verschlüsseln: {1}";
    CannotConnect: "keine Verbindung zu {0}: {1}";

    // Tokens.
    NoRefreshToken: "das Refresh-Token des Profils „{0}“ ist leer: Melden Sie sich an und setzen Sie refresh_token auf das, was der Endpunkt ausgibt";
    TokensNoKey: "{0} ist verschlüsselt, und es gibt keinen Schlüssel: Setzen Sie key_file unter [secrets] auf den, mit dem die Datei verschlüsselt wurde. Wo das nicht möglich ist: Löschen Sie die Datei, melden Sie sich neu an und setzen Sie refresh_token";
    TokensOtherKey: "{0} wurde mit einem anderen Schlüssel als dem von {1} verschlüsselt: Setzen Sie key_file unter [secrets] auf jenen. Wo das nicht möglich ist: Löschen Sie die Datei, melden Sie sich neu an und setzen Sie refresh_token";
    TokensDamaged: "{0} ist beschädigt: {1}. Löschen Sie die Datei, melden Sie sich neu an und setzen Sie refresh_token";
    TokensBusy: "ein anderer Prozess erneuert das Token seit {0}: Er hält {1}";
    CaFileOfTokens: "ca_file {0} unter oauth2: {1}";
    EndpointSilent: "der Token-Endpunkt {0} hat innerhalb von {1} nicht geantwortet; ist er nur langsam, schreiben Sie einen längeren server.timeout";
    EndpointCertificate: "das Zertifikat des Token-Endpunkts {0} wird abgelehnt: {1}: {2}";
    EndpointSenseless: "die Antwort des Token-Endpunkts {0} ist unverständlich: {1}; prüfen Sie token_endpoint";
    EndpointFailed: "der Token-Endpunkt: {0}";
    EndpointLater: "der Token-Endpunkt {0} bittet, später wiederzukommen: {1}";
    EndpointLaterIn: "der Token-Endpunkt {0} bittet, später wiederzukommen: {1}, in {2}";
    EndpointRefused: "der Token-Endpunkt {0} gibt kein Token: {1}. {2}";
    FreshTokenRefused: "{0}. Das Token ist neu: Prüfen Sie, dass `username` das Postfach ist, dass `scope` für diesen Server und Zugang gilt, dass die Anwendung ihn nutzen darf und dass das Konto {1} zulässt. In einigen Minuten wird ein anderes Token erfragt";
    CheckParameters: "Prüfen Sie parameters und scope";
    RefreshTokenGone: "Das Refresh-Token gilt nicht mehr: Es wurde widerrufen, ist abgelaufen oder gehört zu einer anderen client_id. Melden Sie sich neu an und setzen Sie refresh_token auf das neue";
    CheckClient: "Prüfen Sie client_id und client_secret: Es muss der Wert des Geheimnisses sein, nicht seine ID, und kann abgelaufen sein";
    CheckRegistration: "Die Registrierung von client_id erlaubt das nicht: Prüfen Sie sie, grant, und ob token_endpoint der des richtigen Mandanten ist";
    CheckGrant: "Der Endpunkt kennt dieses Verfahren nicht: Prüfen Sie grant und token_endpoint";
    CheckScope: "Prüfen Sie scope, und ob die Registrierung von client_id ihn erlaubt";
    CheckRequest: "Prüfen Sie token_endpoint, scope und parameters, und ob ein client_secret verlangt wird";
    CodeExpired: "Der Code gilt nicht mehr: Fordern Sie einen anderen an";
    ConsentMissing: "Die Zustimmung fehlt: Der Inhaber des Postfachs oder ein Administrator muss sie der Anwendung geben; melden Sie sich dann neu an und setzen Sie refresh_token auf das neue";
    LogInAgain: "Jemand muss sich wieder anmelden: Tun Sie das und setzen Sie refresh_token auf das neue";
    SeeEndpoint: "Was das heißt, sagt die Dokumentation des Endpunkts";
    PasteToken: "Melden Sie sich an, wie docs/oauth2.md es beschreibt, und fügen Sie das Refresh-Token ein";

    // The configuration and the store.
    SecretFile: "{0} {1}: {2}";
    SecretEnv: "{0}, die Variable {1}: {2}";
    Sealed: "Profil {0}: Seine Geheimnisse lassen sich nicht entschlüsseln: {1}";
    DiskFull: "der Datenträger von {0} ist voll: Schaffen Sie Platz und führen Sie dies dann noch einmal aus (keine archivierte Mail geht verloren)";
    ArchiveDamaged: "das Archiv ist beschädigt: {0}";
    StoreClosed: "das Archiv ist zum Schreiben geschlossen, seit ein Schreiben fehlschlug: {0}; starten Sie dropkeep neu";
    StoreFailed: "ein Zugriff auf {1} schlug fehl: {0}";
    Bug: "{0}; das ist ein Fehler in dropkeep, und nichts wurde gespeichert";
    Interrupted: "unterbrochen";
    ProcessEnded: "der Prozess endete vor dem Lauf; was er archiviert hat, bleibt, seine Zahlen sind verloren";
    NoProgress: "der Lauf kam {0} lang nicht voran (stall_timeout) und wurde abgebrochen";
    ProfileStopped: "das Profil hielt an ({0}); das ist ein Fehler in dropkeep";
    ProtocolSaysNothing: "sein Laufprotokoll sagt nicht, warum";
    ConnectionStopped: "die Verbindung hielt an; das ist ein Fehler in dropkeep";

    // What to do, by the step that failed.
    DoConfiguration: "Berichtigen Sie in der Konfiguration, was der Fehler nennt; der nächste Lauf liest sie neu.";
    DoResolve: "Prüfen Sie server.host, und ob diese Maschine Namen nachschlagen kann (getent hosts NAME).";
    DoConnect: "Prüfen Sie, ob der Mailserver läuft. Prüfen Sie server.host, server.port und Firewalls. {again}";
    DoTls: "Prüfen Sie das Zertifikat des Servers, das `dropkeep test` zeigt. Ist es das richtige, nennen Sie es in ca_file oder legen Sie es fest, in server.tls.";
    DoGreeting: "Sehen Sie im Protokoll des Mailservers nach; oft sind es zu viele Verbindungen, oder diese Maschine ist gesperrt.";
    DoToken: "Prüfen Sie server.oauth2 (docs/oauth2.md). Gilt das Refresh-Token nicht mehr, melden Sie sich noch einmal an und setzen Sie das neue.";
    DoLogin: "Prüfen Sie server.username und das Passwort. Sind beide richtig, sehen Sie nach, ob das Konto gesperrt ist oder von Programmen ein anderes Passwort verlangt.";
    DoConnection: "Was archiviert wurde, bleibt, und der nächste Lauf macht dort weiter. Hält es an, sehen Sie im Protokoll des Mailservers zu dieser Zeit nach.";
    DoStore: "Prüfen Sie den Datenträger von data_dir: Hat er Platz, hat er Fehler? `dropkeep verify` sagt, ob das Archiv unversehrt ist. Was als archiviert gemeldet wurde, ist nicht verloren.";
    DoRun: "Der Lauf wurde aufgegeben. {again} Schlägt er wieder fehl, sehen Sie im Log nach.";
    DoFolder: "Prüfen Sie, ob es den Ordner gibt und das Konto ihn lesen darf; um ihn auszulassen, nennen Sie ihn in folders.exclude.";
    DoFetch: "Der Server gibt diese Nachrichten nicht heraus. Sie bleiben dort, und jeder Lauf versucht es wieder; sehen Sie, ob ein anderes Mailprogramm sie öffnen kann.";
    DoRead: "Prüfen Sie, ob es die Datei gibt und das Konto von dropkeep sie lesen darf; importieren Sie sie dann noch einmal.";
    DoFormat: "Prüfen Sie, was die Datei ist; docs/formats.md nennt, was importiert werden kann.";
    DoAltered: "Die Nachricht ist archiviert, unterscheidet sich aber von der exportierten: Vergleichen Sie den Export mit einer anderen Kopie davon.";
    DoIdentify: "Die Nachrichten bleiben auf dem Server, und jeder Lauf versucht es wieder. Kommt es noch einmal vor, melden Sie es bitte, mit dem Log.";
    DoSize: "Die Nachricht ist größer als limits.max_message_size und bleibt auf dem Server. Erhöhen Sie die Grenze, um sie zu archivieren, oder löschen Sie sie dort.";
    DoDeletion: "Die Nachricht ist archiviert und bleibt auf dem Server; der nächste Lauf versucht es wieder. docs/deletion.md nennt, was vor jedem Löschen geprüft wird.";
    DoLog: "Das Log von dropkeep sagt vielleicht mehr.";
    DoVerify: "Führen Sie dropkeep verify aus und stellen Sie den Band aus einer Sicherung wieder her.";

    // What to do, where more is known.
    WriteAccess: "Schreiben Sie access = \"{0}\" unter [profile.server]. Es wurde kein Passwort gesendet.";
    CorrectPort: "Berichtigen Sie server.port oder lassen Sie ihn weg, und prüfen Sie server.host. Es wurde kein Passwort gesendet.";
    CheckPort: "Prüfen Sie server.host und server.port: {0}. Braucht der Server nur lange für die Begrüßung, schreiben Sie einen längeren timeout.";
    CorrectCaFile: "Berichtigen Sie ca_file in server.tls; die Datei enthält Zertifikate in PEM-Form.";
    SslFromFirstByte: "Bei einem Zugang mit -ssl beginnt TLS mit dem ersten Byte, an einem eigenen Port. Ohne TLS sind Passwort und Mail unterwegs lesbar.";
    FindWhoAnswers: "Es wurde kein Passwort gesendet. Finden Sie heraus, wer unter dieser Adresse antwortet; bei einem Zugang mit -ssl beginnt TLS mit dem ersten Byte.";
    ComeLater: "Der Server bittet, später wiederzukommen; das Passwort kann durchaus richtig sein. Hält es an, senken Sie connections im Profil und sehen Sie nach, welche anderen Programme angemeldet sind. {again}";
    LongerTimeout: "Was archiviert wurde, bleibt, und der nächste Lauf macht dort weiter. Braucht der Server länger, schreiben Sie einen längeren server.timeout.";
    UseAnotherServer: "Dieser Ordner lässt sich über IMAP so nicht archivieren: Aktualisieren oder ersetzen Sie den Server, oder nehmen Sie einen Zugang mit pop3.";
    CorrectFolders: "Berichtigen Sie [profile.folders].";
    CorrectInclude: "Berichtigen Sie include in [profile.folders]; bei einem Namen zählen Groß- und Kleinschreibung und alles, was davor steht.";
    CheckImport: "Prüfen Sie, ob es das gibt, ob es ist, was der Name sagt, und ob das Konto von dropkeep es lesen darf; importieren Sie es dann noch einmal. Was importiert wurde, wird nicht zweimal importiert.";
    NameImport: "Nichts davon wurde importiert. Nennen Sie den Ordner oder die mbox des Benutzers, dessen Mail Sie wollen, oder importieren Sie den Export ohne --user, mit --profile.";
    PerhapsAnotherServer: "Prüfen Sie server.host und server.port: Dort wartet vielleicht ein anderer Server oder einer, der im Klartext beginnt (ein Zugang mit -tls). Das Protokoll des Mailservers sagt vielleicht mehr.";
    NeitherTakenNorRefused: "Das Passwort wurde weder angenommen noch abgelehnt. Sehen Sie im Protokoll des Mailservers nach. {again}";
    CheckHostAndPort: "Prüfen Sie server.host und server.port: Dort wartet vielleicht ein anderer Server.";
    AskAndPin: "Fragen Sie den Administrator des Servers, ob dies sein Zertifikat ist. Wenn ja, legen Sie es fest, wie der Fehler es zeigt.";
    AskForNewPin: "Fragen Sie den Administrator des Servers, ob er ein neues Zertifikat hat. Wenn ja, schreiben Sie den Fingerabdruck, den der Fehler zeigt.";
    WriteHostOrPin: "Schreiben Sie unter [profile.server] einen host, für den das Zertifikat gilt. Oder legen Sie das Zertifikat fest, wie der Fehler es zeigt, sobald Sie wissen, dass es das Ihres Servers ist.";
    NameCaFileOrPin: "Nennen Sie {0} (PEM): tls = { ca_file = \"…\" }. Oder legen Sie das Zertifikat fest, wie der Fehler es zeigt, sobald Sie wissen, dass es das Ihres Servers ist.";
    HaveServerMended: "Bitten Sie den Administrator des Servers darum: {0}. Oder legen Sie das Zertifikat fest, wie der Fehler es zeigt, sobald Sie wissen, dass es das Ihres Servers ist.";
    MendHere: "Auf dieser Maschine: {0}. Oder legen Sie das Zertifikat fest, wie der Fehler es zeigt, sobald Sie wissen, dass es das Ihres Servers ist.";
    WriteOneOfAccesses: "Schreiben Sie access = \"{0}\" oder \"{1}\" unter [profile.server].";
    AllowPasswords: "Der Server nimmt hier keine Passwörter an: Verwenden Sie [profile.server.oauth2], oder erlauben Sie auf dem Server Anmeldungen mit Passwort.";
    SwitchAccessOn: "Schalten Sie diesen Zugang (IMAP oder POP3) für das Postfach ein, in seinen Einstellungen beim Anbieter.";
    MakeAppPassword: "Das Konto verlangt für Programme ein eigenes Passwort: Legen Sie beim Anbieter ein App-Passwort an und schreiben Sie dieses.";
    SetTokens: "Dieser Anbieter nimmt Token statt Passwörtern: Setzen Sie server.oauth2 (docs/oauth2.md).";
    HaveUnlocked: "Das Konto oder sein Passwort ist gesperrt oder abgelaufen: Lassen Sie es am Mailserver entsperren.";
    WantsAppPassword: "Prüfen Sie server.username; als Passwort verlangt dieser Anbieter ein App-Passwort oder Token (docs/oauth2.md).";
    CheckWhatIsListed: "Prüfen Sie, was der Fehler nennt; docs/oauth2.md sagt, wo jedes davon gesetzt wird.";
    CheckEndpoint: "Prüfen Sie token_endpoint und Firewalls dazwischen.";
    WriteSecretFile: "Schreiben Sie die Datei, wie der Fehler sagt; der nächste Lauf liest sie.";
    SetKeyFile: "Setzen Sie key_file unter [secrets] auf den Schlüssel, mit dem sie verschlüsselt wurden, oder ändern Sie das Profil und geben Sie sie noch einmal ein.";
    SetVariable: "Setzen Sie die Variable dort, wo dropkeep gestartet wird, und starten Sie es neu.";

    // Steps of a test that went well.
    LoggedInAs: "als {0}";
    Compressed: "{0}, komprimiert";
    NotAskedWho: "der Server fragte nicht, wer wir sind (PREAUTH)";
    TokenAtHand: "ein Zugriffstoken ist da";
    TokenRenewed: "der Server lehnte das Zugriffstoken ab; es wurde erneuert";
    Encrypted: "{0}, Zertifikat von {1}";
    EncryptedUntrusted: "{0}, Zertifikat von {1}, nicht vertraut";
    Folders: "{0} Ordner, {1} {1?Nachricht|Nachrichten}";
    SomeFolders: "{0} von {1} Ordnern, {2} {2?Nachricht|Nachrichten}";
    LookedAtHeaders: "sah die Kopfzeilen der neuesten {0} von {1} an";
    LookedAtSomeHeaders: "sah die Kopfzeilen von {0} der neuesten {1} von {2} an";
    FetchedWhole: "holte eine ganz, mit {0} Bytes";
    NoneCameWhole: "keine von {0} Nachrichten kam ganz: {1}";
    NotGiven: "sie wurde nicht herausgegeben";
    CopyNotSent: "der Server hat {0} nicht gesendet";
    CopyNoBody: "der Server hat für {0} keinen Inhalt gesendet (NIL)";
    CopyUnreadable: "die Antwort des Servers zu {0} ist nicht lesbar: {1}";
    CopyRefusedOf: "der Server hat {0} verweigert: {1}";
    InFolder: "{0}: {1}";

    // What a test found.
    NoHeadersAlone: "der Server gibt keine Kopfzeilen allein heraus (er hat kein TOP); daher wurde keine Nachricht angesehen; `archive --dry-run` sieht ganze Nachrichten an";
    AllTooLarge: "jede der neuesten Nachrichten ist größer als limits.max_message_size und bliebe auf dem Server";
    NoOtherFolders: "andere Ordner lassen sich nicht auflisten: {0}";
    FolderOfNoSize: "{0} hat nach Angabe des Servers {1} {1?Nachricht|Nachrichten}, doch von den neuesten {2} nennt er {3}, und von keiner die Größe: Ein Lauf würde nichts archivieren";
    NoHeaderSent: "der Server hat von den neuesten {0} Nachrichten in {1} keine Kopfzeilen gesendet: {2}";
    SomeHeadersNotSent: "der Server hat von {0} der neuesten Nachrichten keine Kopfzeilen gesendet: {1}";
    FolderNotReadable: "der Ordner „{0}“ wird nicht archiviert: Das Konto darf ihn nicht lesen ({1}); geben Sie dieses Recht (RFC 4314: r), oder nennen Sie den Ordner in `exclude`";
    NoneReadableByRight: "das Konto darf keinen Ordner lesen, den `include` nennt";
    ExpireAtOnce: "der Server löscht Nachrichten vielleicht, sobald sie geholt wurden (EXPIRE 0), ob archiviert oder nicht: Was ein Lauf holt und nicht archivieren kann, kann verloren sein, ebenso, was ein anderes Programm holt; lassen Sie den Server Nachrichten behalten, oder nehmen Sie IMAP";
    ExpireAfter: "der Server löscht Nachrichten vielleicht nach {0} Tagen (EXPIRE {0}), archiviert oder nicht: Das Profil muss öfter laufen";
    LoginDelay: "der Server verlangt {0} Sekunden zwischen zwei Anmeldungen (LOGIN-DELAY {0}): Ein Zeitplan, der öfter läuft, wird abgewiesen";
    NoneReadable: "keine Nachricht war lesbar; die Regeln konnten nicht erprobt werden";
    SomeNameNobody: "{0} der neuesten {1} Nachrichten nennen keinen Benutzer";
    SomeNameNobodyOften: "{0} der neuesten {1} Nachrichten nennen keinen Benutzer; am häufigsten {2}";
    NoneNamesUser: "keine der neuesten {0} Nachrichten nennt einen bekannten Benutzer; {1}: {2}";
    WouldLeaveAll: "ein Lauf ließe alle, wo sie sind";
    WouldFileForCatchall: "ein Lauf würde alle für @catchall ablegen";
    AreAddressesComplete: "sind die Adressen der Benutzer vollständig?";
    NoUsersYet: "es gibt noch keine Benutzer";
    ProposalMendsBcc: "mit den Regeln des Profils werden die Empfänger von {0} der {1} Nachrichten nur aus To und Cc entnommen, sodass die in Bcc unbekannt bleiben; die vorgeschlagenen Regeln beheben das";
    BccAndServer: "{0}. {1}; damit er sie schreibt: {2}; siehe docs/servers.md";
    BccUnknown: "Empfänger in Bcc sind hier nicht zu erfahren: Kein Umschlagfeld nennt die Empfänger";
    BccFew: "Empfänger in Bcc sind hier nicht zu finden: Nur {0} von {1} Nachrichten haben ein Umschlagfeld, das sie nennt";
    BccSome: "Empfänger in Bcc sind für {0} von {1} Nachrichten nicht zu erfahren: Kein Umschlagfeld nennt deren Empfänger";
    AndSingles: "{0}; {1} von {2} Nachrichten haben `for` in einem Received-Feld, was Server nur für einen einzelnen Empfänger schreiben";
    AndWithoutReceived: "{0}; {1} von {2} Nachrichten haben kein Received-Feld, und ohne eines ist nichts als von Ihrem eigenen Server geschrieben zu erkennen";
    SeemsToBe: "Der Server ist anscheinend {0}";
    NoServerShown: "Kein Received-Feld zeigt, welcher Server es ist";

    // How servers are made to write the recipients.
    PostfixFlagO: "`lmtp flags=O` in der master.cf von Postfix mit `…_destination_recipient_limit = 1`, wodurch X-Original-To geschrieben wird, und hier trusted_received = 1";
    PostfixFlagOAlias: "{0}: Aliase haben vor LMTP das Postfach an die Stelle der Empfänger gesetzt";
    PostfixLmtpLimit: "`lmtp_destination_recipient_limit = 1` in der main.cf von Postfix: Über LMTP lassen mehrere Empfänger auf einmal keinen von ihnen übrig; wo Aliase vorher das Postfach an ihre Stelle gesetzt haben: {0}";
    EximLmtp: "`envelope_to_add = true` und `batch_max = 1` bei dem Transport von Exim, der über LMTP übergibt; hier trusted_received = 1, wenn das Feld dann unter einem Received-Feld steht";
    OpenSmtpdLmtp: "`action … lmtp … rcpt-to` in der smtpd.conf von OpenSMTPD, womit die Adresse des Empfängers übergeben wird";
    OneAtATime: "übergeben Sie einen Empfänger nach dem anderen: {0} schreibt Delivered-To nur für einen einzelnen";
    OneAtATimeOr: "übergeben Sie einen Empfänger nach dem anderen: {0} schreibt Delivered-To nur für einen einzelnen; oder lassen Sie {1} X-Envelope-To schreiben";
    AnLmtpServer: "ein LMTP-Server, wenn überhaupt,";
    FetchItself: "lassen Sie dropkeep das Postfach selbst abholen, statt fetchmail oder getmail, und dessen Server die Empfänger schreiben";
    OnServerInFront: "{0}, auf dem Server davor, der die Mail annimmt";
    AnyServer: "lassen Sie den Server, der die Mail annimmt, die Empfänger des Umschlags in ein eigenes Feld schreiben, etwa X-Envelope-To, über sein Received-Feld";
    PostfixOriginal: "`enable_original_recipient = yes` in der main.cf von Postfix, damit X-Original-To geschrieben wird und jeder Empfänger eine Kopie erhält";
    PostfixPrepend: "`recipient_bcc_maps` in der main.cf von Postfix, statt `always_bcc`, mit einer Kopie für jeden Empfänger; oder `check_recipient_access regexp:/etc/postfix/envelope` hinter dem, was in smtpd_recipient_restrictions ablehnt, und in dieser Datei `/^(.+)$/ PREPEND X-Envelope-To: $1`, was alle sehen, die die Nachricht erhalten";
    EximFilter: "`envelope_to_add = true` beim Transport von Exim genügt nicht, wo ein Systemfilter zustellt (`unseen deliver`): Ein Router mit `unseen` an seiner Stelle lässt die Empfänger in Envelope-to";
    EximEnvelopeTo: "`envelope_to_add = true` (mit `delivery_date_add = true`) bei dem Transport von Exim, der hierher zustellt";
    SendmailMailer: "ein eigener Mailer in sendmail.mc (`MAILER_DEFINITIONS`), der `$u` an ein Programm übergibt, das X-Envelope-To schreibt, oder ein Milter, der es tut";
    OpenSmtpdMaildir: "`action … maildir` oder `action … mda` in der smtpd.conf von OpenSMTPD, die Delivered-To für jeden Empfänger schreiben";
    CourierAlias: "ein Alias `@example.com: all` in aliases/ von Courier, sodass jeder Empfänger ein Delivered-To hat";
    QmailLocal: "stellen Sie mit qmail-local oder `| preline …` in der .qmail-Datei zu, die Delivered-To schreiben";
    HarakaPlugin: "`record_envelope_addresses` über jedem rcpt_to-Plugin in config/plugins von Haraka, oder ein Plugin, dessen hook_data_post für jeden Empfänger `add_leading_header('X-Envelope-To', …)` aufruft";
    ChasquidHook: "`hooks/post-data` von chasquid, ein Programm, das für jeden Empfänger in $RCPT_TO `X-Envelope-To: …` ausgibt";
    ExchangeJournal: "eine Journalregel von Exchange, deren Berichte alle Empfänger nennen: hier journal = \"from\" mit journal_from (docs/recipients.md)";
    GoogleHeader: "„Add X-Gm-Original-To header“ in der Routingregel von Google Workspace, und hier trusted_received";
    OtherServer: "lassen Sie {0} die Empfänger des Umschlags in ein eigenes Feld schreiben, etwa X-Envelope-To, über sein Received-Feld";
    Behind: "{0} hinter {1}";

    // What runs say.
    PauseBegan: "die Stunden von `pause` begannen; was übrig ist, wird danach archiviert";
    FewerConnections: "der Server nimmt nicht {0} Verbindungen auf einmal an, daher kam der Lauf mit weniger aus ({1})";
    ConnectionAnew: "eine Verbindung wurde aufgegeben und neu hergestellt: {0}";
    ConnectionLostAnew: "die Verbindung brach ab und wurde neu hergestellt";
    NamesVeryMany: "{0} nennt so viele Adressen, dass {1} davon nirgends aufgelistet sind; jede wurde nachgeschlagen, und wer unter ihnen bekannt ist, hat die Nachricht";
    LimitReached: "create_limit ist erreicht, {0} Benutzer in einem Lauf: {1} erhielten keinen Benutzer, am häufigsten genannt {2}. Erhöhen Sie create_limit in [profile.recipients] des Profils „{3}“, oder fügen Sie die Benutzer mit dropkeep users add hinzu; führen Sie dann dropkeep reroute aus, das ihre Mail ablegt";
    MoreAddresses: "{0} weitere {0?Adresse|Adressen}";
    AboutMoreAddresses: "etwa {0} weitere Adressen";
    NoKnownAddress: "{0} von {1} Nachrichten haben keine bekannte Adresse";
    AreTheyComplete: "{0}: Sind die Adressen der Benutzer vollständig?";
    LooksLikeOwn: "{0} von {1} Nachrichten: Sie sieht wie die des Postfachs selbst aus. Ist sie es, schreiben Sie {2} in [profile.recipients] des Profils „{3}“, und sie zählt für niemanden";
    LookLikeOwn: "{0} von {1} Nachrichten: Sie sehen wie die des Postfachs selbst aus. Sind sie es, schreiben Sie {2} in [profile.recipients] des Profils „{3}“, und sie zählen für niemanden";
    NamedInNearlyAll: "{0}, die niemandem gehörte, steht in {1}";
    NamedInPlace: "{0}, die niemandem gehörte, steht statt der Empfänger in {1}";
    AndRerouteThen: "{0}; was ohne seine Empfänger archiviert wurde, legt `dropkeep reroute` dann ab";
    MessagesNaming: "{0} {0?Nachricht nennt|Nachrichten nennen}";
    DomainMissing: "vielleicht fehlt in local_domains: {0}. {1} sie, mit {2}. Ist die Domain Ihre, schreiben Sie {3} in [profile.recipients] des Profils „{4}“";
    EnvelopeAtEnd: "der Kopf von {0} der {1} Nachrichten endet mit einem Umschlagfeld, wo es nicht zählt, und nichts sonst, was Ihr Server schrieb, nennt jemanden: Empfänger in Bcc werden nicht gefunden. Hängt Ihr Server es an alle Mail an, schreiben Sie envelope_at = \"end\" in [profile.recipients] des Profils „{2}“; `explain` zeigt das Feld";
    ExcludedByTinySize: "jede Kopie wird durch larger_than = {0} (Bytes) ausgeschlossen; meinten Sie \"{0} MiB\"?";
    AllExcluded: "jede Kopie wird durch {0} in [profile.exclude] ausgeschlossen; sehen Sie, ob das gemeint ist";
    ReportsNotBelieved: "{0} {0?Nachricht ist ein Journalbericht|Nachrichten sind Journalberichte} ({1}) und werden als gewöhnliche Nachrichten archiviert. Kommen sie von Ihrem eigenen Server, setzen Sie journal = \"from\" mit journal_from (docs/recipients.md sagt, welche Namen und Netze bei welchem Server zählen), oder journal = \"always\", wenn niemand sonst in dieses Postfach schreiben kann";
    ReportsUnreadable: "{0} {0?Nachricht ist ein Journalbericht, dem geglaubt wird, doch nicht alle seine|Nachrichten sind Journalberichte, denen geglaubt wird, doch nicht alle ihre} Empfänger sind lesbar: Sie werden auch für @catchall abgelegt (list --user @catchall zeigt sie, explain ID sagt, warum). dropkeep liest Berichte in reinem Text jedes Zeichensatzes und in HTML; es öffnet keine, die an ein anderes Journalpostfach zurückkamen";
    FlaggedKept: "{0} archivierte {0?Kopie|Kopien} in {1} {0?ist|sind} auf dem Server markiert und {0?wird|werden} daher nicht gelöscht";
    ShortKept: "{0} archivierte {0?Kopie|Kopien} in {1} {0?wird|werden} nicht gelöscht: Der Server kündigt mehr Bytes an, als er sendet, sodass dem Archiv vielleicht einige fehlen";
    NamesReused: "{0}: {1}; wurde das Postfach aus einer Sicherung wiederhergestellt oder neu angelegt? {2}";
    NoneAffected: "keine der noch vorhandenen Kopien ist betroffen";
    CountAsNew: "{0} {0?Kopie zählt|Kopien zählen} als neu und {0?wird|werden} noch einmal geholt";
    OthersBeforeDeletion: "vor dem Löschen erwiesen sich einige Nachrichten als andere als die unter denselben UIDs oder UIDLs archivierten";
    UidnextFell: "der Server kündigt UIDNEXT {0} an, eine UID, die eine Nachricht schon hatte";
    LastIsAnother: "{0} ist nicht die Nachricht, die darunter archiviert wurde";
    SizesDiffer: "Nachrichten unterscheiden sich in der Größe von den unter denselben UIDLs archivierten";
    HeadersDiffer: "Nachrichten unterscheiden sich in ihren Kopfzeilen von den unter denselben UIDs oder UIDLs archivierten";
    UidvalidityAnew: "der Server gibt {0} jedes Mal beim Öffnen eine andere UIDVALIDITY: All seine Mail wird in jedem Lauf noch einmal geholt, und `after` in [profile.delete] tritt nie ein; lassen Sie das Konto in das Postfach schreiben, damit der Server seine UIDs behalten kann, oder nehmen Sie POP3";
    FolderWentAway: "der Ordner {0} wurde während des Laufs gelöscht oder umbenannt";
    FetchedEachTime: "in jedem Lauf geholt, bekannte am Inhalt erkannt, und keine davon wird gelöscht";
    NoUidl: "der Server hat kein UIDL: Jede Nachricht wird {0}";
    SomeWithoutUidl: "der Server gibt {0} {0?Nachricht|Nachrichten} kein UIDL: Diese werden {1}";
    UidlTwice: "der Server gibt {0} UIDLs mehr als einer Nachricht: Diese werden {1}";
    ExportOfStranger: "der Export hat Mail des Benutzers „{0}“, und es gibt keinen solchen Benutzer: Sie wurde nach den Regeln des Profils abgelegt; um sie für ihn abzulegen, fügen Sie einen dieses Namens hinzu und importieren Sie noch einmal";
    WouldMakeUsers: "{0} Benutzer {0?würde|würden} angelegt";
    HeadersNotAlone: "der Server kann keine Kopfzeilen allein senden (er hat kein TOP); daher werden ganze Nachrichten geholt";
    WouldDeleteMore: "[profile.delete] hat kein `after`; daher löscht ein Lauf auch, was er selbst archiviert; hier sind nur früher archivierte Kopien gezählt";
    UserGone: "der Benutzer „{0}“ steht nicht mehr in {1} und ist ausgeschieden: Für ihn wird nichts mehr abgelegt";
    UsersGone: "{0} Benutzer stehen nicht mehr in {1} und sind ausgeschieden: {2}; für sie wird nichts mehr abgelegt";
    UsersGoneMore: "{0} Benutzer stehen nicht mehr in {1} und sind ausgeschieden: {2} ({3} weitere); für sie wird nichts mehr abgelegt";
    UsersAsBefore: "{0}; bis dahin sind die Benutzer wie zuvor";
    NobodyLooksAtUsers: "die Benutzerdatei wird nicht mehr beobachtet, daher sind die Benutzer wie zuvor: ein Fehler von dropkeep; starten Sie es neu";
    Messages: "{0} {0?Nachricht|Nachrichten}";
    Others: "{0} {0?anderer|andere}";
    AnyUsers: "Benutzer";
    AndLast: "{0} und {1}";
    AllInArchive: "den {0} im Archiv";
    FirstInArchive: "den ersten {0} im Archiv";
    BacklogNone: "von {0} ist keine für {1} und noch nicht abgelegt";
    BacklogOne: "von {0} ist 1 für {1} und noch nicht abgelegt; um sie abzulegen: {2}";
    BacklogSome: "von {0} sind {1} für {2} und noch nicht abgelegt; um sie abzulegen: {3}";
    CountingStopped: "das Zählen wurde angehalten; um das ganze Archiv zu zählen: dropkeep reroute --dry-run";
    NotJudgeable: "{0}: nicht zu beurteilen; warum, sagt dropkeep reroute --dry-run";
    Counted: "{0}: {1}";
    LeftAlone: "{0}, und so belassen; {1}";
    ImportedForOne: "mit --user importiert";
    ProfileIsGone: "von Profil „{0}“ archiviert, das nicht in der Konfiguration steht";
    ProtocolIsGone: "von einem Lauf archiviert, dessen Laufprotokoll nicht mehr da ist";
    NoProfileToJudge: "die Konfiguration hat kein Profil, nach dem dies zu beurteilen wäre";
    JudgeBy: "um es nach den Regeln eines Profils zu beurteilen: {0}";
    KeptByRetired: "{0} von {1}, ausgeschieden oder gesperrt, gingen an eine Adresse, die jetzt ein anderer Benutzer hat; sie bleiben bei {1} allein. Um die Mail auch für den anderen abzulegen: dropkeep reroute --from {2}";
    WholeArchive: "gelesen: das ganze Archiv";
    ArchiveOf: "gelesen: das Archiv von {0}";
    FoundBy: "{0}, soweit „{1}“ es findet";
    ByRulesOf: "{0}, nach den Regeln des Profils {1}";
    ByRulesOfAll: "{0}, jede Nachricht nach den Regeln der Profile, die sie archiviert oder in ihrem Postfach gesehen haben";
    ManifestUnread: "{0}: {1}; die darin genannten Nachrichten werden wie andere Mail importiert";
    TakenForText: "sie gelten als Text, wie --mbox-from sagt";
    PerhapsMessages: "sie gelten als Text, doch wo der Kopf einer Nachricht auf eine folgt, ist die Nachricht um sie ein Fehler: Importieren Sie die Datei mit --mbox-from loose, wenn solche Zeilen Nachrichten beginnen, mit --mbox-from strict, wenn sie Text sind";
    DoubtfulLines: "{0} Zeilen in Nachrichten sehen wie die Zeile `From ` aus, die eine Nachricht beginnt, die ersten in {1}; {2}";
    LinesEndInCr: "{0}: Seine Zeilen enden nur mit CR, wie auf alten Macintoshs; seine Mail wird stattdessen mit LF archiviert";
    PerhapsMbox: "{0}: Dem Namen nach ist es eine Nachricht und wird als eine archiviert; als mbox wären es {1} oder mehr: Ist es eine, importieren Sie sie mit `--format mbox`";
    FoundDamage: "das Archiv ist beschädigt: {0}; was zu tun ist, sagt `dropkeep verify`";
    FoundDamages: "das Archiv ist beschädigt: {0} (der erste von {1} Schäden); was zu tun ist, sagt `dropkeep verify`";
    ConfigurationNewer: "{0} wurde geändert, seit die laufende Appliance sie gelesen hat; dies geht nach dem, was sie geladen hat. Um nach der Datei zu gehen: dropkeep reload, dann dropkeep reroute";
    AddressesNotCounted: "neue Adressen von {0}: dropkeep reroute --dry-run zählt die Mail für sie, die schon im Archiv ist, dropkeep reroute legt sie ab";

    // What went wrong with single copies.
    KeepsAskingToWait: "der Server bittet immer wieder, später zu kommen: {0}";
    BreaksEachTime: "jedes Mal, wenn sie geholt wird, bricht die Verbindung ab: {0}";
    Panicked: "{0} brach ab; das ist ein Fehler in dropkeep";
    ArchiveStopped: "das Archiv von „{0}“ hielt zweimal bei derselben Nachricht an; das ist ein Fehler in dropkeep";
    RouterStopped: "die Verteilung hielt an; das ist ein Fehler in dropkeep";
    ReadingPanicked: "das Lesen oder Ablegen brach ab; das ist ein Fehler in dropkeep";
    PoolPanicked: "ein Rechenschritt brach ab; das ist ein Fehler in dropkeep";
    NotFoundAgain: "die Verbindung brach ab; ohne UIDL ist diese Nachricht über eine neue nicht wiederzufinden; der nächste Lauf holt sie";
    NotAsExported: "ihre Bytes sind nicht die im Manifest des Exports (SHA-256): Sie wurde seitdem geändert und wird wie andere Mail importiert";
    NotInManifest: "das Manifest ihres Exports nennt sie nicht: Sie wird wie andere Mail importiert";
    PartOfMessage: "sie ist nur ein Teil einer Nachricht: Apple Mail bewahrt ihre Anhänge anderswo auf oder hat sie nie geholt. Sie wird ohne diese archiviert; sichern Sie sie ganz (in Mail: Nachricht, Sichern unter), oder holen Sie sie von ihrem Server, und importieren Sie auch das";
    NoMail: "keine Mail: {0}";
    AmbiguousUid: "der Server gibt diese UID mehr als einer Nachricht, sodass sich keine damit holen lässt; sie bleiben, wo sie sind; verschiebt man sie in einen anderen Ordner und zurück, erhalten sie eigene UIDs";
    MessageUnavailable: "{0} sendet an ihrer Stelle eine eigene Nachricht („message unavailable“), weil er sie nicht lesen kann; prüfen Sie Eigentümer und Rechte der Datei auf dem Server";
    AnnouncedAndNothing: "der Server kündigt {0} Bytes für diese Nachricht an und sendet zweimal nichts; empty = \"archive\" archiviert sie so";
    AnnouncedAndFewer: "der Server kündigt {0} Bytes an und sendet {1}, zweimal dieselben: so archiviert, wie sie kam; prüfen Sie, ob die Nachricht auf dem Server vollständig ist";
    AnnouncedAndOther: "der Server kündigt {0} Bytes an und sendete zuerst {1}, dann andere {2}";
    CameAndMoreAnnounced: "{0} Bytes kamen, und mehr waren angekündigt";
    SizeNotSaid: "der Server sagt ihre Größe nicht";
    NotSent: "der Server hat sie nicht gesendet";
    NoBody: "der Server hat keinen Inhalt gesendet (NIL)";
    CopyRefused: "der Server hat sie verweigert: {0}";
    AnswerUnreadable: "die Antwort des Servers ist nicht lesbar: {0}";
    CopyTooLarge: "{0} Bytes überschreiten max_message_size ({1} Bytes); sie bleibt, wo sie ist";
    WouldBeTooLarge: "{0} Bytes überschreiten max_message_size ({1} Bytes); sie bliebe, wo sie ist";
    NotDeleted: "nicht gelöscht: {0}";
    NotDeletedAlone: "andere Nachrichten des Ordners sind als \\Deleted gekennzeichnet, und dieser Server (ohne UIDPLUS) würde auch sie löschen; räumen Sie den Ordner mit einem Mailprogramm auf";
    IsFlagged: "sie ist markiert (\\Flagged)";
    WasGone: "sie war schon weg";
    StillStanding: "sie ist noch da, obwohl der Server sagte, sie sei entfernt";
    RemovalRefused: "es wurde abgelehnt: {0}";
    NotSentAgain: "der Server hat sie zum Vergleich nicht noch einmal gesendet";
    KeptIsMissing: "die Nachricht {0}, als die sie archiviert wurde, fehlt";
    DeletionStopped: "das Löschen wurde für diesen Lauf angehalten: {0}";
    DeletionStoppedHere: "das Löschen in diesem Ordner wurde angehalten: {0}";
    DeletionUnconfirmed: "{0} {0?Kopie wurde|Kopien wurden} zum Löschen vorgemerkt, doch der Server hat es nicht bestätigt: {1}. Der nächste Lauf prüft, welche davon noch da sind, und löscht diese";
    RoutedAgain: "{0}; der nächste Lauf verteilt die Kopie noch einmal";
}
