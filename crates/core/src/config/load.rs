//! From a configuration's name to the merged tree of its files: the search path, the permissions, includes.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::file::{self, Refusal};
use super::parse::{self, Fault, Item};
use super::quirk::Warning;
use super::tree::Tree;
use super::{ConfigError, Place};

/// Where configurations are looked for. It is fixed, because an agent passes on the environment of its caller.
pub const DIRECTORIES: [&str; 3] = ["/etc", "/etc/mmm", "/etc/mysql-mmm"];

/// How deeply files may include one another.
const DEEPEST: usize = 100;

/// Reads the configuration `name` and all that it includes; its own file comes with the tree.
pub fn read(
    directories: &[&Path],
    name: &str,
    warnings: &mut Vec<Warning>,
) -> Result<(Tree, Arc<Path>), ConfigError> {
    let mut tree = Tree::default();
    let (path, mut file) = find(directories, name.as_bytes(), None)?;
    let added = add(&mut tree, directories, &path, &mut file, 0);
    warnings.append(&mut tree.warnings);
    added.map(|()| (tree, path))
}

/// The first file of this name that can be opened. The name is put behind each directory, never in its
/// place: `/x` is `/etc//x`, and `../x` is `/x`.
fn find(
    directories: &[&Path],
    name: &[u8],
    wanted_by: Option<&Place>,
) -> Result<(Arc<Path>, File), ConfigError> {
    let suffix: &[u8] = if name.ends_with(b".conf") { b"" } else { b".conf" };
    let mut closed = None;
    for directory in directories {
        let path = [directory.as_os_str().as_bytes(), b"/", name, suffix].concat();
        let path = PathBuf::from(OsStr::from_bytes(&path));
        match file::open(&path) {
            Ok(file) => return Ok((path.into(), file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => closed = closed.or(Some((path, error))),
        }
    }
    let places: Vec<_> = directories.iter().map(|directory| directory.display().to_string()).collect();
    let wanted = wanted_by.map(|place| format!(" (included in {place})")).unwrap_or_default();
    let reason = match closed {
        Some((path, error)) => format!("; {} cannot be read: {error}", path.display()),
        None if name.starts_with(b"/") => "; a path is taken as relative to these".into(),
        None => String::new(),
    };
    let hint = format!(" in {}{wanted}{reason}", places.join(", "));
    let name = String::from_utf8_lossy(&[name, suffix].concat()).into_owned();
    Err(ConfigError::NotFound { name, hint })
}

fn add(
    tree: &mut Tree,
    directories: &[&Path],
    path: &Arc<Path>,
    file: &mut File,
    depth: usize,
) -> Result<(), ConfigError> {
    let text = file::read(file).map_err(|refusal| match refusal {
        Refusal::WorldWritable => ConfigError::WorldWritable(path.to_path_buf()),
        Refusal::WorldReadable => ConfigError::WorldReadable(path.to_path_buf()),
        Refusal::NotAFile(kind) => ConfigError::NotAFile { file: path.to_path_buf(), kind },
        Refusal::TooLarge => ConfigError::TooLarge(path.to_path_buf()),
        Refusal::Io(source) => ConfigError::Unreadable { file: path.to_path_buf(), source },
    })?;
    let parsed = parse::parse(&text);
    let place = |line| Place { file: Arc::clone(path), line };
    tree.warnings
        .extend(parsed.quirks.into_iter().map(|(line, quirk)| Warning { place: place(line), quirk }));
    for item in &parsed.document.items {
        match item {
            Item::Variable(variable) => tree.set(path, variable)?,
            Item::Section(section) => tree.merge(path, section)?,
            Item::Include { line, .. } if depth == DEEPEST => {
                return Err(ConfigError::IncludeLoop(place(*line)));
            }
            Item::Include { line, name } => {
                let (path, mut file) = find(directories, name, Some(&place(*line)))?;
                add(tree, directories, &path, &mut file, depth + 1)?;
            }
        }
    }
    let Some((line, fault)) = parsed.fault else { return Ok(()) };
    Err(match fault {
        Fault::InvalidLine => ConfigError::InvalidLine(place(line)),
        Fault::ByteOrderMark => ConfigError::ByteOrderMark(path.to_path_buf()),
        Fault::NestedInclude => ConfigError::IncludeInSection(place(line)),
        Fault::NestedSection { kind, open, since } => ConfigError::InvalidSection {
            name: kind,
            place: place(line),
            hint: format!(
                " The section <{open}> of line {since} is still open there; close it with </{open}>"
            ),
        },
    })
}

#[cfg(test)]
mod tests;
