//! The kernel's answers about interfaces, addresses and connections, as they were received.

use mmm_network::fuzzed::hear;

/// Length of a message's header.
const HEADER: usize = 16;

pub fn read(input: &[u8]) {
    // As if the first message answered the question.
    let sequence =
        input.get(8..12).map_or(0, |bytes| u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    let (heard, result) = hear(input, sequence);
    assert!(heard.messages <= input.len() / HEADER, "{} messages in {} bytes", heard.messages, input.len());
    for found in [heard.links.len(), heard.addresses.len(), heard.connections.len()] {
        assert!(found <= heard.messages);
    }
    assert!(result.is_ok() || !heard.is_over, "an error is no end");
    for link in &heard.links {
        assert!(link.name.len() <= 3 * input.len() && link.to_string() == link.name);
        let _ =
            (link.has_carrier(), link.has_neighbours(), link.require_up().map_err(|error| error.to_string()));
    }
    for (_, address) in &heard.addresses {
        assert_eq!(address.to_string(), format!("{}/{}", address.ip, address.prefix));
        let _ = address.is_young();
    }
    // Answers to another question say nothing.
    let (other, _) = hear(input, sequence.wrapping_add(1));
    assert!(other.messages + heard.messages <= input.len() / HEADER);
}
