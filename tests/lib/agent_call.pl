#!/usr/bin/perl
# Runs a helper the way MMM's agent does and prints what the agent would have got, a line each: the exit
# code, the last line of stdout or `undef`, and the milliseconds.
# Usage: agent_call.pl [--joined] PROGRAM ARGUMENT…     one call; --joined: with 2>&1, as EPEL's agent
#        agent_call.pl --serve                          the calls stand on stdin, one on each line
use strict;
use warnings;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

my $mode = @ARGV && $ARGV[0] =~ /^--(?:joined|serve)$/ ? shift @ARGV : '';
open my $calls, '<&', \*STDIN or die "stdin: $!";

# A daemon's surroundings.
chdir '/' or die "chdir: $!";
umask 0022;
open STDIN,  '<', '/dev/null' or die "stdin: $!";
open STDERR, '>', '/dev/null' or die "stderr: $!";
$| = 1;

sub run_one {
    my ($command) = @_;
    my $before = clock_gettime(CLOCK_MONOTONIC);
    # Backticks: Perl runs the string without a shell unless it holds a metacharacter.
    my $output = `$command`;
    my $code   = $? >> 8;
    my $spent  = 1000 * (clock_gettime(CLOCK_MONOTONIC) - $before);

    # split drops trailing empty lines.
    my @lines = split /\n/, defined $output ? $output : '';
    printf "%d\n%s\n%.1f\n", $code, (@lines ? $lines[-1] : 'undef'), $spent;
}

if ($mode eq '--serve') {
    while (my $command = <$calls>) {
        chomp $command;
        run_one($command);
    }
}
else {
    run_one(join(' ', @ARGV) . ($mode eq '--joined' ? ' 2>&1' : ''));
}
