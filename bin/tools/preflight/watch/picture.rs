//! The full screen: who looks and when, the sentence for all of it, the text, the keys.

use std::time::Instant;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use super::super::finding::Severity;
use super::super::view::page::{Page, verdict};
use super::super::view::piece::{self, Piece};
use super::changes::Weight;
use super::model::Model;
use crate::terminal::LongWord;

/// The margin, in which strong changes have a sign.
const MARGIN: usize = 2;
const SIGN: &str = "* ";
/// A text is no wider, so that eyes find the next line.
const WIDEST: usize = 120;

/// One row of the text, and whether it tells of a strong change.
struct Row {
    line: Line<'static>,
    is_strong: bool,
}

/// Draws all of it. Where there is little room, the sentence and the text go first.
pub fn draw(frame: &mut Frame, model: &mut Model, now: Instant) {
    let all = frame.area();
    let (has_title, has_keys, has_gap) = (all.height > 3, all.height > 4, all.height > 11);
    let mut y = 0;
    if has_title {
        let title = title(model, all.width.into(), now);
        put(frame, &mut y, title.style(Style::new().add_modifier(Modifier::REVERSED)));
    }
    put(frame, &mut y, sentence(model));
    y += u16::from(has_gap);
    let room = all.height.saturating_sub(y + u16::from(has_keys));
    model.room = room.into();
    let rows = rows(model, all.width.into(), now);
    model.first = model.first.min(rows.len().saturating_sub(model.room));
    let end = rows.len().min(model.first + model.room);
    let keys = keys(model, &rows, end, all.width.into());
    let shown: Vec<_> = rows.into_iter().skip(model.first).take(model.room).map(|row| row.line).collect();
    frame.render_widget(Paragraph::new(shown), Rect { y, height: room, ..all });
    if has_keys {
        frame.render_widget(keys, Rect { y: all.height - 1, height: 1, ..all });
    }
    if model.is_help {
        help(frame);
    }
}

fn put(frame: &mut Frame, y: &mut u16, line: Line) {
    let all = frame.area();
    frame.render_widget(line, Rect { y: *y, height: all.height.min(1), ..all });
    *y += 1;
}

/// Two texts at both ends of a row; the first shorter right one that fits, or else the left one alone.
fn ends(left: &str, rights: &[String], width: usize) -> String {
    let length = |text: &str| text.chars().count();
    match rights.iter().find(|right| length(left) + length(right) < width) {
        Some(right) => {
            let gap = " ".repeat(width - length(left) - length(right));
            format!("{left}{gap}{right}")
        }
        None => format!("{left:width$}"),
    }
}

fn title(model: &Model, width: usize, now: Instant) -> Line<'static> {
    let host = model.report.as_ref().and_then(|report| report.host.as_deref());
    let config = mmm_core::escape::line(&model.config);
    let left = host.map_or_else(|| format!(" {config}.conf"), |host| format!(" {host}, {config}.conf"));
    let doing = match (model.looking, model.next) {
        (Some(since), _) => match now.saturating_duration_since(since).as_secs() {
            0 => "looking…".into(),
            seconds => format!("looking… {seconds} s"),
        },
        (None, Some(next)) if !model.is_paused => {
            format!("next look in {} s", next.saturating_duration_since(now).as_secs_f64().ceil())
        }
        (None, _) => "paused".into(),
    };
    let rights = match &model.report {
        Some(report) => {
            let took = format!("{:.1} s", report.milliseconds / 1000.0);
            vec![
                format!("looked at {}, took {took}; {doing:<15} ", model.seen_at),
                format!("{} ({took}); {doing} ", model.seen_at),
                format!("{}; {doing} ", model.seen_at),
                format!("{doing} "),
            ]
        }
        None => vec![format!("{doing} ")],
    };
    Line::raw(ends(&left, &rights, width))
}

fn sentence(model: &Model) -> Line<'static> {
    match &model.report {
        Some(report) => {
            let text = verdict(report).text();
            Line::styled(format!(" {text}"), tone(report.result, model.colour).add_modifier(Modifier::BOLD))
        }
        None => Line::raw(" The first look is under way."),
    }
}

