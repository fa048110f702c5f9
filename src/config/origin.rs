//! Where a profile stands.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a profile or a list stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// In the configuration file, where it is changed.
    #[default]
    File,
    /// In the catalog of the archive.
    Catalog,
}
