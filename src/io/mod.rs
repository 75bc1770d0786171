//! Where hlgen touches the world outside: reading (`source` and its kinds), writing (`write`, `script`), Git (`git`) and the Git
//! host's API (`gitea`). Nothing else in the crate opens a file.

mod beneath;
pub mod disk;
pub mod embedded;
pub mod git;
pub mod gitea;
pub mod layered;
pub mod recording;
pub mod script;
pub mod setting;
pub mod write;

pub use crate::source::{Memory, ReadError, Refusal, Source};
pub use disk::Disk;
pub use embedded::Embedded;
pub use layered::Layered;
pub use recording::{Record, Recording};
