//! What `tests/fuzz` feeds with bytes of its own. It is no interface for anybody else.

use std::path::Path;

use crate::config::{self, Config, ConfigError};
use crate::settings::{Settings, SettingsError};

/// The agent's configuration `name` in this folder, with its quirks.
pub fn config(folder: &Path, name: &str) -> (Result<Config, ConfigError>, Vec<String>) {
    let mut warnings = Vec::new();
    let config = config::load_from(&[folder], name, &mut warnings);
    (config, warnings.iter().map(ToString::to_string).collect())
}

/// The settings of this text.
pub fn settings(text: &[u8]) -> Result<Settings, SettingsError> {
    Settings::parse(Path::new("mmm_helpers.yaml"), text)
}
