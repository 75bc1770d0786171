//! TODO
pub mod marker;
