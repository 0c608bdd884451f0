//! `mysql_may_write`: does this host's server take writes?
//!
//! The agent reads the exit code, not the line: 1 is writable, 255 an error, anything else read-only
//! (docs/CONTRACT.md, 1.1). So no failure may end with 1.

use std::process::ExitCode;

use mmm_agent_helpers::MYSQL_MAY_WRITE;
use mmm_core::firewall;
use mmm_core::{Call, Verdict, report, run};
use mmm_replication::{Error, Server};

fn main() -> ExitCode {
    run(&MYSQL_MAY_WRITE, mysql_may_write)
}

fn mysql_may_write(call: &Call) -> Result<Verdict, Error> {
    let config = call.config()?;
    firewall::remove_leftover(config.this_host());
    let mut server = Server::connect(config.this_host(), call.settings.limits.connect, call.budget)?;
    let is_closed = server.is_read_only()?;
    report::observe(Some(server.host()), "read_only", report::on_off(is_closed));
    if is_closed { Ok(Verdict::ok_because("Not allowed")) } else { Ok(Verdict::second_answer("Allowed")) }
}
