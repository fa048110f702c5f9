use futures_util::FutureExt;

use super::*;
use crate::source::Listing;

/// Has these UIDs fetched, so many at a time.
fn fetch(jobs: &Jobs, uids: std::ops::Range<u32>, size: usize) {
    fetch_of(jobs, 7, uids, size);
}

fn fetch_of(jobs: &Jobs, uidvalidity: u32, uids: std::ops::Range<u32>, size: usize) {
    let folder = ListedFolder {
        name: "INBOX".into(),
        number: FolderNumber(1),
        uidvalidity: Some(uidvalidity),
        names: Names::None,
        inexact: false,
        before: jobs.before("INBOX"),
        session: 1,
    };
    let copies: Vec<CopyRef> = uids.clone().map(CopyRef::Uid).collect();
    let open = Open {
        listing: Arc::new(Listing::of(&copies)),
        left: uids.collect(),
    };
    jobs.fetch(Arc::new(folder), open, size);
}

fn fetched(job: Option<Job>) -> Unit {
    match job {
        Some(Job::Fetch(unit)) => unit,
        _ => panic!("no unit"),
    }
}

#[tokio::test]
async fn what_a_lost_connection_held_is_done_by_another_without_what_was_told() {
    let jobs = Jobs::default();
    jobs.list(vec!["Sent".into()]);
    fetch(&jobs, 1..5, 4);
    let held = fetched(jobs.next(0).await);
    held.told().add(0);
    held.told().add(2);
    assert_eq!(jobs.give_back(0, &"cut".into(), false), GivenBack::Progress);
    let held = fetched(jobs.next(1).await);
    // The one that was being fetched is tried again behind the other.
    assert_eq!((held.copies, held.losses.count), ([4, 2].map(CopyRef::Uid).to_vec(), 1));
    assert_eq!(jobs.give_back(1, &"cut".into(), false), GivenBack::Nothing);
    // Both are suspect now, and one after the other is brought to its end.
    assert_eq!(fetched(jobs.next(1).await).copies, [4, 2].map(CopyRef::Uid));
    assert!(matches!(jobs.next(1).await, Some(Job::List(..))));
    assert!(jobs.next(1).await.is_none() && jobs.is_done());
}

#[tokio::test]
async fn who_has_nothing_to_do_waits_for_what_another_may_find() {
    let jobs = Jobs::default();
    jobs.list(vec!["INBOX".into()]);
    assert!(matches!(jobs.next(0).await, Some(Job::List(..))));
    let mut idle = Box::pin(jobs.next(1));
    assert!(idle.as_mut().now_or_never().is_none());
    fetch(&jobs, 1..5, 4);
    assert_eq!(fetched(idle.await).copies.len(), 4);
    let mut first = Box::pin(jobs.next(0));
    assert!(
        first.as_mut().now_or_never().is_none(),
        "the other may yet give its own back"
    );
    assert!(jobs.next(1).await.is_none());
    assert!(first.await.is_none());
}

#[tokio::test]
async fn a_folder_that_is_another_one_is_listed_again_and_not_for_ever() {
    let jobs = Jobs::default();
    fetch(&jobs, 1..9, 4);
    for uidvalidity in 0..MOST_LISTINGS {
        assert!(jobs.list_again(&fetched(jobs.next(0).await)));
        assert!(matches!(jobs.next(0).await, Some(Job::List(..))));
        // It may have one again that it had.
        fetch_of(&jobs, uidvalidity % 2, 1..9, 4);
    }
    assert!(!jobs.list_again(&fetched(jobs.next(0).await)));
}

#[tokio::test]
async fn a_folder_that_was_replaced_once_was_listed_again_by_each_connection() {
    let jobs = Jobs::default();
    fetch(&jobs, 1..17, 4);
    let mut held = Vec::new();
    for lane in 0..4 {
        held.push(fetched(jobs.next(lane).await));
    }
    assert!(jobs.list_again(&held[0]));
    assert!(matches!(jobs.next(0).await, Some(Job::List(..))));
    fetch_of(&jobs, 8, 1..17, 16);
    for (lane, unit) in (1..).zip(&held[1..]) {
        assert!(jobs.list_again(unit), "{lane}");
    }
    assert_eq!(fetched(jobs.next(0).await).copies.len(), 16);
}

#[tokio::test]
async fn a_copy_over_which_three_connections_are_lost_is_given_up_and_holds_no_other_up() {
    let jobs = Jobs::default();
    fetch(&jobs, 1..4, 4);
    // The first is the bad one; the others come in between.
    assert!(matches!(jobs.next(0).await, Some(Job::Fetch(_))));
    assert_eq!(jobs.give_back(0, &"cut".into(), false), GivenBack::Nothing);
    let second = fetched(jobs.next(0).await);
    assert_eq!(second.copies, [2, 3, 1].map(CopyRef::Uid));
    second.told().add(0);
    second.told().add(1);
    assert_eq!(jobs.give_back(0, &"cut".into(), false), GivenBack::Progress);
    assert_eq!(fetched(jobs.next(0).await).losses.count, 2);
    jobs.give_back(0, &"cut".into(), false);
    let third = fetched(jobs.next(0).await);
    assert!(third.losses.are_too_many() && &*third.losses.why == "cut");
    third.told().give_up();
    third.told().add(0);
    assert_eq!(jobs.give_back(0, &"cut".into(), false), GivenBack::GivenUp);
    assert!(jobs.next(0).await.is_none());
}

#[tokio::test]
async fn what_a_connection_ended_before_it_was_lost_is_progress() {
    let jobs = Jobs::default();
    fetch(&jobs, 1..3, 1);
    fetched(jobs.next(0).await).told().add(0);
    assert!(matches!(jobs.next(0).await, Some(Job::Fetch(_))));
    assert_eq!(jobs.give_back(0, &"cut".into(), false), GivenBack::Progress);
    assert!(matches!(jobs.next(0).await, Some(Job::Fetch(_))));
    assert_eq!(jobs.give_back(0, &"cut".into(), false), GivenBack::Nothing);
}

#[tokio::test]
async fn a_server_that_asks_to_wait_is_not_at_fault_for_long() {
    let jobs = Jobs::default();
    fetch(&jobs, 1..2, 1);
    for _ in 0..Losses::MOST_WAITS {
        assert!(!fetched(jobs.next(0).await).losses.are_too_many());
        jobs.give_back(0, &"later".into(), true);
    }
    assert!(fetched(jobs.next(0).await).losses.are_too_many());
    jobs.give_back(0, &"cut".into(), false);
    assert_eq!(jobs.give_up_folder().as_deref(), Some("INBOX"));
    assert!(jobs.next(0).await.is_none());
}
