#!/usr/bin/perl
# An application with several connections that writes transactions of one to five rows over three tables, as
# fast as it is let, until FOLDER/stop exists.
# Usage: transactions.pl ADDRESS USER PASSWORD WRITERS FOLDER
# A transaction has a token; FOLDER/outcomes.N says of each what came of it: `done TOKEN ROWS` when its COMMIT
# was acknowledged, `unknown TOKEN ROWS` when the connection broke meanwhile. Refused ones are not mentioned.
use strict;
use warnings;
use DBI;
use IO::Handle;
use Time::HiRes qw(sleep);

my ($address, $user, $password, $writers, $folder) = @ARGV;
$SIG{PIPE} = 'IGNORE';

# Tables with a generated key, with a key of the application's and without any.
my @inserts = (
    'INSERT INTO app.entries (origin, note) VALUES (?, ?)',
    'INSERT INTO app.keyed (token, part) VALUES (?, ?)',
    'INSERT INTO app.heap (origin, note) VALUES (?, ?)',
);

sub connection {
    return DBI->connect("DBI:mysql:host=$address;mysql_connect_timeout=1;mysql_read_timeout=3;mysql_write_timeout=3",
        $user, $password, { RaiseError => 1, PrintError => 0, AutoCommit => 1 });
}

sub work {
    my ($number) = @_;
    srand $number;
    open my $outcomes, '>', "$folder/outcomes.$number" or die "outcomes: $!";
    $outcomes->autoflush;
    my ($db, $count) = (undef, 0);
    until (-e "$folder/stop") {
        sleep 0.002;
        my ($token, $rows, $is_committing) = (sprintf('%d-%d', $number, ++$count), 1 + int rand 5, 0);
        my $is_done = eval {
            $db ||= connection();
            $db->begin_work;
            for my $part (1 .. $rows) {
                $db->do($inserts[ rand @inserts ], undef, $token, $part);
            }
            $is_committing = 1;
            $db->commit;
        };
        # Read-only (1290) is a no. A session that was killed in its COMMIT (1927) may have committed all the same.
        my $is_refused = !$is_done && $db && $db->err && $db->err == 1290;
        if ($is_committing && !$is_refused) {
            printf {$outcomes} "%s %s %d\n", $is_done ? 'done' : 'unknown', $token, $rows;
        }
        if (!$is_done) {
            eval { local $SIG{__WARN__} = sub { }; $db->disconnect } if $db;
            undef $db;
            sleep 0.02;
        }
    }
    close $outcomes or die "outcomes: $!";
}

my @children;
for my $number (1 .. $writers) {
    my $child = fork;
    die "fork: $!" unless defined $child;
    if (!$child) { work($number); exit 0 }
    push @children, $child;
}
my $bad = 0;
for my $child (@children) { waitpid $child, 0; $bad ||= $? }
exit($bad ? 1 : 0);
