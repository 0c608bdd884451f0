//! Command lines: the words, with a zero byte between them. The first one is the helper's path.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use mmm_agent_helpers::ALL;
use mmm_core::contract::USAGE;
use mmm_core::invocation::Request;
use mmm_core::{Invocation, Program, Shape};
use mmm_network::{Interface, VirtualIp};

pub fn read(input: &[u8]) {
    let words: Vec<OsString> =
        input.split(|byte| *byte == 0).map(|word| OsStr::from_bytes(word).to_os_string()).collect();
    for program in ALL {
        let (request, output) = program.read(&words);
        assert!(program.changes || !output.dry_run, "{} changes nothing", program.name);
        match request {
            Request::Work(call) => is_as_given(program, &call, &words),
            // Beside other words it is a role's hostile address.
            Request::Show(text) => assert!(words.len() == 2 && !text.is_empty()),
            Request::Usage { line, reason } => {
                assert!(line.starts_with(USAGE) && !reason.is_empty(), "{line}: {reason}");
            }
            Request::Unusable(reason) => assert!(!reason.is_empty()),
        }
    }
    for word in words.iter().filter_map(|word| word.to_str()) {
        if let Ok(interface) = word.parse::<Interface>() {
            assert_eq!(interface.to_string(), word);
            assert!(!interface.device().is_empty() && word.starts_with(interface.device()));
        }
        if let Ok(address) = word.parse::<VirtualIp>() {
            assert_eq!(address.to_string().parse::<VirtualIp>().expect("an address"), address);
        }
    }
}

/// What a helper will work with is what it was given, word for word, and nothing is empty.
fn is_as_given(program: &Program, call: &Invocation, words: &[OsString]) {
    let expected: &[&String] = match program.shape {
        Shape::Address => &[&call.config, &call.interface, &call.address],
        Shape::NewMaster => &[&call.config, &call.new_master],
        Shape::Plain => &[&call.config],
    };
    for word in expected.iter().copied().chain(&call.eni) {
        let is_given = words.iter().skip(1).any(|given| given == OsStr::new(word));
        assert!(!word.is_empty() && (is_given || word == "mmm_agent"), "{word:?} of {words:?}");
    }
}
