use super::*;

const ERRORS: When = When {
    always: false,
    errors: true,
    daily: false,
};

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + 60 * minutes).unwrap()
}

fn run(state: RunState, error: &str) -> Run {
    let mut run = Run::begin("company", at(0));
    run.state = state;
    run.finished_at = Some(at(0));
    if !error.is_empty() {
        run.error("", "", "connect", error);
    }
    run
}

/// Judges a run, and has its mail sent.
fn told(noted: &mut Noted, run: &Run, minutes: i64) -> Option<Occasion> {
    let occasion = noted.judge(run, ERRORS, at(minutes))?;
    noted.sent(run, &occasion, at(minutes));
    Some(occasion)
}

#[test]
fn what_fails_every_quarter_of_an_hour_is_told_once_a_day_and_when_it_is_over() {
    let (mut noted, since) = (Noted::default(), at(0));
    let good = run(RunState::Completed, "");
    let refused = |n: i64| run(RunState::Failed, &format!("refused, try {n}"));
    assert_eq!(told(&mut noted, &good, 0), None);
    let mails: Vec<_> = (0..200)
        .filter_map(|n| Some((n, told(&mut noted, &refused(n), 15 * n)?)))
        .collect();
    assert_eq!(
        mails,
        [
            (0, Occasion::Begins),
            (92, Occasion::Lasts { since }),
            (184, Occasion::Lasts { since })
        ]
    );
    // It is kept over a restart.
    let mut noted: Noted = serde_json::from_str(&serde_json::to_string(&noted).unwrap()).unwrap();
    assert_eq!(told(&mut noted, &refused(200), 3000), None);
    let interrupted = run(RunState::Interrupted, "");
    assert_eq!(told(&mut noted, &interrupted, 3001), None);
    assert_eq!(told(&mut noted, &good, 3002), Some(Occasion::Over { since }));
    assert_eq!(told(&mut noted, &good, 3003), None);
    assert_eq!(told(&mut noted, &refused(1), 3004), Some(Occasion::Begins));
}

#[test]
fn a_reason_that_changes_is_no_mail_of_its_own() {
    let mut noted = Noted::default();
    let mails = (0..60).filter_map(|n| told(&mut noted, &run(RunState::Failed, &format!("words {n}")), n));
    assert_eq!(mails.collect::<Vec<_>>(), [Occasion::Begins]);
}

#[test]
fn what_an_older_version_noted_of_a_trouble_is_read() {
    let kept = r#"{"digests": {}, "troubles": {"company": {"since": "2023-11-14T22:13:20Z", "reason": "x",
        "told": ["2023-11-14T22:13:20Z", "2023-11-14T22:23:20Z"]}},
        "told": {"company": {"at": "2023-11-14T22:23:20Z", "left_out": 2}}}"#;
    let mut noted: Noted = serde_json::from_str(kept).unwrap();
    assert_eq!(told(&mut noted, &run(RunState::Failed, "y"), 20), None);
    let lasts = Occasion::Lasts { since: at(0) };
    assert_eq!(told(&mut noted, &run(RunState::Failed, "y"), 24 * 60), Some(lasts));
}

#[test]
fn a_mail_that_was_not_sent_is_due_with_the_next_run() {
    let mut noted = Noted::default();
    let failed = run(RunState::Failed, "refused");
    for minutes in 0..3 {
        assert_eq!(noted.judge(&failed, ERRORS, at(minutes)), Some(Occasion::Begins));
    }
    assert_eq!(
        noted.judge(&run(RunState::Completed, ""), ERRORS, at(4)),
        None,
        "nobody heard of it"
    );
    assert_eq!(noted, Noted::default());
}

