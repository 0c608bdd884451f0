//! How a server is reached: by TCP or socket, with TLS or without, and what a failure means.
//!
//! TLS begins with the client library's first write after the greeting, so most of its failures look like
//! failures of the socket.

use std::error::Error as _;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use mmm_core::config::Host;
use mmm_core::names;
use mmm_core::settings::{TlsMode, TlsOptions};
use mysql::error::tls::TlsError;
use mysql::prelude::Queryable;
use mysql::{ClientIdentity, Conn, DriverError, OptsBuilder, Row, SslOpts, Value};
use rustls::{AlertDescription, CertificateError};

use crate::server::patience;

/// The maximum packet size, which the library would otherwise ask the server for: the maximum size of an event of a
/// log.
const MAX_PACKET: usize = 1 << 30;
/// How much longer than its time a limited connection may take, so that the library's own, clearer error comes first.
const SLACK: Duration = Duration::from_millis(50);

/// Connects and logs in as `host` says, within `most`.
pub fn dial(host: &Host, most: Duration) -> mysql::Result<Conn> {
    let started = Instant::now();
    match conn(host, ssl_options(&host.tls), most) {
        Err(error) if host.tls.mode == TlsMode::Preferred && is_lack_of_tls(&error) => {
            let reason = describe(&error, host, started.elapsed());
            log::warn!("{}: continuing without TLS. {reason}", host.name);
            conn(host, None, most.saturating_sub(started.elapsed()).max(patience::LEAST))
        }
        result => result,
    }
}

fn conn(host: &Host, tls: Option<SslOpts>, most: Duration) -> mysql::Result<Conn> {
    let started = Instant::now();
    let targets = targets(host, most)?;
    let most = most.saturating_sub(started.elapsed()).max(patience::LEAST);
    let options = OptsBuilder::new()
        .tcp_port(host.mysql_port)
        .socket(host.socket.as_ref().map(|path| path.to_string_lossy()))
        .user(Some(host.agent_user.as_str()))
        .pass(Some(host.agent_password.expose()))
        .prefer_socket(false)
        .ssl_opts(tls)
        .max_allowed_packet(Some(MAX_PACKET))
        .stmt_cache_size(0)
        // A name may have addresses at which nobody answers.
        .tcp_connect_timeout(Some(most / u32::try_from(targets.len()).unwrap_or(u32::MAX).max(1)))
        .read_timeout(Some(most))
        .write_timeout(Some(most));
    // The library limits each read, not the log-in; it reads once more when it drops a TLS connection that failed,
    // and has no limit for connecting to the socket of a frozen server.
    let is_verified = host.tls.mode >= TlsMode::VerifyCa && host.socket.is_none();
    limited(most + SLACK, move || {
        let mut conn = first_that_connects(&options, &targets)?;
        if is_verified {
            test_order(&mut conn)?;
        }
        Ok(conn)
    })
}

/// What the client library connects to: addresses alone, since a static program's own look-up knows little. If a
/// certificate has to be made out to the name, the library needs that name, and looks it up itself.
fn targets(host: &Host, most: Duration) -> io::Result<Vec<String>> {
    if host.socket.is_some() || host.tls.mode >= TlsMode::VerifyIdentity || host.ip.parse::<IpAddr>().is_ok()
    {
        return Ok(vec![host.ip.clone()]);
    }
    Ok(names::addresses(&host.ip, most)?.iter().map(ToString::to_string).collect())
}

/// Goes on to the next address if nobody accepts a connection.
fn first_that_connects(options: &OptsBuilder, targets: &[String]) -> mysql::Result<Conn> {
    let mut result = Err(io::Error::from(ErrorKind::AddrNotAvailable).into());
    for target in targets {
        result = Conn::new(options.clone().ip_or_hostname(Some(target.as_str())));
        match &result {
            Err(mysql::Error::DriverError(DriverError::ConnectTimeout | DriverError::CouldNotConnect(_))) => {
            }
            _ => return result,
        }
    }
    result
}

/// Checks that no forged answer is waiting. The library keeps what came in the clear together with the greeting, and
/// would take it for later answers. But nobody can have known the answer to this question beforehand.
fn test_order(conn: &mut Conn) -> mysql::Result<()> {
    let number = RandomState::new().build_hasher().finish().to_string();
    match conn.query_first::<Row, _>(format!("SELECT {number}")) {
        Ok(Some(row)) if row.as_ref(0) == Some(&Value::Bytes(number.into())) => Ok(()),
        Err(error) if io_error(&error).is_some() || matches!(error, mysql::Error::MySqlError(_)) => {
            Err(error)
        }
        _ => Err(io::Error::other(
            "Its answer does not belong to this connection: somebody on the network tampers with \
                                   it",
        )
        .into()),
    }
}

/// Connects in a thread of its own, which is abandoned when its time is over.
fn limited(
    most: Duration,
    connect: impl FnOnce() -> mysql::Result<Conn> + Send + 'static,
) -> mysql::Result<Conn> {
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new().spawn(move || {
        // If the result came too late, nobody receives it any more.
        let _ = sender.send(connect());
    })?;
    receiver.recv_timeout(most).unwrap_or_else(|end| {
        Err(match end {
            RecvTimeoutError::Timeout => io::Error::from(ErrorKind::TimedOut),
            RecvTimeoutError::Disconnected => io::Error::other("What it sent is no log-in; see the log"),
        }
        .into())
    })
}

