//! Operations: the order of steps of each command. I/O in, the core, I/O out.

pub mod bot;
pub mod diff;
pub mod evaluate;
pub mod explain;
mod inputs;
pub mod list;
mod objects;
pub mod plugin;
pub mod publish;
pub mod render;
pub mod schema;
mod sides;
pub mod workspace;
