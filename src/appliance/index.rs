//! How the search index stands, and making it anew.

use tokio::sync::mpsc;

use super::state::Appliance;
use crate::{
    api::{Failure, IndexLine, Reply},
    panics::blocking,
    search::{Search, SearchError, Standing},
};

impl Appliance {
    pub(super) async fn index(&self, replies: &mpsc::Sender<Reply>) -> Result<(), Failure> {
        let line = index_line(&self.search).await?;
        // Whoever asked may be gone.
        let _ = replies.send(Reply::Index(Box::new(line))).await;
        Ok(())
    }

    pub(super) async fn rebuild_index(&self, replies: &mpsc::Sender<Reply>) -> Result<(), Failure> {
        if !self.config().search.enabled {
            return Err(Failure::usage(
                "there is no search index: `enabled` in [search] is false",
            ));
        }
        self.search.rebuild();
        self.catch_up(replies).await?;
        self.index(replies).await
    }

    /// Has all found that is in the archive by now, and tells how far that is.
    ///
    /// # Errors
    /// It cannot be, or was interrupted.
    pub(super) async fn catch_up(&self, replies: &mpsc::Sender<Reply>) -> Result<(), Failure> {
        self.search.start()?;
        let tell = |standing: &Standing| {
            // Where nobody takes them at once, later ones say the same.
            let _ = replies.try_send(Reply::Indexing {
                done: standing.documents + standing.pending,
                expected: standing.messages,
            });
        };
        Ok(self.search.up_to_date(tell).await?)
    }
}

/// How the index stands, in short.
pub(super) async fn index_line(search: &Search) -> Result<IndexLine, Failure> {
    let search = search.clone();
    let standing = blocking("looking at the search index", move || search.standing()).await?;
    Ok(match standing {
        Ok(standing) => standing.into(),
        // It is said, and no reason not to say all else.
        Err(error @ (SearchError::Damaged { .. } | SearchError::Io { .. } | SearchError::Library { .. })) => {
            let why = error.to_string();
            let standing = Standing {
                why,
                ..Standing::default()
            };
            standing.into()
        }
        Err(error) => return Err(error.into()),
    })
}