fn ssl_options(tls: &TlsOptions) -> Option<SslOpts> {
    let identity = tls.identity.clone().map(|(cert, key)| ClientIdentity::new(cert, key));
    (tls.mode != TlsMode::Off).then(|| {
        SslOpts::default()
            .with_root_cert_path(tls.ca.clone())
            .with_client_identity(identity)
            .with_danger_accept_invalid_certs(tls.mode < TlsMode::VerifyCa)
            .with_danger_skip_domain_validation(tls.mode < TlsMode::VerifyIdentity)
    })
}

/// True if the server offers no TLS, or none that can be used.
fn is_lack_of_tls(error: &mysql::Error) -> bool {
    matches!(error, mysql::Error::DriverError(DriverError::TlsNotSupported))
        || handshake_error(error).is_some()
}

/// True if the server itself answered, so that it is alive.
pub fn is_answer(error: &mysql::Error) -> bool {
    match error {
        mysql::Error::MySqlError(_) | mysql::Error::TlsError(_) => true,
        mysql::Error::DriverError(driver) => {
            !matches!(driver, DriverError::ConnectTimeout | DriverError::CouldNotConnect(_))
        }
        other => handshake_error(other).is_some(),
    }
}

/// True if the time for a read or a write was over.
pub fn is_timeout(error: &mysql::Error) -> bool {
    io_error(error).is_some_and(|io| matches!(io.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
}

/// If the library was reading or writing a packet, it wraps an error of the socket in one of its own.
fn io_error(error: &mysql::Error) -> Option<&io::Error> {
    match error {
        mysql::Error::IoError(io) => Some(io),
        mysql::Error::CodecError(codec) => codec.source()?.downcast_ref(),
        _ => None,
    }
}

/// What TLS says of the server. [`mysql::Error::TlsError`] is about our own files.
fn handshake_error(error: &mysql::Error) -> Option<&rustls::Error> {
    io_error(error)?.get_ref()?.downcast_ref()
}

/// What to say of a connection that was not made: the server's own words, if it sent any.
pub fn describe(error: &mysql::Error, host: &Host, waited: Duration) -> String {
    if let Some(tls) = handshake_error(error) {
        return describe_handshake(tls, host);
    }
    match error {
        mysql::Error::MySqlError(refused) => format!("{} (error {})", refused.message, refused.code),
        // Of the name service: a socket's error has no words of its own.
        mysql::Error::IoError(io) if io.get_ref().is_some() => io.to_string(),
        late if is_timeout(late) => {
            format!("It accepted the connection but sent nothing for {waited:.1?}; is the server frozen?")
        }
        mysql::Error::TlsError(error) => describe_files(error, &host.tls),
        mysql::Error::DriverError(DriverError::ConnectTimeout) => {
            format!("No answer within {waited:.1?}; is the host down or its port filtered?")
        }
        mysql::Error::DriverError(DriverError::CouldNotConnect(Some((_, description, _)))) => {
            description.clone()
        }
        mysql::Error::DriverError(DriverError::TlsNotSupported) => {
            format!("The server offers no TLS; give it a certificate, or {}", exemption(host))
        }
        mysql::Error::DriverError(DriverError::UnknownAuthPlugin(plugin)) => format!(
            "There is no such account, or it logs in by {plugin}, which the helpers do not know (docs/CONNECTIONS.md)"
        ),
        mysql::Error::IoError(io) => io.to_string(),
        other => other.to_string(),
    }
}

fn describe_handshake(error: &rustls::Error, host: &Host) -> String {
    use rustls::Error::{AlertReceived, InvalidCertificate, InvalidMessage, PeerIncompatible};
    let ca = host.tls.ca.as_deref().unwrap_or(Path::new("")).display();
    match error {
        InvalidCertificate(CertificateError::UnknownIssuer) => {
            format!("Its certificate is signed by no authority in {ca} (tls.ca)")
        }
        InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "Its certificate has expired; renew it there".into()
        }
        InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => {
            format!(
                "Its certificate is not made out to {}: it lacks that subjectAltName; renew it, or use verify-ca",
                host.ip
            )
        }
        InvalidCertificate(other) => format!("Its certificate cannot be used: {other}"),
        PeerIncompatible(_)
        | InvalidMessage(_)
        | AlertReceived(AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure) => {
            format!("Its TLS cannot be used ({error}); is it older than TLS 1.2? Then {}", exemption(host))
        }
        AlertReceived(alert) => format!("It ended TLS with {alert:?}; did it want another tls.cert?"),
        other => format!("TLS failed: {other}"),
    }
}

fn exemption(host: &Host) -> String {
    format!("do without: tls: {{hosts: {{{}: off}}}} in mmm_helpers.yaml", host.name)
}

fn describe_files(error: &TlsError, tls: &TlsOptions) -> String {
    use rustls::Error::{InconsistentKeys, InvalidCertificate};
    let (cert, key) = tls.identity.as_ref().map(|(cert, key)| (cert, key)).unzip();
    let files = [tls.ca.as_ref(), cert, key].into_iter().flatten();
    let files = files.map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ");
    let reason = match error {
        TlsError::Tls(InvalidCertificate(_)) => "it holds no certificate in PEM".into(),
        TlsError::Tls(InconsistentKeys(_)) => "the key is not that of the certificate".into(),
        other => other.to_string(),
    };
    format!("What tls in mmm_helpers.yaml names cannot be used: {files}: {reason}")
}

#[cfg(test)]
mod tests;
