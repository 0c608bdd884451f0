use super::*;

#[test]
fn a_file_is_known_by_its_name_whether_a_checksum_follows_or_not() {
    for (kind, body, is_another) in [
        (kind::ROTATE, &b"12345678bin.000001"[..], false),
        (kind::ROTATE, b"12345678bin.000001\x01\x02\x03\x04", false),
        (kind::ROTATE, b"12345678bin.0000010", true),
        (kind::ROTATE, b"12345678bin.000002", true),
        (kind::ROTATE, b"", true),
        (kind::FORMAT_DESCRIPTION, b"12345678bin.000002", false),
    ] {
        let event = Event { time: 0, kind, server_id: 1, flags: 0x20, end: 4, body };
        assert_eq!(names_another(&event, "bin.000001"), is_another, "{body:?}");
    }
}

#[test]
fn an_event_ends_where_the_server_says_in_files_of_any_size() {
    const LARGE: u64 = 5 << 32;
    for (before, size, told, end) in [
        (4, 100, 104, 104),
        (4, 100, 150, 150),
        (4, 100, 0, 104),
        (LARGE - 50, 100, 50, LARGE + 50),
        (LARGE - 50, 30, 20, LARGE + 20),
        (LARGE + 4, 100, 104, LARGE + 104),
    ] {
        assert_eq!(end_of(before, size, told), end, "{before} {size} {told}");
    }
}
