//! The hosts of a round, as `tests/cluster` makes them, and what is done to them from outside.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use mysql::prelude::{FromRow, Queryable};
use mysql::{Conn, OptsBuilder, Row};

use crate::monitor::held;
use crate::plan::Plan;

/// The address that clients write to, `tests/cluster.d/place.bash`.
pub const WRITER_IP: &str = "10.77.0.100";

/// How to end the cluster that is up.
static UP: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

type Environment = Vec<(String, String)>;

/// Ends the cluster that is up, if there is one.
pub fn end() {
    let up = held(&UP).take();
    let Some((repository, environment)) = up else { return };
    if let Err(error) = control(&repository, &environment, &["down"]) {
        crate::say(&format!("  the cluster does not end: {error}"));
    }
    for host in 0..5 {
        let disk = disk_of(host);
        if disk.exists() {
            let _ = Command::new("umount").arg("--lazy").arg(&disk).stderr(Stdio::null()).status();
        }
    }
    let _ = fs::remove_dir_all(settings_folder());
}

fn settings_folder() -> PathBuf {
    PathBuf::from(format!("/tmp/mmm-chaos-{}", std::process::id()))
}

/// The disk of its own that a host's logs may lie on.
pub fn disk_of(host: usize) -> PathBuf {
    settings_folder().join(format!("disk.{}", Cluster::name(host)))
}

/// What makes clocks wrong where there is such a file in a host's /run.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// The environment of programs whose clock is wrong by what `/run/clock` says.
fn clock() -> Vec<(String, String)> {
    [
        ("LD_PRELOAD", FAKETIME),
        ("FAKETIME_TIMESTAMP_FILE", "/run/clock"),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ("DONT_FAKE_MONOTONIC", "1"),
    ]
    .map(|(name, value)| (name.to_string(), value.to_string()))
    .into()
}

fn control(repository: &Path, environment: &Environment, words: &[&str]) -> Result<String, String> {
    let mut command = Command::new(repository.join("tests/cluster"));
    command.args(words).envs(environment.iter().cloned()).stdin(Stdio::null());
    text_of(command.output(), &format!("tests/cluster {}", words.join(" ")))
}

/// What a helper came to.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The line that the agent gets.
    pub line: String,
    /// The error's name (docs/ERRORS.md).
    pub code: Option<String>,
    /// How long the call took.
    pub took: Duration,
}

impl Answer {
    /// What the agent looks at.
    pub fn is_ok(&self) -> bool {
        self.line.starts_with("OK")
    }

    /// What a document says (docs/OUTPUT.md), in the agent's words.
    fn read(text: &str, took: Duration) -> Self {
        let Ok(Document { result, message, code }) = serde_json::from_str(text) else {
            // One that was killed says nothing.
            let line = text.trim_end().lines().last().unwrap_or("undef").to_string();
            return Self { line, code: None, took };
        };
        let line = match (result.as_str(), message.as_str()) {
            ("ok", "") => "OK".into(),
            ("ok", _) => format!("OK: {message}"),
            _ => format!("ERROR: {message}"),
        };
        Self { line, code, took }
    }
}

#[derive(Debug, serde::Deserialize)]
struct Document {
    result: String,
    message: String,
    code: Option<String>,
}

/// A cluster that is up. It ends when this is dropped.
#[derive(Debug)]
pub struct Cluster {
    repository: PathBuf,
    helpers: PathBuf,
    environment: Environment,
    /// Its folder.
    pub folder: PathBuf,
    /// How many hosts it has.
    pub hosts: usize,
}

impl Cluster {
    /// Makes the hosts of a plan, and their replication.
    pub fn up(repository: &Path, helpers: &Path, plan: &Plan) -> Result<Self, String> {
        let name = format!("chaos-{}", std::process::id());
        let folder = PathBuf::from(format!("/tmp/mmm-cluster-{name}"));
        let settings = settings_folder();
        write_settings(&settings, plan).map_err(|error| format!("{}: {error}", settings.display()))?;
        let environment = [
            ("MMM_CLUSTER", name),
            ("MMM_SERVER", plan.kind.server.clone()),
            ("MMM_REPLICATION", plan.kind.mode.clone()),
            ("MMM_HOSTS", plan.hosts.to_string()),
            ("MMM_SETTINGS", settings.display().to_string()),
        ];
        let mut cluster = Self {
            repository: repository.into(),
            helpers: helpers.into(),
            environment: environment.map(|(name, value)| (name.to_string(), value)).into(),
            folder,
            hosts: plan.hosts,
        };
        if plan.has_wrong_clock() {
            if !Path::new(FAKETIME).exists() {
                return Err(format!("{FAKETIME} is not installed (package libfaketime)"));
            }
            cluster.environment.extend(clock());
        }
        let up = (cluster.repository.clone(), cluster.environment.clone());
        *held(&UP) = Some(up);
        cluster.control(&["up"])?;
        if !plan.helpers.is_empty() {
            for host in 0..plan.hosts {
                let file = cluster.folder.join(Self::name(host)).join("mysql-mmm/mmm_helpers.yaml");
                OpenOptions::new()
                    .write(true)
                    .create(true)
                    .truncate(true)
                    .mode(0o640)
                    .open(&file)
                    .and_then(|mut opened| opened.write_all((plan.helpers.join("\n") + "\n").as_bytes()))
                    .map_err(|error| format!("{}: {error}", file.display()))?;
            }
        }
        Ok(cluster)
    }

    /// Runs a command of `tests/cluster`.
    pub fn control(&self, words: &[&str]) -> Result<String, String> {
        control(&self.repository, &self.environment, words)
    }

    /// The name of a host.
    pub fn name(host: usize) -> String {
        format!("db{}", host + 1)
    }

