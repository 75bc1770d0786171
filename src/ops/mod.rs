//! Operations: the order of steps of each command. I/O in, the core, I/O out.

pub mod add;
pub mod bootstrap;
pub mod bot;
pub mod diff;
pub mod eject;
pub mod evaluate;
pub mod explain;
pub mod init;
mod inputs;
pub mod list;
pub mod names;
mod objects;
pub mod plugin;
pub mod publish;
pub mod render;
pub mod schema;
mod sides;
pub mod workspace;
