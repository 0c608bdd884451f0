use mmm_network::Mac;

use super::super::super::cluster::Owner;
use super::super::sample::{codes, good};
use super::*;

fn owner(host: Option<&str>) -> Owner {
    Owner { mac: Mac([2, 0, 0, 0, 0, 9]), host: host.map(Into::into), is_stranger: host.is_none() }
}

type Break = fn(&mut Address);

#[test]
fn addresses_in_their_places_are_no_finding_wherever_one_looks() {
    for this in ["db1", "db2", "db3"] {
        assert_eq!(codes(&addresses(&good(this))), [""; 0]);
    }
}

#[test]
fn an_address_that_is_held_by_none_by_two_or_by_the_wrong_host_is_found() {
    // The writer's address, as db1 sees it, which holds it.
    let table: [(&str, Break); 7] = [
        ("address-conflict", |address| address.others = Some(vec![owner(Some("db2"))])),
        ("address-conflict", |address| address.others = Some(vec![owner(None)])),
        ("address-nowhere", |address| {
            address.is_here = false;
            address.check_ip = None;
        }),
        ("address-misplaced", |address| {
            (address.is_here, address.check_ip) = (false, None);
            address.others = Some(vec![owner(Some("db3"))]);
        }),
        ("address-misplaced", |address| {
            (address.is_here, address.check_ip) = (false, None);
            address.others = Some(vec![owner(None)]);
        }),
        ("check-ip-wrong", |address| {
            address.check_ip = Some(Ok((1, "OK: IP address is not configured".into())));
        }),
        ("check-ip-wrong", |address| address.check_ip = Some(Err("no".into()))),
    ];
    for (code, damage) in table {
        let mut cluster = good("db1");
        damage(&mut cluster.addresses[0]);
        assert_eq!(codes(&addresses(&cluster)), [code]);
    }
    let mut cluster = good("db1");
    let address = &mut cluster.addresses[0];
    (address.is_here, address.check_ip, address.others) = (false, None, None);
    assert_eq!(codes(&addresses(&cluster)), [""; 0], "nobody could be asked");
    cluster.addresses[0].others = Some(vec![Owner { is_stranger: false, ..owner(None) }]);
    assert_eq!(codes(&addresses(&cluster)), [""; 0], "it may be a host of the cluster");
}
