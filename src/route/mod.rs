//! From addresses to archives: the directory, the decision, and the router actor.

mod archives;
mod decision;
mod directory;
mod filing;
mod made;
mod managed;
mod passed;
mod prepared;
mod preview;
mod routed;
mod router;
mod rule;
mod signs;
mod swap;
mod take_over;
mod users;
mod users_file;

pub use decision::{Assigned, Deciding, Decision, Nobody, Routing, Stranger, StrangerPlace, decide, look_through};
pub use directory::{Directory, Known};
pub use made::{ChangeUser, RunEnded};
pub use managed::{ChangedUsers, changed_users, managed};
pub use passed::{Passed, addressees, twin};
pub use prepared::{Held, Prepared};
pub use preview::{Previewed, PreviewedUser, preview};
pub use routed::{RouteError, Routed};
pub use router::{Heartbeat, Preview, Route, Router};
pub use rule::Rule;
pub use signs::Signs;
pub use swap::{AsItStands, PutIgnored};
pub use take_over::{TakeOver, directory_of, put_users};
pub use users::{UserChange, UserError, imported};
pub use users_file::{LookAtUsers, LookNoMore, TellGained, UsersFile, settled};
