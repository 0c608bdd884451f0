//! `mmm_sql`: runs statements and prints what the server answers, as the server's own client does with `--batch`. The
//! tests ask servers some ten thousand times in a run. MariaDB's client takes 8 ms of a processor to start, this one 1.6 ms.

use std::io::{self, Write};
use std::process::{self, ExitCode};
use std::thread;
use std::time::Duration;

use clap::Parser;
use mysql::prelude::Queryable;
use mysql::{Conn, OptsBuilder, Value};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
const LOST: &str = "Lost connection to server";
/// What `timeout` exits with.
const TIMED_OUT: i32 = 124;

/// Runs SQL statements and prints their rows, separated by tabs, without headings.
#[derive(Parser)]
struct Arguments {
    /// The server's socket.
    #[arg(long, conflicts_with = "host")]
    socket: Option<String>,
    /// The server's address; port 3306.
    #[arg(long)]
    host: Option<String>,
    /// The account; its password is in `MYSQL_PWD`.
    #[arg(long, default_value = "root")]
    user: String,
    #[arg(long, env = "MYSQL_PWD", hide = true, hide_env_values = true)]
    password: Option<String>,
    /// A line for each column of a row, `name: value`.
    #[arg(long)]
    vertical: bool,
    /// For how many seconds it may run; then it exits with 124.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Statements, separated by `;`.
    statements: String,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let most = Duration::from_secs(arguments.seconds);
    thread::spawn(move || {
        thread::sleep(most);
        process::exit(TIMED_OUT);
    });
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // If this fails, too, the exit code still tells.
            let _ = writeln!(io::stderr(), "{message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let options = OptsBuilder::new()
        .socket(arguments.socket.as_deref())
        .ip_or_hostname(arguments.host.as_deref())
        .prefer_socket(false)
        .user(Some(&arguments.user))
        .pass(arguments.password.as_deref())
        .tcp_connect_timeout(Some(CONNECT))
        // The library would ask the server for it.
        .max_allowed_packet(Some(1 << 30))
        .stmt_cache_size(0);
    let mut server = Conn::new(options).map_err(|error| said(&error, 2002, "Can't connect to server"))?;
    // It writes line by line: what came before a statement that takes long, or fails, is shown at once.
    let mut out = io::stdout().lock();
    let mut results = server.query_iter(&arguments.statements).map_err(|error| said(&error, 2013, LOST))?;
    while let Some(rows) = results.iter() {
        let columns: Vec<_> =
            rows.columns().as_ref().iter().map(|column| column.name_str().into_owned()).collect();
        for (number, row) in rows.enumerate() {
            let values: Vec<_> =
                row.map_err(|error| said(&error, 2013, LOST))?.unwrap().iter().map(bytes).collect();
            if arguments.vertical {
                write_vertically(&mut out, number + 1, &columns, &values)
            } else {
                write_line(&mut out, &values)
            }
            .map_err(|error| unwritten(&error))?;
        }
    }
    Ok(())
}

fn write_vertically(
    out: &mut dyn Write,
    number: usize,
    columns: &[String],
    values: &[Vec<u8>],
) -> io::Result<()> {
    let stars = "*".repeat(27);
    writeln!(out, "{stars} {number}. row {stars}")?;
    for (column, value) in columns.iter().zip(values) {
        write!(out, "{column}: ")?;
        out.write_all(value)?;
        writeln!(out)?;
    }
    Ok(())
}

fn write_line(out: &mut dyn Write, values: &[Vec<u8>]) -> io::Result<()> {
    let fields: Vec<_> = values.iter().map(|value| escaped(value)).collect();
    out.write_all(&fields.join(&b'\t'))?;
    writeln!(out)
}

fn unwritten(error: &io::Error) -> String {
    format!("mmm_sql: standard output: {error}")
}

/// The error as the servers' clients print it; `code` and `what` are those clients' own for an error that no server sent.
fn said(error: &mysql::Error, code: u16, what: &str) -> String {
    match error {
        mysql::Error::MySqlError(error) => {
            format!("ERROR {} ({}): {}", error.code, error.state, error.message)
        }
        error => format!("ERROR {code} (HY000): {what}: {error}"),
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::NULL => b"NULL".to_vec(),
        Value::Bytes(bytes) => bytes.clone(),
        // The text protocol has bytes only.
        other => format!("{other:?}").into_bytes(),
    }
}

/// A row is one line, and a tab separates its values.
fn escaped(value: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(value.len());
    for byte in value {
        match byte {
            b'\n' => text.extend(b"\\n"),
            b'\t' => text.extend(b"\\t"),
            b'\\' => text.extend(b"\\\\"),
            0 => text.extend(b"\\0"),
            _ => text.push(*byte),
        }
    }
    text
}
