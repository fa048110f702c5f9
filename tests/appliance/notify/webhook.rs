use crate::{
    notify::{Site, counted, hook::Hook},
    support::appliance::PROFILE,
};

#[test]
fn it_is_told_what_protocols_prints() {
    let (site, hook) = (Site::new(), Hook::start(None));
    site.configure(&hook.toml("token = \"t0ken\""), &site.good(), "");
    let printed = site.appliance.done(&["archive", PROFILE, "--json"]).json();
    let call = hook.calls(1).remove(0);
    assert_eq!(call.request.line, "POST /runs?from=here HTTP/1.1");
    assert_eq!(
        (call.request.field("authorization"), call.request.field("content-type")),
        ("Bearer t0ken", "application/json")
    );
    assert_eq!(call.body, printed);
    assert_eq!(call.body, site.appliance.done(&["protocols", "1", "--json"]).json());
    assert_eq!(call.body["archived"], 2);
}

#[test]
fn only_failures_where_that_is_asked_for() {
    let (site, hook) = (Site::new(), Hook::start(None));
    site.configure(&hook.toml("when = \"errors\""), &site.good(), "");
    site.appliance.done(&["archive", PROFILE]);
    site.configure(&hook.toml("when = \"errors\""), &site.refused(), "");
    site.appliance.run(&["archive", PROFILE]).expect(3);
    let call = hook.calls(1).remove(0);
    assert_eq!(
        (call.body["state"].as_str(), call.body["run"].as_u64()),
        (Some("failed"), Some(2))
    );
    assert_eq!(call.body["errors"][0]["stage"], "login");
}

#[test]
fn what_passes_is_called_again_and_nothing_waits_for_it() {
    let (site, hook) = (Site::new(), Hook::start(None));
    site.configure(&hook.toml("timeout = \"10s\""), &site.good(), "");
    let serving = site.appliance.serve();
    let counted = |result: &str, count| counted(&serving, "webhook", result, count);
    let answers = [None, Some("503 Busy\r\nRetry-After: 0\r\n".to_owned())];
    hook.state().answers.extend(answers);
    site.appliance.done(&["archive", PROFILE]);
    counted("sent", 1);
    assert_eq!(hook.calls(3)[2].body["run"], 1);
    // Somewhere else, and a refusal: neither is tried again.
    let answers = [
        "302 Found\r\nLocation: http://127.0.0.1/there?key=s3cret\r\n",
        "400 Bad Request\r\n",
    ];
    hook.state()
        .answers
        .extend(answers.map(|answer| Some(answer.to_owned())));
    for failed in [1, 2] {
        site.appliance.done(&["archive", PROFILE]);
        counted("failed", failed);
    }
    hook.calls(5);
    let said = serving.stop().expect(0).stderr;
    assert!(
        said.contains("a redirect to http://127.0.0.1/…, which is not followed: set url to it")
            && !said.contains("s3cret")
            && said.contains("400 Bad Request"),
        "{said}"
    );
}
