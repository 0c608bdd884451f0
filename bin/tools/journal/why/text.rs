//! The answer for people, 80 columns wide.

use std::collections::HashSet;
use std::fmt::Write;

use jiff::tz::TimeZone;
use mmm_core::escape::escaped;

use super::super::view::text::{Text, WIDTH, broken};
use super::{Answer, summary};
use crate::terminal::counted;

pub fn draw(answer: &Answer, is_coloured: bool, zone: TimeZone) -> String {
    let view = Text::new(is_coloured, zone, false);
    let mut text = lines(&head(answer, &view));
    text.push('\n');
    match &answer.failover {
        None => text += &lines(&nothing(answer)),
        Some(failover) => {
            let first = view.time("%F", failover.started);
            let time = |at| view.time(if view.time("%F", at) == first { "%T" } else { "%F %T" }, at);
            text += &lines(&escaped(&format!("{first}: {}", summary(answer, failover, &time))));
            text += "\nWho was asked when:\n";
            let mut said = HashSet::new();
            let widest = failover.asked.iter().map(|asked| asked.host.chars().count()).max().unwrap_or(0);
            for asked in &failover.asked {
                let who = format!("{:widest$} ", escaped(&asked.host));
                text += &view.run(&asked.run, &who, failover.started, false, &mut said);
            }
            if failover.is_shortened {
                text += &lines("\nThere were more calls than are kept; --all shows those of one journal.");
            }
        }
    }
    let unreadable: u64 = answer.sources.iter().map(|source| source.unreadable_lines).sum();
    if unreadable > 0 {
        let unreadable = counted(unreadable, "line");
        let _ = writeln!(text, "\n{unreadable} of the journal could not be read.");
    }
    text
}

fn head(answer: &Answer, view: &Text) -> String {
    let about = answer.about.as_ref().map_or(String::new(), |about| format!(" of {}", escaped(about)));
    let since = answer.since.map_or(String::new(), |since| format!(" since {}", view.time("%F %T", since)));
    let sources: Vec<String> = answer
        .sources
        .iter()
        .map(|source| format!("{} ({})", escaped(&source.file.display().to_string()), escaped(&source.host)))
        .collect();
    format!("The last failover{about}{since}, from {}, times in {}", sources.join(", "), view.zone_name())
}

fn nothing(answer: &Answer) -> String {
    let hosts: Vec<String> = answer.sources.iter().map(|source| escaped(&source.host)).collect();
    let hosts = hosts.join(", ");
    match &answer.about {
        Some(about) => format!(
            "No failover of {}: no call in the journal of {hosts} moved it or went to it.",
            escaped(about)
        ),
        None => format!("No failover: no call in the journal of {hosts} moved a role."),
    }
}

fn lines(text: &str) -> String {
    broken(text, WIDTH).iter().fold(String::new(), |all, line| all + line + "\n")
}
