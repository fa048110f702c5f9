//! Going through the steps: what was typed is kept first, whatever is wrong with it; then one goes on, or is told.

use actix_web::http::StatusCode;
use serde_json::Value;

use super::{
    asking::{check, log_in_by_code, no_key, session, setups, try_out, watched},
    draft::{Draft, PASSWORD, REFRESH_TOKEN},
    drafts::Drafts,
    folders, keeping, recipients, server,
    sheet::{Sheet, address, texts},
    shell::{NoKey, lost, page},
    step::Step,
    test,
};
use crate::{
    api::{Failure, Origin, ProfileSetup, ProfileWish, Reply, Request},
    console::{
        answers::see,
        form::link,
        frame::Place,
        runs::run_now,
        said::of_field,
        visitor::{Answered, Visitor},
    },
    web::Refused,
};

/// Begins a draft: of a new profile, or of one that is kept.
pub async fn begin(drafts: Drafts, visitor: Visitor) -> Answered {
    let like = visitor.form.some("like");
    let known = setups(&visitor, like.clone()).await?;
    let draft = match like {
        None => Draft::new(&known.into_iter().map(|setup| setup.name).collect::<Vec<_>>()),
        Some(_) => match known.into_iter().find(|setup| setup.origin == Origin::Catalog) {
            Some(setup) => Draft::of(setup),
            None => return Err(Refused::new(StatusCode::CONFLICT).because(texts(&visitor.face).file_means)),
        },
    };
    let failed = |error| Refused::new(StatusCode::SERVICE_UNAVAILABLE).because(error);
    let number = drafts.begin(session(&visitor), draft).map_err(failed)?;
    Ok(see(&address(&number, Step::Server)))
}

/// The step that an address names.
fn step_of(visitor: &Visitor) -> Result<Step, Refused> {
    Step::of_word(visitor.visit.named("step")).ok_or_else(|| Refused::new(StatusCode::NOT_FOUND))
}

pub async fn show(drafts: Drafts, visitor: Visitor) -> Answered {
    visitor.require(Place::Profiles)?;
    let (number, step) = (visitor.visit.named("draft").to_owned(), step_of(&visitor)?);
    let Some(draft) = drafts.with(session(&visitor), &number, |draft| draft.clone()) else {
        return Ok(lost(&visitor.face, drafts.became(session(&visitor), &number)));
    };
    let wrong = match visitor.query.get("check") {
        "" => Vec::new(),
        _ => faults(&visitor, &draft).await?,
    };
    let wrong: Vec<_> = wrong.into_iter().filter(|failure| place_of(failure) == step).collect();
    let no_key = match step {
        Step::Server => no_key(&visitor).await?,
        _ => NoKey(None),
    };
    let same_mailbox = match step {
        Step::Server | Step::Test | Step::Finish => same_mailbox(&setups(&visitor, None).await?, &draft),
        _ => None,
    };
    let sheet = Sheet {
        face: &visitor.face,
        draft: &draft,
        number: &number,
        wrong: &wrong,
        same_mailbox,
    };
    Ok(page(&visitor, &sheet, step, &no_key))
}

/// Another profile that fetches from the mailbox of a draft.
fn same_mailbox(known: &[ProfileSetup], draft: &Draft) -> Option<String> {
    let of = |keys: &Value| {
        let text = |key: &str| keys["server"][key].as_str().unwrap_or_default().to_owned();
        (text("host").to_lowercase(), text("username"))
    };
    let mailbox = of(&draft.keys);
    if mailbox.0.is_empty() || mailbox.1.is_empty() {
        return None;
    }
    let mut others = known.iter().filter(|setup| draft.like.as_ref() != Some(&setup.name));
    others
        .find(|setup| of(&setup.profile) == mailbox)
        .map(|setup| setup.name.clone())
}

pub async fn events(drafts: Drafts, visitor: Visitor) -> Answered {
    visitor.require(Place::Profiles)?;
    let (number, step) = (visitor.visit.named("draft").to_owned(), step_of(&visitor)?);
    match step {
        Step::Test | Step::Rehearsal => watched(visitor, &drafts, &number, step).await,
        _ => Err(Refused::new(StatusCode::NOT_FOUND)),
    }
}

