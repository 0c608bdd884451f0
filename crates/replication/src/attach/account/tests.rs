use std::path::PathBuf;

use mmm_core::settings::TlsOptions;

use super::*;
use crate::record::Record;

#[test]
fn an_account_is_tried_as_the_stricter_of_channel_and_settings_wants_it() {
    let channel = |tls, verify| {
        Channel::from_record(Record::from_iter([
            ("Master_SSL_Allowed", tls),
            ("Master_SSL_Verify_Server_Cert", verify),
            ("Master_SSL_CA_File", "/channel.pem"),
        ]))
    };
    let identity = Some((PathBuf::from("/cert.pem"), PathBuf::from("/key.pem")));
    for (tls, verify, settings, tried) in [
        ("No", "No", TlsMode::Off, (TlsMode::Off, "/settings.pem")),
        ("No", "Yes", TlsMode::Preferred, (TlsMode::Preferred, "/settings.pem")),
        ("Yes", "No", TlsMode::Off, (TlsMode::Required, "")),
        ("Yes", "No", TlsMode::Preferred, (TlsMode::Required, "")),
        ("No", "No", TlsMode::VerifyIdentity, (TlsMode::VerifyIdentity, "/settings.pem")),
        ("Yes", "Yes", TlsMode::Required, (TlsMode::VerifyCa, "/channel.pem")),
        ("Yes", "Yes", TlsMode::VerifyCa, (TlsMode::VerifyCa, "/settings.pem")),
    ] {
        let options =
            TlsOptions { mode: settings, ca: Some("/settings.pem".into()), identity: identity.clone() };
        let options = channel(tls, verify).tls_of_trial(&options);
        let ca = options.ca.unwrap_or_default();
        assert_eq!((options.mode, ca.to_str().unwrap()), tried, "{tls} {verify} {settings:?}");
        assert_eq!(options.identity, None);
    }
}
