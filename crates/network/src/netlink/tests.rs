use super::*;

#[test]
fn the_loopback_interface_and_its_address_are_found() {
    let mut kernel = Netlink::open(Budget::start(Some(Duration::from_secs(10)))).unwrap();
    let link = kernel.find_link(&"lo".parse().unwrap()).unwrap().unwrap();
    assert_eq!((link.name.as_str(), link.index), ("lo", 1));
    assert_eq!(kernel.find(&link, "192.0.2.77".parse().unwrap()).unwrap(), None);
    assert_eq!(kernel.find_link(&"nosuch0".parse().unwrap()).unwrap(), None);
}

#[test]
fn a_spent_budget_is_the_end_of_waiting() {
    let mut kernel = Netlink::open(Budget::start(Some(Duration::ZERO))).unwrap();
    let error = kernel.find_link(&"lo".parse().unwrap()).unwrap_err();
    assert!(matches!(error, NetworkError::NoAnswer { .. }), "{error}");
}
