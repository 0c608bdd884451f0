#!/usr/bin/perl
# Clients of a server, for tests to look at while a helper ends them.
# Usage: client.pl NAME FOLDER ADDRESS USER PASSWORD idle COUNT
#          so many sessions that do nothing
#        client.pl NAME FOLDER ADDRESS USER PASSWORD session
#          one session; each line of FOLDER/NAME.in is a statement, each line of FOLDER/NAME.out its answer:
#          `ok` or the number of the error
#        client.pl NAME FOLDER ADDRESS USER PASSWORD herd COUNT
#          so many processes that insert rows and, cut off, connect again at once; the note of each row that
#          was acknowledged is a line of FOLDER/NAME.acknowledged
# Writes its process id to FOLDER/NAME.pid, and FOLDER/NAME.up when all are connected.
use strict;
use warnings;
use DBI;
use Time::HiRes qw(sleep);

my ($name, $folder, $address, $user, $password, $kind, $count) = @ARGV;
$address = "[$address]" if $address =~ /:/;
my $source = "dbi:mysql:database=app;host=$address;port=3306;mysql_connect_timeout=5";
$source = "dbi:mysql:database=app;mysql_socket=$address" if $address =~ m{^/};

sub connection {
    return DBI->connect($source, $user, $password, { RaiseError => 0, PrintError => 0, AutoCommit => 1, @_ });
}

sub note {
    my ($file, $text) = @_;
    open my $out, '>>', "$folder/$name.$file" or die "$file: $!";
    syswrite $out, $text;
    close $out;
}

setpgrp;
note(pid => "$$\n");

if ($kind eq 'idle') {
    my @sessions = map { connection() // die "session $_: $DBI::errstr\n" } 1 .. $count;
    note(up => "up\n");
    sleep 1000;
}
elsif ($kind eq 'session') {
    my $session = connection() // die "$DBI::errstr\n";
    open my $in, '+<', "$folder/$name.in" or die "in: $!";
    note(up => "up\n");
    while (my $statement = <$in>) {
        my $done = $session->do($statement);
        note(out => (defined $done ? 'ok' : $session->err) . "\n");
    }
}
elsif ($kind eq 'herd') {
    for my $number (1 .. $count) {
        next if fork;
        my ($session, $row) = (connection(), 0);
        note(up => "$number\n");
        while (1) {
            unless ($session ||= connection()) {
                sleep 0.002;
                next;
            }
            $row++;
            if ($session->do("INSERT INTO entries (origin, note) VALUES ('$name', '$number-$row')")) {
                note(acknowledged => "$number-$row\n");
                sleep 0.002;
            }
            else {
                # Refused by read_only: a pool keeps the session, and tries again.
                next if $session->err == 1290 && sleep 0.002;
                undef $session;
            }
        }
    }
    sleep 1000;
}