#[test]
fn always_is_after_each_run_and_an_import_hides_no_trouble() {
    let always = When {
        always: true,
        ..When::default()
    };
    let mut noted = Noted::default();
    for state in [
        RunState::Completed,
        RunState::Failed,
        RunState::Interrupted,
        RunState::Failed,
    ] {
        assert_eq!(noted.judge(&run(state, ""), always, at(0)), Some(Occasion::Always));
    }
    let mut noted = Noted::default();
    assert_eq!(told(&mut noted, &run(RunState::Failed, "x"), 0), Some(Occasion::Begins));
    let mut import = run(RunState::Completed, "");
    import.import = vec!["/srv/mail".into()];
    assert_eq!(told(&mut noted, &import, 1), None);
    import.state = RunState::CompletedWithErrors;
    assert_eq!(told(&mut noted, &import, 2), Some(Occasion::Always));
    assert_eq!(told(&mut noted, &run(RunState::Failed, "x"), 3), None);
    assert_eq!(noted.judge(&run(RunState::Failed, "x"), When::default(), at(0)), None);
}

const ALWAYS: When = When {
    always: true,
    errors: false,
    daily: false,
};

#[test]
fn a_run_that_a_mail_about_a_run_makes_has_none_itself() {
    let mut noted = Noted::default();
    // The mail comes into the mailbox that is archived, which takes a minute.
    let mails = (0..45).filter(|minutes| {
        let run = run(RunState::Completed, "");
        let occasion = noted.judge(&run, ALWAYS, at(*minutes));
        if let Some(occasion) = &occasion {
            noted.sent(&run, occasion, at(*minutes));
        }
        occasion.is_some()
    });
    assert_eq!(mails.collect::<Vec<_>>(), [0, 15, 30]);
    // What is new is told at once, and what is not is no mail a minute either.
    let mails = (45..60).filter(|minutes| {
        let run = match minutes {
            45..55 => run(RunState::Failed, "refused"),
            _ => run(RunState::Completed, ""),
        };
        let occasion = noted.judge(&run, ALWAYS, at(*minutes));
        if let Some(occasion) = &occasion {
            noted.sent(&run, occasion, at(*minutes));
        }
        occasion.is_some()
    });
    assert_eq!(mails.collect::<Vec<_>>(), [45, 55]);
    assert_eq!(noted.judge(&run(RunState::Completed, ""), ALWAYS, at(59)), None);
    // A clock that was set back.
    assert!(noted.judge(&run(RunState::Completed, ""), ALWAYS, at(-600)).is_some());
}

fn settings(notify: serde_json::Value) -> Settings {
    let mail = serde_json::json!({
        "host": "mail.example.com",
        "from": "dropkeep@example.com",
        "to": ["jane@example.com"],
    });
    Settings {
        mail: serde_json::from_value(mail).unwrap(),
        webhook: None,
        profiles: [("company".into(), serde_json::from_value(notify).unwrap())].into(),
        by_hand: Default::default(),
    }
}

#[test]
fn a_profile_of_which_nobody_was_told_for_a_while_begins_anew() {
    let failed = run(RunState::Failed, "refused");
    for off in [
        settings(serde_json::json!({ "when": "daily" })),
        settings(serde_json::json!({ "when": "never" })),
        Settings::default(),
    ] {
        let mut noted = Noted::default();
        assert_eq!(told(&mut noted, &failed, 0), Some(Occasion::Begins));
        noted.retain(&settings(serde_json::json!({})));
        assert_eq!(told(&mut noted, &failed, 1), None);
        noted.retain(&off);
        assert_eq!(told(&mut noted, &failed, 2), Some(Occasion::Begins));
    }
}

#[test]
fn a_list_of_recipients_that_is_new_goes_on_where_the_others_are() {
    let mut noted = Noted::default();
    let mut lists = |lists: &[&str], minutes: i64| {
        let now = at(minutes);
        noted.digests_for(lists.iter().map(|list| (*list).to_owned()), now, now);
        let digests = noted.digests.iter();
        digests
            .map(|(list, digested)| (list.clone(), at(0).duration_until(digested.until).as_secs()))
            .collect::<Vec<_>>()
    };
    assert_eq!(lists(&["jane"], 0), [("jane".to_owned(), -1)]);
    assert_eq!(
        lists(&["jane, bob", "john"], 60),
        [("jane, bob".to_owned(), -1), ("john".to_owned(), -1)]
    );
    assert_eq!(lists(&[], 60), []);
    assert_eq!(lists(&["jane"], 60), [("jane".to_owned(), 3599)]);
    // A clock that was set back.
    assert_eq!(lists(&["jane"], 30), [("jane".to_owned(), 1799)]);
}
