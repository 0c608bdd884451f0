#!/usr/bin/perl
# Runs a command on a terminal that takes nothing more: nobody reads it, and it is full.
# Usage: unread.pl STDOUT COMMAND…     STDOUT: a file, or `terminal` for the same terminal
# Ends with the command's exit code.
use strict;
use warnings;
use Fcntl qw(O_RDWR O_NOCTTY O_NONBLOCK F_GETFL F_SETFL);
use POSIX ();

my ($stdout, @command) = @ARGV;
my ($TIOCSPTLCK, $TIOCGPTN) = (0x40045431, 0x80045430);
sysopen my $reader, '/dev/ptmx', O_RDWR | O_NOCTTY or die "/dev/ptmx: $!";
my ($unlocked, $number) = (pack('i', 0), pack('i', 0));
ioctl $reader, $TIOCSPTLCK, $unlocked or die "TIOCSPTLCK: $!";
ioctl $reader, $TIOCGPTN, $number or die "TIOCGPTN: $!";
my $name = '/dev/pts/' . unpack 'i', $number;
sysopen my $terminal, $name, O_RDWR | O_NOCTTY | O_NONBLOCK or die "$name: $!";
# What is written last may be buffered on its way; a full one refuses for good.
for (1 .. 5) {
    1 while syswrite $terminal, 'x' x 64;
    select undef, undef, undef, 0.02;
}
defined(my $child = fork) or die "fork: $!";
if ($child == 0) {
    POSIX::setsid();
    sysopen my $own, $name, O_RDWR or die "$name: $!";
    POSIX::dup2(fileno $own, 0);
    POSIX::dup2(fileno $own, 2);
    if ($stdout eq 'terminal') {
        POSIX::dup2(fileno $own, 1);
    } else {
        open STDOUT, '>', $stdout or POSIX::_exit(126);
    }
    close $reader;
    exec @command or POSIX::_exit(127);
}
waitpid $child, 0;
exit($? & 127 ? 128 + ($? & 127) : $? >> 8);
