//! The result for people.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use mmm_core::escape;

use super::report::{HostRow, Missing, Origin, Outcome, Report, TableRow, TransactionRow};
use crate::terminal::{counted, grouped};

/// Most transactions' tables and statements on the screen.
const INDENT: &str = "    ";

/// The whole text.
pub fn draw(report: &Report) -> String {
    let mut text = String::new();
    let (from, to) = (&report.from, &report.to);
    let how = match report.method {
        Some("gtid") => ", by GTID",
        Some(_) => ", by what is in the transactions",
        None => "",
    };
    let _ = writeln!(text, "What {} has executed and {} has not{how}", named(from), named(to));
    if let Some(error) = &report.error {
        let _ = writeln!(text, "\nThe answer is unknown: {} ({})", error.text, error.code);
    }
    if !report.transactions.is_empty() {
        text.push('\n');
    }
    for transaction in &report.transactions {
        draw_transaction(&mut text, transaction);
    }
    let more = report.missing.in_log - report.transactions.len() as u64;
    if more > 0 && !report.transactions.is_empty() {
        let _ = writeln!(text, "and {} more (--limit)", counted(more, "transaction"));
    }
    if report.error.is_none() {
        text.push('\n');
        draw_sum(&mut text, report);
    }
    for note in &report.notes {
        let _ = writeln!(text, "Note: {note}");
    }
    if !report.advice.is_empty() {
        text += "\nWhat can be done; nothing of it was done:\n";
    }
    for (number, advice) in report.advice.iter().enumerate() {
        let _ = writeln!(text, "{}. {}", number + 1, advice.text);
        for step in &advice.steps {
            let _ = writeln!(text, "{INDENT}{step}");
        }
    }
    text
}

fn named(host: &HostRow) -> String {
    let details = [host.address.clone(), host.product.clone()];
    let details = details.into_iter().flatten().collect::<Vec<_>>().join(", ");
    if details.is_empty() {
        escape::line(&host.name)
    } else {
        format!("{} ({details})", escape::line(&host.name))
    }
}

fn draw_transaction(text: &mut String, transaction: &TransactionRow) {
    let gtid = transaction.gtid.as_ref().map_or_else(String::new, |gtid| format!("  {gtid}"));
    let _ = writeln!(
        text,
        "{}{gtid}  of {}  at {}, {}",
        local(&transaction.time),
        origin(&transaction.origin),
        escape::line(&transaction.place),
        counted(transaction.bytes, "byte")
    );
    for table in &transaction.tables {
        let _ = writeln!(text, "{INDENT}{}", rows(table));
    }
    left_out(text, transaction.tables_left_out, "rows of more tables");
    for statement in &transaction.statements {
        let database =
            statement.database.as_ref().map_or_else(String::new, |name| format!("{}: ", escape::line(name)));
        let _ = writeln!(text, "{INDENT}{database}{}", statement.text);
    }
    left_out(text, transaction.statements_left_out, "more statements");
}

fn left_out(text: &mut String, number: usize, what: &str) {
    if number > 0 {
        let _ = writeln!(text, "{INDENT}and {what}");
    }
}

fn origin(origin: &Origin) -> String {
    match &origin.host {
        Some(host) => host.clone(),
        None => format!("server {}", origin.server_id),
    }
}

fn rows(table: &TableRow) -> String {
    let parts = [(table.inserted, "inserted"), (table.updated, "updated"), (table.deleted, "deleted")];
    let mut words: Vec<String> = parts
        .into_iter()
        .filter(|(rows, _)| *rows > 0)
        .map(|(rows, deed)| format!("{} {deed}", grouped(rows)))
        .collect();
    if !table.exact {
        words.push("and some that could not be counted".into());
    }
    format!("{}.{}: {}", escape::line(&table.database), escape::line(&table.table), words.join(", "))
}

fn draw_sum(text: &mut String, report: &Report) {
    let (missing, to) = (&report.missing, &report.to.name);
    if report.result == Outcome::NothingMissing {
        // If only the logs show the difference, they may not go back to the beginning.
        let which = if missing.transactions.is_some() { "Nothing" } else { "Nothing that can be compared" };
        let _ = writeln!(text, "{which} is missing on {to}.");
    } else {
        draw_missing(text, missing, to);
        match (&report.reverse.transactions, &report.reverse.error) {
            (Some(number), _) => {
                let other = counted(*number, "transaction");
                let _ = writeln!(text, "The other way, {to} has {other} that {} has not.", report.from.name);
            }
            (None, Some(why)) => {
                let _ =
                    writeln!(text, "It is unknown what {to} has that {} has not: {why}", report.from.name);
            }
            (None, None) => {}
        }
    }
    if let Some(saved) = &report.saved {
        let file = escape::line(&saved.file);
        let _ = writeln!(
            text,
            "Saved in {file}: {}, {}.",
            counted(saved.transactions, "transaction"),
            counted(saved.bytes, "byte")
        );
    }
}

fn draw_missing(text: &mut String, missing: &Missing, to: &str) {
    let number = missing.transactions.unwrap_or(missing.in_log);
    let at_least = if missing.transactions.is_none() { "At least " } else { "" };
    let verb = if number == 1 { "is" } else { "are" };
    let _ = write!(
        text,
        "{at_least}{} {verb} missing on {to}: {}",
        counted(number, "transaction"),
        counted(missing.bytes, "byte")
    );
    if let (Some(first), Some(last)) = (&missing.first, &missing.last) {
        let _ = write!(text, ", written from {} to {}", local(first), local(last));
    }
    text.push('\n');
    for table in &missing.tables {
        let _ = writeln!(text, "{INDENT}{}", rows(table));
    }
    for (what, gtids) in [
        ("GTIDs", &missing.gtids),
        ("purged from the log, so that they cannot be shown", &missing.purged),
        ("never logged, so that they cannot be shown", &missing.unlogged),
    ] {
        if let Some(gtids) = gtids.as_ref().filter(|gtids| !gtids.is_empty()) {
            let _ = writeln!(text, "{INDENT}{what}: {gtids}");
        }
    }
    let unseen = missing.transactions.map_or(0, |number| number.saturating_sub(missing.in_log));
    if unseen > 0 && missing.purged.is_none() {
        let _ = writeln!(
            text,
            "{INDENT}{} of them {} not in the log",
            grouped(unseen),
            if unseen == 1 { "is" } else { "are" }
        );
    }
}

/// A time of the document, in the host's zone.
fn local(utc: &str) -> String {
    utc.parse::<Timestamp>().map_or_else(
        |_| utc.to_string(),
        |time| time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}
