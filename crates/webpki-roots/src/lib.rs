//! Stands in for the crate of this name, the list of the authorities that browsers believe.
//!
//! The MySQL client library believes them beside the file that it is given. Whoever gets a certificate from
//! one of them, for any name, would pass for a server under `verify-ca`; so nobody is in this list.

use rustls_pki_types::{Der, TrustAnchor};

/// One authority that has signed nothing: it has no name and no key. The library wants one at least.
pub const TLS_SERVER_ROOTS: &[TrustAnchor<'static>] = &[TrustAnchor {
    subject: Der::from_slice(b""),
    subject_public_key_info: Der::from_slice(b""),
    name_constraints: None,
}];
