//! What is whole.
