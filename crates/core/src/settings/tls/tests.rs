use super::super::tests::read;
use super::*;
use crate::config::scratch::Scratch;

#[test]
fn a_host_of_its_own_mode_keeps_the_files() {
    let scratch = Scratch::new();
    let path = |name| scratch.file(name, "").display().to_string();
    let tls = read(&format!(
        "tls: {{mode: verify-ca, ca: {}, cert: {}, key: {}, hosts: {{db3: required, db4: off}}}}",
        path("ca"),
        path("cert"),
        path("key")
    ))
    .unwrap()
    .tls;
    let identity = tls.cert.clone().zip(tls.key.clone());
    assert!(identity.is_some());
    let options =
        |mode, ca: &Option<PathBuf>| TlsOptions { mode, ca: ca.clone(), identity: identity.clone() };
    assert_eq!(tls.of("db1"), options(TlsMode::VerifyCa, &tls.ca));
    assert_eq!(tls.of("db3"), options(TlsMode::Required, &None));
    assert_eq!(tls.of("db4"), options(TlsMode::Off, &None));
}

#[test]
fn every_mode_has_the_name_that_servers_use() {
    let table = [
        ("off", TlsMode::Off),
        ("preferred", TlsMode::Preferred),
        ("required", TlsMode::Required),
        ("verify-ca", TlsMode::VerifyCa),
        ("verify-identity", TlsMode::VerifyIdentity),
    ];
    for (name, mode) in table {
        let text = format!("tls: {{ca: /dev/null, mode: {name}}}");
        assert_eq!(read(&text).unwrap().tls.of("db1").mode, mode, "{name}");
    }
}

#[test]
fn without_settings_nothing_is_secured_and_no_file_is_read() {
    assert_eq!(Tls::default().of("db1"), TlsOptions::default());
    for text in ["tls:\nlocal:\n", "tls: {hosts: }", "tls: {ca: /no/such}", "tls: {cert: /a, key: /b}"] {
        assert_eq!(read(text).unwrap().tls.of("db1").mode, TlsMode::Off, "{text}");
    }
}

#[test]
fn what_cannot_be_used_together_is_refused() {
    let table = [
        ("tls: {mode: verify-ca}", "need its ca"),
        ("tls: {hosts: {db3: verify-identity}}", "need its ca"),
        ("tls: {cert: /dev/null}", "set both"),
        ("tls: {mode: required, key: /dev/null}", "set both"),
        ("tls: {mode: required, ca: /no/such}", "ca of tls, /no/such, cannot be read: No such file"),
        ("tls: {hosts: {db3: required}, cert: /no/such, key: /dev/null}", "cert of tls, /no/such, cannot"),
        ("tls: {mode: yes}", "unknown variant `yes`, expected one of `off`, `preferred`"),
        ("tls: {hosts: {db3: {mode: off}}}", "tls.hosts"),
        ("tls: {ca: ca.pem}", "absolute path"),
        ("tls: {verify: true}", "unknown field `verify`"),
        ("local: {socket: mysqld.sock}", "absolute path"),
        ("local: {port: 3306}", "unknown field `port`"),
    ];
    for (text, words) in table {
        let error = read(text).expect_err(text);
        assert!(error.starts_with("Invalid settings in 'FILE'"), "{text}: {error}");
        assert!(error.contains(words), "{text}: {error}");
    }
}
