//! Git by libgit2: commits from memory, fetch and push. Nothing here runs `git` or checks anything out.

pub mod certificate;
pub mod commit;
pub mod remote;
pub mod scratch;
pub mod url;