/// The step that is about what is wrong.
fn place_of(failure: &Failure) -> Step {
    failure.key.as_deref().map_or(Step::Server, Step::of_key)
}

/// All that is wrong with a draft.
async fn faults(visitor: &Visitor, draft: &Draft) -> Result<Vec<Failure>, Refused> {
    let w = texts(&visitor.face);
    let mut wrong: Vec<_> = server::left_open(draft, w).into_iter().collect();
    for failure in check(visitor, draft).await? {
        wrong.push(match failure.key.as_deref() {
            // The check names what a file may have in its place, which is not asked for here.
            Some(PASSWORD) if server::has_no_password(draft) => of_field(PASSWORD, w.no_password),
            _ => failure,
        });
    }
    if folders::names_none(draft) {
        wrong.push(of_field("folders.include", w.no_folder_chosen));
    }
    Ok(wrong)
}

/// Keeps what was typed, and does what was asked for.
pub async fn take(drafts: Drafts, visitor: Visitor) -> Answered {
    visitor.require(Place::Profiles)?;
    let (number, step) = (visitor.visit.named("draft").to_owned(), step_of(&visitor)?);
    if visitor.form.get("go") == "discard" {
        drafts.end(session(&visitor), &number);
        return Ok(see("/console/archive-mail"));
    }
    let known = setups(&visitor, None).await?;
    let names: Vec<_> = known.into_iter().map(|setup| setup.name).collect();
    let form = &visitor.form;
    let kept = drafts.with(session(&visitor), &number, |draft| {
        match step {
            Step::Server => server::take(form, draft, &names),
            Step::Folders => folders::take(form, draft),
            Step::Recipients => recipients::take(form, draft),
            Step::Keeping => keeping::take(form, draft),
            Step::Test | Step::Rehearsal | Step::Finish => {}
        }
        draft.clone()
    });
    let Some(draft) = kept else {
        return Ok(lost(&visitor.face, drafts.became(session(&visitor), &number)));
    };
    let go = form.get("go");
    let here = || Ok(see(&address(&number, step)));
    match (step, go) {
        (Step::Test, "trust" | "ignore") => {
            drafts.with(session(&visitor), &number, |draft| test::trust(form, draft));
            return here();
        }
        (Step::Test | Step::Rehearsal, "begin") => {
            try_out(&visitor, &drafts, &number, step).await?;
            return here();
        }
        (Step::Server, "microsoft" | "google") => return here(),
        (Step::Server, "code" | "logged-in") => return by_code(&visitor, &drafts, draft, &number).await,
        (Step::Recipients, "proposal") => {
            drafts.with(session(&visitor), &number, |draft| {
                if let Some(tested) = draft.tested.clone() {
                    draft.take_proposal(&tested);
                }
            });
            return here();
        }
        _ => {}
    }
    let goal = Step::of_word(go);
    if let Some(goal) = goal.filter(|goal| *goal < step) {
        return Ok(see(&address(&number, goal)));
    }
    // Nobody comes past what is wrong; what a later step is about may be put right there.
    // It is said at an address of its own, so that a browser can go back to it and read it again.
    let wrong = faults(&visitor, &draft).await?;
    if let Some(at) = wrong.iter().map(place_of).min().filter(|at| *at <= step) {
        return Ok(see(&link(&address(&number, at), &[("check", "1")])));
    }
    match (step, go) {
        (Step::Recipients, "try") => {
            try_out(&visitor, &drafts, &number, Step::Test).await?;
            here()
        }
        (Step::Finish, _) if goal.is_none() => finish(&visitor, &drafts, &draft, &number).await,
        _ => {
            // Whoever goes on with some ticked means them, too.
            let at = match go {
                "users" => step,
                _ => goal.or(step.next()).unwrap_or(step),
            };
            match step {
                Step::Recipients => make_users(&visitor, &drafts, &number, at).await,
                _ => Ok(see(&address(&number, at))),
            }
        }
    }
}

