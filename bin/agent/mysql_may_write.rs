//! `mysql_may_write`: does this host's server take writes?
//!
//! The agent reads the exit code, not the line: 1 is writable, 255 an error, anything else read-only
//! (contract 1.3). So no failure may end with 1.

use std::process::ExitCode;

use mmm_core::firewall;
use mmm_core::{Call, Program, Shape, Verdict, run};
use mmm_replication::{Error, Server};

static PROGRAM: Program = Program {
    name: "mysql_may_write",
    shape: Shape::Plain,
    extras: &[],
    one_is_an_answer: true,
    about: "Says whether this host's server takes writes (read_only).",
    prints: "  OK: Not allowed   exit 0: read_only is on\n  \
             OK: Allowed       exit 1: read_only is off\n  \
             ERROR: …          exit 255: nobody can tell",
    example: "mysql_may_write mmm_agent",
};

fn main() -> ExitCode {
    run(&PROGRAM, mysql_may_write)
}

fn mysql_may_write(call: &Call) -> Result<Verdict, Error> {
    let config = call.config()?;
    firewall::remove_leftover(config.this_host());
    let mut server = Server::connect(config.this_host(), call.settings.limits.connect, call.budget)?;
    if server.one("SELECT @@read_only AS read_only")?.is_on("read_only") {
        Ok(Verdict::ok_because("Not allowed"))
    } else {
        Ok(Verdict::second_answer("Allowed"))
    }
}
