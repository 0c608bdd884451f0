//! What this host shows of its own server, and no statement does: what the server's next start will be like, and
//! tables that cannot be rolled back.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mmm_core::config::Host;
use mmm_core::{Budget, guard};
use mmm_replication::Server;

use super::super::cluster::{LocalServer, is_on};
use super::program;

/// The maximum of folders and files that are looked at.
const MOST: usize = 50_000;
/// The maximum size of a file that is read whole.
const LONGEST: u64 = 1 << 20;
/// How long it may take to read the option files.
const PRINTING: Duration = Duration::from_secs(2);
/// An Aria table without a row has a file of this size.
const EMPTY: u64 = 8192;
/// The servers' own schemas.
const SYSTEM: [&str; 4] = ["mysql", "sys", "performance_schema", "information_schema"];
/// Options that say which files a server reads; they come first.
const ABOUT_FILES: [&str; 4] =
    ["--no-defaults", "--defaults-file=", "--defaults-extra-file=", "--defaults-group-suffix="];

/// Looks at the server of `host`, which is this host. `None`: it runs elsewhere, as in a container, or is down.
pub fn look(host: &Host, budget: Budget) -> Option<LocalServer> {
    let mut server = Server::connect(host, budget.share(budget.limit().unwrap_or_default()), budget).ok()?;
    let row = server.one("SELECT @@pid_file AS pid_file, @@datadir AS datadir, @@version AS version").ok()?;
    let data = PathBuf::from(row.text("datadir"));
    let pid_file = data.join(row.text("pid_file"));
    let pid: u32 = read(&pid_file)?.trim().parse().ok()?;
    let process = PathBuf::from(format!("/proc/{pid}"));
    // A loader may stand before the server's own program.
    let words: Vec<String> = read(&process.join("cmdline"))?.split('\0').map(Into::into).collect();
    let is_server = |word: &String| {
        Path::new(word)
            .file_name()
            .is_some_and(|name| ["mysqld", "mariadbd"].iter().any(|known| name == *known))
    };
    let place = words.iter().position(is_server)?;
    let (program, words) = (Path::new(&words[place]), &words[place + 1..]);
    Some(LocalServer {
        read_only: starts_closed(program, words, row.text("version"), &data, &budget),
        unsafe_tables: unsafe_tables(&data),
    })
}

/// Whether the server's options of today would close it at its next start; `None` if they cannot be read here.
fn starts_closed(
    server: &Path,
    words: &[String],
    version: &str,
    data: &Path,
    budget: &Budget,
) -> Option<bool> {
    let is_about_files = |word: &&String| ABOUT_FILES.iter().any(|option| word.starts_with(option));
    let mut arguments: Vec<&str> = words.iter().take_while(is_about_files).map(String::as_str).collect();
    let series = version.split('.').take(2).collect::<Vec<_>>().join(".");
    let is_mariadb = version.contains("MariaDB");
    let groups: Vec<String> = if is_mariadb {
        ["mysqld", "server", "mysqld-", "mariadb", "mariadb-", "mariadbd", "mariadbd-"]
            .map(|name| named(name, &series))
    } else {
        ["mysqld", "server", "mysqld-", "", "", "", ""].map(|name| named(name, &series))
    }
    .into_iter()
    .filter(|group| !group.is_empty())
    .collect();
    arguments.extend(groups.iter().map(String::as_str));
    let text = printers(server).iter().find_map(|printer| {
        // This is root, and the server's folder may be its own user's.
        let printer = guard::check(printer).ok().flatten()?;
        let (code, text) = program::run(&printer, &arguments, budget.share(PRINTING)).ok()?;
        (code == 0).then_some(text)
    })?;
    let persisted = if is_mariadb { None } else { persisted(data) };
    Some(persisted.or(last_word(text.lines().chain(words.iter().map(String::as_str)))).unwrap_or(false))
}

/// Where the program is that shows what a server reads from its option files.
fn printers(server: &Path) -> Vec<PathBuf> {
    let folder = server.parent().unwrap_or(server);
    let name = "my_print_defaults";
    vec![folder.join(name), folder.join("../bin").join(name), Path::new("/usr/bin").join(name)]
}

/// A group of option files: of one series of versions if the name ends so.
fn named(group: &str, series: &str) -> String {
    if group.ends_with('-') { format!("{group}{series}") } else { group.into() }
}

/// What the last option that speaks of it says of `read_only`.
fn last_word<'a>(options: impl Iterator<Item = &'a str>) -> Option<bool> {
    let mut last = None;
    for option in options {
        let Some(option) = option.strip_prefix("--") else { continue };
        let option = option.strip_prefix("loose-").unwrap_or(option).replace('_', "-");
        let (name, value) = option.split_once('=').map_or((option.as_str(), None), |(n, v)| (n, Some(v)));
        match name {
            "read-only" | "super-read-only" => {
                let is_set =
                    value.is_none_or(|value| !["", "0", "off", "false"].contains(&&*value.to_lowercase()));
                if is_set || name == "read-only" {
                    last = Some(is_set);
                }
            }
            "skip-read-only" | "disable-read-only" => last = Some(false),
            "enable-read-only" => last = Some(true),
            _ => {}
        }
    }
    last
}

/// MySQL: what SET PERSIST has written down. It counts more than any option.
fn persisted(data: &Path) -> Option<bool> {
    let text = read(&data.join("mysqld-auto.cnf"))?;
    let document: serde_json::Value = serde_json::from_str(&text).ok()?;
    let of = |name: &str| {
        let groups = document.as_object()?.values().filter_map(serde_json::Value::as_object);
        groups
            .filter_map(|group| group.get(name))
            .find_map(|entry| Some(is_on(entry.get("Value")?.as_str()?)))
    };
    if of("super_read_only") == Some(true) { Some(true) } else { of("read_only") }
}

/// Tables with rows of which a storage engine without transactions keeps the files.
fn unsafe_tables(data: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut seen = 0;
    for schema in fs::read_dir(data).into_iter().flatten().flatten() {
        let name = schema.file_name().to_string_lossy().into_owned();
        if SYSTEM.contains(&name.as_str()) || !schema.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        for file in fs::read_dir(schema.path()).into_iter().flatten().flatten() {
            seen += 1;
            if seen > MOST {
                return found;
            }
            let path = file.path();
            let is_of = |ending: &str| path.extension().is_some_and(|own| own == ending);
            let least = match () {
                () if is_of("MYD") => 0,
                () if is_of("MAD") => EMPTY,
                () => continue,
            };
            let table = path.file_stem().unwrap_or_default().to_string_lossy();
            let table = table.split("#P#").next().unwrap_or_default().to_string();
            // Temporary tables are the server's own.
            if !table.starts_with("#sql") && file.metadata().is_ok_and(|metadata| metadata.len() > least) {
                found.push(format!("{name}.{table}"));
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

fn read(path: &Path) -> Option<String> {
    let is_short = fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() <= LONGEST);
    is_short.then(|| fs::read_to_string(path).ok()).flatten()
}

#[cfg(test)]
mod tests;
