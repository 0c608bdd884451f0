//! A new log file with some transactions of a server's log, byte by byte, for that server's `mysqlbinlog`.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use mmm_core::guard;
use mmm_core::report::{self, Kind};
use mysql::binlog::BinlogVersion;
use mysql::binlog::events::Event;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, OpenHow, ResolveFlag, openat, openat2};
use nix::sys::stat::Mode;

/// What every log file begins with.
const MAGIC: [u8; 4] = *b"\xfebin";
/// Header flag of a file that is still being written; only in a file's first event.
const IN_USE: u8 = 1;
/// Where an event's flags lie.
const FLAGS: usize = 17;
/// In the body of a file's first event: when it was created.
const CREATED: std::ops::Range<usize> = 52..56;

/// A new log file. Until it is [finished](LogFile::finish) it has another name, so that nobody mistakes a part for the
/// whole. Dropping it removes it.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    part: PathBuf,
    file: Option<BufWriter<File>>,
    /// The description of the events that follow, without what differs from file to file.
    format: Vec<u8>,
    bytes: u64,
    /// Where the transaction begins that is being written.
    begin: u64,
}

impl LogFile {
    /// Creates it, readable only by its owner. It never replaces another file, and follows only links that belong to
    /// root or the caller.
    pub fn create(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(ErrorKind::InvalidInput.into());
        };
        let path = guard::without_links(folder)?.join(name);
        if path.symlink_metadata().is_ok() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let mut part = name.to_os_string();
        part.push(".part");
        let part = path.with_file_name(part);
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let mode = Mode::S_IRUSR | Mode::S_IWUSR;
        let how = OpenHow::new().flags(flags).mode(mode).resolve(ResolveFlag::RESOLVE_NO_SYMLINKS);
        let what = format!("create {}", part.display());
        let file = report::change(None, Kind::File, &what, || {
            match openat2(AT_FDCWD, &part, how) {
                // Linux before 5.6, and containers that know no newer one.
                Err(Errno::ENOSYS | Errno::EPERM) => openat(AT_FDCWD, &part, flags, mode),
                other => other,
            }
            .map(|file| Some(File::from(file)))
        });
        let file = file.map_err(|error| match error {
            Errno::EEXIST => io::Error::new(
                ErrorKind::AlreadyExists,
                format!("{} is left of an earlier call; remove it", part.display()),
            ),
            other => other.into(),
        })?;
        let file = file.ok_or_else(|| io::Error::other("a dry run creates no file"))?;
        let mut file = BufWriter::with_capacity(1 << 20, file);
        file.write_all(&MAGIC)?;
        let bytes = MAGIC.len() as u64;
        Ok(Self { path, part, file: Some(file), format: Vec::new(), bytes, begin: bytes })
    }

    /// Where it lies, and how long it is by now.
    pub fn at(&self) -> (&Path, u64) {
        (&self.path, self.bytes)
    }

    /// Takes the first event of a file, which describes the events from now on.
    pub fn format(&mut self, event: &Event) -> io::Result<()> {
        let mut format = event.data().to_vec();
        if let Some(created) = format.get_mut(CREATED) {
            created.fill(0);
        }
        format.extend(event.footer().get_checksum_alg().ok().flatten().map(|algorithm| algorithm as u8));
        if self.format == format {
            return Ok(());
        }
        self.format = format;
        let mut bytes = Vec::new();
        event.write(BinlogVersion::Version4, &mut bytes)?;
        // The checksum is computed without this flag.
        if let Some(flags) = bytes.get_mut(FLAGS) {
            *flags &= !IN_USE;
        }
        self.put(&bytes)?;
        self.begin = self.bytes;
        Ok(())
    }

    /// A transaction begins with the next event.
    pub fn begin(&mut self) {
        self.begin = self.bytes;
    }

    /// The next event of a transaction.
    pub fn event(&mut self, event: &Event) -> io::Result<()> {
        let mut counted = Counted { into: self.file.as_mut(), bytes: 0 };
        event.write(BinlogVersion::Version4, &mut counted)?;
        self.bytes += counted.bytes;
        Ok(())
    }

    /// The transaction that was begun last never ended.
    pub fn forget(&mut self) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            file.seek(SeekFrom::Start(self.begin))?;
            file.get_ref().set_len(self.begin)?;
        }
        self.bytes = self.begin;
        Ok(())
    }

    /// Writes it to the disk and keeps it under its name, unless there is one of that name by now.
    pub fn finish(mut self) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            file.flush()?;
            file.get_ref().sync_all()?;
            std::fs::hard_link(&self.part, &self.path)?;
        }
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            file.write_all(bytes)?;
        }
        self.bytes += bytes.len() as u64;
        Ok(())
    }
}

impl Drop for LogFile {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // Nobody is left to whom this could be reported.
            let _ = std::fs::remove_file(&self.part);
        }
    }
}

/// Counts what is written.
struct Counted<W> {
    into: Option<W>,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.into.as_mut().map_or(Ok(bytes.len()), |into| into.write(bytes))?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
