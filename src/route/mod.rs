//! From addresses to archives: the directory, the decision, and the router actor.

mod decision;
mod directory;
mod router;

pub use decision::{Decision, Routing, decide};
pub use directory::{Directory, Known};
pub use router::{GetDirectory, IsUnknown, PutUser, Route, RouteError, Routed, Router, RunEnded};
