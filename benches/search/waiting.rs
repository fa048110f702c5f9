//! Waits until an index has all that is archived.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{appliance::number, control};

/// However much it is, it comes within that.
const PATIENCE: Duration = Duration::from_secs(7_200);

/// How the index stands.
fn standing(data: &Path) -> Value {
    let replies = control::ask(data, &json!("index")).expect("an answer");
    let standing = replies
        .into_iter()
        .find_map(|mut reply| reply.get_mut("index").map(Value::take));
    standing.expect("how the index stands")
}

/// Waits until all groups are found.
pub fn indexed(data: &Path) -> Value {
    let begun = Instant::now();
    loop {
        let standing = standing(data);
        if number(&standing, "behind") == 0 && number(&standing, "documents") > 0 {
            return standing;
        }
        assert!(begun.elapsed() < PATIENCE, "{standing}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