fn keys(model: &Model, rows: &[Row], end: usize, width: usize) -> Line<'static> {
    let is_strong = |rows: &[Row]| rows.iter().any(|row| row.is_strong);
    let place = format!("{}-{end} of {}", model.first + 1, rows.len());
    // What has changed must not be overlooked because it is out of sight.
    let right = if is_strong(&rows[..model.first]) {
        format!("changed above, {place} ")
    } else if is_strong(&rows[end..]) {
        format!("changed below, {place} ")
    } else if end - model.first < rows.len() {
        format!("{place} ")
    } else {
        String::new()
    };
    let lefts = [
        " q quit  h help  r look now  p pause  Up/Down PgUp/PgDn scroll",
        " q quit  h help  r look now  p pause",
        " q quit  h help",
        " h help",
        "",
    ];
    let fits = |left: &&str| left.len() + right.chars().count() < width;
    let left = lefts.iter().copied().find(fits).unwrap_or("");
    Line::styled(ends(left, &[right], width), Style::new().add_modifier(Modifier::REVERSED))
}

/// The text: the tree, what is wrong, what no longer is, what is well.
fn rows(model: &Model, width: usize, now: Instant) -> Vec<Row> {
    let Some(report) = &model.report else { return Vec::new() };
    let page = Page { width: width.saturating_sub(MARGIN + 1).min(WIDEST), long_word: LongWord::Broken };
    let findings = model.changes.findings(report, now);
    let mut paragraphs = vec![page.tree(report, &|host| model.changes.before(host, now))];
    paragraphs.extend(findings.iter().map(|(finding, is_new)| page.finding(finding, *is_new)));
    paragraphs.push(model.changes.gone(now).flat_map(|finding| page.gone(finding)).collect());
    paragraphs.push(page.checks(report, findings.is_empty()));
    paragraphs.retain(|lines| !lines.is_empty());
    let mut rows = Vec::new();
    for lines in &paragraphs {
        if !rows.is_empty() {
            rows.push(Row { line: Line::default(), is_strong: false });
        }
        rows.extend(lines.iter().map(|line| row(model, line, now)));
    }
    rows
}

fn row(model: &Model, line: &piece::Line, now: Instant) -> Row {
    let mut is_strong = false;
    let mut span = |piece: &Piece| {
        let weight = model.changes.weight(&piece.sense.subject, now);
        is_strong |= weight == Some(Weight::Strong);
        Span::styled(piece.text.clone(), style(model, piece.sense.tone, weight))
    };
    let mut spans: Vec<_> = line.0.iter().map(&mut span).collect();
    let margin = if is_strong {
        Span::styled(SIGN, style(model, None, Some(Weight::Strong)).remove_modifier(Modifier::REVERSED))
    } else {
        Span::raw(" ".repeat(MARGIN))
    };
    spans.insert(0, margin);
    Row { line: spans.into(), is_strong }
}

/// Changes are seen without colour, too.
fn style(model: &Model, severity: Option<Severity>, weight: Option<Weight>) -> Style {
    let style = severity.map_or(Style::new(), |severity| tone(severity, model.colour));
    match weight {
        None => style,
        Some(Weight::Mild) => style.add_modifier(Modifier::BOLD),
        Some(Weight::Strong) => {
            let is_bare = model.colour && severity.is_none();
            let style = if is_bare { style.fg(Color::Yellow) } else { style };
            style.add_modifier(Modifier::BOLD | Modifier::REVERSED)
        }
    }
}

fn tone(severity: Severity, colour: bool) -> Style {
    if !colour {
        return Style::new();
    }
    match severity {
        Severity::Skipped | Severity::Ok => Style::new().fg(Color::Green),
        Severity::Warning => Style::new().fg(Color::Yellow),
        Severity::Failure => Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
        Severity::Unknown => Style::new().fg(Color::Magenta),
    }
}

const HELP: [&str; 14] = [
    "q, Esc, Ctrl-C  quit; the exit code is the last look's",
    "r, Space        look again now",
    "p               pause, and go on",
    "Up/Down, k/j    scroll by a line",
    "PgUp/PgDn       scroll by a page; also Home and End",
    "h, ?            this help",
    "",
    "What has changed is marked for 15 s, and until the",
    "next look at least:",
    "* and reversed  state, source, threads, addresses,",
    "                findings",
    "bold            lag, positions",
    "before          what it was, or held, before",
    "new, gone       found only now, no longer found",
];

fn help(frame: &mut Frame) {
    let all = frame.area();
    let columns = HELP.iter().map(|line| line.len()).max().unwrap_or(0);
    // A blank and the frame on each side.
    let size = |text: usize, all: u16| u16::try_from(text).unwrap_or(all).min(all);
    let (width, height) = (size(columns + 4, all.width), size(HELP.len() + 2, all.height));
    let area = Rect { x: (all.width - width) / 2, y: (all.height - height) / 2, width, height };
    let lines: Vec<_> = HELP.iter().map(|line| Line::raw(format!(" {line}"))).collect();
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(" Help ")), area);
}

#[cfg(test)]
mod tests;
