//! Many cases of one test: several at a time, and each whatever became of the others.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Mutex,
    thread,
};

/// Does the work for each case, so many at a time, and gives what came of it.
pub fn side_by_side<C: Send, R: Send>(
    cases: impl IntoIterator<Item = C, IntoIter: Send>,
    at_once: usize,
    work: impl Fn(C) -> R + Sync,
) -> Vec<R> {
    let cases = Mutex::new(cases.into_iter());
    let next = || cases.lock().expect("the cases").next();
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(case) = next() {
                    let result = work(case);
                    done.lock().expect("the results").push(result);
                }
            });
        }
    });
    done.into_inner().expect("the results")
}

/// Why work panicked; `None` where it did not.
pub fn panic_of(work: impl FnOnce()) -> Option<String> {
    let why = catch_unwind(AssertUnwindSafe(work)).err()?;
    Some(words(&*why).unwrap_or_default())
}

fn words(why: &(dyn Any + Send)) -> Option<String> {
    let literal = || why.downcast_ref::<&str>().map(|words| (*words).to_owned());
    why.downcast_ref::<String>().cloned().or_else(literal)
}
