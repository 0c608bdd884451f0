//! Writes the manual pages and the shells' completions: from what `--help` is made of, and from docs/man.
//!
//! Usage: `mmm_manual docs/man FOLDER`. Run by `make build`, never installed.

mod page;
#[cfg(test)]
mod tests;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Command;
use clap_complete::{Shell, generate};

/// The tools' command lines.
const TOOLS: [fn() -> Command; 4] = [
    mmm_tools::difference::command,
    mmm_tools::guard::command,
    mmm_tools::journal::command,
    mmm_tools::preflight::command,
];

/// A file that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {source}", file = .file.display())]
struct Trouble {
    file: PathBuf,
    source: io::Error,
}

fn main() -> ExitCode {
    let words: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let result = match &words[..] {
        [written, folder] => write_all(written, folder).map_err(|trouble| trouble.to_string()),
        _ => Err("usage: mmm_manual docs/man FOLDER".into()),
    };
    if let Err(trouble) = result {
        // If stderr fails, nobody can be told.
        let _ = writeln!(io::stderr(), "mmm_manual: {trouble}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn write_all(written: &Path, folder: &Path) -> Result<(), Trouble> {
    let of_every_helper = read(&written.join("helpers.man"))?;
    for program in mmm_agent_helpers::ALL {
        let own = read(&written.join(format!("{}.man", program.name)))?;
        let page = page::helper(program, &own, &of_every_helper);
        write(&folder.join(format!("man8/{}.8", program.name)), page.as_bytes())?;
    }
    for command in TOOLS.map(|command| command()) {
        let name = command.get_name().to_string();
        let page = page::tool(command.clone(), &read(&written.join(format!("{name}.man")))?);
        write(&folder.join(format!("man1/{name}.1")), page.as_bytes())?;
        let shells = [
            (Shell::Bash, format!("bash/{name}")),
            (Shell::Zsh, format!("zsh/_{name}")),
            (Shell::Fish, format!("fish/{name}.fish")),
        ];
        for (shell, file) in shells {
            let mut text = Vec::new();
            generate(shell, &mut command.clone(), &name, &mut text);
            write(&folder.join(file), &text)?;
        }
    }
    let settings = page::settings(&read(&written.join("mmm_helpers.yaml.man"))?);
    write(&folder.join("man5/mmm_helpers.yaml.5"), settings.as_bytes())
}

fn read(file: &Path) -> Result<String, Trouble> {
    fs::read_to_string(file).map_err(|source| Trouble { file: file.into(), source })
}

fn write(file: &Path, text: &[u8]) -> Result<(), Trouble> {
    file.parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(file, text))
        .map_err(|source| Trouble { file: file.into(), source })
}
