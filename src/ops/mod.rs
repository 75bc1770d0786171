//! Operations: the order of steps of each command. I/O in, the core, I/O out.

pub mod bot;
pub mod diff;
pub mod evaluate;
pub mod explain;
pub mod list;
pub mod publish;
pub mod render;
pub mod schema;
pub mod workspace;
