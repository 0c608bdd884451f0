#!/usr/bin/perl
# A file system that never answers: a process that asks for a file in it waits, and not even SIGKILL ends it, as on a
# mount whose server is dead or whose disk is frozen. Ends with this process.
# Usage: stuck.pl FOLDER READY     FOLDER: where it is mounted; READY: a file that gets this process's id once it is there
use strict;
use warnings;
use Fcntl qw(O_RDWR F_SETFD);

my ($folder, $ready) = @ARGV;
sysopen my $kernel, '/dev/fuse', O_RDWR or die "/dev/fuse: $!";
fcntl $kernel, F_SETFD, 0 or die "fcntl: $!";
my $options = sprintf 'fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other', fileno $kernel;
system('mount', '-i', '-t', 'fuse', '-o', $options, 'stuck', $folder) == 0 or die "mount: $?";

my ($INIT, $GETATTR) = (26, 3);
while (sysread $kernel, my $request, 1 << 17) {
    my (undef, $opcode, $unique) = unpack 'L L Q', $request;
    if ($opcode == $INIT) {
        # Version 7.19: of what follows the version, 0 is good everywhere but for the largest write.
        my $answer = pack 'L L L L S S L', 7, 19, 0, 0, 0, 0, 4096;
        syswrite $kernel, pack('L l Q', 16 + length $answer, 0, $unique) . $answer;
        open my $file, '>', $ready or die "$ready: $!";
        print $file $$;
    }
}
