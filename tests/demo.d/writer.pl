#!/usr/bin/perl
# An application that writes: one small row after the other through one address, for as long as it lives.
# Usage: writer.pl ADDRESS USER PASSWORD NUMBER FOLDER
# Each acknowledged row is a line in FOLDER/acknowledged.NUMBER: the time and the row's token. While
# FOLDER/hold exists it writes nothing and says so by FOLDER/held.NUMBER. FOLDER/stop ends it after a row.
# Environment: WRITER_REST, the seconds between two rows (default 0.002); WRITER_PATIENCE, the seconds that it gives a
# connection, a log-in and an answer, as applications do (default: much less, see below).
#
# It speaks the protocol itself because the client libraries count their limits in whole seconds, as the
# kernel does before it repeats a lost SYN: the pause it reports is to be the service's, not theirs.
use strict;
use warnings;
use Digest::SHA qw(sha1 sha256);
use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(sleep time);

# A kernel answers a SYN at once or not at all. What is sent to an address just as it leaves a host is
# never answered, and no error tells of it: these limits are then part of the pause.
use constant PATIENCE => $ENV{WRITER_PATIENCE};
use constant {
    KNOCK_WITHIN  => PATIENCE || 0.03,
    LOG_IN_WITHIN => PATIENCE || 0.1,
    ANSWER_WITHIN => PATIENCE || 0.25,
    REST          => $ENV{WRITER_REST} // 0.002,
};
# LONG_PASSWORD, CONNECT_WITH_DB, PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH
use constant CAPABILITIES => 0x1 | 0x8 | 0x200 | 0x8000 | 0x80000;

my ($address, $user, $password, $number, $folder) = @ARGV;
$SIG{PIPE} = 'IGNORE';
open my $log, '>>', "$folder/acknowledged.$number" or die "log: $!";

sub receive {
    my ($socket, $length, $end) = @_;
    my $data   = '';
    my $select = IO::Select->new($socket);
    while (length $data < $length) {
        my $left = $end - time;
        return if $left <= 0 || !$select->can_read($left);
        sysread($socket, $data, $length - length $data, length $data) or return;
    }
    return $data;
}

# The next packet's body, or nothing when it does not come in time.
sub packet {
    my ($socket, $end) = @_;
    my $head = receive($socket, 4, $end) // return;
    return receive($socket, unpack('V', substr($head, 0, 3) . "\0"), $end);
}

sub send_packet {
    my ($socket, $sequence, $body) = @_;
    my $packet = substr(pack('V', length $body), 0, 3) . chr($sequence) . $body;
    return (syswrite($socket, $packet) // 0) == length $packet;
}

sub is_ok { defined $_[0] && substr($_[0], 0, 1) eq "\0" }

# The answers to the server's salt. caching_sha2_password takes this one for an account that logged in before, as
# start_writers has it done; the first time it wants the password itself, encrypted.
my %proof = (
    mysql_native_password => sub {
        my $once = sha1($password);
        return $once ^ sha1($_[0] . sha1($once));
    },
    caching_sha2_password => sub {
        my $once = sha256($password);
        return $once ^ sha256(sha256($once) . $_[0]);
    },
);

sub connection {
    my $socket = IO::Socket::INET->new(PeerAddr => $address, PeerPort => 3306, Timeout => KNOCK_WITHIN) or return;
    my $end    = time + LOG_IN_WITHIN;
    my $hello  = packet($socket, $end) // return;
    # Protocol 10, version, thread, first part of the salt, fixed fields, the rest of the salt, plugin.
    my ($first, $rest, $plugin) = $hello =~ /\A\x0a[^\0]*\0.{4}(.{8})\0.{18}(.{12})\0(\w*)/s or return;
    $plugin = 'mysql_native_password' unless $proof{$plugin};
    my $proof = $proof{$plugin}->($first . $rest);
    my $login = pack('VVCx23', CAPABILITIES, 1 << 20, 33) . "$user\0" . chr(length $proof) . "${proof}app\0$plugin\0";
    send_packet($socket, 1, $login) or return;
    my $answer = packet($socket, $end);
    # It knows the account: the acknowledgement follows.
    $answer = packet($socket, $end) if defined $answer && $answer eq "\x01\x03";
    return is_ok($answer) ? $socket : undef;
}

sub insert {
    my ($socket, $token) = @_;
    return send_packet($socket, 0, "\x03INSERT INTO entries (origin, note) VALUES ('writer $number', '$token')")
        && is_ok(packet($socket, time + ANSWER_WITHIN));
}

my ($server, $row) = (undef, 0);
until (-e "$folder/stop") {
    if (-e "$folder/hold") {
        open my $held, '>', "$folder/held.$number" or die "held: $!";
        close $held;
        sleep 0.001 while -e "$folder/hold";
        next;
    }
    unless ($server ||= connection()) {
        sleep 0.005;
        next;
    }
    # A row that was refused is not tried again under its token: whoever got no answer does not know.
    $row++;
    if (insert($server, "$number-$row")) {
        syswrite $log, sprintf "%.6f %s\n", time, "$number-$row";
        sleep REST if REST > 0;
    }
    else {
        undef $server;
        sleep 0.005;
    }
}
