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
mod tests;
