//! From addresses to archives: the directory, the decision, and the router actor.

mod decision;
mod directory;
mod prepared;
mod router;
mod users;

pub use decision::{Decision, Routing, decide};
pub use directory::{Directory, Known};
pub use prepared::Prepared;
pub use router::{ChangeUser, IsUnknown, Route, RouteError, Routed, Router, RunEnded};
pub use users::{UserChange, UserError};
