//! A disk of which any call can be made to fail, and which can lose what was not synced: for tests.
//!
//! A test runs a piece of work again and again and lets its first call fail, then its second, and so
//! on to the last. Nothing waits for the real disk, which only holds the files for the test to see.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Disk, DiskFile, FileStat, OpenMode, RealDisk};

/// What goes wrong in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `EIO`: nothing is done.
    Broken,
    /// `ENOSPC`: nothing is done.
    Full,
    /// A write or a read takes half of the bytes; other calls are refused with `ENOSPC`.
    Short,
    /// `EINTR`: nothing is done. What writes retries it, so it must end at some time.
    Interrupted,
    /// All is well but that nothing can be synced.
    Unsynced,
    /// All is well but that a file longer than this cannot be synced.
    UnsyncedBeyond(u64),
    /// The call is done and yet reported as failed.
    Late,
}

impl Fault {
    /// One of each kind that comes by itself.
    pub const ALL: [Self; 6] =
        [Self::Broken, Self::Full, Self::Short, Self::Interrupted, Self::Unsynced, Self::Late];

    fn error(self) -> io::Error {
        match self {
            // The number of `EIO` on every Unix.
            Self::Broken => io::Error::from_raw_os_error(5),
            Self::Full | Self::Short => ErrorKind::StorageFull.into(),
            Self::Interrupted => ErrorKind::Interrupted.into(),
            Self::Unsynced | Self::UnsyncedBeyond(_) => io::Error::other("not synced"),
            Self::Late => io::Error::other("reported as failed"),
        }
    }
}

/// A disk with a plan of what fails; its copies are the same disk.
#[derive(Debug, Clone)]
pub struct FaultyDisk(Arc<Mutex<Plan>>);

#[derive(Debug)]
struct Plan {
    fault: Fault,
    first: u64,
    last: u64,
    calls: u64,
    /// Of each file by its name at present.
    identities: BTreeMap<PathBuf, u64>,
    opened: u64,
    /// What the last sync of each file has put on the disk.
    durable: BTreeMap<u64, Vec<u8>>,
    /// The names that the last sync of their directory has put there.
    named: BTreeMap<PathBuf, u64>,
}

impl Plan {
    /// Of a file that has been opened; `before` is what it held before, if it was there.
    fn identity(&mut self, path: &Path, before: Option<Vec<u8>>) -> u64 {
        if let Some(known) = self.identities.get(path).filter(|_| before.is_some()) {
            return *known;
        }
        self.opened += 1;
        self.identities.insert(path.to_owned(), self.opened);
        // What is found was there before the test.
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
    /// A disk whose calls from `first` to `last` fail, counted from 1 over all files.
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

    /// Lets `count` calls fail, of those from now on the one with the number `first`, which counts
    /// from 1, and those after it.
    pub fn fail(&self, fault: Fault, first: u64, count: u64) {
        let mut plan = self.plan();
        plan.fault = fault;
        plan.first = plan.calls + first;
        plan.last = plan.first.saturating_add(count - 1);
    }

    /// From now on nothing fails.
    pub fn heal(&self) {
        let mut plan = self.plan();
        (plan.first, plan.last) = (u64::MAX, 0);
    }

    /// Calls so far.
    pub fn calls(&self) -> u64 {
        self.plan().calls
    }

    /// Whether a call has failed.
    pub fn was_hit(&self) -> bool {
        let plan = self.plan();
        plan.calls >= plan.first
    }

    /// Whether nothing fails any more.
    pub fn is_over(&self) -> bool {
        let plan = self.plan();
        plan.calls >= plan.last
    }

    /// Leaves in a directory what a loss of power would: of the files opened here those whose names
    /// are on the disk, with what is on the disk of each.
    ///
    /// # Errors
    /// Whatever the system says.
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

    /// What of a file would be there after a loss of power.
    pub fn durable(&self, path: &Path) -> Option<Vec<u8>> {
        let plan = self.plan();
        plan.named.get(path).map(|identity| plan.durable.get(identity).cloned().unwrap_or_default())
    }

    /// A test that has panicked elsewhere has failed already.
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call and says what goes wrong in it.
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
    /// To see what is in it, whatever it was opened for and is called now.
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
