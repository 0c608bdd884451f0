//! What servers send that are none, or no good ones.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use mmm_core::Secret;
use mmm_core::config::{HostName, Mode};
use mmm_core::settings::TlsOptions;

use super::*;
use crate::binlog::stream::Reader;

fn packet(number: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = u32::try_from(body.len()).unwrap().to_le_bytes();
    packet[3] = number;
    [&packet, body].concat()
}

fn ok(number: u8) -> Vec<u8> {
    packet(number, b"\0\0\0\x02\0\0\0")
}

/// What a server without TLS says first.
fn greeting() -> Vec<u8> {
    let fixed = [0x00, 0x82, 45, 2, 0, 0x08, 0, 21, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    packet(
        0,
        &[b"\x0a8.0.0\0\x01\0\0\0saltsalt\0", &fixed[..], b"saltsaltsalt\0mysql_native_password\0"].concat(),
    )
}

/// This machine, as a host of the cluster.
pub(super) fn host(mysql_port: u16) -> Host {
    Host {
        name: HostName::new("db3").unwrap(),
        ip: "127.0.0.1".into(),
        mysql_port,
        mode: Mode::Slave,
        peer: None,
        cluster_interface: String::new(),
        bin_path: "/usr/lib/mysql-mmm".into(),
        agent_user: "agent".into(),
        agent_password: Secret::new("secret"),
        replication_user: "replication".into(),
        replication_password: Secret::default(),
        tls: TlsOptions::default(),
        socket: None,
    }
}

/// A server that answers a log-in and each command after it with the next of these.
fn server(answers: Vec<Vec<u8>>) -> Host {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mysql_port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut client = listener.accept().unwrap().0;
        client.write_all(&greeting()).unwrap();
        for answer in answers {
            if client.read(&mut [0; 4096]).unwrap_or(0) == 0 || client.write_all(&answer).is_err() {
                return;
            }
        }
        trickle(&mut client);
    });
    host(mysql_port)
}

/// The beginning of a long answer, and then a byte now and then.
fn trickle(client: &mut TcpStream) {
    let _ = client.read(&mut [0; 4096]);
    let mut next = packet(1, &[1; 1000]);
    next.truncate(5);
    while client.write_all(&next).is_ok() {
        next = vec![b'x'];
        thread::sleep(Duration::from_millis(20));
    }
}

fn connect(host: &Host, most: Duration) -> Result<Server, Error> {
    Server::connect(host, most, Budget::start(Some(most)))
}

const LONG: Duration = Duration::from_secs(5);
const SHORT: Duration = Duration::from_millis(300);

#[test]
fn an_answer_that_never_ends_is_given_up_in_time_though_each_byte_comes_in_time() {
    let host = server(vec![ok(2)]);
    let mut server = connect(&host, SHORT).unwrap();
    let error = server.rows("SELECT 1").unwrap_err();
    assert!(matches!(error, Error::Silent { waited, .. } if waited < LONG), "{error}");
    let error = server.rows("SELECT 1").unwrap_err();
    assert!(matches!(error, Error::Broken { .. }), "what it still sends is no later answer: {error}");
}

#[test]
fn a_log_in_that_never_ends_is_given_up_in_time() {
    let started = Instant::now();
    let error = connect(&server(vec![]), SHORT).unwrap_err();
    assert!(matches!(error, Error::Connect { answered: false, .. }), "{error}");
    assert!(started.elapsed() < LONG, "{:?}", started.elapsed());
}

#[test]
fn what_is_not_of_the_protocol_is_an_error_with_its_host_and_no_bug() {
    for answer in [
        packet(1, b""),
        packet(1, b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff"),
        [packet(1, b"\x01"), packet(2, b"\x03")].concat(),
    ] {
        let error = connect(&server(vec![ok(2), answer]), LONG).unwrap().rows("SELECT 1").unwrap_err();
        assert!(matches!(&error, Error::Broken { host, .. } if host == "db3"), "{error}");
    }
    let error = connect(&server(vec![packet(2, b"")]), LONG).unwrap_err();
    assert!(matches!(&error, Error::Connect { cause, .. } if cause.contains("no log-in")), "{error}");
}

#[test]
fn an_event_of_another_length_than_it_says_is_an_error_and_no_bug() {
    for size in [0_u32, 18, 200] {
        let mut event = vec![0; 61];
        event[10..14].copy_from_slice(&size.to_le_bytes());
        // A checksum is agreed upon, and a replica announced, before the log is asked for.
        let host = server(vec![ok(2), ok(1), ok(1), packet(1, &event)]);
        let reader = Reader::new(&host, LONG, Budget::start(Some(LONG)));
        let error = reader.each_event("bin.000001", |_| panic!("there is none")).unwrap_err();
        assert!(matches!(&error, Error::Broken { .. }), "{size}: {error}");
    }
}
