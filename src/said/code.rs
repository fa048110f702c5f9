//! Which sentences there are.

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident $about:literal,)*) => {
        /// Which sentence it is. How much it is about stands behind each, and in its comment what.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Code {
            $($(#[$doc])* $code,)*
            /// Its English text is all that is known: a detail that has no code, or one that a newer version says.
            #[default]
            #[serde(other)]
            Plain,
        }

        impl Code {
            /// All that have words of their own.
            pub const ALL: &[Self] = &[$(Self::$code),*];

            /// How many things it is about.
            pub fn about(self) -> usize {
                match self {
                    Self::Plain => 0,
                    $(Self::$code => $about,)*
                }
            }
        }
    };
}

codes! {
    /// What somebody else said.
    Quoted 1,
    /// Two sentences, one behind the other.
    And 2,
    /// Two of which one counts.
    Or 2,

    // On the way to a server.
    /// The host.
    HostIsMore 1,
    /// The host, and what the resolver says.
    NoNameServer 2,
    /// The host, and what the resolver says.
    NoSuchHost 2,
    /// The host and the port.
    PortRefused 2,
    /// The host and the port.
    PortSilent 2,
    /// The host, and why.
    NoWay 2,
    /// The host, the port, and why.
    NotConnected 3,
    /// The host, and how long nobody answered.
    ResolveSilent 2,
    /// The host, and how long it was silent.
    ConnectSilent 2,
    /// The host, and how long it was silent.
    TlsSilent 2,
    /// The host, and how long it was silent.
    AnswerSilent 2,
    /// The host, and a detail.
    TlsFailed 2,
    /// The file, and what is wrong with it.
    CaFile 2,
    /// The host, the command, and the access to try.
    NoUpgrade 3,
    /// The host and the command.
    Injected 2,
    /// The host, and a detail.
    AnswerSenseless 2,

    // Certificates.
    /// The host, why it is refused, and what makes it acceptable.
    CertificateRefused 3,
    CertificateNotPinned 0,
    NoRoots 0,
    /// Since when.
    CertificateExpired 1,
    /// Until when.
    CertificateNotYet 1,
    /// The name.
    CertificateNotFor 1,
    CertificateRevoked 0,
    CertificateNotOfServers 0,
    CertificateUnreadable 0,
    CertificateSelfSigned 0,
    /// The issuer.
    CertificateIssuer 1,
    CertificateNamesNone 0,
    /// The names.
    CertificateFor 1,
    /// The names, and the last one.
    CertificateForAnd 2,
    /// The names, and how many more.
    CertificateForMore 2,
    /// The pin, as the configuration has it.
    MendPin 1,
    /// The same.
    MendPinning 1,
    MendHost 0,
    MendHostOne 0,
    MendHostSome 0,
    /// What, and the pin.
    MendOrPin 2,
    MendName 0,
    /// Which certificate.
    MendCaFile 1,
    MendOneForName 0,
    ThatCertificate 0,
    IssuersCertificate 0,
    MendAnother 0,
    MendRenew 0,
    MendClock 0,
    MendCaCertificates 0,
    MendSubjectAltName 0,

    // A port of another server.
    /// The port, how long, and what is known.
    NoGreeting 3,
    TlsThenNothing 0,
    TakesAndSaysNothing 0,
    /// The port and the protocol.
    PortIsNot 2,
    /// The protocol.
    AServer 1,
    AWebServer 0,
    /// The port, the server that is there, and where ours usually is.
    PortIsOf 3,
    /// The same.
    PortIsOfTls 3,
    /// The same.
    PortIsOfSmtp 3,
    /// The same.
    PortIsOfSmtpTls 3,
    /// The port, the protocol, and the access to try.
    PortSpeaksOverTls 3,
    /// The port, and the access to try.
    PortProbablyTls 2,
    /// The port, the protocol, and the access to try.
    PortClear 3,
    /// The port, the protocol, ours, and the access to try.
    PortSpeaks 4,
    /// The access.
    AtAnotherPort 1,
    /// The access and the port.
    UsuallyAt 2,
    /// The port and the greeting.
    NoMailServer 2,

    // A session.
    /// The host, and how long it was silent.
    SilentFor 2,
    /// The host, how long, and what was going on.
    SilentDuring 3,
    /// The host, how long, and what had just been done.
    SilentAfter 3,
    /// The host.
    Preauth 1,
    /// The host and its words.
    TurnedAway 2,
    /// The host, the user name, and the words.
    LoginRefused 3,
    NoPasswordInClear 0,
    NoPasswordHere 0,
    NotSendable 0,
    TokensNotOffered 0,
    TokenNotSendable 0,
    /// The command, and what the server says.
    CommandRefused 2,
    /// Why.
    NoFolderLeft 1,
    IncludeIsEmpty 0,
    /// The key with its value.
    ExcludeLeavesNone 1,
    SubscribedLeavesNone 0,
    /// The key with its value.
    BothLeaveNone 1,
    /// The name, and the pattern for those below it.
    FolderOfFolders 2,
    /// The name of a special use.
    NoFolderMarked 1,
    /// The pattern.
    NoFolderMatches 1,
    /// The name.
    NoFolder 1,
    /// What is missing.
    NoFolderAtAll 1,
    /// What is missing, and the folders that there are.
    FoldersAre 2,
    /// What is missing, the nearest one, and the folders that there are.
    DidYouMeanFolder 3,
    /// The first ones, and how many more.
    AndMore 2,
    /// The same.
    CommaMore 2,
    /// The file, and why.
    Unreadable 2,
    /// The same.
    CannotImport 2,
    /// Why.
    GivenUp 1,
    /// The file, and how many users there are.
    ImportOfSeveral 2,
    /// The command, and what was said.
    ConnectionLost 2,
    ServerClosed 0,
    /// The command, and a detail.
    Senseless 2,
    /// How many messages it has, and how many can be taken.
    MailboxHas 2,
    /// How many messages can be taken.
    MailboxListsMore 1,
    /// The folder.
    NoUidvalidity 1,
    /// The command, and how many bytes.
    SentTooMuch 2,
    /// The host, and why.
    NotGreeted 2,
    /// The host, and why.
    LoginBrokenOff 2,
    /// The host, the command, and why.
    LoginBrokenOffIn 3,
    /// The host, and why.
    NotEncrypted 2,
    /// The host, and why.
    CannotConnect 2,

    // Tokens.
    /// The profile.
    NoRefreshToken 1,
    /// The file.
    TokensNoKey 1,
    /// The file, and the file of the key.
    TokensOtherKey 2,
    /// The file, and a detail.
    TokensDamaged 2,
    /// How long, and the file.
    TokensBusy 2,
    /// The file, and what is wrong with it.
    CaFileOfTokens 2,
    /// The endpoint, and how long.
    EndpointSilent 2,
    /// The host, why, and what helps.
    EndpointCertificate 3,
    /// The endpoint, and a detail.
    EndpointSenseless 2,
    /// Why.
    EndpointFailed 1,
    /// The endpoint and its words.
    EndpointLater 2,
    /// The endpoint, its words, and after how long.
    EndpointLaterIn 3,
    /// The endpoint, its words, and what to do.
    EndpointRefused 3,
    /// Why, and the access.
    FreshTokenRefused 2,
    CheckParameters 0,
    RefreshTokenGone 0,
    CheckClient 0,
    CheckRegistration 0,
    CheckGrant 0,
    CheckScope 0,
    CheckRequest 0,
    CodeExpired 0,
    ConsentMissing 0,
    LogInAgain 0,
    SeeEndpoint 0,
    PasteToken 0,

    // The configuration and the store.
    /// The key, the file, and what is wrong.
    SecretFile 3,
    /// The key, the variable, and what is wrong.
    SecretEnv 3,
    /// The profile, and why.
    Sealed 2,
    /// The path.
    DiskFull 1,
    /// A detail.
    ArchiveDamaged 1,
    /// Why.
    StoreClosed 1,
    /// What went wrong, and where.
    StoreFailed 2,
    /// What it is.
    Bug 1,
    Interrupted 0,
    ProcessEnded 0,
    /// For how long.
    NoProgress 1,
    /// Why.
    ProfileStopped 1,
    ProtocolSaysNothing 0,
    ConnectionStopped 0,

    // What to do, by the step or the stage that failed.
    DoConfiguration 0,
    DoResolve 0,
    DoConnect 0,
    DoTls 0,
    DoGreeting 0,
    DoToken 0,
    DoLogin 0,
    DoConnection 0,
    DoStore 0,
    DoRun 0,
    DoFolder 0,
    DoFetch 0,
    DoRead 0,
    DoFormat 0,
    DoAltered 0,
    DoIdentify 0,
    DoSize 0,
    DoDeletion 0,
    DoLog 0,
    DoVerify 0,

    // What to do, where more is known.
    /// The access.
    WriteAccess 1,
    CorrectPort 0,
    /// Where it usually is.
    CheckPort 1,
    CorrectCaFile 0,
    SslFromFirstByte 0,
    FindWhoAnswers 0,
    ComeLater 0,
    LongerTimeout 0,
    UseAnotherServer 0,
    CorrectFolders 0,
    CorrectInclude 0,
    CheckImport 0,
    NameImport 0,
    PerhapsAnotherServer 0,
    NeitherTakenNorRefused 0,
    CheckHostAndPort 0,
    AskAndPin 0,
    AskForNewPin 0,
    WriteHostOrPin 0,
    /// Which certificate.
    NameCaFileOrPin 1,
    /// What.
    HaveServerMended 1,
    /// What.
    MendHere 1,
    /// Two kinds of access.
    WriteOneOfAccesses 2,
    AllowPasswords 0,
    SwitchAccessOn 0,
    MakeAppPassword 0,
    SetTokens 0,
    HaveUnlocked 0,
    WantsAppPassword 0,
    CheckWhatIsListed 0,
    CheckEndpoint 0,
    WriteSecretFile 0,
    SetKeyFile 0,
    SetVariable 0,

    // Steps of a test that went well.
    /// The user name.
    LoggedInAs 1,
    /// How.
    Compressed 1,
    NotAskedWho 0,
    TokenAtHand 0,
    TokenRenewed 0,
    /// The version, and whose certificate.
    Encrypted 2,
    /// The same.
    EncryptedUntrusted 2,
    /// How many folders, and messages.
    Folders 2,
    /// How many of how many folders, and messages.
    SomeFolders 3,
    /// How many, and the folder.
    LookedAtHeaders 2,
    /// How many of how many, and the folder.
    LookedAtSomeHeaders 3,
    /// The size.
    FetchedWhole 1,
    /// How many, and why the last one did not.
    NoneCameWhole 2,
    NotGiven 0,
    /// The copy.
    CopyNotSent 1,
    /// The copy.
    CopyNoBody 1,
    /// The copy and the line.
    CopyUnreadable 2,
    /// The copy and the words.
    CopyRefusedOf 2,
    /// The folder, and what is said of it.
    InFolder 2,

    // What a test found.
    NoHeadersAlone 0,
    AllTooLarge 0,
    /// Why.
    NoOtherFolders 1,
    /// The folder, how many messages it says, of how many newest, and how many it lists.
    FolderOfNoSize 4,
    /// How many, the folder, and why.
    NoHeaderSent 3,
    /// How many, and why.
    SomeHeadersNotSent 2,
    /// The folder, and what the server says.
    FolderNotReadable 2,
    NoneReadableByRight 0,
    ExpireAtOnce 0,
    /// Days.
    ExpireAfter 1,
    /// Seconds.
    LoginDelay 1,
    NoneReadable 0,
    /// How many of how many.
    SomeNameNobody 2,
    /// How many of how many, and which addresses most often.
    SomeNameNobodyOften 3,
    /// How many, what a run would do, and what of the users.
    NoneNamesUser 3,
    WouldLeaveAll 0,
    WouldFileForCatchall 0,
    AreAddressesComplete 0,
    NoUsersYet 0,
    /// How many of how many.
    ProposalMendsBcc 2,
    /// What is not known, which server it seems to be, and how it is mended.
    BccAndServer 3,
    BccUnknown 0,
    /// How many of how many.
    BccFew 2,
    /// How many of how many.
    BccSome 2,
    /// What came before, how many of how many.
    AndSingles 3,
    /// The same.
    AndWithoutReceived 3,
    /// Its name.
    SeemsToBe 1,
    NoServerShown 0,

    // How servers are made to write the recipients.
    PostfixFlagO 0,
    /// What to write there.
    PostfixFlagOAlias 1,
    /// The same.
    PostfixLmtpLimit 1,
    EximLmtp 0,
    OpenSmtpdLmtp 0,
    /// Which program.
    OneAtATime 1,
    /// Which program, and the server before it.
    OneAtATimeOr 2,
    AnLmtpServer 0,
    FetchItself 0,
    /// How.
    OnServerInFront 1,
    AnyServer 0,
    PostfixOriginal 0,
    PostfixPrepend 0,
    EximFilter 0,
    EximEnvelopeTo 0,
    SendmailMailer 0,
    OpenSmtpdMaildir 0,
    CourierAlias 0,
    QmailLocal 0,
    HarakaPlugin 0,
    ChasquidHook 0,
    ExchangeJournal 0,
    GoogleHeader 0,
    /// Its name.
    OtherServer 1,
    /// Two programs.
    Behind 2,

    // What runs say.
    PauseBegan 0,
    /// How many, and why.
    FewerConnections 2,
    /// Why.
    ConnectionAnew 1,
    ConnectionLostAnew 0,
    /// The copy, and how many addresses.
    NamesVeryMany 2,
    /// The limit, how many addresses, the first ones, and the profile.
    LimitReached 4,
    /// How many.
    MoreAddresses 1,
    /// How many.
    AboutMoreAddresses 1,
    /// How many of how many.
    NoKnownAddress 2,
    /// What is not known.
    AreTheyComplete 1,
    /// The addresses, how many messages, the key with its value, and the profile.
    LooksLikeOwn 4,
    /// The same, of several.
    LookLikeOwn 4,
    /// The address, and how many.
    NamedInNearlyAll 2,
    /// The address, and how many.
    NamedInPlace 2,
    /// What came before.
    AndRerouteThen 1,
    /// How many.
    MessagesNaming 1,
    /// The domain, how many messages, the addresses, the key with its value, and the profile.
    DomainMissing 5,
    /// How many of how many, and the profile.
    EnvelopeAtEnd 3,
    /// The bytes.
    ExcludedByTinySize 1,
    /// The keys.
    AllExcluded 1,
    /// How many.
    ReportsNotBelieved 2,
    /// How many.
    ReportsUnreadable 1,
    /// How many, and the folder.
    FlaggedKept 2,
    /// The same.
    ShortKept 2,
    /// The folder, what shows it, and how many copies.
    NamesReused 3,
    NoneAffected 0,
    /// How many.
    CountAsNew 1,
    OthersBeforeDeletion 0,
    /// The number.
    UidnextFell 1,
    /// The copy.
    LastIsAnother 1,
    SizesDiffer 0,
    HeadersDiffer 0,
    /// The folder.
    UidvalidityAnew 1,
    /// The folder.
    FolderWentAway 1,
    FetchedEachTime 0,
    /// What becomes of them.
    NoUidl 1,
    /// How many, and what becomes of them.
    SomeWithoutUidl 2,
    /// The same.
    UidlTwice 2,
    /// The user.
    ExportOfStranger 1,
    /// How many.
    WouldMakeUsers 1,
    HeadersNotAlone 0,
    WouldDeleteMore 0,
    /// The user, and where it was.
    UserGone 2,
    /// How many, where they were, and who.
    UsersGone 3,
    /// The same, and how many more.
    UsersGoneMore 4,
    /// Why.
    UsersAsBefore 1,
    NobodyLooksAtUsers 0,
    /// How many.
    Messages 1,
    /// How many.
    Others 1,
    AnyUsers 0,
    /// The first ones, and the last.
    AndLast 2,
    /// How many messages.
    AllInArchive 1,
    /// How many messages.
    FirstInArchive 1,
    /// How many were read, and for whom none is.
    BacklogNone 2,
    /// How many were read, for whom one is, and the command.
    BacklogOne 3,
    /// How many were read, how many are to be filed, for whom, and the command.
    BacklogSome 4,
    CountingStopped 0,
    /// How many.
    NotJudgeable 1,
    /// How many, and what of them.
    Counted 2,
    /// Why, and what judges them.
    LeftAlone 2,
    ImportedForOne 0,
    /// The profile.
    ProfileIsGone 1,
    ProtocolIsGone 0,
    NoProfileToJudge 0,
    /// The command.
    JudgeBy 1,
    /// How many, who, and the name as a shell takes it.
    KeptByRetired 3,
    WholeArchive 0,
    /// Whose.
    ArchiveOf 1,
    /// How far, and the query.
    FoundBy 2,
    /// What is read, and the profile.
    ByRulesOf 2,
    /// What is read.
    ByRulesOfAll 1,

    /// The manifest, and why.
    ManifestUnread 2,
    TakenForText 0,
    PerhapsMessages 0,
    /// How many, where, and what becomes of them.
    DoubtfulLines 3,
    /// The file.
    LinesEndInCr 1,
    /// The file, and how many messages.
    PerhapsMbox 2,
    /// The first one.
    FoundDamage 1,
    /// The first one, and how many there are.
    FoundDamages 2,
    /// The file.
    ConfigurationNewer 1,
    /// Whose.
    AddressesNotCounted 1,

    // What went wrong with single copies.
    /// Why.
    KeepsAskingToWait 1,
    /// Why.
    BreaksEachTime 1,
    /// What panicked.
    Panicked 1,
    /// The user.
    ArchiveStopped 1,
    RouterStopped 0,
    ReadingPanicked 0,
    PoolPanicked 0,
    NotFoundAgain 0,
    NotAsExported 0,
    NotInManifest 0,
    PartOfMessage 0,
    /// Why.
    NoMail 1,
    AmbiguousUid 0,
    /// The server program.
    MessageUnavailable 1,
    /// The bytes.
    AnnouncedAndNothing 1,
    /// How many were announced, and how many came.
    AnnouncedAndFewer 2,
    /// How many were announced, came at first, and came then.
    AnnouncedAndOther 3,
    /// How many came.
    CameAndMoreAnnounced 1,
    SizeNotSaid 0,
    NotSent 0,
    NoBody 0,
    /// What the server says.
    CopyRefused 1,
    /// The line.
    AnswerUnreadable 1,
    /// The size, and the most.
    CopyTooLarge 2,
    /// The same.
    WouldBeTooLarge 2,
    /// Why.
    NotDeleted 1,
    NotDeletedAlone 0,
    IsFlagged 0,
    WasGone 0,
    StillStanding 0,
    /// The words.
    RemovalRefused 1,
    NotSentAgain 0,
    /// The message.
    KeptIsMissing 1,
    /// Why.
    DeletionStopped 1,
    /// Why.
    DeletionStoppedHere 1,
    /// How many, and why.
    DeletionUnconfirmed 2,
    /// Why.
    RoutedAgain 1,
}

impl Code {
    pub fn is_plain(&self) -> bool {
        *self == Self::Plain
    }
}
