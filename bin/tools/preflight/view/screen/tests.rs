use super::super::sample::look;
use super::*;

fn report() -> Report {
    look(|cluster| {
        cluster.quirks.push("word ".repeat(60));
        cluster.machine.has_own_ip = Some(false);
    })
}

#[test]
fn no_line_is_wider_than_the_screen_and_the_worst_stands_first() {
    let screen = draw(&report(), false);
    assert!(screen.lines().all(|line| line.chars().count() <= WIDTH || line.contains("shell: ")), "{screen}");
    assert!(screen.find("FAILURE") < screen.find("WARNING"), "{screen}");
    assert!(screen.contains("`-- db3 (this host), 10.0.0.3, slave, read-only, MariaDB 10.11.6"), "{screen}");
    assert!(screen.ends_with("1 failure, 1 warning: a failover would fail or do harm; cure from the top.\n"));
}

#[test]
fn colour_changes_nothing_but_colour() {
    let plain = draw(&report(), false);
    let coloured = draw(&report(), true);
    assert!(coloured.contains("\x1b[1;31mFAILURE\x1b[0m") && !plain.contains('\x1b'));
    let mut stripped = coloured;
    for code in ["32", "33", "1;31", "0"] {
        stripped = stripped.replace(&format!("\x1b[{code}m"), "");
    }
    assert_eq!(stripped, plain);
}
