//! Replaces the crate of this name, the list of the authorities that browsers trust.
//!
//! The MySQL client library trusts them beside the file that it is given. Under `verify-ca`, anybody with a
//! certificate from one of them, for any name, could pose as a server. So this list has no real authority.

use rustls_pki_types::{Der, TrustAnchor};

/// One authority that has signed nothing: it has no name and no key. The library wants one at least.
pub const TLS_SERVER_ROOTS: &[TrustAnchor<'static>] = &[TrustAnchor {
    subject: Der::from_slice(b""),
    subject_public_key_info: Der::from_slice(b""),
    name_constraints: None,
}];
