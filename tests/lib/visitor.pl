# Clients of an address: connects to it by the kernel's own retransmission, reads what the server says, and prints a line
# for each attempt: when it began, how long it took, and what came of it. Ends once the server says `other`.
#   visitor.pl ADDRESS PORT [SECONDS]
use strict;
use warnings;
use IO::Socket::IP;
use Time::HiRes qw(time sleep);

$| = 1;
my ($address, $port, $seconds) = @ARGV;
alarm($seconds // 30);
while (1) {
  my $began = time;
  my $end = sub { printf "%.4f %.4f %s\n", $began, time - $began, shift };
  my $server = IO::Socket::IP->new(PeerHost => $address, PeerPort => $port, Proto => 'tcp');
  if (!$server) {
    $end->($!{ECONNREFUSED} ? 'refused' : "failed: $!");
  } elsif (!defined(my $greeting = <$server>)) {
    $end->('lost before the greeting');
  } else {
    chomp $greeting;
    $end->("greeted by $greeting");
    last if $greeting eq 'other';
    $began = time;
    # Idle until the server goes.
    my $read = sysread $server, my $nothing, 1;
    printf "%.4f %.4f %s\n", time, time - $began, 'idle connection ended';
  }
  sleep 0.002;
}
