use super::*;

#[test]
fn every_program_is_described_in_a_few_words() {
    for program in mmm_agent_helpers::ALL {
        let words = briefly(program.about);
        assert!((20..130).contains(&words.len()), "{}: {words}", program.name);
        assert!(words.is_ascii(), "{words}");
    }
    assert_eq!(briefly("Does it: so. And more."), "does it");
    assert_eq!(briefly("Does it as /32 (IPv6: /128), and more."), "does it as /32");
}

#[test]
fn a_page_has_every_result_and_every_option_of_the_help() {
    for program in mmm_agent_helpers::ALL {
        let page = helper(program, "", "");
        for result in program.prints.lines() {
            let line = result.trim().split("  ").next().unwrap();
            assert!(page.contains(&format!("\n.B {}\n", ascii(&roff(line)))), "{}: {line}", program.name);
        }
        for option in program.command().get_arguments().filter_map(clap::Arg::get_long) {
            assert!(page.contains(&format!("\\-\\-{}", roff(option))), "{}: {option}", program.name);
        }
        assert!(page.is_ascii() && !page.contains("\\*("), "{page}");
    }
}
