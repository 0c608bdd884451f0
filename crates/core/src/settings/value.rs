//! How the settings write a value: times, log levels, paths; each refused with words about what is allowed.

use std::fmt::{self, Display};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use log::LevelFilter;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serializer};

const SHORTEST: Duration = Duration::from_millis(1);
/// A longer limit is a mistake, because the monitor waits until it is over.
const LONGEST: Duration = Duration::from_secs(3600);

/// A section; one whose keys are all commented out holds the defaults.
pub fn section<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// `3s`, `500ms`, `2m`, `1h`, or a number of seconds; from 1 ms to 1 h.
pub fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    deserializer.deserialize_any(Time)
}

/// A time as above, or `off`.
pub fn duration_or_off<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    deserializer.deserialize_any(TimeOrOff)
}

/// A name of a log level in any case.
pub fn level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LevelFilter, D::Error> {
    let word = String::deserialize(deserializer)?;
    LevelFilter::from_str(&word).map_err(|_| {
        D::Error::custom(format_args!(
            "invalid value `{word}`, expected off, error, warn, info, debug or trace"
        ))
    })
}

/// A value as it is shown, for a process that is handed the settings.
pub fn shown<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// A path from the root.
pub fn whole_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    let path = PathBuf::deserialize(deserializer)?;
    if path.is_absolute() {
        Ok(path)
    } else {
        let path = path.display();
        Err(D::Error::custom(format_args!("expected an absolute path, beginning with /, and not `{path}`")))
    }
}

/// [`whole_path`], of a key that has no default.
pub fn some_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    whole_path(deserializer).map(Some)
}

struct Time;

impl Visitor<'_> for Time {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a time from 1ms to 1h, such as 3s, 500ms, 2m or a number of seconds")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
        time(text).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Duration, E> {
        self.visit_str(&seconds.to_string())
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Duration, E> {
        self.visit_str(&seconds.to_string())
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<Duration, E> {
        self.visit_str(&seconds.to_string())
    }
}

struct TimeOrOff;

impl Visitor<'_> for TimeOrOff {
    type Value = Option<Duration>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        Time.expecting(f)?;
        f.write_str(", or off")
    }

    fn visit_bool<E: Error>(self, is_on: bool) -> Result<Self::Value, E> {
        if is_on { Err(E::invalid_type(serde::de::Unexpected::Bool(true), &self)) } else { Ok(None) }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        if text == "off" {
            return Ok(None);
        }
        let refused = || E::invalid_value(serde::de::Unexpected::Str(text), &self);
        time(text).map(Some).ok_or_else(refused)
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Self::Value, E> {
        self.visit_str(&seconds.to_string())
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<Self::Value, E> {
        self.visit_str(&seconds.to_string())
    }
}

fn time(text: &str) -> Option<Duration> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let seconds = match unit.trim_start() {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    let time = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?;
    (SHORTEST..=LONGEST).contains(&time).then_some(time)
}

#[cfg(test)]
mod tests;
