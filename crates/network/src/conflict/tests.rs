use super::*;

#[test]
fn only_a_sender_claims_an_address() {
    let (ip, other) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2));
    let mac = [2, 0, 0, 0, 0, 9];
    assert_eq!(claimed_by(&arp(mac, ip, [0; 6], other, REQUEST), ip), Some(mac));
    assert_eq!(claimed_by(&arp(mac, other, [0; 6], ip, REQUEST), ip), None);
    assert_eq!(claimed_by(&arp(mac, ip, [0; 6], ip, REQUEST)[..40], ip), None);
    assert_eq!(claimed_by(&[0; 60], Ipv4Addr::UNSPECIFIED), None);
}
