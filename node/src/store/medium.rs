//! Where the bytes of the store lie: files, and what tests and careful readers put in their place.
//!
//! redb has a trait for what it stands on; the journal and the anchor stand on the same one. So one disk that is full, fails or
//! may not be written to is one type, whichever of the files is meant.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use redb::{StorageBackend, backends::FileBackend};

use super::{error::StoreError, private};

/// An open file of the store.
#[derive(Clone, Debug)]
pub(crate) struct Medium(Arc<dyn StorageBackend>);

impl Medium {
    pub(crate) fn new(backend: impl StorageBackend) -> Medium {
        Medium(Arc::new(backend))
    }
}

impl StorageBackend for Medium {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.0.close()
    }
}

/// Opens the files of a store by name.
pub(crate) trait Media: Debug + Send + Sync + 'static {
    /// Opens the file, or makes it.
    fn open(&self, name: &str) -> Result<Medium, StoreError>;

    /// Opens the file to be looked at: what is written stays in memory.
    fn look(&self, name: &str) -> Result<Medium, StoreError>;

    /// How long the file is; none when there is none.
    fn len(&self, name: &str) -> io::Result<Option<u64>>;

    /// Makes the names of new files survive a crash.
    fn sync_names(&self) -> io::Result<()>;

    /// Puts one file in the place of another.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Makes a copy of a file.
    fn copy(&self, from: &str, to: &str) -> io::Result<()>;

    /// Whether what is written is kept.
    fn keeps(&self) -> bool {
        true
    }
}

/// The files of a folder.
#[derive(Debug)]
pub(crate) struct Folder(pub(crate) PathBuf);

impl Media for Folder {
    fn open(&self, name: &str) -> Result<Medium, StoreError> {
        Ok(Medium::new(FileBackend::new(private::open(&self.0.join(name))?)?))
    }

    fn look(&self, name: &str) -> Result<Medium, StoreError> {
        Untouched(self.0.clone()).open(name)
    }

    fn len(&self, name: &str) -> io::Result<Option<u64>> {
        len_of(&self.0.join(name))
    }

    fn sync_names(&self) -> io::Result<()> {
        private::sync_folder_of(&self.0.join("store"))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.0.join(from), self.0.join(to))?;
        self.sync_names()
    }

    fn copy(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::copy(self.0.join(from), self.0.join(to))?;
        File::open(self.0.join(to))?.sync_all()?;
        self.sync_names()
    }
}

/// The files of a folder that is only looked at: what is written stays in memory and is gone afterwards.
#[derive(Debug)]
pub(crate) struct Untouched(pub(crate) PathBuf);

impl Media for Untouched {
    fn open(&self, name: &str) -> Result<Medium, StoreError> {
        let path = self.0.join(name);
        let file = match File::open(&path) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        let len = len_of(&path)?.unwrap_or(0);
        let below = file.map(FileBackend::new).transpose()?;
        Ok(Medium::new(Overlay { below, state: Mutex::new(Written { len, kept: len, pages: BTreeMap::new() }) }))
    }

    fn look(&self, name: &str) -> Result<Medium, StoreError> {
        self.open(name)
    }

    fn len(&self, name: &str) -> io::Result<Option<u64>> {
        len_of(&self.0.join(name))
    }

    fn sync_names(&self) -> io::Result<()> {
        Ok(())
    }

    fn rename(&self, _from: &str, _to: &str) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn copy(&self, _from: &str, _to: &str) -> io::Result<()> {
        // What is only looked at is there afterwards as it was.
        Ok(())
    }

    fn keeps(&self) -> bool {
        false
    }
}

fn len_of(path: &Path) -> io::Result<Option<u64>> {
    match std::fs::metadata(path) {
        Ok(file) => Ok(Some(file.len())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

const PAGE_BYTES: u64 = 4096;

/// A file, and in front of it what was written since.
#[derive(Debug)]
struct Overlay {
    below: Option<FileBackend>,
    state: Mutex<Written>,
}

#[derive(Debug)]
struct Written {
    len: u64,
    /// Up to here the file counts, where no page was written: it may have been cut and grown again.
    kept: u64,
    pages: BTreeMap<u64, Vec<u8>>,
}

impl Overlay {
    fn page(&self, written: &Written, number: u64) -> io::Result<Vec<u8>> {
        if let Some(page) = written.pages.get(&number) {
            return Ok(page.clone());
        }
        let mut page = vec![0; PAGE_BYTES as usize];
        let from = number * PAGE_BYTES;
        let held = written.kept.saturating_sub(from).min(PAGE_BYTES) as usize;
        if held > 0
            && let Some(below) = &self.below
        {
            below.read(from, &mut page[..held])?;
        }
        Ok(page)
    }
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state.lock().unwrap_or_else(PoisonError::into_inner).len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let written = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if offset + out.len() as u64 > written.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut at = 0;
        while at < out.len() {
            let place = offset + at as u64;
            let page = self.page(&written, place / PAGE_BYTES)?;
            let within = (place % PAGE_BYTES) as usize;
            let count = (page.len() - within).min(out.len() - at);
            out[at..at + count].copy_from_slice(&page[within..within + count]);
            at += count;
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut written = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if len < written.len {
            written.pages.split_off(&len.div_ceil(PAGE_BYTES));
            let within = (len % PAGE_BYTES) as usize;
            if let Some(page) = written.pages.get_mut(&(len / PAGE_BYTES)) {
                page[within..].fill(0);
            }
            written.kept = written.kept.min(len);
        }
        written.len = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut written = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut at = 0;
        while at < data.len() {
            let place = offset + at as u64;
            let number = place / PAGE_BYTES;
            let mut page = self.page(&written, number)?;
            let within = (place % PAGE_BYTES) as usize;
            let count = (page.len() - within).min(data.len() - at);
            page[within..within + count].copy_from_slice(&data[at..at + count]);
            written.pages.insert(number, page);
            at += count;
        }
        written.len = written.len.max(offset + data.len() as u64);
        Ok(())
    }
}
