//! A disk on which any call can be made to fail, and which loses unsynced data in a simulated power
//! failure.
//!
//! A test repeats a piece of work and makes its first call fail, then its second, and so on up to
//! the last. The real disk holds the files for the test to read, but nothing is synced to it, so
//! nothing waits.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rounds::disk::{Disk, DiskFile, FileStat, OpenMode, RealDisk};

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `EIO`: nothing is done.
    Broken,
    /// `ENOSPC`: nothing is done.
    Full,
    /// Reads and writes transfer only half of the bytes; other calls fail with `ENOSPC`.
    Short,
    /// `EINTR`: nothing is done. Writers retry such a call, so the fault must end at some point.
    Interrupted,
    /// Every sync fails; all other calls succeed.
    Unsynced,
    /// Syncing a file longer than this fails; all other calls succeed.
    UnsyncedBeyond(u64),
    /// The call takes effect but reports a failure.
    Late,
}

impl Fault {
    /// One of each kind that needs no parameter.
    pub const ALL: [Self; 6] =
        [Self::Broken, Self::Full, Self::Short, Self::Interrupted, Self::Unsynced, Self::Late];

    fn error(self) -> io::Error {
        match self {
            // `EIO` has this number on every Unix.
            Self::Broken => io::Error::from_raw_os_error(5),
            Self::Full | Self::Short => ErrorKind::StorageFull.into(),
            Self::Interrupted => ErrorKind::Interrupted.into(),
            Self::Unsynced | Self::UnsyncedBeyond(_) => io::Error::other("not synced"),
            Self::Late => io::Error::other("reported as failed"),
        }
    }
}

/// A disk with a plan of which calls fail. Clones share the plan and the files.
#[derive(Debug, Clone)]
pub struct FaultyDisk(Arc<Mutex<Plan>>);

#[derive(Debug)]
struct Plan {
    fault: Fault,
    first: u64,
    last: u64,
    calls: u64,
    /// The identity of each file, by its current name.
    identities: BTreeMap<PathBuf, u64>,
    opened: u64,
    /// The contents of each file as of its last sync, by identity.
    durable: BTreeMap<u64, Vec<u8>>,
    /// The names as of the last sync of their directory, with the identity of each file.
    named: BTreeMap<PathBuf, u64>,
}

impl Plan {
    /// Returns the identity of a file that has just been opened; `before` is what it held before,
    /// or `None` if it did not exist.
    fn identity(&mut self, path: &Path, before: Option<Vec<u8>>) -> u64 {
        if let Some(known) = self.identities.get(path).filter(|_| before.is_some()) {
            return *known;
        }
        self.opened += 1;
        self.identities.insert(path.to_owned(), self.opened);
        // The file existed before the test, so it counts as synced.
        if let Some(bytes) = before {
            self.durable.insert(self.opened, bytes);
            self.named.insert(path.to_owned(), self.opened);
        }
        self.opened
    }
}

impl Default for FaultyDisk {
    fn default() -> Self {
        Self::new(Fault::Broken, u64::MAX, 0)
    }
}

impl FaultyDisk {
    /// Returns a disk whose calls number `first` to `last` fail, counted from 1 over all files.
    pub fn new(fault: Fault, first: u64, last: u64) -> Self {
        Self(Arc::new(Mutex::new(Plan {
            fault,
            first,
            last,
            calls: 0,
            identities: BTreeMap::new(),
            opened: 0,
            durable: BTreeMap::new(),
            named: BTreeMap::new(),
        })))
    }

    /// Makes `count` calls fail, starting with the `first`-th call from now (1 = the next one).
    pub fn fail(&self, fault: Fault, first: u64, count: u64) {
        let mut plan = self.plan();
        plan.fault = fault;
        plan.first = plan.calls + first;
        plan.last = plan.first.saturating_add(count - 1);
    }

    /// Makes all calls succeed from now on.
    pub fn heal(&self) {
        let mut plan = self.plan();
        (plan.first, plan.last) = (u64::MAX, 0);
    }

    /// Returns the number of calls so far.
    pub fn calls(&self) -> u64 {
        self.plan().calls
    }

    /// Returns whether a call has failed.
    pub fn was_hit(&self) -> bool {
        let plan = self.plan();
        plan.calls >= plan.first
    }

    /// Returns whether the last planned failure has passed.
    pub fn is_over(&self) -> bool {
        let plan = self.plan();
        plan.calls >= plan.last
    }

