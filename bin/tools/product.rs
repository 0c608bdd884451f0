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
mod tests {
    use super::*;

    #[test]
    fn a_version_is_its_first_three_numbers() {
        for (text, numbers) in
            [("8.0.36-0ubuntu1", (8, 0, 36)), ("9.7", (9, 7, 0)), ("10.11.6-MariaDB-log", (10, 11, 6))]
        {
            assert_eq!(version(text), numbers);
        }
    }
}
