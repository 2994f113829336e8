//! Room on the disk: writing stops while there is still some, and goes on by itself.
//!
//! A node without room still reads and answers its own council; it takes nothing from peers and
//! writes nothing, since what cannot be stored must not be acknowledged.

use std::path::{Path, PathBuf};

use crate::store::StoreError;

/// So much has to be free, so that a flush under way and the logs still find room, and the store
/// can be opened again, which writes a little.
const LEAST: u64 = 64 << 20;

/// Of a small file system, one part in so many.
const PART: u64 = 20;

/// Watches one file system.
pub(super) struct Room {
    dir: PathBuf,
    /// What has to be free before anything is written again; 0 while there is room.
    wanted: u64,
}

/// What a look found that was not so before.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shift {
    /// There is too little room from now on; why, for people.
    Short(String),
    /// There is room again.
    Enough,
}

impl Room {
    /// Watches the file system of a directory.
    pub(super) fn of(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            wanted: 0,
        }
    }

    /// Whether nothing may be written.
    pub(super) fn is_short(&self) -> bool {
        self.wanted > 0
    }

    /// Looks again. Where the system does not say, there is room until a write fails.
    pub(super) fn look(&mut self) -> Option<Shift> {
        let (free, least) = self.free()?;
        if self.wanted == 0 && free < least {
            // Some more than that, or every file that comes and goes would turn it again.
            self.wanted = least.saturating_mul(2);
            return Some(self.short(free));
        }
        if self.wanted > 0 && free >= self.wanted {
            self.wanted = 0;
            return Some(Shift::Enough);
        }
        None
    }

    /// A write failed. True for want of room: then more is wanted than there was.
    pub(super) fn failed(&mut self, error: &StoreError) -> Option<Shift> {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        let StoreError::Io { source, .. } = error else {
            return None;
        };
        if !matches!(source.kind(), StorageFull | QuotaExceeded) {
            return None;
        }
        let (free, least) = self.free().unwrap_or((0, LEAST));
        self.wanted = self.wanted.max(free.saturating_add(least));
        Some(self.short(free))
    }

    fn short(&self, free: u64) -> Shift {
        let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20);
        Shift::Short(format!(
            "the disk of {} has {} MiB left: nothing is written and nothing taken from peers \
             until {} MiB are free. Free some, or make it larger (`df -h {}`)",
            self.dir.display(),
            free >> 20,
            mebibytes(self.wanted),
            self.dir.display(),
        ))
    }

    /// Bytes that are free, and that have to be.
    fn free(&self) -> Option<(u64, u64)> {
        let found = rustix::fs::statvfs(&self.dir).ok()?;
        let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
        let least = LEAST.min(bytes(found.f_blocks) / PART);
        Some((bytes(found.f_bavail), least))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_write_that_found_no_room_more_is_wanted_than_there_was() {
        let dir = tempfile::tempdir().unwrap();
        let mut room = Room::of(dir.path());
        assert_eq!((room.look(), room.is_short()), (None, false));
        let failed = |kind: std::io::ErrorKind| StoreError::Io {
            doing: "writing",
            path: dir.path().to_owned(),
            source: kind.into(),
        };
        let other = failed(std::io::ErrorKind::PermissionDenied);
        assert_eq!((room.failed(&other), room.is_short()), (None, false));
        let full = room.failed(&failed(std::io::ErrorKind::StorageFull));
        let Some(Shift::Short(why)) = full else {
            panic!("{full:?}")
        };
        assert!(why.contains(dir.path().to_str().unwrap()), "{why}");
        // As much is free as when it failed, and that was not enough.
        assert_eq!((room.look(), room.is_short()), (None, true));
        room.wanted = 1;
        assert_eq!((room.look(), room.is_short()), (Some(Shift::Enough), false));
    }
}
