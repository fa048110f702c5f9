//! The OpenAPI document, made from the code: from what stands above each handler, and the types of what it takes and
//! gives. `docs/openapi.json` is a copy; `cargo run --example openapi` makes it.

use std::sync::LazyLock;

use utoipa::{
    Modify, OpenApi,
    openapi::{
        Content, OpenApi as Document, Ref, RefOr, ResponseBuilder,
        path::Operation,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::{accounts, audit, mail, message, notices, profiles, runs, session, take, upkeep, users};
use crate::{
    api::TakenForm,
    http::{PROBLEM, Problem},
};

#[derive(OpenApi)]
#[openapi(
    info(title = "dropkeep", description = "The archive for those who have accounts: docs/api.md begins with an example."),
    paths(
        session::log_in, session::log_out, session::me,
        mail::search, mail::messages,
        message::show, message::raw, message::attachment, message::journal, take::take,
        users::list, users::add, users::import, users::change, users::retire_so, users::rename, users::retire, users::unknown, users::assign,
        users::lists, users::put_list, users::remove_list, users::ignore, users::ignore_no_longer,
        runs::reroute, runs::reroute_events, runs::interrupt_reroute,
        runs::runs, runs::run, runs::events, runs::profiles, profiles::add, profiles::test_unsaved, profiles::dry_run_unsaved, profiles::import,
        profiles::setup, profiles::replace, profiles::remove, profiles::test, profiles::propose, profiles::dry_run,
        runs::begin, runs::interrupt, notices::test, runs::status,
        upkeep::verify, upkeep::last_verification, upkeep::verify_events, upkeep::interrupt_verification,
        upkeep::compact, upkeep::compact_events, upkeep::interrupt_compaction, upkeep::index, upkeep::rebuild_index, upkeep::index_events,
        accounts::list, accounts::add, accounts::account, accounts::remove, accounts::disable, accounts::enable,
        accounts::role, accounts::give, accounts::take, accounts::password, accounts::totp, accounts::confirm_totp,
        accounts::no_totp, accounts::applications, accounts::add_application, accounts::remove_application,
        accounts::all_sessions, accounts::sessions, accounts::end_sessions, accounts::end_session,
        audit::audit,
    ),
    components(schemas(Problem, TakenForm, mail::Sort)),
    security(("session" = []), ("application" = [])),
    modifiers(&Common)
)]
struct Api;

/// What all of it has in common.
struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut Document) {
        document.info.version = "1".to_owned();
        document.info.contact = None;
        document.info.license = None;
        let components = document.components.get_or_insert_default();
        let cookie = ApiKeyValue::with_description("dropkeep", "Set by logging in; over TLS `__Host-dropkeep`.");
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
        let bearer = bearer.description(Some("`ACCOUNT:APPLICATION-PASSWORD`")).build();
        components.add_security_scheme("application", SecurityScheme::Http(bearer));
        for (_, name, words) in REFUSALS {
            let content = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem"))));
            let response = ResponseBuilder::new()
                .description(words)
                .content(PROBLEM, content)
                .build();
            components.responses.insert(name.to_owned(), RefOr::T(response));
        }
        for (path, item) in &mut document.paths.paths {
            let operations = [
                ("get", &mut item.get),
                ("put", &mut item.put),
                ("post", &mut item.post),
                ("delete", &mut item.delete),
            ];
            for (method, operation) in operations {
                if let Some(operation) = operation {
                    // By the address: names of functions come twice.
                    let place = path.replace("/api/v1", "").replace('/', "_").replace(['{', '}'], "");
                    operation.operation_id = Some(format!("{method}{place}"));
                    refusals(operation);
                }
            }
        }
    }
}

/// Why anything may be refused: status, name and words.
const REFUSALS: [(&str, &str, &str); 9] = [
    ("400", "Wrong", "The request is wrong."),
    ("401", "Unknown", "Nobody is logged in, or what was shown is wrong."),
    (
        "403",
        "Forbidden",
        "The account may not do this, or another site asks for it.",
    ),
    (
        "404",
        "Missing",
        "What the request names is not there, or not for the account.",
    ),
    ("409", "InTheWay", "What is there stands in its way."),
    ("413", "TooLong", "The body is too long."),
    ("415", "NoJson", "The body is not declared as JSON."),
    (
        "429",
        "TooMany",
        "Too many requests, or too many failed log-ins: `Retry-After` says how long to wait.",
    ),
    (
        "503",
        "NotNow",
        "The archive, or its index, cannot be asked at the moment.",
    ),
];

fn refusals(operation: &mut Operation) {
    for (status, name, _) in REFUSALS {
        let refusal = RefOr::Ref(Ref::from_response_name(name));
        operation.responses.responses.insert(status.to_owned(), refusal);
    }
}

/// The document.
pub fn document() -> Document {
    Api::openapi()
}

/// As it is served.
pub fn json() -> &'static str {
    static JSON: LazyLock<String> = LazyLock::new(|| {
        // It has nothing that JSON cannot have.
        document().to_pretty_json().unwrap_or_default() + "\n"
    });
    &JSON
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    /// The parameter `form` of the export named a schema that was not in it.
    #[test]
    fn what_the_document_refers_to_is_in_it() {
        let document: Value = serde_json::from_str(super::json()).unwrap();
        let (mut left, mut looked_at) = (vec![&document], 0);
        while let Some(value) = left.pop() {
            match value {
                Value::Object(table) => {
                    if let Some(Value::String(to)) = table.get("$ref") {
                        let there = document.pointer(to.trim_start_matches('#'));
                        assert!(there.is_some(), "{to}");
                        looked_at += 1;
                    }
                    left.extend(table.values());
                }
                Value::Array(values) => left.extend(values),
                _ => {}
            }
        }
        assert!(looked_at > 100, "{looked_at}");
    }

    #[test]
    fn the_copy_in_docs_is_the_document() {
        let copy = include_str!("../../docs/openapi.json");
        assert!(
            copy == super::json(),
            "run: cargo run --example openapi > docs/openapi.json"
        );
    }
}
