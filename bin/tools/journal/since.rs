//! A point of time as a person writes it.

use jiff::civil::{DateTime, Time};
use jiff::{Span, Timestamp, Zoned};

/// `2026-11-22 03:00`, `2026-11-22`, `03:00` (the last time it was so), `today`, `yesterday`, or how long ago: `2h`,
/// `90m`, `3d`.
pub fn parse(text: &str, now: &Zoned) -> Result<Timestamp, String> {
    let text = text.trim();
    // From the strictest on: a date with a time would pass for a time, too, and one with a zone for one without.
    (text.parse().ok())
        .or_else(|| Some(civil(text, now)?.timestamp()))
        .or_else(|| Some(ago(text, now)?.timestamp()))
        .ok_or_else(|| {
            "no time: write '2026-11-22 03:00', 03:00, today, yesterday, or 2h for two hours ago".into()
        })
}

fn civil(text: &str, now: &Zoned) -> Option<Zoned> {
    match text {
        "today" => return now.start_of_day().ok(),
        "yesterday" => return now.yesterday().ok()?.start_of_day().ok(),
        _ => {}
    }
    if let Ok(time) = text.parse::<DateTime>() {
        return time.to_zoned(now.time_zone().clone()).ok();
    }
    let today = now.with().time(text.parse::<Time>().ok()?).build().ok()?;
    if today > *now { today.yesterday().ok() } else { Some(today) }
}

fn ago(text: &str, now: &Zoned) -> Option<Zoned> {
    let span: Span = text.strip_suffix(" ago").unwrap_or(text).parse().ok()?;
    now.checked_sub(span.abs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_the_hosts_own_unless_it_says_otherwise() {
        let now: Zoned = "2026-11-22T05:30:00+01:00[+01:00]".parse().unwrap();
        for (text, utc) in [
            ("2026-11-22 03:00", "2026-11-22T02:00:00Z"),
            ("2026-11-20 03:00", "2026-11-20T02:00:00Z"),
            ("2026-10-02T03:00:05", "2026-10-02T02:00:05Z"),
            ("2026-11-22", "2026-11-21T23:00:00Z"),
            ("2026-11-20T03:00:00Z", "2026-11-20T03:00:00Z"),
            ("2026-11-20T03:00:00+02:00", "2026-11-20T01:00:00Z"),
            ("03:00", "2026-11-22T02:00:00Z"),
            ("06:00", "2026-11-21T05:00:00Z"),
            ("today", "2026-11-21T23:00:00Z"),
            ("yesterday", "2026-11-20T23:00:00Z"),
            ("2h", "2026-11-22T02:30:00Z"),
            ("90m", "2026-11-22T03:00:00Z"),
            ("1h30m", "2026-11-22T03:00:00Z"),
            ("3d", "2026-11-19T04:30:00Z"),
            ("2h ago", "2026-11-22T02:30:00Z"),
        ] {
            assert_eq!(parse(text, &now), Ok(utc.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let now = Zoned::now();
        for text in ["", "soon", "2026-13-01", "25:00", "2x", "-", "99999999999y"] {
            assert!(parse(text, &now).is_err(), "{text:?}");
        }
    }
}
