use super::*;

#[test]
fn the_last_option_decides() {
    for (options, expected) in [
        (&["--read_only=1"][..], Some(true)),
        (&["--read-only"], Some(true)),
        (&["--read_only=ON", "--port=1"], Some(true)),
        (&["--read_only=1", "--read-only=0"], Some(false)),
        (&["--read_only=1", "--skip-read-only"], Some(false)),
        (&["--loose-read_only=NO_LOCK_NO_ADMIN"], Some(true)),
        (&["--super_read_only=1"], Some(true)),
        (&["--read_only=1", "--super_read_only=0"], Some(true)),
        (&["--innodb-read-only=1", "--read_only_x"], None),
    ] {
        assert_eq!(last_word(options.iter().copied()), expected, "{options:?}");
    }
}
