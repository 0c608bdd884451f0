//! What must hold of everything that the helpers read, whatever it is: one function for each kind, which panics if it
//! does not hold. cargo-fuzz calls them (tests/fuzz/fuzz), [`mutation`] does, and `cargo test` does with every file of
//! the corpora. No input may take longer than [`LONGEST`].

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

mod arguments;
mod configuration;
mod events;
mod gtids;
mod journal;
mod memory;
pub mod mutation;
mod netlink;
mod relay;
mod settings;
mod status;

/// The maximum time of a processor for one input, also in a build without optimisation.
pub const LONGEST: Duration = Duration::from_secs(3);
/// The longest input.
pub const MOST: usize = 64 << 10;

/// A kind of input.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, which is that of its corpus.
    pub name: &'static str,
    /// Reads it.
    read: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 9] = [
    Target { name: "arguments", read: arguments::read },
    Target { name: "configuration", read: configuration::read },
    Target { name: "events", read: events::read },
    Target { name: "gtids", read: gtids::read },
    Target { name: "journal", read: journal::read },
    Target { name: "netlink", read: netlink::read },
    Target { name: "relay", read: relay::read },
    Target { name: "settings", read: settings::read },
    Target { name: "status", read: status::read },
];

/// The target of this name.
pub fn target(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}

impl Target {
    /// Reads an input, and panics if something does not hold.
    pub fn read(self, input: &[u8]) {
        let started = time_of_this_thread();
        (self.read)(input);
        let took = time_of_this_thread().saturating_sub(started);
        assert!(took < LONGEST, "{} bytes took {took:.1?}", input.len());
    }

    /// The files of its corpus.
    pub fn corpus(self) -> Vec<(PathBuf, Vec<u8>)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(self.name);
        let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
        files.sort();
        let read = |path: PathBuf| (path.clone(), fs::read(path).expect("a readable file"));
        files.into_iter().map(read).collect()
    }
}

/// What this thread has used of a processor; another program's load does not count.
fn time_of_this_thread() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("a clock").into()
}

/// The panics of a library that is called on purpose with what may make it panic are caught, and told to nobody. Those
/// of everybody else are.
pub fn be_quiet_about_caught_panics() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let is_of_library = |file: &str| ["/mysql-", "/mysql_common-"].iter().any(|name| file.contains(name));
        if !panic.location().is_some_and(|place| is_of_library(place.file())) {
            tell(panic);
        }
    }));
}
