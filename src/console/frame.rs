//! What is around each page: who is logged in, where they may go, and how the pages look.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    assets::{ICON, SCRIPT, STYLE},
    documents::HANDBOOK,
    look::{Language, Look, Theme},
    texts::Texts,
};
use crate::{access::Account, api::Role};

/// Where one-time codes are set up.
pub const CODES: &str = "/console/account/codes";

/// A part of the console, as the navigation has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    Overview,
    /// Profiles, and the wizard.
    Profiles,
    Mail,
    Runs,
    People,
    Audit,
    Store,
    Account,
    /// What the navigation does not name.
    Nowhere,
}

impl Place {
    const ALL: [Self; 8] = [
        Self::Overview,
        Self::Profiles,
        Self::Mail,
        Self::Runs,
        Self::People,
        Self::Audit,
        Self::Store,
        Self::Account,
    ];

    pub fn address(self) -> &'static str {
        match self {
            Self::Overview => "/console/overview",
            Self::Profiles => "/console/archive-mail",
            Self::Mail => "/console/mail",
            Self::Runs => "/console/runs",
            Self::People => "/console/people",
            Self::Audit => "/console/audit",
            Self::Store => "/console/store",
            Self::Account => "/console/account",
            Self::Nowhere => "/console",
        }
    }

    fn name(self, t: &'static Texts) -> &'static str {
        match self {
            Self::Overview => t.overview,
            Self::Profiles => t.archive_mail,
            Self::Mail => t.mail,
            Self::Runs => t.runs,
            Self::People => t.people,
            Self::Audit => t.audit,
            Self::Store => t.store,
            Self::Account => t.account,
            Self::Nowhere => "",
        }
    }
}

/// Somebody who is logged in, as far as the frame shows it.
#[derive(Clone, Debug)]
pub struct Who {
    pub name: String,
    pub role: Role,
    /// Some archive is theirs to read.
    pub reads: bool,
    /// They can do nothing but set up one-time codes.
    pub enrols: bool,
    /// What their forms must bear.
    pub token: String,
}

impl Who {
    pub fn new(account: &Account, token: String) -> Self {
        Self {
            name: account.name.clone(),
            role: account.role,
            reads: account.role == Role::Auditor || !account.given.is_empty(),
            enrols: account.enrols,
            token,
        }
    }

    /// Whether the navigation shows it: what somebody may not do is not shown. `access` decides, whatever is shown.
    pub fn may_go(&self, place: Place) -> bool {
        let administers = self.role == Role::Administrator;
        match place {
            Place::Account | Place::Nowhere => true,
            _ if self.enrols => false,
            Place::Mail => self.reads || !administers,
            Place::Audit => administers || self.role == Role::Auditor,
            Place::Overview | Place::Profiles | Place::Runs | Place::People | Place::Store => administers,
        }
    }

    /// Where they begin.
    pub fn start(&self) -> Place {
        match self.role {
            _ if self.enrols => Place::Account,
            Role::Administrator => Place::Overview,
            Role::User | Role::Auditor => Place::Mail,
        }
    }
}

/// For whom a page is made, and how.
#[derive(Clone, Debug)]
pub struct Face {
    pub look: Look,
    pub who: Option<Who>,
}

impl Face {
    pub fn t(&self) -> &'static Texts {
        self.look.t()
    }

    /// The fields of a form that say that a page of ours has it, and which.
    pub fn token(&self) -> Markup {
        html! {
            @if let Some(who) = &self.who { input type="hidden" name="token" value=(who.token); }
            input type="hidden" name="here" value=(self.look.here);
        }
    }

    /// A whole page.
    pub fn page(&self, place: Place, title: &str, body: Markup) -> Markup {
        self.page_of("", place, title, body)
    }

    /// The same, with a class of its own.
    pub fn page_of(&self, class: &str, place: Place, title: &str, body: Markup) -> Markup {
        let t = self.t();
        html! {
            (DOCTYPE)
            html lang=(self.look.language.tag()) data-theme=(self.look.theme.word()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (title) " · dropkeep" }
                    link rel="icon" type="image/svg+xml" href=(ICON.path);
                    link rel="stylesheet" href=(STYLE.path);
                    script defer src=(SCRIPT.path) {}
                }
                body class=(class) {
                    a.skip href="#main" { (t.skip) }
                    (self.top(place))
                    main #main tabindex="-1" {
                        h1 { (title) }
                        (body)
                    }
                    (self.bottom())
                }
            }
        }
    }

    /// What of a page is before its body, and what behind it.
    pub fn around(&self, class: &str, place: Place, title: &str) -> (String, String) {
        // No text of a page has such a sign.
        const BODY: &str = "\0";
        let page = self
            .page_of(class, place, title, PreEscaped(BODY.to_owned()))
            .into_string();
        let (before, behind) = page.split_once(BODY).unwrap_or((&page, ""));
        (before.to_owned(), behind.to_owned())
    }

    fn top(&self, place: Place) -> Markup {
        let t = self.t();
        html! {
            header.top {
                a.brand href="/console" { span.mark aria-hidden="true" { "▣" } "dropkeep" }
                @if let Some(who) = &self.who {
                    nav aria-label=(t.main_navigation) {
                        ul {
                            @for goal in Place::ALL.into_iter().filter(|goal| who.may_go(*goal)) {
                                li {
                                    a href=(goal.address()) aria-current=[(goal == place).then_some("page")] {
                                        (goal.name(t))
                                    }
                                }
                            }
                        }
                    }
                    form.who method="post" action="/console/log-out" {
                        (self.token())
                        span.name { (who.name) }
                        button.quiet type="submit" { (t.log_out) }
                    }
                }
            }
        }
    }

    fn bottom(&self) -> Markup {
        let (t, look) = (self.t(), &self.look);
        let theme = |theme| match theme {
            Theme::Auto => t.theme_auto,
            Theme::Light => t.theme_light,
            Theme::Dark => t.theme_dark,
        };
        let zone = jiff::tz::TimeZone::system();
        html! {
            footer {
                @if self.who.is_some() { p { a href=(HANDBOOK) { (t.handbook) } } }
                p { (t.times_are_in) " " (zone.iana_name().unwrap_or("UTC")) }
                form.look method="post" action="/console/look" {
                    input type="hidden" name="here" value=(look.here);
                    label for="language" { (t.language) }
                    select #language name="language" {
                        @for language in Language::ALL {
                            option value=(language.tag()) lang=(language.tag()) selected[language == look.language] {
                                (language.name())
                            }
                        }
                    }
                    label for="theme" { (t.theme) }
                    select #theme name="theme" {
                        @for other in Theme::ALL {
                            option value=(other.word()) selected[other == look.theme] { (theme(other)) }
                        }
                    }
                    button.quiet type="submit" { (t.apply) }
                }
            }
        }
    }
}
