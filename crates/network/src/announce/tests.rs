use super::*;

const MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0x01];

#[test]
fn a_frame_is_what_the_original_sends() {
    let ip = Ipv4Addr::new(10, 0, 0, 1);
    let expected = [
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0, 0, 0, 0, 0x01, 0x08, 0x06, //
        0x00, 0x01, 0x08, 0x00, 6, 4, 0x00, 0x02, //
        0x02, 0, 0, 0, 0, 0x01, 10, 0, 0, 1, //
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 10, 0, 0, 1,
    ];
    assert_eq!(arp(MAC, ip, BROADCAST, ip, REPLY), expected);
}

#[test]
fn an_advertisement_is_whole_and_its_sum_is_right() {
    let frame = advertisement(MAC, "2001:db8::1".parse().unwrap());
    assert_eq!(frame.len(), 86);
    assert_eq!(frame[54..62], [136, 0, frame[56], frame[57], 0x20, 0, 0, 0]);
    let pseudo = [&frame[22..54], &[0, 0, 0, 32, 0, 0, 0, 58]].concat();
    assert_eq!(checksum(&[pseudo, frame[54..].to_vec()].concat()), 0);
}

#[test]
fn the_sum_of_a_known_text() {
    // The example of RFC 1071 section 3, and an odd length.
    assert_eq!(checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
    assert_eq!(checksum(&[0x01]), !0x0100);
}
