//! What async-imap does with failed commands, and so why [`dialogue`](super::dialogue) runs
//! them itself. When an upgrade fails a test here, that reason may be gone.
