use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};

use super::super::super::checks;
use super::super::super::cluster::Cluster;
use super::super::super::view::Report;
use super::super::super::view::sample::{look, stopped};
use super::super::changes::MARKED;
use super::super::model::{Step, Wish};
use super::*;

fn model(reports: impl IntoIterator<Item = Report>, colour: bool) -> Model {
    let now = Instant::now();
    let mut model = Model::new("mmm_agent", Duration::from_secs(5), colour, now);
    reports.into_iter().for_each(|report| model.note(report, now));
    model.seen_at = "03:00:05".into();
    model
}

fn drawn(model: &mut Model, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let now = model.next.map_or_else(Instant::now, |next| next.checked_sub(model.pause).unwrap());
    terminal.draw(|frame| draw(frame, model, now)).unwrap();
    terminal.backend().buffer().clone()
}

fn lines(buffer: &Buffer) -> Vec<String> {
    let line = |y| (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..buffer.area.height).map(|y| line(y).trim_end().to_string()).collect()
}

/// The text of all cells with this modifier in the row that contains `text`.
fn with(buffer: &Buffer, modifier: Modifier, text: &str) -> String {
    let y = lines(buffer).iter().position(|line| line.contains(text)).unwrap();
    let cells = (0..buffer.area.width).map(|x| &buffer[(x, u16::try_from(y).unwrap())]);
    cells.filter(|cell| cell.modifier.contains(modifier)).map(Cell::symbol).collect()
}

#[test]
fn the_tree_and_what_is_wrong_stand_on_a_usual_terminal() {
    let mut model = model([look(stopped)], true);
    let expected = [
        " db3, mmm_agent.conf           looked at 03:00:05, took 0.3 s; next look in 5 s",
        " 1 failure: a failover would fail or do harm; cure from the top.",
        "",
        "  db1, 10.0.0.1, master, takes writes, MariaDB 10.11.6",
        "  |   follows db2 by position: running, 0 s behind, at binlog.000001:700",
        "  |   log ends at binlog.000001:700; holds writer 10.0.0.100",
        "  |-- db2, 10.0.0.2, master, read-only, MariaDB 10.11.6",
        "  |       follows db1 by position: running, 0 s behind, at binlog.000001:700",
        "  |       log ends at binlog.000001:700",
        "  `-- db3 (this host), 10.0.0.3, slave, read-only, MariaDB 10.11.6",
        "          follows db1 by position: not applying, 0 s behind, at",
        "          binlog.000001:700",
        "          log ends at binlog.000001:700; holds reader 10.0.0.101",
        "",
        "  FAILURE  db3 applies nothing from db1: its SQL thread is stopped",
        "           [sql-thread-stopped]",
        "    cure:  on db3, shell: /usr/lib/mysql-mmm/agent/turn_on_slave mmm_agent",
    ];
    let shown = lines(&drawn(&mut model, 80, 24));
    assert_eq!(shown[..expected.len()], expected, "{shown:#?}");
    assert!(shown[23].starts_with(" q quit  h help  r look now  p pause"), "{shown:#?}");
}

#[test]
fn a_narrow_terminal_breaks_the_lines() {
    let mut model = model([look(stopped)], true);
    let shown = lines(&drawn(&mut model, 40, 10));
    assert_eq!(shown[0], " db3, mmm_agent.conf   next look in 5 s");
    assert_eq!(shown[2], "  db1, 10.0.0.1, master, takes");
    assert_eq!(shown[3], "  |   writes, MariaDB 10.11.6");
    assert!(shown[9].contains(" 1-7 of "), "{shown:#?}");
    model.obey(Wish::Down(Step::All), Instant::now());
    let shown = lines(&drawn(&mut model, 40, 10));
    let (_, place) = shown[9].rsplit_once('-').unwrap();
    let (last, all) = place.split_once(" of ").unwrap();
    assert_eq!(last, all);
    assert!(shown[8].contains("skipped"), "{shown:#?}");
}

