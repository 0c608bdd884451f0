use super::*;

const fn program(shape: Shape, extras: &'static [Extra]) -> Program {
    Program {
        name: "helper",
        shape,
        changes: true,
        extras,
        one_is_an_answer: false,
        works_without_settings: false,
        about: "Does it.",
        prints: "  OK",
        example: "helper mmm_agent",
    }
}

fn read(program: &Program, words: &[&str]) -> Request {
    let mut argv = vec![OsString::from("/usr/lib/mysql-mmm//agent/helper")];
    argv.extend(words.iter().map(OsString::from));
    program.read(&argv).0
}

fn work(program: &Program, words: &[&str]) -> Invocation {
    match read(program, words) {
        Request::Work(call) => call,
        other => panic!("{words:?} gave {other:?}"),
    }
}

#[test]
fn the_number_of_words_tells_the_generation() {
    let address = program(Shape::Address, &[]);
    let call = work(&address, &["eth0", "10.0.0.1"]);
    assert_eq!((call.config.as_str(), call.interface.as_str()), ("mmm_agent", "eth0"));
    let call = work(&address, &["mmm_agent_c1", "eth0", "10.0.0.1"]);
    assert_eq!((call.config.as_str(), call.address.as_str()), ("mmm_agent_c1", "10.0.0.1"));
    assert_eq!(work(&address, &["mmm_agent", "eth0", "10.0.0.1", "null"]).eni.as_deref(), Some("null"));

    let master = program(Shape::NewMaster, &[]);
    assert_eq!(work(&master, &["db2"]).new_master, "db2");
    let call = work(&master, &["mmm_agent_c1", "db2,mysql-bin.000003,107"]);
    assert_eq!(
        (call.config.as_str(), call.new_master.as_str()),
        ("mmm_agent_c1", "db2,mysql-bin.000003,107")
    );

    let plain = program(Shape::Plain, &[]);
    assert_eq!(work(&plain, &[]).config, "mmm_agent");
    assert_eq!(work(&plain, &["mmm_agent_c1"]).config, "mmm_agent_c1");
}

#[test]
fn any_other_number_is_a_usage_error_that_repeats_the_callers_path() {
    for (shape, words) in [
        (Shape::Address, &["one"][..]),
        (Shape::Address, &[]),
        (Shape::Address, &["a", "b", "c", "d", "e"]),
        (Shape::NewMaster, &[]),
        (Shape::NewMaster, &["a", "b", "c"]),
        (Shape::Plain, &["a", "b"]),
    ] {
        let Request::Usage { line, .. } = read(&program(shape, &[]), words) else {
            panic!("{words:?} was accepted")
        };
        assert!(line.starts_with("Usage: /usr/lib/mysql-mmm//agent/helper <config_file>"), "{line}");
    }
}

#[test]
fn an_empty_word_is_an_error_and_never_an_older_generation() {
    let request = read(&program(Shape::Address, &[]), &["mmm_agent", "eth0", ""]);
    assert_eq!(
        request,
        Request::Unusable("argument 3 is empty; correct the role or host that it is taken from".into())
    );
}

#[test]
fn words_that_look_like_options_do_not_reach_a_helper() {
    let address = program(Shape::Address, &[]);
    for hostile in ["-1.2.3.4", "--help", "--version", "-h", "--no-such"] {
        let request = read(&address, &["mmm_agent", "eth0", hostile]);
        assert!(matches!(request, Request::Usage { .. }), "{hostile}: {request:?}");
    }
}

#[test]
fn help_and_version_answer_to_people() {
    let address = program(Shape::Address, &[]);
    let Request::Show(help) = read(&address, &["--help"]) else { panic!("no help") };
    assert!(help.contains("Does it.") && help.contains("Example:"), "{help}");
    let Request::Show(version) = read(&address, &["--version"]) else { panic!("no version") };
    assert_eq!(version, format!("helper {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wait_takes_seconds_or_forever() {
    let waiting = program(Shape::Plain, &[Extra::Wait]);
    assert_eq!(work(&waiting, &["--wait", "1.5"]).wait, Some(Some(Duration::from_millis(1500))));
    assert_eq!(work(&waiting, &["mmm_agent", "--wait=forever"]).wait, Some(None));
    for wrong in ["-1", "soon", "nan"] {
        let request = read(&waiting, &[&format!("--wait={wrong}")]);
        assert!(matches!(request, Request::Usage { .. }), "{wrong}: {request:?}");
    }
}

#[test]
fn a_dry_run_is_for_those_that_change_something_and_a_format_for_all() {
    let output = |changes, word: &str| {
        let program = Program { changes, ..program(Shape::Plain, &[]) };
        program.read(&["helper".into(), word.into()])
    };
    let plain = Output::default();
    let json = Output { format: Format::Json, ..plain };
    assert_eq!(output(true, "--dry-run").1, Output { dry_run: true, ..plain });
    assert!(matches!(output(false, "--dry-run"), (Request::Usage { .. }, output) if output == plain));
    assert_eq!(output(false, "--format=json").1, json);
    assert_eq!(output(true, "mmm_agent").1, plain);
    assert!(matches!(output(true, "--format=xml").0, Request::Usage { .. }));
    let wrong = ["helper", "--format=json", "a", "b"].map(OsString::from);
    assert!(
        matches!(program(Shape::Plain, &[]).read(&wrong), (Request::Usage { .. }, output) if output == json)
    );
}

#[test]
fn an_option_of_another_helper_is_unknown() {
    assert!(matches!(read(&program(Shape::Plain, &[]), &["--force"]), Request::Usage { .. }));
    assert!(work(&program(Shape::Plain, &[Extra::Force]), &["--force"]).force);
}
