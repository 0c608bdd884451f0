//! The result as a document: what the text, JSON and YAML all show (docs/OUTPUT.md).

use std::collections::BTreeMap;

use mmm_core::escape;
use mmm_replication::difference::{self, Transaction};
use serde::Serialize;

/// Version of this document's form.
const SCHEMA: u32 = 1;
/// The maximum number of tables whose rows are summed up.
const MOST_TABLES: usize = 1000;

/// One look.
#[derive(Debug, Serialize)]
pub struct Report {
    pub schema: u32,
    pub tool: &'static str,
    pub version: &'static str,
    /// This host; `None` if no configuration says which it is.
    pub host: Option<String>,
    /// Name of the agent's configuration.
    pub config: String,
    /// The host whose transactions were looked for.
    pub from: HostRow,
    /// The host that may lack them.
    pub to: HostRow,
    pub result: Outcome,
    pub exit_code: u8,
    pub milliseconds: f64,
    /// Why the answer is unknown.
    pub error: Option<Failure>,
    /// How the transactions were recognised; `None` if the answer is unknown.
    pub method: Option<&'static str>,
    pub missing: Missing,
    /// The first of them.
    pub transactions: Vec<TransactionRow>,
    /// The other way.
    pub reverse: Reverse,
    pub saved: Option<Saved>,
    pub notes: Vec<String>,
    /// What can be done.
    pub advice: Vec<Advice>,
}

/// What came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    NothingMissing,
    Missing,
    Unknown,
}

impl Outcome {
    pub fn exit_code(self) -> u8 {
        match self {
            Self::NothingMissing => 0,
            Self::Missing => 1,
            Self::Unknown => 2,
        }
    }
}

/// One of the two hosts.
#[derive(Clone, Debug, Default, Serialize)]
pub struct HostRow {
    pub name: String,
    pub address: Option<String>,
    /// `MariaDB` or `MySQL`, and version.
    pub product: Option<String>,
    pub server_id: Option<u64>,
    pub read_only: Option<bool>,
}

/// Why the answer is unknown.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// Stable, for programs.
    pub code: &'static str,
    pub text: String,
}

/// Why the answer is unknown, if no server or file gives the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Code {
    /// A bug.
    DifferenceFailed,
    /// A name that the configuration does not have, or one name twice.
    UnknownHost,
    /// The new file is not there.
    SaveFailed,
    /// What the servers say is not enough.
    CannotTell,
}

/// All that is missing.
#[derive(Debug, Default, Serialize)]
pub struct Missing {
    /// How many transactions; `None` if some of them can only be seen to exist.
    pub transactions: Option<u64>,
    /// How many of them are in the log.
    pub in_log: u64,
    /// Bytes of these in the log.
    pub bytes: u64,
    /// By GTID; `None` if there are none.
    pub gtids: Option<String>,
    /// Those that were purged from the log, by GTID.
    pub purged: Option<String>,
    /// Those that were never logged, by GTID.
    pub unlogged: Option<String>,
    pub first: Option<String>,
    pub last: Option<String>,
    /// Rows of all of them.
    pub tables: Vec<TableRow>,
}

/// A transaction.
#[derive(Debug, Serialize)]
pub struct TransactionRow {
    /// In UTC, when it was written first.
    pub time: String,
    pub gtid: Option<String>,
    pub origin: Origin,
    /// `FILE:OFFSET` in the log.
    pub place: String,
    pub bytes: u64,
    pub tables: Vec<TableRow>,
    pub tables_left_out: usize,
    pub statements: Vec<StatementRow>,
    pub statements_left_out: usize,
}

/// Who wrote it first.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Origin {
    pub server_id: u32,
    pub uuid: Option<String>,
    /// The configured host.
    pub host: Option<String>,
}

/// What is changed in a table.
#[derive(Clone, Debug, Serialize)]
pub struct TableRow {
    pub database: String,
    pub table: String,
    pub inserted: u64,
    pub updated: u64,
    pub deleted: u64,
    /// False if there are more rows that could not be counted.
    pub exact: bool,
}

