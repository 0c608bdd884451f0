//! Writers: processes in the clients' network that write through the writer address, and note what was acknowledged.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mysql::prelude::Queryable;
use mysql::{Conn, LocalInfileHandler, OptsBuilder};

use crate::dice::Dice;
use crate::plan::Load;

/// What a writer is told on its command line.
#[derive(Clone, Debug)]
pub struct Writer {
    /// Its number, the beginning of every note.
    pub number: u64,
    /// What it draws from.
    pub seed: u64,
    /// How long it rests between two transactions.
    pub rest: Duration,
    /// What it does.
    pub load: Vec<Load>,
}

/// Writes until `stop` exists. Each line of `notes` is the begin of a transaction, `? NAME SERVER MILLISECONDS`, or what was
/// acknowledged, `+ NAME ROWS MILLISECONDS`; milliseconds since 1970.
pub fn write(writer: &Writer, address: &str, notes: &Path, stop: &Path) -> Result<(), String> {
    let mut notes = OpenOptions::new()
        .create(true)
        .append(true)
        .open(notes)
        .map_err(|error| format!("{}: {error}", notes.display()))?;
    let mut dice = Dice::new(writer.seed);
    let mut session: Option<(Conn, u64)> = None;
    let begun = Instant::now();
    let (mut count, mut prepared) = (0, None);
    // Should the round be killed, nobody makes the file.
    while !stop.exists() && begun.elapsed() < Duration::from_secs(180) {
        if session.is_none() {
            session = connect(address).ok();
            // What was prepared when the last session ended is committed now, if it is there.
            if let (Some((open, _)), Some(name)) = (&mut session, &prepared)
                && (open.query_drop(format!("XA COMMIT '{name}'")).is_ok() || open.ping().is_ok())
            {
                prepared = None;
            }
        }
        let Some((open, server)) = &mut session else {
            std::thread::sleep(Duration::from_millis(20));
            continue;
        };
        count += 1;
        let kind = *dice.pick(&writer.load);
        let mut name = format!("{}-{count}", writer.number);
        if kind == Load::Same {
            name = format!("same_{name}");
        }
        let text = format!("? {name} {server} {}\n", now());
        notes.write_all(text.as_bytes()).map_err(|error| error.to_string())?;
        if let Ok(rows) = once(open, kind, &name, &mut dice, writer.number, count) {
            note(&mut notes, &name, rows).map_err(|error| error.to_string())?;
        } else {
            session = None;
            if kind == Load::Xa {
                prepared = Some(name);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(writer.rest);
    }
    Ok(())
}

fn note(notes: &mut File, name: &str, rows: u64) -> std::io::Result<()> {
    notes.write_all(format!("+ {name} {rows} {}\n", now()).as_bytes())
}

/// Milliseconds since 1970.
pub fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis())
}

/// A connection, and the id of the server that it came to.
fn connect(address: &str) -> Result<(Conn, u64), mysql::Error> {
    let mut session = Conn::new(
        OptsBuilder::new()
            .ip_or_hostname(Some(address))
            .user(Some("app"))
            .pass(Some("app_secret"))
            .db_name(Some("app"))
            .prefer_socket(false)
            .tcp_connect_timeout(Some(Duration::from_secs(2)))
            .read_timeout(Some(Duration::from_secs(10)))
            .write_timeout(Some(Duration::from_secs(10))),
    )?;
    let server = session.query_first("SELECT @@server_id")?.unwrap_or(0);
    Ok((session, server))
}

/// Does one thing; returns how many rows have the name for a note.
fn once(
    session: &mut Conn,
    kind: Load,
    name: &str,
    dice: &mut Dice,
    number: u64,
    count: u64,
) -> Result<u64, mysql::Error> {
    let row = format!("INSERT INTO entries (note) VALUES ('{name}')");
    match kind {
        Load::Row => {
            session.query_drop(row)?;
            Ok(1)
        }
        Load::Rows => {
            let rows = dice.between(2, 20);
            session.query_drop("BEGIN")?;
            for _ in 0..rows {
                session.query_drop(&row)?;
            }
            session.query_drop("COMMIT")?;
            Ok(rows)
        }
        Load::LargeRows => {
            let size = dice.between(10_000, 300_000);
            session.query_drop(format!(
                "INSERT INTO large (note, body) VALUES ('{name}', REPEAT('x', {size}))"
            ))?;
            Ok(1)
        }
        Load::Xa => {
            session.query_drop(format!("XA START '{name}'"))?;
            session.query_drop(row)?;
            for word in ["END", "PREPARE", "COMMIT"] {
                session.query_drop(format!("XA {word} '{name}'"))?;
            }
            Ok(1)
        }
        Load::File => {
            let rows = dice.between(1, 50);
            let lines = format!("{name}\n").repeat(usize::try_from(rows).unwrap_or(1));
            session.set_local_infile_handler(Some(LocalInfileHandler::new(move |_, file| {
                file.write_all(lines.as_bytes())
            })));
            session.query_drop("LOAD DATA LOCAL INFILE 'lines' INTO TABLE entries (note)")?;
            Ok(rows)
        }
        Load::Scratch => {
            session.query_drop("USE scratch")?;
            session.query_drop(format!("INSERT INTO lines (note) VALUES ('{name}')"))?;
            session.query_drop("USE app")?;
            Ok(0)
        }
        Load::MyIsam => {
            session.query_drop(format!("INSERT INTO plain (note) VALUES ('{name}')"))?;
            Ok(1)
        }
        Load::Same => {
            session.query_drop(format!("UPDATE counters SET n = n + 1 WHERE id = {number}"))?;
            Ok(0)
        }
        Load::Rollback => {
            session.query_drop("BEGIN")?;
            session.query_drop(format!("INSERT INTO entries (note) VALUES ('rolled back {name}')"))?;
            session.query_drop("ROLLBACK")?;
            Ok(0)
        }
        Load::Table => {
            let table = format!("made_{number}_{}", count % 5);
            session.query_drop(format!("DROP TABLE IF EXISTS {table}"))?;
            session.query_drop(format!("CREATE TABLE {table} (a INT PRIMARY KEY, b INT)"))?;
            session.query_drop(format!("INSERT INTO {table} VALUES (1, {count}), (2, {count})"))?;
            Ok(0)
        }
        Load::Temporary => {
            session.query_drop("CREATE TEMPORARY TABLE passing (note VARCHAR(255)) ENGINE = InnoDB")?;
            session.query_drop(format!("INSERT INTO passing VALUES ('{name}')"))?;
            session.query_drop("INSERT INTO entries (note) SELECT note FROM passing")?;
            session.query_drop("DROP TEMPORARY TABLE passing")?;
            Ok(1)
        }
    }
}
