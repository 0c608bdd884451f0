use super::*;

fn address(text: &str) -> Result<VirtualIp, String> {
    text.parse().map_err(|error: NetworkError| error.to_string())
}

#[test]
fn every_spelling_of_an_address_is_the_same_address() {
    for (spelling, meant) in [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("2001:0DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("127.0.0.1", "127.0.0.1"),
    ] {
        assert_eq!(address(spelling).unwrap().to_string(), meant);
    }
}

#[test]
fn what_is_no_single_hosts_address_is_refused_in_one_line() {
    for text in [
        "",
        " ",
        "10.0.0",
        "10.0.0.1 ",
        " 10.0.0.1",
        "10.0.0.1\n",
        "10.0.0.256",
        "010.0.0.1",
        "10.0.0.01",
        "0xa.0.0.1",
        "167772161",
        "10.0.0.1/24",
        "10.0.0.1;cmd",
        "$(cmd)",
        "-1.2.3.4",
        "--help",
        "db1",
        "10.0.0.1\0",
        "１0.0.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.1",
        "::",
        "ff02::1",
        "::ffff:10.0.0.1",
        "fe80::1%eth0",
    ] {
        let error = address(text).expect_err(text);
        assert!(error.contains("is not an IP address for a role") && !error.contains('\n'), "{error}");
    }
}

fn holding(ip: &str, prefix: u8, is_secondary: bool) -> Holding {
    let ip = ip.parse().unwrap();
    Holding { ip, prefix, peer: ip, is_secondary, is_tentative: false, is_duplicate: false, created: None }
}

#[test]
fn a_first_address_carries_the_later_ones_of_its_network_only() {
    let first = holding("10.0.0.1", 24, false);
    assert!(first.carries(&holding("10.0.0.11", 24, true)));
    assert!(!first.carries(&holding("10.0.0.11", 24, false)), "another first one");
    assert!(!first.carries(&holding("10.0.0.11", 25, true)), "another prefix length");
    assert!(!first.carries(&holding("10.0.1.11", 24, true)), "another network");
    assert!(!holding("10.0.0.1", 24, true).carries(&holding("10.0.0.11", 24, true)));
    assert!(holding("10.0.0.1", 0, false).carries(&holding("192.0.2.1", 0, true)));
    assert!(!holding("10.0.0.1", 32, false).carries(&holding("10.0.0.2", 32, true)));
}

#[test]
fn an_address_is_young_for_fifteen_seconds_even_while_the_clock_starts_again() {
    for (created, now, young) in [
        (1000, 1000, true),
        (1001, 1000, true),
        (1000, 2499, true),
        (1000, 2500, false),
        (u32::MAX - 10, 5, true),
        (u32::MAX - 10, 2000, false),
        (0, 200_000_000, false),
    ] {
        assert_eq!(is_young(created, now), young, "{created} {now}");
    }
}

#[test]
fn the_other_end_of_a_link_is_not_held() {
    let mut message = AddressMessage::default();
    message.attributes = vec![
        AddressAttribute::Address("10.9.9.9".parse().unwrap()),
        AddressAttribute::Local("10.0.0.1".parse().unwrap()),
        AddressAttribute::Broadcast("10.0.0.255".parse().unwrap()),
    ];
    let held = Holding::read(&message).unwrap();
    assert_eq!((held.ip.to_string(), held.peer.to_string()), ("10.0.0.1".into(), "10.9.9.9".into()));
    assert_eq!(Holding::read(&AddressMessage::default()), None);
}
