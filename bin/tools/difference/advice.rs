//! What can be done about a difference, in the words of these servers. It is text for a person; nothing of it is run.

use mmm_core::config::{Config, Host};
use mmm_core::escape;
use mmm_replication::dialect::Flavour;
use mmm_replication::difference::Side;
use mmm_replication::status::IoThread;

use super::report::{Advice, Outcome, Report};
use crate::product;
use crate::steps::{shell, sql};

/// What it depends on.
pub struct Situation<'s> {
    pub config: &'s Config,
    pub from: &'s Host,
    pub to: &'s Host,
    pub side: &'s Side,
    pub other_side: &'s Side,
    pub report: &'s Report,
    /// Bytes of the largest transaction that is missing.
    pub largest: u64,
    /// True if the second host replicates from the first.
    pub is_followed: bool,
    /// True if the second host gets by replication what it lacks.
    pub will_come: bool,
}

/// The maximum of `max_allowed_packet`.
const MOST: u64 = 1 << 30;

/// Each thing that can be done.
pub fn all(situation: &Situation) -> Vec<Advice> {
    if situation.report.result == Outcome::NothingMissing {
        let text = format!("Nothing: {} has all that {} has.", situation.to.name, situation.from.name);
        return vec![Advice { name: "nothing", text, steps: Vec::new() }];
    }
    let mut advice = Vec::new();
    if situation.will_come {
        advice.push(situation.replicate());
    } else if situation.report.missing.in_log > 0 {
        advice.push(situation.apply());
    }
    let lacks = situation.report.reverse.transactions;
    advice.push(match (situation.side.read_only, situation.other_side.read_only) {
        (false, false) => situation.close_one(),
        // A writer is never rebuilt, and no master from its slave that has less.
        (false, true) => situation.reversed().rebuild(lacks != Some(0)),
        (true, _) if situation.is_followed && lacks == Some(0) => situation.reversed().rebuild(false),
        (true, _) => situation.rebuild(true),
    });
    for step in advice.iter_mut().flat_map(|advice| &mut advice.steps) {
        *step = escape::line(step);
    }
    advice
}

