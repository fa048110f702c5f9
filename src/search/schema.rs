//! What the index has of a message: the fields, and how their text is cut into terms.
//!
//! Nothing is stored; what is shown of a message comes from the archive. Numbers are fast fields, from which lists are
//! sorted and counted.

use tantivy::{
    schema::{FAST, Field, IndexRecordOption, NumericOptions, Schema, SchemaBuilder, TextFieldIndexing, TextOptions},
    tokenizer::{RawTokenizer, TextAnalyzer, Token, TokenStream, Tokenizer, TokenizerManager},
};

use super::{
    addresses::{self, AddressTokens},
    words::{self, Words},
};

/// The form of what is indexed. An index of another form is made anew: so it goes up with each change of the fields, of
/// the words, or of what is taken from a message.
pub const FORM: u32 = 3;

/// Fields whose length counts when results are ordered by relevance. A length takes a byte of each message.
const OF_ANY_LENGTH: [&str; 3] = ["subject", "body", "attachment"];

/// The names of the tokenizers.
const RAW: &str = "raw";
const WORDS: &str = "words";
const ADDRESSES: &str = "addresses";
const OWNED: &str = "owned words";

/// The fields of a document. Names are those of the query language, where it has one.
#[derive(Clone, Copy, Debug)]
pub struct Fields {
    /// The message's number.
    pub id: Field,
    /// The numbers of the users who have it.
    pub users: Field,
    /// The message's date, in seconds.
    pub date: Field,
    /// Bytes as it came.
    pub size: Field,
    pub subject: Field,
    pub body: Field,
    /// Names of attachments.
    pub filename: Field,
    /// The text of attachments.
    pub attachment: Field,
    /// The folders it was filed from, for whoever may read all archives.
    pub folder: Field,
    /// The same for everybody else: each word behind the number of the user whose filing it is ([`folder_word`]), as
    /// nobody learns from which folder others have a message.
    pub folder_of: Field,
    pub from: Field,
    pub to: Field,
    pub cc: Field,
    pub bcc: Field,
    /// Whom the fields that say who got it name beyond To, Cc and Bcc.
    pub recipient: Field,
    /// Whom journal reports name, for whoever may read all archives: they name everybody who got a message.
    pub journal: Field,
    /// List-Id and List-Post.
    pub list: Field,
    /// The [number](message_id) that stands for a Message-ID.
    pub message_id: Field,
    /// The address in From, [folded](addresses::whole), to count by.
    pub sender: Field,
    /// 1 where there is one.
    pub has_attachment: Field,
    /// Of attachments that were not read whole: the words that find them, and what a result says about them.
    pub unread: Field,
    pub unread_told: Field,
}

impl Fields {
    /// The schema of an index, and its fields.
    pub fn schema() -> (Schema, Self) {
        let mut schema = Schema::builder();
        let builder = &mut schema;
        let number = || NumericOptions::default().set_indexed().set_fast();
        let as_it_is = TextFieldIndexing::default()
            .set_tokenizer(RAW)
            .set_index_option(IndexRecordOption::Basic)
            .set_fieldnorms(false);
        let as_it_is = TextOptions::default().set_indexing_options(as_it_is);
        let fields = Self {
            id: builder.add_u64_field("id", number()),
            users: builder.add_u64_field("users", number()),
            date: builder.add_i64_field("date", NumericOptions::from(FAST)),
            size: builder.add_u64_field("size", NumericOptions::from(FAST)),
            subject: text(builder, "subject", WORDS),
            body: text(builder, "body", WORDS),
            filename: text(builder, "filename", WORDS),
            attachment: text(builder, "attachment", WORDS),
            folder: text(builder, "folder", WORDS),
            folder_of: text(builder, "folder_of", OWNED),
            from: text(builder, "from", ADDRESSES),
            to: text(builder, "to", ADDRESSES),
            cc: text(builder, "cc", ADDRESSES),
            bcc: text(builder, "bcc", ADDRESSES),
            recipient: text(builder, "recipient", ADDRESSES),
            journal: text(builder, "journal", ADDRESSES),
            list: text(builder, "list", ADDRESSES),
            message_id: builder.add_u64_field("message-id", NumericOptions::from(FAST)),
            sender: builder.add_text_field("sender", FAST),
            has_attachment: builder.add_u64_field("has_attachment", NumericOptions::default().set_indexed()),
            unread: builder.add_text_field("unread", as_it_is),
            unread_told: builder.add_text_field("unread_told", FAST),
        };
        (schema.build(), fields)
    }
}

