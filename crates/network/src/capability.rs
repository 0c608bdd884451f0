//! What this process may do to the network, beside what a user may.

use std::fs;

/// To change interfaces and addresses; a bit of the capabilities (`linux/capability.h`).
pub const NET_ADMIN: u32 = 12;
/// To send and hear whole frames.
pub const NET_RAW: u32 = 13;

/// Whether this process has a capability; `None` if the kernel does not say.
pub fn has(capability: u32) -> Option<bool> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    let mask = u64::from_str_radix(mask.trim(), 16).ok()?;
    Some(mask >> capability & 1 == 1)
}
