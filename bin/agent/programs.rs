//! What the ten helpers are: names, arguments and help, read by the helpers themselves and by the manual's generator.
//!
//! What a helper does is in the file of its name.

use std::fmt::Display;
use std::process::ExitCode;

use mmm_core::invocation::Extra;
use mmm_core::settings::LogSettings;
use mmm_core::{Program, Shape, journal, process};

/// Every helper, in the order in which people read about them.
pub static ALL: [&Program; 10] = [
    &CHECK_IP,
    &CONFIGURE_IP,
    &CLEAR_IP,
    &MYSQL_ALLOW_WRITE,
    &MYSQL_DENY_WRITE,
    &MYSQL_MAY_WRITE,
    &SET_ACTIVE_MASTER,
    &SYNC_WITH_MASTER,
    &TURN_OFF_SLAVE,
    &TURN_ON_SLAVE,
];

/// The answer of `check_ip` if the address is there, and of `configure_ip` if it was already there.
pub const IS_CONFIGURED: &str = "IP address is configured";

/// `check_ip`
pub static CHECK_IP: Program = Program {
    name: "check_ip",
    shape: Shape::Address,
    changes: false,
    extras: &[],
    one_is_an_answer: true,
    works_without_settings: true,
    about: "Tells whether a network interface of this host holds an IP address, with any prefix length.",
    prints: "  OK: IP address is configured      exit 0\n  \
             OK: IP address is not configured  exit 1 (also when there is no such interface)\n  \
             ERROR: …                          exit 255 (also for wrong usage)",
    example: "check_ip mmm_agent eth0 192.168.0.100",
};

/// `configure_ip`
pub static CONFIGURE_IP: Program = Program {
    name: "configure_ip",
    shape: Shape::Address,
    changes: true,
    extras: &[],
    one_is_an_answer: false,
    works_without_settings: true,
    about: "Adds an IP address to a network interface of this host as /32 (IPv6: /128), checks that it is there, and \
            announces it by ARP (IPv6: neighbour advertisements), at once and then repeatedly in the background.",
    prints: "  OK                            exit 0, added\n  \
             OK: IP address is configured  exit 0, it was there\n  \
             ERROR: …                      exit 255\n  \
             Usage: …                      exit 1",
    example: "configure_ip mmm_agent eth0 192.168.0.100",
};

/// `clear_ip`
pub static CLEAR_IP: Program = Program {
    name: "clear_ip",
    shape: Shape::Address,
    changes: true,
    extras: &[],
    one_is_an_answer: false,
    works_without_settings: true,
    about: "Removes an IP address from a network interface of this host, with any prefix length, and checks that it is \
            gone. Other addresses stay.",
    prints: "  OK                                exit 0, removed\n  \
             OK: IP address is not configured  exit 0, it was not there (or there is no such interface)\n  \
             ERROR: …                          exit 255\n  \
             Usage: …                          exit 1",
    example: "clear_ip mmm_agent eth0 192.168.0.100",
};

/// `mysql_allow_write`
pub static MYSQL_ALLOW_WRITE: Program = Program {
    name: "mysql_allow_write",
    shape: Shape::Plain,
    changes: true,
    extras: &[Extra::Force],
    one_is_an_answer: false,
    works_without_settings: false,
    about: "Lets this host's server take writes (read_only=0), if it has applied everything that its peer has written. \
            It does not wait: retry if it refuses.",
    prints: "  OK                           exit 0: writes are open\n  \
             OK: … continues without …    exit 0: open, and what only another slave has is not here\n  \
             OK: writes are open; …       exit 0: open by --force, and what was not checked\n  \
             ERROR: …                     exit 255: writes stay closed, and why\n  \
             Usage: …                     exit 1: wrong number of arguments",
    example: "mysql_allow_write mmm_agent",
};