impl Situation<'_> {
    fn is_mariadb(&self) -> bool {
        self.side.flavour == Flavour::MariaDb
    }

    /// True if the server to be rebuilt is a MySQL of this version or newer.
    fn is_mysql_since(&self, version: (u16, u16, u16)) -> bool {
        !self.is_mariadb() && product::version(&self.side.version) >= version
    }

    /// The statement that shows what the threads of the second host report.
    fn show_status(&self) -> &'static str {
        let other = self.other_side;
        let is_new = other.flavour == Flavour::MySql && product::version(&other.version) >= (8, 0, 22);
        if is_new { "SHOW REPLICA STATUS" } else { "SHOW SLAVE STATUS" }
    }

    /// A program of these servers, by its name there.
    fn program(&self, mysql: &'static str, mariadb: &'static str) -> &'static str {
        if self.is_mariadb() { mariadb } else { mysql }
    }

    /// The program that shows a log file. Since 10.8, MariaDB's stops if the numbers of a domain do not rise, for
    /// example after two servers have written in that domain.
    fn log_reader(&self) -> &'static str {
        if !self.is_mariadb() {
            "mysqlbinlog"
        } else if product::version(&self.side.version) >= (10, 8, 0) {
            "mariadb-binlog --skip-gtid-strict-mode"
        } else {
            "mariadb-binlog"
        }
    }

    /// The same, with the two hosts in the other order.
    fn reversed(&self) -> Self {
        Self {
            from: self.to,
            to: self.from,
            side: self.other_side,
            other_side: self.side,
            is_followed: false,
            will_come: false,
            ..*self
        }
    }

    /// What is missing comes by itself, once replication runs.
    fn replicate(&self) -> Advice {
        let (from, to) = (self.from.name.as_str(), self.to.name.as_str());
        let text = format!(
            "Let {to} apply it: {to} replicates from {from}, and gets it that way. Do not apply it by hand: it would be \
             executed twice:"
        );
        let helper = self.to.bin_path.join("agent").join("turn_on_slave");
        let mut steps = vec![shell(to, format!("{} {}", helper.display(), quoted(&self.report.config)))];
        for channel in &self.other_side.channels {
            if let Some(error) = channel.sql_error.as_ref().filter(|_| !channel.sql_running) {
                steps.push(format!("its SQL thread reports {error}: fix that first"));
            }
        }
        steps.push(format!(
            "then look again; fix what the SQL thread of {to} reports ({} there)",
            self.show_status()
        ));
        Advice { name: "replicate", text, steps }
    }

    /// Two writers: which one is to be rebuilt, nobody can tell from here.
    fn close_one(&self) -> Advice {
        let (from, to) = (self.from.name.as_str(), self.to.name.as_str());
        let text = format!(
            "{from} and {to} both take writes: close one of them (mysql_deny_write), and look again both ways; until \
             then, rebuild neither"
        );
        Advice { name: "rebuild", text, steps: Vec::new() }
    }

    fn apply(&self) -> Advice {
        let (report, from, to) = (self.report, self.from.name.as_str(), self.to.name.as_str());
        let mut steps = Vec::new();
        let here = self.config.this().as_str();
        let file = if let Some(saved) = &report.saved {
            saved.file.clone()
        } else {
            let config = if report.config == "mmm_agent" {
                String::new()
            } else {
                format!(" {}", quoted(&report.config))
            };
            steps.push(shell(here, format!("mmm_difference {from} {to}{config} --save FILE")));
            "FILE".into()
        };
        let file = quoted(&file);
        let mysqlbinlog = self.log_reader();
        steps.push(shell(here, format!("{mysqlbinlog} --base64-output=decode-rows --verbose {file} | less")));
        if self.other_side.super_read_only {
            steps.push(sql(to, "SET GLOBAL super_read_only = 0"));
        }
        if self.other_side.strict_gtids {
            steps.push(format!(
                "{to} has gtid_strict_mode: it refuses numbers that are not above its own, until \
                 SET GLOBAL gtid_strict_mode = 0"
            ));
        }
        // All rows of a statement are one statement again, four characters for three bytes.
        let longest = self.other_side.longest_statement;
        let is_long = self.largest.saturating_mul(3) / 2 > longest && longest < MOST;
        if is_long {
            steps.push(sql(to, format!("SET GLOBAL max_allowed_packet = {MOST}")));
        }
        let client = self.program("mysql", "mariadb");
        steps.push(shell(
            here,
            format!(
                "{mysqlbinlog} {file} | {client} --binary-mode --max-allowed-packet=1G --host={} --port={} --user=root --password",
                quoted(&self.to.ip),
                self.to.mysql_port
            ),
        ));
        if is_long {
            steps.push(sql(to, format!("SET GLOBAL max_allowed_packet = {longest}")));
        }
        if report.method != Some("gtid") {
            steps.push(format!(
                "without GTIDs, {from} would execute them a second time as a slave of {to}: rebuild {from} after this, \
                 or let it continue after them"
            ));
        }
        Advice { name: "apply", text: self.warnings().join(". ") + ":", steps }
    }

    /// How the transactions are applied, and the warnings about it.
    fn warnings(&self) -> Vec<String> {
        let (report, from, to) = (self.report, self.from.name.as_str(), self.to.name.as_str());
        let mut text = vec![format!("Apply it to {to}, by an account that may do everything there")];
        if !self.other_side.read_only {
            text.push(format!(
                "Mind that {to} takes writes already: rows may have been changed there since, and the client stops at \
                 the first that does not fit"
            ));
        }
        match report.reverse.transactions {
            Some(0) => {}
            Some(count) => {
                let noun = if count == 1 { "transaction" } else { "transactions" };
                text.push(format!(
                    "Mind that {to} has {count} {noun} that {from} lacks: check whether they change the same rows"
                ));
            }
            None => text.push(format!("Mind that it is unknown what {to} has that {from} lacks")),
        }
        let coming = self.other_side.channels.iter().find(|channel| {
            channel.io == IoThread::Yes || channel.fetched.is_some() && channel.fetched != channel.applied
        });
        if let Some(channel) = coming {
            text.push(format!(
                "Mind that {to} replicates from {}: let it apply all of that first, and look again; what it gets that \
                 way would be executed twice",
                channel.source()
            ));
        }
        if report.missing.transactions.is_none_or(|count| count > report.missing.in_log) {
            text.push("More may be missing than the log still holds".into());
        }
        text
    }

    /// The first host becomes a copy of the second. `gives_up` is false if the first has nothing that the second lacks.
    fn rebuild(&self, gives_up: bool) -> Advice {
        let (from, to) = (self.from.name.as_str(), self.to.name.as_str());
        let loss = if gives_up { format!(" This gives up what only {from} has.") } else { String::new() };
        let text = format!(
            "Or rebuild {from} from {to}.{loss} Take {from} out of its roles first (mmm_control set_offline {from}):"
        );
        let mut steps = Vec::new();
        if self.is_mysql_since((8, 0, 17)) {
            self.clone_instance(&mut steps);
        } else if self.is_mariadb() {
            self.copy_with_backup(&mut steps);
        }
        if !steps.is_empty() {
            steps.push("or, if there is little data:".into());
        }
        self.dump(&mut steps);
        steps.push(shell(from, "mmm_preflight"));
        Advice { name: "rebuild", text, steps }
    }

    fn clone_instance(&self, steps: &mut Vec<String>) {
        let (from, to) = (self.from.name.as_str(), self.to.name.as_str());
        let (ip, port) = (&self.to.ip, self.to.mysql_port);
        let plugin = "INSTALL PLUGIN clone SONAME 'mysql_clone.so'";
        steps.extend([
            sql(to, plugin),
            // Not logged: it would be a transaction of its own.
            sql(
                to,
                "SET sql_log_bin = 0; CREATE USER cloner IDENTIFIED BY 'PASSWORD'; GRANT BACKUP_ADMIN ON *.* TO cloner",
            ),
            sql(from, plugin),
            sql(from, format!("SET GLOBAL clone_valid_donor_list = '{ip}:{port}'")),
            sql(from, format!("CLONE INSTANCE FROM cloner@'{ip}':{port} IDENTIFIED BY 'PASSWORD'")),
        ]);
        if !self.has_sets() {
            let place = "SELECT binlog_file AS FILE, binlog_position AS POSITION FROM performance_schema.clone_status";
            steps.push(sql(from, place));
        }
        steps.push(sql(from, self.change("FILE", "POSITION")));
        steps.push(sql(from, self.start()));
        steps.extend([to, from].map(|host| sql(host, "SET sql_log_bin = 0; DROP USER cloner")));
    }

    fn copy_with_backup(&self, steps: &mut Vec<String>) {
        let (from, to) = (self.from.name.as_str(), self.to.name.as_str());
        let ip = quoted(&self.from.ip);
        steps.extend([
            shell(from, "mkdir /var/lib/mysql.new"),
            shell(
                to,
                format!(
                    "mariadb-backup --backup --user=root --stream=mbstream | ssh {ip} 'mbstream -x -C /var/lib/mysql.new'"
                ),
            ),
            shell(from, "mariadb-backup --prepare --target-dir=/var/lib/mysql.new"),
            shell(
                from,
                "systemctl stop mariadb && mv /var/lib/mysql /var/lib/mysql.old && \
                 mv /var/lib/mysql.new /var/lib/mysql && chown -R mysql:mysql /var/lib/mysql && systemctl start mariadb",
            ),
            shell(from, "cat /var/lib/mysql/*_binlog_info    # the last column is GTID"),
            sql(from, "RESET MASTER"),
            sql(from, "SET GLOBAL gtid_slave_pos = 'GTID'"),
            sql(from, self.change("", "")),
            sql(from, self.start()),
        ]);
    }

    fn dump(&self, steps: &mut Vec<String>) {
        let from = self.from.name.as_str();
        let place = if self.is_mariadb() {
            "--master-data=1 --gtid"
        } else if self.has_sets() {
            // A file and a position in the dump are refused while the channel has auto-position.
            "--set-gtid-purged=ON"
        } else if self.is_mysql_since((8, 0, 26)) {
            "--source-data=1"
        } else {
            "--master-data=1"
        };
        let command = format!(
            "{} --host={} --port={} --user=root --password --all-databases --single-transaction --routines --events \
             --triggers {place} >FILE.sql",
            self.program("mysqldump", "mariadb-dump"),
            quoted(&self.to.ip),
            self.to.mysql_port
        );
        let stop = if self.is_mysql_since((8, 0, 22)) { "STOP REPLICA" } else { "STOP SLAVE" };
        let forget =
            if self.is_mysql_since((8, 2, 0)) { "RESET BINARY LOGS AND GTIDS" } else { "RESET MASTER" };
        steps.extend([shell(from, command), sql(from, stop)]);
        if !self.is_mariadb() {
            // Parallel appliers that have failed leave gaps, with which no position can be set.
            steps.push(sql(
                from,
                if self.is_mysql_since((8, 0, 22)) { "RESET REPLICA" } else { "RESET SLAVE" },
            ));
        }
        let client = self.program("mysql", "mariadb");
        steps.extend([
            // The dump sets the position, and what counts as executed.
            sql(from, self.change_source()),
            sql(from, forget),
            // If the import were logged, it would be transactions that no other host has.
            shell(from, format!("{client} --init-command='SET SESSION sql_log_bin=0' <FILE.sql")),
        ]);
        if self.has_sets() || self.is_mariadb() {
            steps.push(sql(from, self.change_mode()));
        }
        steps.push(sql(from, self.start()));
    }

    /// True if MySQL's GTIDs are on.
    fn has_sets(&self) -> bool {
        self.side.gtid_mode.eq_ignore_ascii_case("ON")
    }

    fn verb(&self) -> (&'static str, &'static str) {
        if self.is_mysql_since((8, 0, 23)) {
            ("CHANGE REPLICATION SOURCE TO", "SOURCE")
        } else {
            ("CHANGE MASTER TO", "MASTER")
        }
    }

    /// Names the source alone.
    fn change_source(&self) -> String {
        let (verb, source) = self.verb();
        let user = &self.to.replication_user;
        // Without TLS, caching_sha2_password wants a key.
        let key = if self.is_mysql_since((8, 0, 4)) {
            format!(", GET_{source}_PUBLIC_KEY=1")
        } else {
            String::new()
        };
        format!(
            "{verb} {source}_HOST='{}', {source}_PORT={}, {source}_USER='{user}', {source}_PASSWORD='PASSWORD'{key}",
            self.to.ip, self.to.mysql_port
        )
    }

    fn mode(&self, file: &str, position: &str) -> String {
        let (_, source) = self.verb();
        if self.is_mariadb() {
            "MASTER_USE_GTID=slave_pos".into()
        } else if self.has_sets() {
            format!("{source}_AUTO_POSITION=1")
        } else {
            format!("{source}_LOG_FILE='{file}', {source}_LOG_POS={position}")
        }
    }

    /// Names the source and the position.
    fn change(&self, file: &str, position: &str) -> String {
        format!("{}, {}", self.change_source(), self.mode(file, position))
    }

    /// Names the position alone, if it is not one of file and position.
    fn change_mode(&self) -> String {
        format!("{} {}", self.verb().0, self.mode("", ""))
    }

    fn start(&self) -> &'static str {
        if self.is_mysql_since((8, 0, 22)) { "START REPLICA" } else { "START SLAVE" }
    }
}

/// A word of a shell's command.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.into()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests;
