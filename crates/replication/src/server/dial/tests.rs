use std::io::Write;
use std::net::TcpListener;
use std::os::unix::net::{UnixListener, UnixStream};

use nix::sys::socket::{self, Backlog};
use rustls::{InvalidMessage, PeerIncompatible};

use super::*;

fn host() -> Host {
    let tls = TlsOptions { mode: TlsMode::Required, ca: Some("/x/ca.pem".into()), identity: None };
    Host { tls, ..crate::server::tests::host(3306) }
}

/// What a server of version 8 that offers TLS says first.
fn greeting() -> Vec<u8> {
    let mut packet = vec![73, 0, 0, 0, 10];
    packet.extend(b"8.0.0\0");
    packet.extend([1, 0, 0, 0]);
    packet.extend(b"saltsalt\0");
    packet.extend([0x00, 0x8a, 45, 2, 0, 0x08, 0, 21]);
    packet.extend([0; 10]);
    packet.extend(b"saltsaltsalt\0caching_sha2_password\0");
    packet[0] = u8::try_from(packet.len() - 4).unwrap();
    packet
}

/// How long `dial` with a limit of 300 ms takes to find out that a server is frozen.
fn time_to_give_up(host: &Host) -> Duration {
    let started = Instant::now();
    let error = dial(host, Duration::from_millis(300)).unwrap_err();
    assert!(is_timeout(&error) && !is_answer(&error), "{error}");
    started.elapsed()
}

#[test]
fn a_name_service_that_is_late_is_not_taken_for_a_frozen_server() {
    let said = |error: io::Error| describe(&error.into(), &host(), Duration::from_secs(2));
    let late = "The name service did not answer for db1 within 2.0s";
    assert_eq!(said(io::Error::new(ErrorKind::TimedOut, late)), late);
    assert!(said(ErrorKind::TimedOut.into()).contains("frozen"));
}

#[test]
fn a_server_that_freezes_in_the_middle_of_tls_is_given_up_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let tls = TlsOptions { mode: TlsMode::Required, ..TlsOptions::default() };
    let host = Host { mysql_port: listener.local_addr().unwrap().port(), tls, ..host() };
    let server = thread::spawn(move || {
        let mut connection = listener.accept().unwrap().0;
        connection.write_all(&greeting()).unwrap();
        connection
    });
    let waited = time_to_give_up(&host);
    assert!(waited < Duration::from_millis(550), "{waited:?}");
    // The greeting was understood: TLS had begun.
    let mut request = [0; 37];
    io::Read::read_exact(&mut server.join().unwrap(), &mut request).unwrap();
    assert_eq!((request[0], request[36]), (32, 0x16));
}

#[test]
fn a_frozen_server_whose_socket_takes_nobody_in_is_given_up_in_time() {
    let path = std::env::temp_dir().join(format!("mmm-dial-{}.sock", std::process::id()));
    let listener = UnixListener::bind(&path).unwrap();
    socket::listen(&listener, Backlog::new(0).unwrap()).unwrap();
    let _waits_before_us = UnixStream::connect(&path).unwrap();
    let waited = time_to_give_up(&Host { socket: Some(path.clone()), ..host() });
    std::fs::remove_file(path).unwrap();
    assert!(waited < Duration::from_millis(550), "{waited:?}");
}

#[test]
fn a_failure_of_tls_says_what_to_do_and_that_the_server_lives() {
    let invalid = rustls::Error::InvalidCertificate;
    let table = [
        (invalid(CertificateError::UnknownIssuer), "signed by no authority in /x/ca.pem"),
        (invalid(CertificateError::Expired), "expired; renew it"),
        (invalid(CertificateError::NotValidForName), "not made out to 127.0.0.1"),
        (invalid(CertificateError::Revoked), "cannot be used: "),
        (
            rustls::Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13),
            "do without: tls: {hosts: {db3: off}}",
        ),
        (rustls::Error::AlertReceived(AlertDescription::ProtocolVersion), "older than TLS 1.2?"),
        (rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType), "older than TLS 1.2?"),
        (rustls::Error::AlertReceived(AlertDescription::CertificateRequired), "another tls.cert?"),
        (rustls::Error::DecryptError, "TLS failed: "),
    ];
    for (error, words) in table {
        let error = mysql::Error::IoError(io::Error::new(ErrorKind::InvalidData, error));
        let text = describe(&error, &host(), Duration::ZERO);
        assert!(text.contains(words) && is_answer(&error), "{text}");
    }
    let error = mysql::Error::DriverError(DriverError::TlsNotSupported);
    assert!(describe(&error, &host(), Duration::ZERO).contains("offers no TLS") && is_answer(&error));
}

#[test]
fn only_what_was_heard_of_a_server_proves_that_it_lives() {
    let driver = |error| mysql::Error::DriverError(error);
    assert!(is_answer(&driver(DriverError::UnknownAuthPlugin("parsec".into()))));
    assert!(!is_answer(&driver(DriverError::ConnectTimeout)));
    assert!(!is_answer(&driver(DriverError::CouldNotConnect(None))));
    assert!(!is_answer(&mysql::Error::server_disconnected()));
    assert!(!is_answer(&io::Error::from(ErrorKind::WouldBlock).into()));
}

#[test]
fn the_client_library_gets_addresses_and_a_name_only_for_a_certificate_made_out_to_it() {
    let named = |mode| Host { ip: "localhost".into(), tls: TlsOptions { mode, ..host().tls }, ..host() };
    let found = targets(&named(TlsMode::Required), Duration::from_secs(20)).unwrap();
    assert!(
        found.iter().all(|target| target.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())),
        "{found:?}"
    );
    assert_eq!(targets(&named(TlsMode::VerifyIdentity), Duration::ZERO).unwrap(), ["localhost"]);
    // Nobody is asked for an address.
    assert_eq!(targets(&host(), Duration::ZERO).unwrap(), [host().ip]);
}

#[test]
fn if_nobody_accepts_at_a_names_first_address_the_next_is_tried() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || drop(listener.accept().unwrap()));
    let options = OptsBuilder::new().tcp_port(port).tcp_connect_timeout(Some(Duration::from_secs(5)));
    let error = first_that_connects(&options, &["::1".into(), "127.0.0.1".into()]).unwrap_err();
    // It was accepted, and then closed.
    assert!(!matches!(error, mysql::Error::DriverError(DriverError::CouldNotConnect(_))), "{error}");
    server.join().unwrap();
}