/// `mysql_deny_write`
pub static MYSQL_DENY_WRITE: Program = Program {
    name: "mysql_deny_write",
    shape: Shape::Plain,
    changes: true,
    extras: &[Extra::Wait],
    one_is_an_answer: false,
    works_without_settings: true,
    about: "Closes this host's server to writes: sets read_only, ends every client session, and checks that nothing is \
            written any more. Replication continues.",
    prints: "  OK                            exit 0: closed for certain\n  \
             OK: ended in the middle, …    exit 0: closed, and which sessions were ended in the middle\n  \
             OK: … was not used, …         exit 0: closed with default settings, because mmm_helpers.yaml has an error\n  \
             ERROR: …                      exit 255: what is still open, and whether read_only is on\n  \
             Usage: …                      exit 1: wrong number of arguments",
    example: "mysql_deny_write mmm_agent",
};

/// `mysql_may_write`
pub static MYSQL_MAY_WRITE: Program = Program {
    name: "mysql_may_write",
    shape: Shape::Plain,
    changes: false,
    extras: &[],
    one_is_an_answer: true,
    works_without_settings: false,
    about: "Says whether this host's server takes writes (read_only).",
    prints: "  OK: Not allowed   exit 0: read_only is on\n  \
             OK: Allowed       exit 1: read_only is off\n  \
             ERROR: …          exit 255: nobody can tell",
    example: "mysql_may_write mmm_agent",
};

/// `set_active_master`
pub static SET_ACTIVE_MASTER: Program = Program {
    name: "set_active_master",
    shape: Shape::NewMaster,
    changes: true,
    extras: &[Extra::Wait],
    one_is_an_answer: false,
    works_without_settings: false,
    about: "Lets this host replicate from another master, from the only position in its log at which no row is lost, \
            skipped or doubled; refuses if no position can be proved to be right.",
    prints: "  OK                                            exit 0, moved\n  \
             OK: We are already a slave of the new master  exit 0, nothing to do\n  \
             ERROR: …                                      exit 255, not moved\n  \
             Usage: …                                      exit 1",
    example: "set_active_master mmm_agent db2",
};

/// `sync_with_master`
pub static SYNC_WITH_MASTER: Program = Program {
    name: "sync_with_master",
    shape: Shape::Plain,
    changes: true,
    extras: &[Extra::Wait],
    one_is_an_answer: false,
    works_without_settings: false,
    about: "Waits until this host has applied everything that its peer has written. A peer that answers must be \
            read-only; of a dead one, everything that was fetched counts.",
    prints: "  OK                           exit 0: nothing is missing here\n  \
             OK: … continues without …    exit 0: what only another slave has is not here, and cannot come\n  \
             ERROR: …                     exit 255: something is missing, or nobody can tell\n  \
             Usage: …                     exit 1: wrong number of arguments",
    example: "sync_with_master mmm_agent",
};

/// `turn_off_slave`
pub static TURN_OFF_SLAVE: Program = Program {
    name: "turn_off_slave",
    shape: Shape::Plain,
    changes: true,
    extras: &[Extra::Wait],
    one_is_an_answer: false,
    works_without_settings: false,
    about: "Stops replication on this host: the channel that replicates from a host of the cluster.",
    prints: "  OK         exit 0: replication has stopped, or there is none\n  \
             ERROR: …   exit 255: it may still run\n  \
             Usage: …   exit 1: wrong number of arguments",
    example: "turn_off_slave mmm_agent",
};

/// `turn_on_slave`
pub static TURN_ON_SLAVE: Program = Program {
    name: "turn_on_slave",
    shape: Shape::Plain,
    changes: true,
    extras: &[Extra::Wait],
    one_is_an_answer: false,
    works_without_settings: false,
    about: "Starts replication on this host, on the channel that replicates from a host of the cluster, and checks \
            that it runs.",
    prints: "  OK         exit 0: both threads run\n  \
             ERROR: …   exit 255: they do not, and why\n  \
             Usage: …   exit 1: wrong number of arguments",
    example: "turn_on_slave mmm_agent",
};

/// Everything that a background process of a helper does; nobody waits for its exit code.
pub fn in_background<E: Display>(
    program: &Program,
    log: &LogSettings,
    what: &str,
    work: impl FnOnce() -> Result<(), E>,
) -> ExitCode {
    process::prepare();
    journal::open(program.name, log, 0);
    journal::keep_up();
    let ended = match work() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::warn!("{what} in the background ended: {error}");
            ExitCode::FAILURE
        }
    };
    journal::finish();
    ended
}
