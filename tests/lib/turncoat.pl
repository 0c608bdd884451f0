#!/usr/bin/perl
# Somebody between a client and its server who passes everything on, answer by answer, and lies from the given one on.
# Usage: turncoat.pl ADDRESS PORT READY AT HOW ALWAYS SEED — serves 127.0.0.1:PORT for ADDRESS:3306, and makes the file
# READY. The server's answers are counted over all connections; a greeting is one. In place of number AT (0: none) comes HOW:
#   noise      bytes of chance, and then nothing
#   sequence   the answer with wrong packet numbers
#   huge       the beginning of a packet of 16 MiB, and then nothing
#   cut        half of the answer, and the connection's end
#   silence    nothing
#   rows       a result set without an end
#   error      a result set, in the midst of which an error comes
#   refusal    an error
#   empty      a result set without rows
#   events     events of a log without an end
# ALWAYS is 1 if all later answers come to the same; otherwise all else is true.
# What was done is written to READY, the process id to READY.pid, the number of answers to READY.count as they come.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;

my ($address, $port, $ready, $at, $how, $always, $seed) = @ARGV;
alarm 120;
$SIG{CHLD} = 'IGNORE';
$SIG{PIPE} = 'IGNORE';
srand $seed;

sub packet {
    my ($number, $body) = @_;
    return substr(pack('V', length $body), 0, 3) . chr($number & 255) . $body;
}

sub note {
    my ($file, $text) = @_;
    open my $handle, '>', $file or die "$file: $!";
    print $handle $text;
    close $handle;
}

# Number and bytes of a result set's columns: one, of text.
sub columns {
    my $column = join '', map { chr(length) . $_ } 'def', '', '', '', 'a', '';
    $column .= "\x0c" . pack('vVCvCv', 33, 255, 253, 0, 0, 0);
    return packet(1, "\x01") . packet(2, $column) . packet(3, "\xfe\0\0\x02\0");
}

sub error { return packet($_[0], "\xff" . pack('v', 1317) . '#70100Query execution was interrupted') }

sub bytes_of_chance { return join '', map { chr int rand 256 } 1 .. $_[0] }

# What comes in place of the answer, whether nothing follows it, and what follows it without an end.
sub lie {
    my ($truth) = @_;
    if ($how eq 'noise') { return (bytes_of_chance(1 + int rand 3000), 1) }
    if ($how eq 'sequence') { substr($truth, 3, 1) = chr((ord(substr $truth, 3, 1) + 7) & 255); return ($truth, 0) }
    if ($how eq 'huge') { return ("\xff\xff\xff\1" . 'x' x 5000, 1) }
    if ($how eq 'silence') { return ('', 1) }
    if ($how eq 'rows') { my $n = 4; return (columns(), 1, sub { packet($n++, "\x03abc") x 100 }) }
    if ($how eq 'error') { return (columns() . packet(4, "\x03abc") . error(5), 0) }
    if ($how eq 'refusal') { return (error(1), 0) }
    if ($how eq 'empty') { return (columns() . packet(4, "\xfe\0\0\x02\0"), 0) }
    if ($how eq 'events') {
        my ($n, $end) = (1, 4);
        return ('', 1, sub {
            $end += 27;
            packet($n++, "\0" . pack('VCVVVv', 1, 16, 1, 27, $end, 0) . pack('Q<', $n));
        });
    }
    die "no such lie: $how";
}

# A process of its own says what has no end.
sub go_on {
    my ($client, $endless) = @_;
    return if fork;
    alarm 30;
    while (defined syswrite $client, $endless->()) { }
    exit;
}

my $door = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 50, ReuseAddr => 1)
    or die "listen: $!";
my $heard = IO::Select->new($door);
my (%other, %is_client, %is_silent, %has_asked);
my $answers = 0;
note("$ready.count", 0);
note("$ready.pid", $$);
note($ready, '');

sub part {
    my ($end) = @_;
    for my $each ($end, delete $other{$end}) {
        next if !$each;
        $heard->remove($each);
        delete $other{$each};
        close $each;
    }
}

while (my @ready = $heard->can_read) {
    for my $from (@ready) {
        if ($from == $door) {
            my $client = $door->accept or next;
            my $server = IO::Socket::INET->new(PeerAddr => $address, PeerPort => 3306);
            if (!$server) { close $client; next }
            ($other{$client}, $other{$server}) = ($server, $client);
            # A greeting is an answer to nothing.
            ($is_client{$client}, $is_client{$server}, $has_asked{$client}) = (1, 0, 1);
            delete @is_silent{$client, $server};
            $heard->add($client, $server);
            next;
        }
        my $to = $other{$from} or next;
        if (!sysread $from, my $said, 1 << 20) { part($from); next }
        else {
            my $client = $is_client{$from} ? $from : $to;
            if ($is_client{$from}) {
                $has_asked{$from} = 1;
            } elsif ($has_asked{$client}) {
                $has_asked{$client} = 0;
                note("$ready.count", ++$answers);
                if ($at && ($answers == $at || $always && $answers > $at)) {
                    note($ready, "$how in place of answer $answers");
                    if ($how eq 'cut') {
                        syswrite $to, substr $said, 0, int(length($said) / 2);
                        part($from);
                        next;
                    }
                    ($said, my $is_all, my $endless) = lie($said);
                    $is_silent{$client} = 1 if $is_all;
                    syswrite $to, $said if length $said;
                    go_on($to, $endless) if $endless;
                    next;
                }
            }
            syswrite $to, $said if !$is_client{$to} || !$is_silent{$to};
        }
    }
}
