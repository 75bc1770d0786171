//! Files opened beneath a folder so that nothing on the way can be a link, not even one that was put there a moment ago.
//!
//! Looking at a path and then opening it leaves a moment in which a folder may be swapped for a link to another place,
//! and the mounted token of the plugin's pod is such a place. Linux resolves a path beneath a folder in one step
//! (`openat2`); elsewhere, or where a sandbox forbids that call, the path is walked folder by folder from open
//! descriptors. Opening never waits: a pipe that took a file's place answers at once and is then refused by its kind.

use std::fs::File;
use std::io;
use std::path::{Component, Path};

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

/// An open folder.
#[derive(Debug)]
pub(super) struct Beneath {
    folder: OwnedFd,
}

const READ: OFlags =
    OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::NOFOLLOW);
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::DIRECTORY);

impl Beneath {
    /// Opens a folder that is trusted, links in its path included.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        Ok(Self { folder: openat(CWD, folder, FOLDER, Mode::empty())? })
    }

    /// Opens something below the folder for reading. It may be anything but a link; the caller asks the open file.
    ///
    /// # Errors
    /// As the system has them; [`is_link`] knows those of links.
    pub(super) fn file(&self, path: &Path) -> io::Result<File> {
        let opened = match in_one_step(self.folder.as_fd(), path) {
            Some(result) => result,
            None => step_by_step(self.folder.as_fd(), path),
        };
        Ok(File::from(opened?))
    }
}

/// Whether a file was not opened because it is a link, or lies behind one.
pub(super) fn is_link(error: &io::Error) -> bool {
    let links = [Errno::LOOP, Errno::XDEV, Errno::NOTDIR];
    links.iter().any(|link| error.raw_os_error() == Some(link.raw_os_error()))
}

/// `openat2`; `None` where it cannot be had.
#[cfg(target_os = "linux")]
fn in_one_step(folder: rustix::fd::BorrowedFd<'_>, path: &Path) -> Option<rustix::io::Result<OwnedFd>> {
    use rustix::fs::{ResolveFlags, openat2};
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match openat2(folder, path, READ, Mode::empty(), resolve) {
        // Kernels before 5.6, and sandboxes that do not know the call.
        Err(Errno::NOSYS | Errno::PERM | Errno::AGAIN | Errno::TOOBIG | Errno::INVAL) => None,
        result => Some(result),
    }
}

#[cfg(not(target_os = "linux"))]
fn in_one_step(_: rustix::fd::BorrowedFd<'_>, _: &Path) -> Option<rustix::io::Result<OwnedFd>> {
    None
}

fn step_by_step(folder: rustix::fd::BorrowedFd<'_>, path: &Path) -> rustix::io::Result<OwnedFd> {
    let mut parts = path.components().peekable();
    let mut held: Option<OwnedFd> = None;
    while let Some(part) = parts.next() {
        let Component::Normal(name) = part else { return Err(Errno::XDEV) };
        let at = held.as_ref().map_or(folder, AsFd::as_fd);
        if parts.peek().is_none() {
            return openat(at, name, READ, Mode::empty());
        }
        held = Some(openat(at, name, FOLDER | OFlags::NOFOLLOW, Mode::empty())?);
    }
    Err(Errno::NOENT)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods)] // a test puts files on the disk
    fn no_way_leads_through_a_link() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "s").unwrap();
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("a/b")).unwrap();
        std::fs::write(root.path().join("a/b/file"), "f").unwrap();
        symlink(outside.path(), root.path().join("a/out")).unwrap();
        symlink("b/file", root.path().join("a/inside")).unwrap();
        symlink("loop", root.path().join("loop")).unwrap();
        let beneath = Beneath::open(root.path()).unwrap();
        let ways: [fn(&Beneath, &Path) -> io::Result<File>; 2] = [
            |beneath, path| beneath.file(path),
            |beneath, path| Ok(File::from(step_by_step(beneath.folder.as_fd(), path)?)),
        ];
        for open in ways {
            let mut text = String::new();
            open(&beneath, Path::new("a/b/file")).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "f");
            for path in ["a/out/secret", "a/inside", "loop", "a/b/../../../secret", "/etc/hostname", "a/b/file/x"] {
                let error = open(&beneath, Path::new(path)).unwrap_err();
                assert!(is_link(&error), "{path}: {error}");
            }
            assert_eq!(open(&beneath, Path::new("a/none")).unwrap_err().kind(), io::ErrorKind::NotFound);
        }
    }
}
