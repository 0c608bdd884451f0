#!/usr/bin/perl
# Somebody between a client and its server who passes everything on, until an answer of his own is due.
# Usage: hostile.pl ADDRESS PORT READY AFTER AT HOW — serves that port for port 3306, and makes the file READY. Once a
# connection has carried a statement that matches AFTER (from the beginning where that is empty), the next one that matches AT is answered by HOW, once:
#   trickle  the beginning of a long answer, and then one byte after the other
#   empty    a packet without anything in it
#   columns  rows of 2^33 columns
#   nothing  no rows, and at the next statement the connection's end
# What was done is written to READY, its own process id to READY.pid.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;

my ($address, $port, $ready, $after, $at, $how) = @ARGV;
alarm 60;
$SIG{CHLD} = 'IGNORE';
$SIG{PIPE} = 'IGNORE';

sub packet {
    my ($number, $body) = @_;
    return substr(pack('V', length $body), 0, 3) . chr($number) . $body;
}

sub misbehave {
    my ($client) = @_;
    if ($how eq 'trickle') {
        syswrite $client, "\xe8\3\0\1\1";
        while (syswrite $client, 'x') { select undef, undef, undef, 0.2 }
    } else {
        my %packet = (
            empty => packet(1, ''),
            columns => packet(1, "\xfe" . pack('Q<', 2**33)),
            nothing => packet(1, "\0\0\0\2\0\0\0"),
        );
        syswrite $client, $packet{$how};
        # Until the client has had enough.
        sysread $client, my $rest, 65536;
    }
    exit;
}

sub serve {
    my ($client) = @_;
    alarm 60;
    my $server = IO::Socket::INET->new(PeerAddr => $address, PeerPort => 3306) or die "connect: $!";
    my $both = IO::Select->new($client, $server);
    my $is_due = $after eq '';
    while (my @heard = $both->can_read) {
        for my $from (@heard) {
            sysread $from, my $said, 1 << 20 or exit;
            if ($from == $client) {
                if ($is_due && $said =~ /$at/ && !-s $ready) {
                    open my $mark, '>', $ready or die "$ready: $!";
                    print $mark $how;
                    close $mark;
                    misbehave($client);
                }
                $is_due ||= $said =~ /$after/;
            }
            syswrite $from == $client ? $server : $client, $said;
        }
    }
}

my $port_of_call = IO::Socket::INET->new(LocalAddr => $address, LocalPort => $port, Listen => 20, ReuseAddr => 1)
    or die "listen: $!";
for my $file ("$ready.pid", $ready) {
    open my $mark, '>', $file or die "$file: $!";
    print $mark $$ if $file ne $ready;
    close $mark;
}
while (my $client = $port_of_call->accept) {
    next if fork;
    close $port_of_call;
    serve($client);
    exit;
}
