use super::*;

fn kinds() -> Vec<Kind> {
    let all = ["mariadb-10.11", "mysql-5.6", "mysql-9"];
    let kind = |server: &str, mode: &str| Kind { server: server.into(), mode: mode.into() };
    all.iter().flat_map(|server| [kind(server, "file"), kind(server, "gtid")]).collect()
}

fn plans() -> impl Iterator<Item = Plan> {
    (0..400).flat_map(|seed| kinds().into_iter().map(move |kind| Plan::draw(seed, &kind)))
}

#[test]
fn a_seed_is_always_the_same_round_and_a_file_keeps_it() {
    for plan in plans() {
        let text = serde_yaml::to_string(&plan).expect("a plan as YAML");
        let read: Plan = serde_yaml::from_str(&text).expect("a plan from YAML");
        assert_eq!(format!("{read:?}"), format!("{:?}", Plan::draw(plan.seed, &plan.kind)));
    }
}

#[test]
fn every_part_that_can_be_left_out_is_another_round_without_it() {
    for plan in plans() {
        for part in plan.parts() {
            let without = plan.clone().without(std::slice::from_ref(&part));
            assert_ne!(format!("{without:?}"), format!("{plan:?}"), "{part}");
            assert_eq!(without.parts().len() + 1, plan.parts().len(), "{part}");
        }
    }
}

#[test]
fn no_round_is_drawn_that_no_helper_can_hold() {
    for plan in plans() {
        let kills = plan.faults.iter().any(|(_, fault)| fault.kills());
        let has = |load: Load| plan.load.contains(&load);
        let parts = plan.faults.iter().any(|(_, fault)| fault.parts());
        let is_hard = [Load::MyIsam, Load::Table, Load::Xa].into_iter().any(has);
        assert!(!is_hard || !kills && !parts, "{plan}");
        assert!(plan.faults.iter().all(|(at, _)| *at < plan.length), "{plan}");
        let kills_any =
            plan.faults.iter().any(|(_, fault)| matches!(fault, Fault::Kill(..) | Fault::FreezeForEver(..)));
        assert!(!plan.kind.forgets() || !kills_any, "{plan}");
    }
}
