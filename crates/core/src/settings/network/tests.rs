use super::*;

fn read(text: &str) -> Result<Network, String> {
    serde_yaml::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn every_key_is_read() {
    let network = read(
        "announce: {count: 3, interval: 1s, refresh: 1m}\ndad: off\nprobe: 300ms\nfarewell: off\n\
         hooks:\n  added: {command: [/bin/x, '--to={eni}', '{}', '{\"a\": 1}'], limit: 2s}\n",
    )
    .unwrap();
    let minute = Duration::from_secs(60);
    let announce = Announce { count: 3, interval: Duration::from_secs(1), refresh: Some(minute) };
    assert_eq!(network.announce, announce);
    assert_eq!((network.dad, network.probe), (None, Some(Duration::from_millis(300))));
    assert_eq!(network.farewell, None);
    assert_eq!(network.hooks.added.command, ["/bin/x", "--to={eni}", "{}", "{\"a\": 1}"]);
    assert_eq!(network.hooks.added.limit, Duration::from_secs(2));
    assert_eq!(network.hooks.removed, Hook::default());
    assert_eq!(read("probe: false").unwrap(), Network::default());
}

#[test]
fn what_cannot_be_used_is_refused() {
    for (text, words) in [
        ("announce: {count: 0}", "from 1 to 1000"),
        ("announce: {refresh: often}", "or off"),
        ("probe: true", "or off"),
        ("hooks: {added: {command: [aws, ec2]}}", "absolute path"),
        ("hooks: {added: {command: /bin/x}}", "sequence"),
        ("hooks: {added: {command: ['/opt/hooks/{host}', x]}}", "a program without a placeholder"),
        (
            "hooks: {added: {command: [/bin/x, 'a{ip}']}}",
            "unknown placeholder {ip}, expected one of {interface}",
        ),
        ("hooks: {added: {command: [/bin/x, '{eni}{ENI}']}}", "unknown placeholder {ENI}"),
        ("hooks: {gone: {}}", "unknown field `gone`"),
    ] {
        let error = read(text).expect_err(text);
        assert!(error.contains(words), "{text}: {error}");
    }
}
