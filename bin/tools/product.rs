//! Which server it is, and of what version.

use mmm_replication::dialect::{Flavour, Version};

/// `MySQL` or `MariaDB`.
pub fn family(flavour: Flavour) -> &'static str {
    match flavour {
        Flavour::MariaDb => "MariaDB",
        Flavour::MySql => "MySQL",
    }
}

/// The numbers that a version begins with.
pub fn version(text: &str) -> Version {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    (next(), next(), next())
}

#[cfg(test)]
mod tests;
