//! Whether a server's log holds transactions of its own.

use crate::binlog::begin::Begin;
use crate::binlog::by_content::backwards::{Backwards, ByGroup};
use crate::binlog::by_content::id;
use crate::binlog::group::Group;
use crate::binlog::logged::Logged;
use crate::error::Error;
use crate::note::value;

/// Whether the log of the server with this id holds transactions of its own.
pub fn has_own(server: &mut Logged, server_id: u64) -> Result<bool, Error> {
    let search = Own { id: id(server_id), is_there: false };
    let mut log = Backwards::new(server, &search)?;
    let ended = log.search(search)?;
    log.forget();
    Ok(ended.is_there)
}

/// The search.
#[derive(Debug)]
struct Own {
    id: u32,
    is_there: bool,
}

impl ByGroup for Own {
    fn key(&self) -> String {
        format!("own {}", self.id)
    }

    fn to_text(&self) -> String {
        format!("is_there={}", self.is_there)
    }

    fn resumed(&self, text: &str, _: &str) -> Option<Self> {
        Some(Self { id: self.id, is_there: value(text, "is_there")?.parse().ok()? })
    }

    fn open(&mut self, _: &str) {}

    fn group(&mut self, group: &Group) {
        self.is_there |= group.server_id == self.id;
    }

    fn end(&mut self, _: &Begin) {}

    fn is_settled(&self) -> bool {
        self.is_there
    }

    fn newer(&mut self, group: &Group) -> bool {
        self.group(group);
        true
    }
}

#[cfg(test)]
mod tests;
