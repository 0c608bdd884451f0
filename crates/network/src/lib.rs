//! Interfaces, addresses and their announcement.
