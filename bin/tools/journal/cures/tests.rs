use mmm_core::error::CallError;
use mmm_replication::Refusal;
use strum::VariantNames;

use super::*;

const HOSTS: Hosts = Hosts { here: Some("db3"), new: Some("db2") };

#[test]
fn every_refusal_has_a_meaning_and_a_cure() {
    let names = Refusal::VARIANTS.iter().chain(CallError::VARIANTS).filter(|name| !name.is_empty());
    for name in names {
        let row = of(name).unwrap_or_else(|| panic!("docs/ERRORS.md has no {name}"));
        assert!(!row.means(HOSTS).is_empty() && !row.cure(HOSTS).is_empty(), "{name}");
    }
}

#[test]
fn hosts_take_the_places_of_letters_and_markup_is_gone() {
    let row = of("replica-ahead").unwrap();
    assert_eq!(row.means(HOSTS), "db3 has executed what db2 can never get");
    assert_eq!(
        row.cure(HOSTS),
        "'mmm_difference db3 db2' shows and saves it; copy the rows to db2, or rebuild db3 from db2"
    );
    assert_eq!(
        of("not-applied").unwrap().means(Hosts::default()),
        "this host has not applied all that the peer wrote"
    );
    let cure = of("temporary-tables").unwrap().cure(HOSTS);
    assert!(cure.ends_with("for those of a dead master see docs/FAILOVER.md, 2.8"), "{cure}");
    assert_eq!(told("R's log, `IGNORE_R`, OR, N.", HOSTS), "db3's log, 'IGNORE_R', OR, N.");
}

#[test]
fn a_name_that_no_error_has_has_none() {
    for name in ["", "Name", "---", "soon", "R"] {
        assert_eq!(of(name), None, "{name}");
    }
}
