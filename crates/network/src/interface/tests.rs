use netlink_packet_core::{DefaultNla, Emitable};

use super::*;

#[test]
fn an_alias_means_its_device() {
    for (given, device) in [
        ("eth0", "eth0"),
        ("eth0:1", "eth0"),
        ("bond0.100", "bond0.100"),
        ("bond0.100:vip", "bond0.100"),
        ("br-lan", "br-lan"),
        ("wlp2s0", "wlp2s0"),
        ("enp0s31f6", "enp0s31f6"),
    ] {
        assert_eq!(given.parse::<Interface>().unwrap().device(), device);
    }
}

#[test]
fn a_text_that_is_no_name_is_refused_in_one_line() {
    for text in [
        "",
        ".",
        "..",
        "eth0 ",
        "eth 0",
        "eth0\n",
        ";cmd",
        "eth0;cmd",
        "$(cmd)",
        "`cmd`",
        "-eth0",
        "--help",
        "../eth0",
        "eth0/1",
        "eth0:",
        ":1",
        "eth0:1:2",
        "abcdefghijklmnop",
        "ätherne",
        "eth0\0",
    ] {
        let error = text.parse::<Interface>().expect_err(text).to_string();
        assert!(error.contains("is not the name of a network interface") && !error.contains('\n'), "{error}");
    }
}

fn link(flags: LinkFlags, layer: LinkLayerType) -> Link {
    let header = LinkHeader { index: 7, flags, link_layer_type: layer, ..LinkHeader::default() };
    let attributes = [
        DefaultNla::new(IFLA_IFNAME, b"eth0\0".to_vec()),
        DefaultNla::new(99, vec![1, 2, 3]),
        DefaultNla::new(IFLA_ADDRESS, vec![2, 0, 0, 0, 0, 1]),
    ];
    let mut bytes = vec![0; LINK_HEADER + attributes.as_slice().buffer_len()];
    header.emit(&mut bytes);
    attributes.as_slice().emit(&mut bytes[LINK_HEADER..]);
    Link::read(&bytes).unwrap()
}

#[test]
fn the_kernels_description_is_read() {
    let up = link(LinkFlags::Up | LinkFlags::LowerUp | LinkFlags::Broadcast, LinkLayerType::Ether);
    assert_eq!((up.name.as_str(), up.index, up.mac), ("eth0", 7, Some([2, 0, 0, 0, 0, 1])));
    assert!(up.require_up().is_ok() && up.has_carrier() && up.has_neighbours());
    assert!(link(LinkFlags::Broadcast, LinkLayerType::Ether).require_up().is_err());
    assert!(!link(LinkFlags::Up, LinkLayerType::Ether).has_carrier());
}

#[test]
fn only_ethernet_with_arp_is_announced_on() {
    assert!(!link(LinkFlags::Up | LinkFlags::Noarp, LinkLayerType::Ether).has_neighbours());
    assert!(!link(LinkFlags::Up | LinkFlags::Loopback, LinkLayerType::Loopback).has_neighbours());
    assert!(!link(LinkFlags::Up, LinkLayerType::Infiniband).has_neighbours());
}

#[test]
fn a_short_description_is_no_link() {
    assert_eq!(Link::read(&[0; 7]), None);
}
