//! The screen for people, as plain text: 80 columns wide, with colours or without.

use mmm_core::escape;

use super::super::finding::Severity;
use super::page::{Page, looker, verdict};
use super::piece::Line;
use super::report::Report;
use crate::terminal::{LongWord, painted};

const WIDTH: usize = 80;

/// The whole screen, with colour or without.
pub fn draw(report: &Report, colour: bool) -> String {
    let page = Page { width: WIDTH, long_word: LongWord::Whole };
    let mut screen = Screen { text: String::new(), colour };
    screen.paragraph(&[Line::plain(format!(
        "Would a failover work right now? As {} sees it, by {}.conf:",
        looker(report),
        escape::line(&report.config)
    ))]);
    screen.paragraph(&page.tree(report, &|_| None));
    let findings = report.findings();
    for finding in &findings {
        screen.paragraph(&page.finding(finding, false));
    }
    screen.paragraph(&page.checks(report, findings.is_empty()));
    screen.line(&verdict(report));
    screen.text
}

struct Screen {
    text: String,
    colour: bool,
}

impl Screen {
    /// Lines and an empty one; nothing where there are none.
    fn paragraph(&mut self, lines: &[Line]) {
        for line in lines {
            self.line(line);
        }
        if !lines.is_empty() {
            self.text.push('\n');
        }
    }

    fn line(&mut self, line: &Line) {
        let mut text = String::new();
        for piece in &line.0 {
            match piece.sense.tone {
                Some(tone) if self.colour => text.push_str(&painted(&piece.text, code(tone))),
                _ => text.push_str(&piece.text),
            }
        }
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }
}

/// Its colour's number (ECMA-48, SGR).
fn code(tone: Severity) -> &'static str {
    match tone {
        Severity::Skipped | Severity::Ok => "32",
        Severity::Warning => "33",
        Severity::Failure => "1;31",
        Severity::Unknown => "35",
    }
}

#[cfg(test)]
mod tests;
