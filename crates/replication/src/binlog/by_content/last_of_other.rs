//! A replica's last groups of the other kind than its very last one.

use crate::binlog::begin::Begin;
use crate::binlog::by_content::backwards::{Backwards, ByGroup};
use crate::binlog::by_content::search::{LastOf, Wanted};
use crate::binlog::by_content::search_note::{key, of_last, to_last};
use crate::binlog::group::Group;
use crate::binlog::logged::Logged;
use crate::error::Error;
use crate::note::value;

/// The replica's last groups of the other kind, from its own log.
///
/// Groups from before the server's last start count only if the log's own server wrote them. If the replica had
/// executed a later one without logging it, that server's log would have it before the position, and this search would
/// miss it.
pub(super) fn last_of_other(replica: &mut Logged, wanted: &Wanted) -> Result<LastOf, Error> {
    let search = LastOfOther::new(wanted);
    let mut log = Backwards::new(replica, &search)?;
    let ended = log.search(search)?;
    log.forget();
    Ok(ended.last)
}

/// The search.
#[derive(Clone, Debug)]
struct LastOfOther<'w> {
    wanted: &'w Wanted,
    last: LastOf,
    of_file: LastOf,
    has_begun: bool,
    is_over: bool,
}

impl<'w> LastOfOther<'w> {
    fn new(wanted: &'w Wanted) -> Self {
        let none = LastOf::default();
        Self { wanted, last: none, of_file: none, has_begun: false, is_over: false }
    }
}

impl ByGroup for LastOfOther<'_> {
    fn key(&self) -> String {
        format!("other {}", key(self.wanted))
    }

    fn to_text(&self) -> String {
        format!(
            "of_newer={}\tof_file={}\thas_begun={}",
            of_last(&self.last),
            of_last(&self.of_file),
            self.has_begun
        )
    }

    fn resumed(&self, text: &str, _: &str) -> Option<Self> {
        let last = |name| to_last(&value(text, name)?);
        let has_begun = value(text, "has_begun")?.parse().ok()?;
        Some(Self { last: last("of_newer")?, of_file: last("of_file")?, has_begun, ..Self::new(self.wanted) })
    }

    fn open(&mut self, _: &str) {}

    fn group(&mut self, group: &Group) {
        if self.wanted.is_of_replica(group.server_id) {
            return;
        }
        self.has_begun = true;
        if self.wanted.is_other(group.server_id) {
            self.of_file.then(group);
        }
    }

    fn end(&mut self, begin: &Begin) {
        self.last.behind(&std::mem::take(&mut self.of_file));
        // The other search also skipped a run of the server without any.
        self.is_over = self.last.is_whole || begin.is_of_run && self.has_begun && self.wanted.last_is_own();
    }

    fn is_settled(&self) -> bool {
        self.is_over
    }

    fn newer(&mut self, group: &Group) -> bool {
        self.wanted.is_of_replica(group.server_id)
    }
}

#[cfg(test)]
mod tests;
