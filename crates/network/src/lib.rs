//! The interfaces, addresses and connections of this host, and how an address is announced to its network.
//!
//! The kernel is asked over netlink and answers with numbers, so an address is compared as an address and
//! never as text. Nothing here runs a shell, and nothing knows MMM's configuration.

pub mod address;
mod announce;
pub mod announcer;
mod background;
pub mod capability;
pub mod conflict;
pub mod connection;
pub mod ending;
pub mod error;
pub mod farewell;
#[doc(hidden)]
pub mod fuzzed;
pub mod interface;
pub mod netlink;
mod packet_socket;
mod promotion;
mod seat;
mod segment;

pub use address::{Holding, VirtualIp};
pub use error::{Mac, NetworkError};
pub use interface::{Interface, Link};
pub use netlink::Netlink;