#[test]
fn scrolling_ends_at_both_ends() {
    let mut model = model([look(|_| {})], true);
    drawn(&mut model, 80, 24);
    for (wish, first) in [
        (Wish::Up(Step::Line), 0),
        (Wish::Down(Step::Line), 1),
        (Wish::Down(Step::Page), 1 + 20 - 1),
        (Wish::Up(Step::Page), 1),
        (Wish::Up(Step::All), 0),
    ] {
        model.obey(wish, Instant::now());
        drawn(&mut model, 80, 24);
        assert_eq!(model.first, first, "{wish:?}");
    }
    model.obey(Wish::Down(Step::All), Instant::now());
    drawn(&mut model, 80, 24);
    let last = model.first;
    model.obey(Wish::Down(Step::Page), Instant::now());
    drawn(&mut model, 80, 24);
    assert_eq!(model.first, last);
    // Then there is room for all of it.
    drawn(&mut model, 80, 200);
    assert_eq!(model.first, 0);
}

#[test]
fn what_has_changed_is_seen_without_colour() {
    let moved = |cluster: &mut Cluster| {
        stopped(cluster);
        checks::seen(cluster, "db2").links[0].lag = Some(7);
    };
    let mut model = model([look(|_| {}), look(moved)], false);
    let buffer = drawn(&mut model, 80, 40);
    let shown = lines(&buffer);
    let is_there = |line: &str| assert!(shown.iter().any(|shown| shown == line), "{line}: {shown:#?}");
    is_there("*         follows db1 by position: not applying, 0 s behind, at");
    is_there("*         before: running");
    is_there("* FAILURE  new db3 applies nothing from db1: its SQL thread is stopped");
    is_there("  |       follows db1 by position: running, 7 s behind, at binlog.000001:700");
    assert_eq!(with(&buffer, Modifier::REVERSED, "not applying, "), "not applying");
    assert_eq!(with(&buffer, Modifier::REVERSED, "new db3"), "new");
    assert_eq!(with(&buffer, Modifier::BOLD, "7 s behind"), "7 s behind");
    assert_eq!(with(&buffer, Modifier::REVERSED, "7 s behind"), "");
    let is_plain = |cell: &Cell| cell.fg == Color::Reset && cell.bg == Color::Reset;
    assert!(buffer.content.iter().all(is_plain), "{shown:#?}");
}

#[test]
fn what_is_no_longer_wrong_is_shown_as_gone() {
    let mut model = model([look(stopped), look(|_| {})], true);
    let shown = lines(&drawn(&mut model, 80, 70));
    let gone = "* gone     db3 applies nothing from db1: its SQL thread is stopped";
    assert!(shown.iter().any(|line| line == gone), "{shown:#?}");
    assert!(!shown.iter().any(|line| line.contains("FAILURE") || line.contains("cure:")), "{shown:#?}");
    assert!(shown[1].starts_with(" GOOD: "), "{shown:#?}");
}

#[test]
fn a_change_that_is_out_of_sight_is_told() {
    let mut model = model([look(|_| {}), look(stopped)], true);
    assert!(lines(&drawn(&mut model, 80, 10))[9].contains("changed below"));
    model.obey(Wish::Down(Step::All), Instant::now());
    assert!(lines(&drawn(&mut model, 80, 10))[9].contains("changed above"));
    assert!(!lines(&drawn(&mut model, 80, 40))[39].contains("changed"));
}

#[test]
fn help_lies_over_everything() {
    let mut model = model([look(stopped)], true);
    model.obey(Wish::Help, Instant::now());
    let shown = lines(&drawn(&mut model, 80, 24)).join("\n");
    assert!(shown.contains(&format!("marked for {} s", MARKED.as_secs())), "{shown}");
    for line in HELP {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    model.obey(Wish::Help, Instant::now());
    assert!(!lines(&drawn(&mut model, 80, 24)).join("\n").contains("Ctrl-C"));
}

#[test]
fn no_size_of_a_terminal_is_too_small() {
    let mut models =
        [model([], true), model([look(|_| {}), look(stopped)], true), model([look(stopped)], false)];
    models[2].is_help = true;
    for model in &mut models {
        for height in 0..14 {
            for width in (0..24).chain([79, 80, 300]) {
                model.obey(Wish::Down(Step::All), Instant::now());
                drawn(model, width, height);
            }
        }
    }
    // What matters most is what is left.
    assert_eq!(lines(&drawn(&mut models[1], 12, 1)), [" 1 failure:"]);
}
