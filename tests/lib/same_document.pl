#!/usr/bin/perl
# same_document.pl JSON-FILE YAML-FILE — true if both say the same, except for times; prints what differs.
use strict;
use warnings;
use CPAN::Meta::YAML;
use JSON::PP;

sub leaves {
    my ($path, $value) = @_;
    return map { leaves("$path.$_", $value->{$_}) } sort keys %$value if ref $value eq 'HASH';
    return map { leaves("$path\[$_]", $value->[$_]) } 0 .. $#$value if ref $value eq 'ARRAY';
    $value = !defined $value ? 'null' : JSON::PP::is_bool($value) ? ($value ? 'true' : 'false') : $value;
    return $path =~ /milliseconds$/ ? () : "$path = $value\n";
}

sub text_of { local (@ARGV, $/) = @_; return scalar <> }

my $json = join '', leaves('', decode_json(text_of($ARGV[0])));
my $yaml = join '', leaves('', CPAN::Meta::YAML->read_string(text_of($ARGV[1]))->[0]);
exit 0 if $json eq $yaml;
print "JSON:\n${json}YAML:\n$yaml";
exit 1;