/// A statement, shortened.
#[derive(Debug, Serialize)]
pub struct StatementRow {
    pub database: Option<String>,
    pub text: String,
}

/// What the second host has that the first lacks.
#[derive(Debug, Default, Serialize)]
pub struct Reverse {
    /// `None` if that was not asked, or is unknown.
    pub transactions: Option<u64>,
    pub error: Option<String>,
}

/// The new file.
#[derive(Debug, Serialize)]
pub struct Saved {
    pub file: String,
    pub bytes: u64,
    pub transactions: u64,
}

/// Something that can be done, a step a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// Stable, for programs: `nothing`, `replicate`, `apply`, `rebuild`.
    pub name: &'static str,
    pub text: String,
    pub steps: Vec<String>,
}

impl Report {
    pub fn new(config: &str, from: &str, to: &str) -> Self {
        let row = |name: &str| HostRow { name: name.into(), ..HostRow::default() };
        Self {
            schema: SCHEMA,
            tool: "mmm_difference",
            version: env!("CARGO_PKG_VERSION"),
            host: None,
            config: config.into(),
            from: row(from),
            to: row(to),
            result: Outcome::Unknown,
            exit_code: Outcome::Unknown.exit_code(),
            milliseconds: 0.0,
            error: None,
            method: None,
            missing: Missing::default(),
            transactions: Vec::new(),
            reverse: Reverse::default(),
            saved: None,
            notes: Vec::new(),
            advice: Vec::new(),
        }
    }

    /// The answer is unknown.
    #[must_use]
    pub fn failed(mut self, code: impl Into<&'static str>, text: &str) -> Self {
        self.error = Some(Failure { code: code.into(), text: escape::words(text) });
        self
    }
}

/// Sums up what is missing, and keeps the first of it.
#[derive(Debug, Default)]
pub struct List {
    pub rows: Vec<TransactionRow>,
    tables: BTreeMap<(String, String), difference::Table>,
    times: Option<(u32, u32)>,
}

impl List {
    /// The next transaction.
    pub fn add(
        &mut self,
        transaction: &Transaction,
        is_listed: bool,
        origin: impl FnOnce(&Transaction) -> Origin,
    ) {
        for table in &transaction.tables {
            let key = (table.database.clone(), table.name.clone());
            if let Some(sum) = self.tables.get_mut(&key) {
                sum.add(table);
            } else if self.tables.len() < MOST_TABLES {
                self.tables.insert(key, table.clone());
            }
        }
        let (first, last) = self.times.unwrap_or((transaction.time, transaction.time));
        self.times = Some((first.min(transaction.time), last.max(transaction.time)));
        if is_listed {
            self.rows.push(TransactionRow {
                time: difference::utc(transaction.time),
                gtid: transaction.gtid.clone(),
                origin: origin(transaction),
                place: format!("{}:{}", transaction.file, transaction.begin),
                bytes: transaction.bytes,
                tables: transaction.tables.iter().map(table_row).collect(),
                tables_left_out: transaction.tables_left_out,
                statements: transaction.statements.iter().map(statement_row).collect(),
                statements_left_out: transaction.statements_left_out,
            });
        }
    }

    pub fn tables(&self) -> Vec<TableRow> {
        self.tables.values().map(table_row).collect()
    }

    /// When the first and the last of them were written.
    pub fn times(&self) -> (Option<String>, Option<String>) {
        self.times.map(|(first, last)| (difference::utc(first), difference::utc(last))).unzip()
    }
}

fn table_row(table: &difference::Table) -> TableRow {
    TableRow {
        database: table.database.clone(),
        table: table.name.clone(),
        inserted: table.inserted,
        updated: table.updated,
        deleted: table.deleted,
        exact: table.is_exact,
    }
}

fn statement_row(statement: &difference::Statement) -> StatementRow {
    StatementRow {
        database: Some(statement.database.clone()).filter(|database| !database.is_empty()),
        text: statement.text.clone(),
    }
}
