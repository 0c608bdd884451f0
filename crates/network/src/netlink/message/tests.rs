use netlink_packet_core::{DefaultNla, NLM_F_ACK};
use netlink_packet_route::link::LinkHeader;
use nix::libc::RTM_GETLINK;

use super::*;
use crate::interface::IFLA_IFNAME;

#[test]
fn a_question_is_written_as_rtnetlink_wants_it() {
    let name = [DefaultNla::new(IFLA_IFNAME, b"lo\0".to_vec())];
    let bytes = compose(RTM_GETLINK, NLM_F_ACK, 7, &[&LinkHeader::default(), &name.as_slice()]);
    let buffer = NetlinkBuffer::new_checked(&bytes).unwrap();
    assert_eq!((buffer.length() as usize, buffer.message_type()), (bytes.len(), 18));
    assert_eq!((buffer.flags(), buffer.sequence_number()), (NLM_F_REQUEST | NLM_F_ACK, 7));
    assert_eq!(buffer.payload()[16..], [7, 0, 3, 0, b'l', b'o', 0, 0]);
}

#[test]
fn the_end_of_an_answer_carries_the_kernels_verdict() {
    assert!(status(&[]).is_ok());
    assert!(status(&0_i32.to_ne_bytes()).is_ok());
    let refused = status(&(-1_i32).to_ne_bytes()).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
}
