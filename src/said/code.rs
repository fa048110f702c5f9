//! Which sentences there are: behind each, how many things it is about, and which.

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($code:ident $about:literal,)*) => {
        /// Which sentence it is.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Code {
            $($code,)*
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
    Quoted 1, // what somebody else said
    And 2, // two sentences, one behind the other
    Or 2, // two of which one counts

    // On the way to a server.
    HostIsMore 1, // the host
    NoNameServer 2, // the host, and what the resolver says
    NoSuchHost 2, // the host, and what the resolver says
    PortRefused 2, // the host and the port
    PortSilent 2, // the host and the port
    NoWay 2, // the host, and why
    NotConnected 3, // the host, the port, and why
    ResolveSilent 2, // the host, and how long nobody answered
    ConnectSilent 2, // the host, and how long it was silent
    TlsSilent 2, // the host, and how long it was silent
    AnswerSilent 2, // the host, and how long it was silent
    TlsFailed 2, // the host, and a detail
    CaFile 2, // the file, and what is wrong with it
    NoUpgrade 3, // the host, the command, and the access to try
    Injected 2, // the host and the command
    AnswerSenseless 2, // the host, and a detail

    // Certificates.
    CertificateRefused 3, // the host, why it is refused, and what makes it acceptable
    CertificateNotPinned 0,
    NoRoots 0,
    CertificateExpired 1, // since when
    CertificateNotYet 1, // until when
    CertificateNotFor 1, // the name
    CertificateRevoked 0,
    CertificateNotOfServers 0,
    CertificateUnreadable 0,
    CertificateSelfSigned 0,
    CertificateIssuer 1, // the issuer
    CertificateNamesNone 0,
    CertificateFor 1, // the names
    CertificateForAnd 2, // the names, and the last one
    CertificateForMore 2, // the names, and how many more
    MendPin 1, // the pin, as the configuration has it
    MendPinning 1, // the same
    MendHost 0,
    MendHostOne 0,
    MendHostSome 0,
    MendOrPin 2, // what, and the pin
    MendName 0,
    MendCaFile 1, // which certificate
    MendOneForName 0,
    ThatCertificate 0,
    IssuersCertificate 0,
    MendAnother 0,
    MendRenew 0,
    MendClock 0,
    MendCaCertificates 0,
    MendSubjectAltName 0,

    // A port of another server.
    NoGreeting 3, // the port, how long, and what is known
    TlsThenNothing 0,
    TakesAndSaysNothing 0,
    PortIsNot 2, // the port and the protocol
    AServer 1, // the protocol
    AWebServer 0,
    PortIsOf 3, // the port, the server that is there, and where ours usually is
    PortIsOfTls 3, // the same
    PortIsOfSmtp 3, // the same
    PortIsOfSmtpTls 3, // the same
    PortSpeaksOverTls 3, // the port, the protocol, and the access to try
    PortProbablyTls 2, // the port, and the access to try
    PortClear 3, // the port, the protocol, and the access to try
    PortSpeaks 4, // the port, the protocol, ours, and the access to try
    AtAnotherPort 1, // the access
    UsuallyAt 2, // the access and the port
    NoMailServer 2, // the port and the greeting

    // A session.
    SilentFor 2, // the host, and how long it was silent
    SilentDuring 3, // the host, how long, and what was going on
    SilentAfter 3, // the host, how long, and what had just been done
    Preauth 1, // the host
    TurnedAway 2, // the host and its words
    LoginRefused 3, // the host, the user name, and the words
    NoPasswordInClear 0,
    NoPasswordHere 0,
    NotSendable 0,
    TokensNotOffered 0,
    TokenNotSendable 0,
    CommandRefused 2, // the command, and what the server says
    NoFolderLeft 1, // why
    IncludeIsEmpty 0,
    ExcludeLeavesNone 1, // the key with its value
    SubscribedLeavesNone 0,
    BothLeaveNone 1, // the key with its value
    FolderOfFolders 2, // the name, and the pattern for those below it
    NoFolderMarked 1, // the name of a special use
    NoFolderMatches 1, // the pattern
    NoFolder 1, // the name
    NoFolderAtAll 1, // what is missing
    FoldersAre 2, // what is missing, and the folders that there are
    DidYouMeanFolder 3, // what is missing, the nearest one, and the folders that there are
    AndMore 2, // the first ones, and how many more
    CommaMore 2, // the same
    Unreadable 2, // the file, and why
    CannotImport 2, // the same
    GivenUp 1, // why
    ImportOfSeveral 2, // the file, and how many users there are
    ConnectionLost 2, // the command, and what was said
    ServerClosed 0,
    Senseless 2, // the command, and a detail
    MailboxHas 2, // how many messages it has, and how many can be taken
    MailboxListsMore 1, // how many messages can be taken
    NoUidvalidity 1, // the folder
    SentTooMuch 2, // the command, and how many bytes
    NotGreeted 2, // the host, and why
    LoginBrokenOff 2, // the host, and why
    LoginBrokenOffIn 3, // the host, the command, and why
    NotEncrypted 2, // the host, and why
    CannotConnect 2, // the host, and why

    // Tokens.
    NoRefreshToken 1, // the profile
    TokensNoKey 1, // the file
    TokensOtherKey 2, // the file, and the file of the key
    TokensDamaged 2, // the file, and a detail
    TokensBusy 2, // how long, and the file
    CaFileOfTokens 2, // the file, and what is wrong with it
    EndpointSilent 2, // the endpoint, and how long
    EndpointCertificate 3, // the host, why, and what helps
    EndpointSenseless 2, // the endpoint, and a detail
    EndpointFailed 1, // why
    EndpointLater 2, // the endpoint and its words
    EndpointLaterIn 3, // the endpoint, its words, and after how long
    EndpointRefused 3, // the endpoint, its words, and what to do
    FreshTokenRefused 2, // why, and the access
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
    SecretFile 3, // the key, the file, and what is wrong
    SecretEnv 3, // the key, the variable, and what is wrong
    Sealed 2, // the profile, and why
    DiskFull 1, // the path
    ArchiveDamaged 1, // a detail
    StoreClosed 1, // why
    StoreFailed 2, // what went wrong, and where
    Bug 1, // what it is
    Interrupted 0,
    ProcessEnded 0,
    NoProgress 1, // for how long
    ProfileStopped 1, // why
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
    WriteAccess 1, // the access
    CorrectPort 0,
    CheckPort 1, // where it usually is
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
    NameCaFileOrPin 1, // which certificate
    HaveServerMended 1, // what
    MendHere 1, // what
    WriteOneOfAccesses 2, // two kinds of access
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
    LoggedInAs 1, // the user name
    Compressed 1, // how
    NotAskedWho 0,
    TokenAtHand 0,
    TokenRenewed 0,
    Encrypted 2, // the version, and whose certificate
    EncryptedUntrusted 2, // the same
    Folders 2, // how many folders, and messages
    SomeFolders 3, // how many of how many folders, and messages
    LookedAtHeaders 2, // how many, and the folder
    LookedAtSomeHeaders 3, // how many of how many, and the folder
    FetchedWhole 1, // the size
    NoneCameWhole 2, // how many, and why the last one did not
    NotGiven 0,
    CopyNotSent 1, // the copy
    CopyNoBody 1, // the copy
    CopyUnreadable 2, // the copy and the line
    CopyRefusedOf 2, // the copy and the words
    InFolder 2, // the folder, and what is said of it

    // What a test found.
    NoHeadersAlone 0,
    AllTooLarge 0,
    NoOtherFolders 1, // why
    FolderOfNoSize 4, // the folder, how many messages it says, of how many newest, and how many it lists
    NoHeaderSent 3, // how many, the folder, and why
    SomeHeadersNotSent 2, // how many, and why
    FolderNotReadable 2, // the folder, and what the server says
    NoneReadableByRight 0,
    ExpireAtOnce 0,
    ExpireAfter 1, // days
    LoginDelay 1, // seconds
    NoneReadable 0,
    SomeNameNobody 2, // how many of how many
    SomeNameNobodyOften 3, // how many of how many, and which addresses most often
    NoneNamesUser 3, // how many, what a run would do, and what of the users
    WouldLeaveAll 0,
    WouldFileForCatchall 0,
    AreAddressesComplete 0,
    NoUsersYet 0,
    ProposalMendsBcc 2, // how many of how many
    BccAndServer 3, // what is not known, which server it seems to be, and how it is mended
    BccUnknown 0,
    BccFew 2, // how many of how many
    BccSome 2, // how many of how many
    AndSingles 3, // what came before, how many of how many
    AndWithoutReceived 3, // the same
    SeemsToBe 1, // its name
    NoServerShown 0,

    // How servers are made to write the recipients.
    PostfixFlagO 0,
    PostfixFlagOAlias 1, // what to write there
    PostfixLmtpLimit 1, // the same
    EximLmtp 0,
    OpenSmtpdLmtp 0,
    OneAtATime 1, // which program
    OneAtATimeOr 2, // which program, and the server before it
    AnLmtpServer 0,
    FetchItself 0,
    OnServerInFront 1, // how
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
    OtherServer 1, // its name
    Behind 2, // two programs

    // What runs say.
    PauseBegan 0,
    FewerConnections 2, // how many, and why
    ConnectionAnew 1, // why
    ConnectionLostAnew 0,
    NamesVeryMany 2, // the copy, and how many addresses
    LimitReached 4, // the limit, how many addresses, the first ones, and the profile
    MoreAddresses 1, // how many
    AboutMoreAddresses 1, // how many
    NoKnownAddress 2, // how many of how many
    AreTheyComplete 1, // what is not known
    LooksLikeOwn 4, // the addresses, how many messages, the key with its value, and the profile
    LookLikeOwn 4, // the same, of several
    NamedInNearlyAll 2, // the address, and how many
    NamedInPlace 2, // the address, and how many
    AndRerouteThen 1, // what came before
    MessagesNaming 1, // how many
    DomainMissing 5, // the domain, how many messages, the addresses, the key with its value, and the profile
    EnvelopeAtEnd 3, // how many of how many, and the profile
    ExcludedByTinySize 1, // the bytes
    AllExcluded 1, // the keys
    ReportsNotBelieved 2, // how many
    ReportsUnreadable 1, // how many
    FlaggedKept 2, // how many, and the folder
    ShortKept 2, // the same
    NamesReused 3, // the folder, what shows it, and how many copies
    NoneAffected 0,
    CountAsNew 1, // how many
    OthersBeforeDeletion 0,
    UidnextFell 1, // the number
    LastIsAnother 1, // the copy
    SizesDiffer 0,
    HeadersDiffer 0,
    UidvalidityAnew 1, // the folder
    FolderWentAway 1, // the folder
    FetchedEachTime 0,
    NoUidl 1, // what becomes of them
    SomeWithoutUidl 2, // how many, and what becomes of them
    UidlTwice 2, // the same
    ExportOfStranger 1, // the user
    WouldMakeUsers 1, // how many
    HeadersNotAlone 0,
    WouldDeleteMore 0,
    UserGone 2, // the user, and where it was
    UsersGone 3, // how many, where they were, and who
    UsersGoneMore 4, // the same, and how many more
    UsersAsBefore 1, // why
    NobodyLooksAtUsers 0,
    Messages 1, // how many
    Others 1, // how many
    AnyUsers 0,
    AndLast 2, // the first ones, and the last
    AllInArchive 1, // how many messages
    FirstInArchive 1, // how many messages
    BacklogNone 2, // how many were read, and for whom none is
    BacklogOne 3, // how many were read, for whom one is, and the command
    BacklogSome 4, // how many were read, how many are to be filed, for whom, and the command
    CountingStopped 0,
    NotJudgeable 1, // how many
    Counted 2, // how many, and what is said of them
    LeftAlone 2, // why, and what judges them
    ImportedForOne 0,
    ProfileIsGone 1, // the profile
    ProtocolIsGone 0,
    NoProfileToJudge 0,
    JudgeBy 1, // the command
    KeptByRetired 3, // how many, who, and the name as a shell takes it
    WholeArchive 0,
    ArchiveOf 1, // whose
    FoundBy 2, // how far, and the query
    ByRulesOf 2, // what is read, and the profile
    ByRulesOfAll 1, // what is read

    ManifestUnread 2, // the manifest, and why
    TakenForText 0,
    PerhapsMessages 0,
    DoubtfulLines 3, // how many, where, and what becomes of them
    LinesEndInCr 1, // the file
    PerhapsMbox 2, // the file, and how many messages
    FoundDamage 1, // the first one
    FoundDamages 2, // the first one, and how many there are
    ConfigurationNewer 1, // the file
    AddressesNotCounted 1, // whose

    // What went wrong with single copies.
    KeepsAskingToWait 1, // why
    BreaksEachTime 1, // why
    Panicked 1, // what panicked
    ArchiveStopped 1, // the user
    RouterStopped 0,
    ReadingPanicked 0,
    PoolPanicked 0,
    NotFoundAgain 0,
    NotAsExported 0,
    NotInManifest 0,
    PartOfMessage 0,
    NoMail 1, // why
    AmbiguousUid 0,
    MessageUnavailable 1, // the server program
    AnnouncedAndNothing 1, // the bytes
    AnnouncedAndFewer 2, // how many were announced, and how many came
    AnnouncedAndOther 3, // how many were announced, came at first, and came then
    CameAndMoreAnnounced 1, // how many came
    SizeNotSaid 0,
    NotSent 0,
    NoBody 0,
    CopyRefused 1, // what the server says
    AnswerUnreadable 1, // the line
    CopyTooLarge 2, // the size, and the most
    WouldBeTooLarge 2, // the same
    NotDeleted 1, // why
    NotDeletedAlone 0,
    IsFlagged 0,
    WasGone 0,
    StillStanding 0,
    RemovalRefused 1, // the words
    NotSentAgain 0,
    KeptIsMissing 1, // the message
    DeletionStopped 1, // why
    DeletionStoppedHere 1, // why
    DeletionUnconfirmed 2, // how many, and why
    RoutedAgain 1, // why
}

impl Code {
    pub fn is_plain(&self) -> bool {
        *self == Self::Plain
    }
}
