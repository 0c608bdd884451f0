#!/usr/bin/perl
# A file system that never answers: a process that asks for a file in it waits, and not even SIGKILL ends it, as on a
# mount whose server is dead or whose disk is frozen. Ends with this process.
# Usage: stuck.pl FOLDER READY [writes]
#   FOLDER: where it is mounted; READY: a file that gets this process's id once it is there; writes: who only looks is
#   told that the folder is empty, as on a file system that is frozen
use strict;
use warnings;
use Fcntl qw(O_RDWR F_SETFD);

my ($folder, $ready, $only) = @ARGV;
my $is_frozen = ($only // '') eq 'writes';
sysopen my $kernel, '/dev/fuse', O_RDWR or die "/dev/fuse: $!";
fcntl $kernel, F_SETFD, 0 or die "fcntl: $!";
my $options = sprintf 'fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other', fileno $kernel;
system('mount', '-i', '-t', 'fuse', '-o', $options, 'stuck', $folder) == 0 or die "mount: $?";

my ($LOOKUP, $GETATTR, $GETXATTR, $INIT, $OPENDIR, $READDIR, $RELEASEDIR, $ACCESS) = (1, 3, 22, 26, 27, 28, 29, 34);
my ($ENOENT, $ENOSYS) = (2, 38);
# The folder's attributes, which hold for an hour: a directory of root's with mode 755.
my $attributes = pack 'Q L L Q6 L10', 3600, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 040755, 2, 0, 0, 0, 4096, 0;
my %looking = (
    $LOOKUP => [$ENOENT, ''], $GETATTR => [0, $attributes], $GETXATTR => [$ENOSYS, ''],
    $OPENDIR => [0, pack 'Q L L', 0, 0, 0], $READDIR => [0, ''], $RELEASEDIR => [0, ''], $ACCESS => [$ENOSYS, ''],
);

sub answer {
    my ($unique, $error, $what) = @_;
    syswrite $kernel, pack('L l Q', 16 + length $what, -$error, $unique) . $what;
}

while (sysread $kernel, my $request, 1 << 17) {
    my (undef, $opcode, $unique) = unpack 'L L Q', $request;
    if ($opcode == $INIT) {
        # Version 7.19: of what follows the version, 0 is good everywhere but for the largest write.
        answer($unique, 0, pack 'L L L L S S L', 7, 19, 0, 0, 0, 0, 4096);
        open my $file, '>', $ready or die "$ready: $!";
        print $file $$;
    } elsif ($is_frozen and my $known = $looking{$opcode}) {
        answer($unique, @$known);
    }
}
