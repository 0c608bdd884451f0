use super::*;

const CLIENT: Hardware = [2, 0, 0, 0, 0, 9];
const HERE: Hardware = [2, 0, 0, 0, 0, 0xdb];

/// A frame from port 50000 to 3306 with these flags and so many bytes of data; sequence 0xffffffff, ack 7.
fn frame(is_ipv4: bool, flags: u8, data: u8) -> Vec<u8> {
    let mut tcp =
        vec![0xc3, 0x50, 0x0c, 0xea, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 7, 5 << 4, flags, 1, 1, 0, 0, 0, 0];
    tcp.extend(vec![b'x'; data.into()]);
    let length = 20 + data;
    let (kind, header) = if is_ipv4 {
        let header = [0x45, 0, 0, 20 + length, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 9, 10, 0, 0, 1];
        ([8, 0], header.to_vec())
    } else {
        let [client, here] = ["2001:db8::9", "2001:db8::1"].map(|ip| match ip.parse() {
            Ok(IpAddr::V6(ip)) => ip.octets(),
            _ => panic!("{ip}"),
        });
        ([0x86, 0xdd], [&[0x60, 0, 0, 0, 0, length, 6, 64][..], &client, &here].concat())
    };
    [&HERE[..], &CLIENT, &kind, &header, &tcp].concat()
}

fn refusal(frame: &[u8]) -> Option<Vec<u8>> {
    let Some(Heard::Segment(segment)) = read(frame) else { panic!("{frame:?}") };
    segment.refusal()
}

#[test]
fn a_segment_is_refused_as_one_to_a_closed_port() {
    // Flags and data; sequence number, acknowledged number and flags of the answer.
    for (flags, data, expected) in [
        (SYN, 0, Some((0, 0, RST | ACK))),
        (SYN, 3, Some((0, 3, RST | ACK))),
        (SYN | FIN, 0, Some((0, 1, RST | ACK))),
        (0, 0, Some((0, u32::MAX, RST | ACK))),
        (FIN, 1, Some((0, 1, RST | ACK))),
        (ACK, 0, Some((7, 0, RST))),
        (ACK | FIN, 9, Some((7, 0, RST))),
        (SYN | ACK, 0, Some((7, 0, RST))),
        (RST, 0, None),
        (RST | ACK, 0, None),
    ] {
        for is_ipv4 in [true, false] {
            let asked = frame(is_ipv4, flags, data);
            let answer = refusal(&asked);
            let tcp = if is_ipv4 { ETHERNET + IPV4 } else { ETHERNET + IPV6 };
            let word = |frame: &[u8], at: usize| {
                u32::from_be_bytes(frame[tcp + at..tcp + at + 4].try_into().unwrap())
            };
            let said = answer.as_ref().map(|frame| (word(frame, 4), word(frame, 8), frame[tcp + 13]));
            assert_eq!(said, expected, "flags {flags}, {data} bytes, IPv4 {is_ipv4}");
            let Some(answer) = answer else { continue };
            assert_eq!(answer.len(), tcp + TCP);
            assert_eq!([&answer[..6], &answer[6..12]], [&CLIENT, &HERE]);
            assert_eq!([&answer[tcp..tcp + 2], &answer[tcp + 2..tcp + 4]], [&[0x0c, 0xea], &[0xc3, 0x50]]);
            let addresses = if is_ipv4 { 8 } else { 32 };
            assert_eq!(checksum(&[&answer[tcp - addresses..], &[0, PROTOCOL, 0, 20]].concat()), 0);
            if is_ipv4 {
                assert_eq!(checksum(&answer[ETHERNET..tcp]), 0);
            }
            let Some(Heard::Segment(back)) = read(&answer) else { panic!("{answer:?}") };
            assert_eq!((back.source, back.destination), {
                let Some(Heard::Segment(there)) = read(&asked) else { panic!("{asked:?}") };
                (there.destination, there.source)
            });
        }
    }
}

#[test]
fn what_comes_from_no_single_host_or_not_whole_is_not_answered() {
    let good = frame(true, SYN, 0);
    for (place, bytes) in [
        (6, &[0xff; 6][..]),
        (20, &[0x20, 0]),
        (20, &[0, 5]),
        (26, &[224, 0, 0, 1]),
        (26, &[255, 255, 255, 255]),
        (26, &[127, 0, 0, 1]),
        (26, &[0, 0, 0, 0]),
        (26, &[10, 0, 0, 1]),
        (16, &[0, 10]),
        (12, &[0x88, 0xcc]),
    ] {
        let mut bad = good.clone();
        bad[place..place + bytes.len()].copy_from_slice(bytes);
        assert_eq!(read(&bad), None, "byte {place}: {bytes:?}");
    }
    for length in 0..good.len() - 6 {
        assert_eq!(read(&good[..length]), None, "{length} bytes");
    }
}

#[test]
fn random_bytes_are_no_panic() {
    let mut state = 1_u32;
    for _ in 0..20_000 {
        let mut bytes = frame(state & 1 == 0, SYN, 0);
        for _ in 0..4 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let place = (state >> 8) as usize % bytes.len();
            bytes[place] = state.to_be_bytes()[0];
        }
        if let Some(Heard::Segment(segment)) = read(&bytes) {
            segment.refusal();
        }
    }
}
