//! A cluster's configuration for tests to change a line of, and what becomes of it.

use super::quirk::{Quirk, Warning};
use super::scratch::Scratch;
use super::{Config, load_from};

/// Two masters and a slave; no warning comes of it.
pub const CLUSTER: &str = "\
this db1
active_master_role writer
<host default>
cluster_interface eth0
pid_path /run/mmm_agentd.pid
bin_path /usr/lib/mysql-mmm
agent_user agent
agent_password a-secret
replication_user replication
replication_password r-secret
</host>
<host db1>
ip 10.0.0.1
mode master
peer db2
</host>
<host db2>
ip 10.0.0.2
mode master
peer db1
</host>
<host db3>
ip 10.0.0.3
mode slave
</host>
<role writer>
hosts db1, db2
ips 10.0.0.100
mode exclusive
</role>
";

/// [`CLUSTER`] with each of these lines replaced by other text. Each must be there.
pub fn changed(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(CLUSTER.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "nothing to change: {from}");
        text.replacen(from, to, 1)
    })
}

/// Loads a text as `mmm_agent`, with the warnings as `line: quirk`; errors name the file `F`.
pub fn load(text: impl AsRef<[u8]>) -> (Result<Config, String>, Vec<(usize, Quirk)>) {
    let scratch = Scratch::new();
    let path = scratch.file("mmm_agent.conf", text);
    let (config, warnings) = load_in(&scratch);
    let config = config.map_err(|error| error.replace(&path.display().to_string(), "F"));
    (config, warnings.into_iter().map(|warning| (warning.place.line, warning.quirk)).collect())
}

/// Loads `mmm_agent` from a folder.
pub fn load_in(scratch: &Scratch) -> (Result<Config, String>, Vec<Warning>) {
    let mut warnings = Vec::new();
    let config = load_from(&[scratch.path()], "mmm_agent", &mut warnings);
    (config.map_err(|error| error.to_string()), warnings)
}

/// The configuration that a text makes.
pub fn config(text: impl AsRef<[u8]>) -> Config {
    load(text).0.unwrap()
}