    /// Simulates a power failure: of the files opened on this disk, a directory keeps only those
    /// whose names were synced, each with its contents as of its last sync.
    ///
    /// # Errors
    /// The system's error.
    pub fn lose_power(&self, dir: &Path) -> io::Result<()> {
        let mut plan = self.plan();
        let here = |path: &&PathBuf| path.parent() == Some(dir);
        for path in plan.identities.keys().filter(here) {
            if !plan.named.contains_key(path) {
                fs::remove_file(path)?;
            }
        }
        for (path, identity) in plan.named.iter().filter(|(path, _)| here(path)) {
            fs::write(path, plan.durable.get(identity).map_or(&[][..], Vec::as_slice))?;
        }
        plan.identities = plan.named.clone();
        Ok(())
    }

    /// Returns what a file would hold after a power failure; `None` if it would not exist.
    pub fn durable(&self, path: &Path) -> Option<Vec<u8>> {
        let plan = self.plan();
        plan.named.get(path).map(|identity| plan.durable.get(identity).cloned().unwrap_or_default())
    }

    /// Ignores a poisoned lock: the test that panicked has already failed.
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call and returns how it fails; `None` if it succeeds.
    fn fault(&self) -> Option<Fault> {
        let mut plan = self.plan();
        plan.calls += 1;
        (plan.first..=plan.last).contains(&plan.calls).then_some(plan.fault)
    }

    fn call<T>(&self, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match self.fault() {
            None | Some(Fault::Unsynced | Fault::UnsyncedBeyond(_)) => work(),
            Some(fault @ Fault::Late) => work().and(Err(fault.error())),
            Some(fault) => Err(fault.error()),
        }
    }

    fn sync(&self, length: u64, work: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        match self.fault() {
            None => work(),
            Some(Fault::UnsyncedBeyond(most)) if length <= most => work(),
            Some(fault @ Fault::Late) => work().and(Err(fault.error())),
            Some(fault) => Err(fault.error()),
        }
    }
}

impl Disk for FaultyDisk {
    fn open(&self, path: &Path, opening: OpenMode) -> io::Result<Box<dyn DiskFile>> {
        self.call(|| {
            let before = fs::read(path).ok();
            let file = RealDisk.open(path, opening)?;
            let content = File::open(path)?;
            let identity = self.plan().identity(path, before);
            let disk = self.clone();
            Ok(Box::new(FaultyFile { file, content, identity, disk }) as Box<dyn DiskFile>)
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(|| {
            RealDisk.rename(from, to)?;
            let mut plan = self.plan();
            if let Some(identity) = plan.identities.remove(from) {
                plan.identities.insert(to.to_owned(), identity);
            }
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call(|| {
            RealDisk.remove(path)?;
            self.plan().identities.remove(path);
            Ok(())
        })
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.sync(0, || {
            let mut plan = self.plan();
            let Plan { identities, named, .. } = &mut *plan;
            named.retain(|path, _| path.parent() != Some(dir));
            let here = identities.iter().filter(|(path, _)| path.parent() == Some(dir));
            named.extend(here.map(|(path, identity)| (path.clone(), *identity)));
            Ok(())
        })
    }
}

#[derive(Debug)]
struct FaultyFile {
    file: Box<dyn DiskFile>,
    /// A second handle to read the contents, whatever mode `file` was opened in and whatever its
    /// current name.
    content: File,
    identity: u64,
    disk: FaultyDisk,
}

#[expect(clippy::disallowed_methods, reason = "a short write is what is wanted")]
impl Write for FaultyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.disk.fault() {
            None | Some(Fault::Unsynced | Fault::UnsyncedBeyond(_)) => self.file.write(bytes),
            Some(Fault::Short) => self.file.write(&bytes[..bytes.len() / 2]),
            Some(fault @ Fault::Late) => {
                self.file.write_all(bytes)?;
                Err(fault.error())
            }
            Some(fault) => Err(fault.error()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl DiskFile for FaultyFile {
    fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        match self.disk.fault() {
            Some(Fault::Short) => {
                let most = bytes.len().div_ceil(2);
                self.file.read_at(offset, &mut bytes[..most])
            }
            None | Some(Fault::Unsynced | Fault::UnsyncedBeyond(_)) => {
                self.file.read_at(offset, bytes)
            }
            Some(fault) => Err(fault.error()),
        }
    }

    fn sync_data(&mut self) -> io::Result<()> {
        let mut bytes = Vec::new();
        self.content.rewind()?;
        self.content.read_to_end(&mut bytes)?;
        self.disk.sync(bytes.len() as u64, || {
            self.disk.plan().durable.insert(self.identity, bytes);
            Ok(())
        })
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        let file = &mut self.file;
        self.disk.call(|| file.set_len(length))
    }

    fn stat(&self) -> io::Result<FileStat> {
        self.disk.call(|| self.file.stat())
    }
}
