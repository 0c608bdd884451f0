//! `mmm_helpers.yaml`.

use std::time::Duration;

use mmm_core::fuzzed;
use mmm_core::settings::SettingsError;

pub fn read(input: &[u8]) {
    match fuzzed::settings(input) {
        Ok(settings) => {
            let times = [
                settings.limits.connect,
                settings.limits.call,
                settings.allow_write.silence,
                settings.attach.patience,
            ];
            let allowed = Duration::from_millis(1)..=Duration::from_secs(3600);
            assert!(times.iter().all(|time| allowed.contains(time)), "{times:?}");
            assert!(settings.log.file.is_absolute());
            for (_, command) in settings.commands() {
                assert!(command.starts_with('/') && !command.contains('{'), "{command}");
            }
        }
        Err(SettingsError::Invalid { line, reason, .. }) => {
            // The library counts one line more behind the last line's end.
            let lines = input.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() + 2;
            assert!((1..=lines).contains(&line), "line {line} of {lines}");
            assert!(!reason.is_empty());
        }
        Err(other) => panic!("{other}"),
    }
}