/// What a Message-ID, without its angle brackets, is found by. All of them are different and long; nobody looks for a part
/// of one. As terms, even these numbers would take twice the room; a search for one, which is rare, looks at all of them.
pub fn message_id(text: &str) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..8]);
    u64::from_be_bytes(first)
}

/// The word of a folder's name as `folder_of` has it.
pub fn folder_word(user: u32, folded: &str) -> String {
    format!("{user} {folded}")
}

fn text(builder: &mut SchemaBuilder, name: &str, tokenizer: &str) -> Field {
    let indexing = TextFieldIndexing::default()
        .set_tokenizer(tokenizer)
        .set_fieldnorms(OF_ANY_LENGTH.contains(&name))
        .set_index_option(IndexRecordOption::WithFreqsAndPositions);
    builder.add_text_field(name, TextOptions::default().set_indexing_options(indexing))
}

/// The tokenizers that the schema names.
pub fn tokenizers() -> TokenizerManager {
    let tokenizers = TokenizerManager::new();
    tokenizers.register(WORDS, TextAnalyzer::from(InWords::default()));
    tokenizers.register(ADDRESSES, TextAnalyzer::from(InAddresses));
    tokenizers.register(OWNED, TextAnalyzer::from(InOwnedWords));
    // Of strings that are one term, and asked for by fields that have no text.
    for name in [RAW, "default"] {
        tokenizers.register(name, TextAnalyzer::from(RawTokenizer::default()));
    }
    tokenizers
}

/// Cuts into [`words`].
#[derive(Clone, Default)]
struct InWords {
    token: Token,
}

struct WordStream<'t> {
    words: Words<'t>,
    token: &'t mut Token,
}

impl Tokenizer for InWords {
    type TokenStream<'t> = WordStream<'t>;

    fn token_stream<'t>(&'t mut self, text: &'t str) -> WordStream<'t> {
        self.token.reset();
        WordStream {
            words: words::words(text),
            token: &mut self.token,
        }
    }
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        let Some(stands) = self.words.next_into(&mut self.token.text) else {
            return false;
        };
        // It begins before the first one.
        self.token.position = self.token.position.wrapping_add(1);
        (self.token.offset_from, self.token.offset_to) = (stands.start, stands.end);
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

/// Cuts what stands behind a number and a space into words, each behind that number ([`folder_word`]).
#[derive(Clone)]
struct InOwnedWords;

struct OwnedStream<'t> {
    user: u32,
    words: Words<'t>,
    token: Token,
}

impl Tokenizer for InOwnedWords {
    type TokenStream<'t> = OwnedStream<'t>;

    fn token_stream<'t>(&'t mut self, text: &'t str) -> OwnedStream<'t> {
        let (user, name) = text.split_once(' ').unwrap_or_default();
        // Without a number there is no user, and no words are of nobody.
        let user = user.parse::<u32>();
        OwnedStream {
            words: words::words(if user.is_ok() { name } else { "" }),
            user: user.unwrap_or_default(),
            token: Token::default(),
        }
    }
}

impl TokenStream for OwnedStream<'_> {
    fn advance(&mut self) -> bool {
        let Some(word) = self.words.next() else { return false };
        self.token.position = self.token.position.wrapping_add(1);
        self.token.text = folder_word(self.user, &word.folded);
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

/// Cuts into words, with the whole terms of addresses between them.
#[derive(Clone)]
struct InAddresses;

struct AddressStream {
    tokens: AddressTokens,
    token: Token,
}

impl Tokenizer for InAddresses {
    type TokenStream<'t> = AddressStream;

    fn token_stream<'t>(&'t mut self, text: &'t str) -> AddressStream {
        AddressStream {
            tokens: addresses::tokens(text),
            token: Token::default(),
        }
    }
}

impl TokenStream for AddressStream {
    fn advance(&mut self) -> bool {
        let Some((position, text)) = self.tokens.next() else {
            return false;
        };
        (self.token.position, self.token.text) = (position, text);
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}
