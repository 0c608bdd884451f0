use super::*;

#[test]
fn the_kernels_refusals_are_told_apart() {
    let refused = |code: Errno| NetworkError::from_kernel("add 10.0.0.1/32 to eth0", code.into()).to_string();
    assert!(refused(Errno::EPERM).contains("CAP_NET_ADMIN"));
    assert!(refused(Errno::ETIMEDOUT).contains("time limit"));
    assert_eq!(
        refused(Errno::ENOBUFS),
        "could not add 10.0.0.1/32 to eth0: No buffer space available (os error 105); see the kernel's log (dmesg)"
    );
}
