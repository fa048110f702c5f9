//! A form as somebody filled it in that could not be taken: shown again with what they typed, and what is wrong at its field.

use actix_web::http::StatusCode;
use maud::{Markup, html};
use percent_encoding::percent_decode_str;

use super::{form::Form, look::Language, texts::wrongs};
use crate::{
    api::{Code, Wrong},
    web::Refused,
};

/// Why a form that was sent could not be taken.
#[derive(Clone, Debug)]
pub struct Mistake {
    /// Where the form is sent to.
    form: String,
    field: &'static str,
    why: String,
    /// The line of a table, and what is wrong with further ones.
    pub line: Option<usize>,
    pub more: Vec<(Option<usize>, String)>,
    pub status: StatusCode,
}

impl Mistake {
    pub fn new(form: &str, field: &'static str, why: &str) -> Self {
        Self {
            form: form.to_owned(),
            field,
            why: why.to_owned(),
            line: None,
            more: Vec::new(),
            status: StatusCode::BAD_REQUEST,
        }
    }

    /// The mistake by which a form was refused that has these fields; the refusal, where it is no matter of what was typed.
    pub fn of(language: Language, form: &str, fields: &[&'static str], refused: Refused) -> Result<Self, Refused> {
        const THEIRS: [StatusCode; 3] = [StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND, StatusCode::CONFLICT];
        let (true, Some(first), Some(why)) = (
            THEIRS.contains(&refused.status()),
            fields.first(),
            wrongs::said(language, &refused),
        ) else {
            return Err(refused);
        };
        let about = refused.wrong().map_or(&[][..], asked_in);
        let field = fields.iter().find(|field| about.contains(field));
        let more = refused.wrong().map_or(&[][..], |wrong| &wrong.more).iter();
        Ok(Self {
            status: refused.status(),
            line: refused.wrong().and_then(|wrong| wrong.line),
            more: more.map(|wrong| (wrong.line, wrongs::words(language, wrong))).collect(),
            ..Self::new(form, field.unwrap_or(first), &why)
        })
    }
}

/// The names of fields in which our forms ask for what is wrong.
fn asked_in(wrong: &Wrong) -> &'static [&'static str] {
    match wrong.code {
        Code::UserName | Code::UserExists | Code::UserHasMail => &["to", "name", "user"],
        Code::NoUser
        | Code::UserOfConfiguration
        | Code::UserBuiltIn
        | Code::UserRetired
        | Code::ArchiveGiven
        | Code::ArchiveNotGiven => &["user", "archives"],
        Code::NoAddress | Code::NoPattern | Code::AddressTaken | Code::AddressOfList => &["addresses"],
        Code::AccountName | Code::AccountExists => &["account", "name"],
        Code::PasswordShort | Code::PasswordLong | Code::PasswordIsName => &["password"],
        Code::PasswordSoFar | Code::PasswordChanged => &["current"],
        Code::CodeWrong | Code::CodeUsed | Code::CodesNotBegun => &["code"],
        Code::ApplicationName | Code::ApplicationExists | Code::Applications => &["program"],
        _ => &[],
    }
}

/// A form that is to be shown: empty, or as it was sent.
#[derive(Clone, Copy, Default)]
pub struct Filled<'f>(Option<(&'f Form, &'f Mistake)>);

impl<'f> Filled<'f> {
    /// The form that is sent to `action`, as `sent`, if the mistake was made in it.
    pub fn of(action: &str, sent: &'f Form, mistake: Option<&'f Mistake>) -> Self {
        // Browsers and we need not encode the same letters of a name.
        let is_it = |mistake: &&Mistake| percent_decode_str(&mistake.form).eq(percent_decode_str(action));
        Self(mistake.filter(is_it).map(|mistake| (sent, mistake)))
    }

    pub fn is_wrong(self) -> bool {
        self.0.is_some()
    }

    /// What was typed into a field, otherwise what it begins with.
    pub fn value<'v>(self, name: &str, otherwise: &'v str) -> &'v str
    where
        'f: 'v,
    {
        self.0.map_or(otherwise, |(sent, _)| sent.as_typed(name))
    }

    /// What is wrong with a field.
    pub fn why(self, name: &str) -> Option<&'f str> {
        self.0
            .filter(|(_, mistake)| mistake.field == name)
            .map(|(_, mistake)| &*mistake.why)
    }

    /// The same, to stand behind the field; its id is that of the field and `-wrong`.
    pub fn said(self, name: &str) -> Markup {
        html! {
            @if let Some(why) = self.why(name) { p.wrong id={ (name) "-wrong" } role="alert" { (why) } }
        }
    }

    /// For `aria-invalid` of a field.
    pub fn invalid(self, name: &str) -> Option<&'static str> {
        self.why(name).map(|_| "true")
    }

    /// For `aria-describedby` of a field that has a hint, or has none.
    pub fn described(self, name: &str, hint: Option<&str>) -> Option<String> {
        let wrong = self.why(name).map(|_| format!("{name}-wrong"));
        let parts: Vec<_> = wrong.into_iter().chain(hint.map(str::to_owned)).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }

    /// A field with its label. Passwords are typed anew.
    pub fn field(self, name: &str, label: &str, kind: &str, otherwise: &str, autocomplete: &str) -> Markup {
        let value = if kind == "password" {
            ""
        } else {
            self.value(name, otherwise)
        };
        html! {
            div.field {
                label for=(name) { (label) }
                input id=(name) name=(name) type=(kind) value=(value) autocomplete=(autocomplete)
                    aria-invalid=[self.invalid(name)] aria-describedby=[self.described(name, None)] autofocus[self.why(name).is_some()];
                (self.said(name))
            }
        }
    }
}

#[test]
fn a_form_shows_what_was_typed_and_what_is_wrong_and_no_password() {
    let refused = || {
        let wrong = Wrong::new(Code::UserExists, &[&"jane"]);
        let failure = crate::api::Failure::conflict("user \"jane\" exists already").for_that(wrong);
        Refused::failed(&actix_web::http::Method::POST, failure)
    };
    let mistake = Mistake::of(Language::German, "/x", &["addresses", "name"], refused()).unwrap();
    assert_eq!((mistake.field, mistake.status), ("name", StatusCode::CONFLICT));
    let sent = Form::of([("name", " jane "), ("addresses", "a\r\nb"), ("password", "secret")]);
    let filled = Filled::of("/x", &sent, Some(&mistake));
    let field = filled.field("name", "Name", "text", "", "off").into_string();
    for part in [
        "value=\" jane \"",
        "aria-invalid=\"true\"",
        "aria-describedby=\"name-wrong\"",
        "gibt schon",
    ] {
        assert!(field.contains(part), "{part}: {field}");
    }
    let other = filled.field("addresses", "x", "text", "", "off").into_string();
    assert!(!other.contains("aria-invalid"), "{other}");
    let password = filled.field("password", "x", "password", "", "off").into_string();
    assert!(!password.contains("secret"), "{password}");
    assert_eq!(Filled::of("/y", &sent, Some(&mistake)).value("name", "begin"), "begin");
    let broken = Refused::new(StatusCode::INTERNAL_SERVER_ERROR).because("x");
    assert!(Mistake::of(Language::German, "/x", &["name"], broken).is_err());
}