    /// Its address.
    pub fn address(host: usize) -> String {
        format!("10.77.0.1{}", host + 1)
    }

    /// A command that runs in a host.
    pub fn enter(&self, host: &str, words: &[&str]) -> Result<Command, String> {
        let holder = self.folder.join(host).join("holder");
        let text = fs::read_to_string(&holder).map_err(|error| format!("{}: {error}", holder.display()))?;
        let process = text.split(' ').next().unwrap_or_default();
        let mut command = Command::new("nsenter");
        command
            .args(["--target", process, "--mount", "--net", "--pid", "--uts", "--wdns=/", "--"])
            .args(words);
        command.stdin(Stdio::null()).envs(crate::mutants::environment());
        Ok(command)
    }

    /// Runs a command in a host, to its end.
    pub fn run(&self, host: &str, words: &[&str]) -> Result<String, String> {
        text_of(self.enter(host, words)?.output(), &format!("{} in {host}", words.join(" ")))
    }

    /// Calls a helper as the agent of a host does, but for the form of its answer: a document, which has the error's name.
    pub fn call(&self, host: usize, helper: &str, arguments: &[&str]) -> Answer {
        let begun = Instant::now();
        let program = self.helpers.join(helper).display().to_string();
        // Not even the worst helper stops the monitor for ever.
        let words: Vec<&str> = ["timeout", "-s", "KILL", "30", program.as_str(), "mmm_agent"]
            .into_iter()
            .chain(arguments.iter().copied())
            .chain(["--format", "json"])
            .collect();
        let output = self.enter(&Self::name(host), &words).and_then(|mut command| {
            command.envs(self.environment.iter().cloned());
            command.stderr(Stdio::null()).output().map_err(|error| error.to_string())
        });
        let took = begun.elapsed();
        match output {
            Ok(Output { stdout, .. }) => Answer::read(&String::from_utf8_lossy(&stdout), took),
            Err(error) => Answer { line: format!("not started: {error}"), code: None, took },
        }
    }

    /// The socket of a host's server.
    pub fn socket(&self, host: usize) -> PathBuf {
        self.folder.join(Self::name(host)).join("mysqld.sock")
    }

    /// A connection to the server of a host as root, by its socket; no answer takes longer than `patience`.
    pub fn connect(&self, host: usize, patience: Duration) -> Result<Conn, mysql::Error> {
        Conn::new(
            OptsBuilder::new()
                .user(Some("root"))
                .socket(Some(self.socket(host).display().to_string()))
                .prefer_socket(true)
                .read_timeout(Some(patience))
                .write_timeout(Some(patience))
                .tcp_connect_timeout(Some(patience)),
        )
    }

    /// The rows of one statement.
    pub fn rows<T: FromRow>(&self, host: usize, statement: &str) -> Result<Vec<T>, mysql::Error> {
        let mut server = self.connect(host, Duration::from_secs(20))?;
        server.query_drop("USE app")?;
        server.query(statement)
    }

    /// True where the server of a host answers within `patience`.
    pub fn answers(&self, host: usize, patience: Duration) -> bool {
        self.connect(host, patience).and_then(|mut server| server.query_drop("DO 0")).is_ok()
    }

    /// A host's replication status, each field under the name that MariaDB gives it.
    pub fn status(&self, host: usize, patience: Duration) -> Result<Vec<(String, String)>, mysql::Error> {
        let mut server = self.connect(host, patience)?;
        let row: Option<Row> = match server.query_first("SHOW SLAVE STATUS") {
            Ok(row) => row,
            Err(mysql::Error::MySqlError(_)) => server.query_first("SHOW REPLICA STATUS")?,
            Err(error) => return Err(error),
        };
        let Some(row) = row else { return Ok(Vec::new()) };
        let names: Vec<String> = row
            .columns_ref()
            .iter()
            .map(|column| column.name_str().replace("Source", "Master").replace("Replica", "Slave"))
            .collect();
        let values = row.unwrap().into_iter().map(|value| match value {
            mysql::Value::NULL => String::new(),
            mysql::Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            other => other.as_sql(true).trim_matches('\'').to_string(),
        });
        Ok(names.into_iter().zip(values).collect())
    }

    /// What is left of the journal of a host.
    pub fn journal(&self, host: usize) -> String {
        fs::read_to_string(self.folder.join(Self::name(host)).join("log/mmm_helpers.log")).unwrap_or_default()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        end();
    }
}

fn write_settings(folder: &Path, plan: &Plan) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let lines = |host: Option<usize>| {
        let mut text = String::new();
        for setting in plan.settings.iter().filter(|setting| setting.host == host) {
            text.push_str(&setting.line);
            text.push('\n');
        }
        text
    };
    fs::write(folder.join("all"), lines(None))?;
    for host in 0..plan.hosts {
        let mut text = lines(Some(host));
        if plan.small_disks().contains(&host) {
            let disk = disk_of(host);
            fs::create_dir_all(&disk)?;
            let mut mount = Command::new("mount");
            let status = mount.args(["-t", "tmpfs", "-o", "size=1g", "tmpfs"]).arg(&disk).status()?;
            if !status.success() {
                return Err(std::io::Error::other("a small disk cannot be mounted"));
            }
            for log in ["log_bin = binlog", "relay_log = relay"] {
                text.push_str(&log.replace("= ", &format!("= {}/", disk.display())));
                text.push('\n');
            }
        }
        fs::write(folder.join(Cluster::name(host)), text)?;
    }
    Ok(())
}

fn text_of(output: std::io::Result<Output>, what: &str) -> Result<String, String> {
    let output = output.map_err(|error| format!("{what}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("{what}: {}: {}", output.status, said.trim_end()))
}
