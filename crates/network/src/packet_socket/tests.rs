use super::*;

#[test]
fn the_interface_is_named_by_its_number() {
    let address = destination(7, ARP).unwrap();
    assert_eq!((address.ifindex(), address.protocol().to_be()), (7, 0x0806));
    assert!(destination(u32::MAX, ARP).is_err());
}

/// What the kernel does with a program made of loads, comparisons and returns.
fn passes(program: &[libc::sock_filter], frame: &[u8]) -> bool {
    let (mut place, mut loaded) = (0, 0);
    loop {
        let step = program[place];
        let read = |length| {
            let start = step.k as usize;
            frame
                .get(start..start + length)
                .map(|bytes| bytes.iter().fold(0_u32, |value, byte| value << 8 | u32::from(*byte)))
        };
        match step.code {
            RETURN => return step.k > 0,
            JUMP_IF_EQUAL if loaded != step.k => place += usize::from(step.jf),
            JUMP_IF_EQUAL => {}
            load => {
                let length = [(LOAD_BYTE, 1), (LOAD_HALF, 2), (LOAD_WORD, 4)];
                let length = length.iter().find(|(code, _)| *code == load).unwrap().1;
                match read(length) {
                    Some(value) => loaded = value,
                    None => return false,
                }
            }
        }
        place += 1;
    }
}

#[test]
fn a_frame_passes_if_every_field_of_one_alternative_holds() {
    let program = filter(&[
        vec![Field::Byte(0, 1), Field::Half(1, 0x0203), Field::Word(3, 0x0405_0607)],
        vec![Field::Byte(0, 9), Field::Byte(1, 9)],
    ]);
    for (frame, expected) in [
        (&[1, 2, 3, 4, 5, 6, 7][..], true),
        (&[1, 2, 3, 4, 5, 6, 7, 8], true),
        (&[9, 9], true),
        (&[1, 2, 3, 4, 5, 6, 8], false),
        (&[1, 2, 4, 4, 5, 6, 7], false),
        (&[9, 2, 3, 4, 5, 6, 7], false),
        (&[1, 9, 3, 4, 5, 6, 7], false),
        (&[1, 2, 3], false),
        (&[], false),
    ] {
        assert_eq!(passes(&program, frame), expected, "{frame:?}");
    }
}
