#!/usr/bin/perl
# Runs a helper the way MMM's agent does and prints what the agent would have got: the exit code, then
# the last line of stdout or `undef`.
# Usage: agent_call.pl [--joined] PROGRAM ARGUMENT…
use strict;
use warnings;

my $redirection = '';
if (@ARGV && $ARGV[0] eq '--joined') {
    $redirection = ' 2>&1';
    shift @ARGV;
}

# A daemon's surroundings.
chdir '/' or die "chdir: $!";
umask 0022;
open STDIN, '<', '/dev/null' or die "stdin: $!";
open my $terminal, '>&', \*STDERR or die "stderr: $!";
open STDERR, '>', '/dev/null' or die "stderr: $!";

# One string in backticks: Perl runs it without a shell unless it holds a metacharacter.
my $command = join(' ', @ARGV) . $redirection;
my $output  = `$command`;
my $code    = $? >> 8;

# split drops trailing empty lines.
my @lines = split /\n/, defined $output ? $output : '';
print "$code\n", (@lines ? $lines[-1] : 'undef'), "\n";
