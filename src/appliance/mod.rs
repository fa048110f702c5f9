//! The appliance: the only wiring. It starts the stages over an opened store (`start`) and is asked for everything
//! through one door (`answer`), whatever way a request comes.

mod answer;
mod backlog;
mod errands;
mod heartbeat;
mod history;
mod ignored;
mod import;
mod index;
mod lists;
mod notices;
mod profiles;
mod reload;
mod requests;
mod rerouted;
mod runs;
mod start;
mod state;
mod status;
mod supervised;
mod told;
mod trials;
mod upkeep;
mod users;

pub use self::{
    answer::{Answer, Unanswered},
    requests::Requests,
    state::{Appliance, Asked},
    users::{changed_users, take_over_users},
};

#[cfg(test)]
mod rights_tests;
#[cfg(test)]
mod tests;