/// Gives a code by which somebody logs in, or keeps the token that they got by it.
async fn by_code(visitor: &Visitor, drafts: &Drafts, mut draft: Draft, number: &str) -> Answered {
    let code = draft.code.as_ref().map(|line| line.code.clone());
    let code = code.filter(|_| visitor.form.get("go") == "logged-in");
    let (replies, failure) = match server::left_open(&draft, texts(&visitor.face)) {
        Some(open) => (Vec::new(), Some(open)),
        None => log_in_by_code(visitor, &draft, code).await?,
    };
    let failure = match replies.into_iter().next() {
        Some(Reply::Code(line)) => {
            draft.code = Some(line);
            None
        }
        Some(Reply::LoggedIn(Some(token))) => {
            draft.set_secret(REFRESH_TOKEN, token.reveal());
            (draft.code, draft.tested) = (None, None);
            None
        }
        _ => failure.or_else(|| Some(of_field(REFRESH_TOKEN, texts(&visitor.face).not_logged_in_yet))),
    };
    if let Some(failure) = failure {
        return Ok(again(visitor, &draft, number, Step::Server, &failure));
    }
    drafts.with(session(visitor), number, |kept| *kept = draft);
    Ok(see(&format!("{}#code", address(number, Step::Server))))
}

fn again(visitor: &Visitor, draft: &Draft, number: &str, step: Step, failure: &Failure) -> actix_web::HttpResponse {
    let sheet = Sheet {
        face: &visitor.face,
        draft,
        number,
        wrong: std::slice::from_ref(failure),
        same_mailbox: None,
    };
    page(visitor, &sheet, step, &NoKey(None))
}

/// Makes users of those addresses that are ticked; then the newest messages are looked at again, and one goes to a step,
/// or stays where some could not be made.
async fn make_users(visitor: &Visitor, drafts: &Drafts, number: &str, at: Step) -> Answered {
    let wanted = drafts.with(session(visitor), number, |draft| {
        draft.made.clear();
        let is_sent = |address: &str| visitor.form.all("make").any(|sent| sent == address);
        let wanted = draft.to_make.iter().filter(|(address, _)| is_sent(address));
        wanted
            .map(|(address, one)| (address.clone(), one.name.clone()))
            .collect()
    });
    let wanted: Vec<_> = wanted.unwrap_or_default();
    if wanted.is_empty() {
        return Ok(see(&address(number, at)));
    }
    let mut all_made = true;
    for (of, name) in wanted {
        let request = Request::AddUser {
            name: name.clone(),
            addresses: vec![of.clone()],
            no_count: true,
        };
        let (_, not_made) = visitor.visit.ask_for_what_there_is(request).await?;
        all_made &= not_made.is_none();
        drafts.with(session(visitor), number, |draft| match not_made {
            None => {
                draft.to_make.remove(&of);
                draft.made.push(name);
            }
            Some(_) => drop(draft.to_make.get_mut(&of).map(|one| one.not_made = not_made)),
        });
    }
    try_out(visitor, drafts, number, Step::Test).await?;
    let at = if all_made { at } else { Step::Recipients };
    Ok(see(&link(&address(number, at), &[("done", "users")])))
}

/// Keeps the profile, and runs it.
async fn finish(visitor: &Visitor, drafts: &Drafts, draft: &Draft, number: &str) -> Answered {
    let name = draft.name().to_owned();
    let wish = match draft.like {
        None => ProfileWish::Add(draft.written()),
        Some(_) => ProfileWish::Change(draft.written()),
    };
    let request = Request::ChangeProfile {
        name: name.clone(),
        wish,
    };
    if let (_, Some(failure)) = visitor.visit.ask_for_what_there_is(request).await? {
        return Ok(again(visitor, draft, number, Step::Finish, &failure));
    }
    drafts.finish(session(visitor), number, &name);
    if visitor.form.get("run") == "now" {
        return run_now(visitor, name).await;
    }
    Ok(visitor.done("/console/archive-mail", "saved"))
}
