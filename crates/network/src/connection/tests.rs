use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;

use nix::sys::socket::{self, Backlog};

use super::*;

/// A program that listens on a port of its own and is connected to `listener`, from which it hears one byte: this
/// program, its port, and the other end of that connection.
fn server_that_has_heard(listener: &TcpListener) -> (Child, u16, TcpStream) {
    let script = format!(
        "use IO::Socket::INET; $| = 1; my $own = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1'); \
         my $source = IO::Socket::INET->new('127.0.0.1:{}'); sysread $source, my $data, 1; \
         print $own->sockport, qq(\\n); sysread $source, $data, 1",
        listener.local_addr().unwrap().port()
    );
    let mut program = Command::new("perl").args(["-e", &script]).stdout(Stdio::piped()).spawn().unwrap();
    let (mut connection, _) = listener.accept().unwrap();
    connection.write_all(b"x").unwrap();
    let mut line = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (program, line.trim().parse().unwrap(), connection)
}

#[test]
fn data_over_the_servers_connection_are_heard_and_those_of_another_program_are_not() {
    let budget = Budget::start(Some(Duration::from_secs(10)));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard =
        |listening, address: &str| last_heard(listening, &[address.parse().unwrap()], port, budget).unwrap();
    let (mut other, others, idle) = server_that_has_heard(&listener);
    thread::sleep(Duration::from_millis(200));
    let (mut server, own, connection) = server_that_has_heard(&listener);
    thread::sleep(Duration::from_millis(50));
    let ago = heard(own, "127.0.0.1").unwrap();
    // The kernel counts in ticks of its clock.
    assert!((30..5000).contains(&ago.as_millis()), "{ago:?}");
    assert!(heard(others, "127.0.0.1").unwrap() > ago, "each its own");
    assert_eq!(heard(own, "127.0.0.2"), None, "another address");
    assert_eq!(heard(1, "127.0.0.1"), None, "nobody listens there");
    drop(connection);
    server.wait().unwrap();
    assert_eq!(heard(own, "127.0.0.1"), None, "another program's tells nothing");
    drop(idle);
    other.wait().unwrap();
}

#[test]
fn a_connection_over_which_nothing_came_is_not_heard() {
    let budget = Budget::start(Some(Duration::from_secs(10)));
    let [server, source] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [own, port] = [&server, &source].map(|listener| listener.local_addr().unwrap().port());
    let heard = || last_heard(own, &["127.0.0.1".parse().unwrap()], port, budget).unwrap();
    assert_eq!(heard(), None, "nobody is connected");
    let mut program = reader(port);
    let connection = source.accept().unwrap();
    assert_eq!(heard(), None, "nothing has come");
    drop(connection);
    program.wait().unwrap();
}

#[test]
fn a_socket_to_be_ended_is_named_as_sock_diag_wants_it() {
    let mut id = [0; ID];
    id[..4].copy_from_slice(&[0xc3, 0x50, 0x0c, 0xea]);
    id[ID - 1] = 7;
    let mut bytes = [9; 56];
    Question { family: 10, states: ESTABLISHED | SYN_SENT, attributes: 2, id }.emit(&mut bytes);
    assert_eq!(bytes[..4], [10, 6, 2, 0]);
    assert_eq!(u32::from_ne_bytes(bytes[4..8].try_into().unwrap()), 0b110);
    assert_eq!((&bytes[8..12], bytes[55]), (&[0xc3, 0x50, 0x0c, 0xea][..], 7));
}

/// A program that connects to `port` of this machine and reads until the connection ends.
fn reader(port: u16) -> Child {
    let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port}; read -u 3");
    Command::new("bash").args(["-c", &script]).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn only_the_servers_own_connection_over_which_nothing_came_is_ended() {
    let budget = Budget::start(Some(Duration::from_secs(10)));
    let [server, source] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [own, port] = [&server, &source].map(|listener| listener.local_addr().unwrap().port());
    let here = ["127.0.0.1".parse().unwrap()];
    let found = |listening| attempts(listening, &here, port, budget).unwrap();
    let mut other = reader(port);
    let mut from_other = source.accept().unwrap().0;
    assert_eq!(found(own), [], "of a program that is no server");

    let mut standing = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut from_source = source.accept().unwrap().0;
    from_source.write_all(b"x").unwrap();
    standing.read_exact(&mut [0]).unwrap();
    assert_eq!(found(own), [], "something came");

    let mut unanswered = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let [attempt] = found(own).try_into().unwrap();
    assert_eq!(found(own), std::slice::from_ref(&attempt), "the same at a second look");
    assert_eq!(found(1), [], "nobody listens there");
    let elsewhere = attempts(own, &["127.0.0.2".parse().unwrap()], port, budget).unwrap();
    assert_eq!(elsewhere, [], "another address");

    match attempt.end(budget) {
        Ok(()) => {
            let error = unanswered.read(&mut [0]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
            assert_eq!(found(own), []);
            attempt.end(budget).expect("it is gone, which is as good");
        }
        Err(error) => {
            let reason = error.to_string();
            assert!(reason.contains("CAP_NET_ADMIN") || reason.contains("CONFIG_INET_DIAG_DESTROY"));
            assert_eq!(found(own), [attempt]);
        }
    }
    from_source.write_all(b"y").unwrap();
    standing.read_exact(&mut [0]).unwrap();
    from_other.write_all(b"z\n").unwrap();
    assert!(other.wait().unwrap().success());
}

#[test]
fn a_connection_that_nobody_accepts_is_an_attempt_too() {
    let budget = Budget::start(Some(Duration::from_secs(10)));
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let source = TcpListener::bind("127.0.0.1:0").unwrap();
    let [own, port] = [&server, &source].map(|listener| listener.local_addr().unwrap().port());
    socket::listen(&source, Backlog::new(0).unwrap()).unwrap();
    let _waits_before_us = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let found = || attempts(own, &["127.0.0.1".parse().unwrap()], port, budget).unwrap();
    let connecting = thread::spawn(move || TcpStream::connect(("127.0.0.1", port)));
    while found().len() < 2 {
        assert!(budget.pause(Duration::from_millis(5)), "it was accepted");
    }
    if found().iter().all(|attempt| attempt.end(budget).is_ok()) {
        assert!(connecting.join().unwrap().is_err());
    }
}

#[test]
fn ones_own_connections_are_not_heard() {
    let listener = TcpListener::bind("[::1]:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut stream = TcpStream::connect(("::1", port)).unwrap();
    listener.accept().unwrap().0.write_all(b"x").unwrap();
    stream.read_exact(&mut [0]).unwrap();
    let budget = Budget::start(Some(Duration::from_secs(10)));
    assert_eq!(last_heard(port, &["::1".parse().unwrap()], port, budget).unwrap(), None);
}
