#!/usr/bin/perl
# Sends a numbered datagram to an address every millisecond and notes which were answered.
# Usage: pinger.pl ADDRESS SECONDS — prints the longest time between two answers, in milliseconds, and how many of how many
# were answered. `pinger.pl --answer` answers on every address of its host.
use strict;
use warnings;
use Socket qw(AF_INET AF_INET6 SOCK_DGRAM pack_sockaddr_in pack_sockaddr_in6 inet_pton IN6ADDR_ANY);
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

use constant PORT => 7777;
my ($address, $seconds) = @ARGV;

if ($address eq '--answer') {
    # An IPv6 socket serves both families, and answers from the address that was asked.
    socket(my $socket, AF_INET6, SOCK_DGRAM, 0) or die "socket: $!\n";
    bind($socket, pack_sockaddr_in6(PORT, IN6ADDR_ANY)) or die "bind: $!\n";
    $| = 1;
    print "ready\n";
    while (1) {
        my $from = recv($socket, my $text, 64, 0);
        send($socket, $text, 0, $from) if defined $from;
    }
}

my $v6 = $address =~ /:/;
my $family = $v6 ? AF_INET6 : AF_INET;
socket(my $socket, $family, SOCK_DGRAM, 0) or die "socket: $!\n";
my $packed = inet_pton($family, $address);
my $to = $v6 ? pack_sockaddr_in6(PORT, $packed) : pack_sockaddr_in(PORT, $packed);
my ($sent, $answered, $longest) = (0, 0, 0);
my $start = clock_gettime(CLOCK_MONOTONIC);
my ($next, $last) = ($start, $start);
while ((my $now = clock_gettime(CLOCK_MONOTONIC)) < $start + $seconds) {
    if ($now >= $next) {
        # Refused while nobody has the address, which is the pause that is looked for.
        send($socket, $sent++, 0, $to);
        $next += 0.001;
    }
    my $ready = '';
    vec($ready, fileno $socket, 1) = 1;
    my $left = $next - clock_gettime(CLOCK_MONOTONIC);
    next unless select($ready, undef, undef, $left > 0 ? $left : 0);
    next unless defined recv($socket, my $text, 64, 0);
    my $time = clock_gettime(CLOCK_MONOTONIC);
    $longest = $time - $last if $answered && $time - $last > $longest;
    ($last, $answered) = ($time, $answered + 1);
}
printf "%.1f %d %d\n", $longest * 1000, $answered, $sent;
