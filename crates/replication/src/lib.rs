//! Servers and replication.
