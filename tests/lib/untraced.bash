# shellcheck shell=bash
# untraced — from here on, bats notes where a test is, and no longer where its libraries are. It notes that before every
# command, and that took half of all the time of the processor. A failure names the line of the test.
untraced() { set +T; }
