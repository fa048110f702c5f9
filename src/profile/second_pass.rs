//! The second pass of a run: deletion in every folder, over one connection after another where they are lost.

use actix::Addr;

use super::{
    collect_error::CollectError,
    connection::{Close, Connection, Remove},
    deletion::folder_error,
    fleet::Fleet,
    progress::Progress,
    retry::{BUSY, BUSY_MOST, LOST},
    run_error::RunError,
};
use crate::{
    config::DeleteWhen,
    report::{CopyError, DeletedCopy},
    said::{Said, Say, said},
    source::{Disposition, SourceError},
};

/// Connections that may be lost in a row over one folder.
const ATTEMPTS: u32 = 3;

impl Fleet {
    pub fn deletes(&self) -> bool {
        self.task().profile.delete.when == DeleteWhen::Archived
    }

    /// Deletes in these folders what is due. What goes wrong at the server is told, and ends nothing: what is not
    /// deleted now is in the next run. Gives the folders in which mail was found that is yet to be archived.
    ///
    /// # Errors
    /// The store fails, or the run was interrupted.
    pub async fn delete(
        &self,
        folders: Vec<String>,
        mut connection: Option<Addr<Connection>>,
    ) -> Result<Vec<String>, RunError> {
        let (mut marked, mut reopened) = (Vec::new(), Vec::new());
        for folder in folders {
            let mut losses = 0;
            let error = loop {
                let current = match connection.take() {
                    Some(current) => current,
                    None => match self.connect(0, None).await? {
                        Ok(current) => current,
                        Err(error) => {
                            self.tell_error(nowhere(said!(
                                DeletionStopped,
                                "stopped deleting for this run: {0}",
                                error.said()
                            )))
                            .await?;
                            return Ok(reopened);
                        }
                    },
                };
                match current
                    .send(Remove { folder: folder.clone() })
                    .await
                    .map_err(|_| RunError::Fault)?
                {
                    Ok(more) => {
                        marked.extend(more.marked);
                        if more.reopened > 0 {
                            reopened.push(folder.clone());
                        }
                        connection = Some(current);
                        break None;
                    }
                    Err(CollectError::Source(error)) if error.wait().is_some() && losses + 1 < ATTEMPTS => {
                        losses += 1;
                        let suggested = error.wait().and_then(|wait| wait.suggested);
                        connection = (error.disposition() == Disposition::Report).then_some(current);
                        self.rest(suggested.unwrap_or_else(|| BUSY.after(losses)).min(BUSY_MOST))
                            .await?;
                    }
                    Err(CollectError::Source(error)) if error.disposition() == Disposition::Report => {
                        connection = Some(current);
                        break Some(error);
                    }
                    Err(CollectError::Source(error)) => {
                        losses += 1;
                        if losses >= ATTEMPTS {
                            break Some(error);
                        }
                        tracing::warn!(%error, profile = self.task().profile.name, run = self.task().run.0, folder, "the connection is lost while copies are deleted");
                        self.pause(LOST.after(losses)).await?;
                    }
                    Err(error) => return Err(error.into()),
                }
            };
            if let Some(error) = error {
                self.tell_error(folder_error(&folder, &error)).await?;
            }
        }
        self.close(connection, marked).await?;
        Ok(reopened)
    }

    /// Ends the session, which is when a POP3 server deletes what is marked.
    async fn close(&self, connection: Option<Addr<Connection>>, marked: Vec<DeletedCopy>) -> Result<(), RunError> {
        let Some(connection) = connection else { return Ok(()) };
        match connection.send(Close).await.map_err(|_| RunError::Fault)? {
            Ok(()) if marked.is_empty() => Ok(()),
            Ok(()) => {
                self.tell_all(Progress {
                    deleted: marked,
                    ..Progress::default()
                })
                .await
            }
            Err(CollectError::Source(error)) if !marked.is_empty() => {
                self.tell_error(unconfirmed(marked.len(), &error)).await
            }
            // Its answer says nothing that counts: all is committed.
            Err(_) => Ok(()),
        }
    }

    async fn tell_error(&self, error: CopyError) -> Result<(), RunError> {
        let errors = vec![error];
        self.tell_all(Progress {
            errors,
            ..Progress::default()
        })
        .await
    }
}

fn nowhere(error: Said) -> CopyError {
    CopyError::new("", "", crate::report::DELETION, error)
}

fn unconfirmed(marked: usize, error: &SourceError) -> CopyError {
    nowhere(said!(
        DeletionUnconfirmed,
        "{0} copies were marked for deletion, but the server did not confirm it: {1}. The next run checks which of them are \
         left, and deletes those",
        marked,
        error.said()
    ))
}
