# The steps of the lab with LWP, on one connection.
use strict;
use warnings;
use HTTP::Request;
use LWP::UserAgent;

my ($base, $timeout, $ask, @names) = @ARGV;
my %steps = (
    COPY     => ['/src', Destination => '/copied'],
    GET      => ['/src/file%20007.txt'],
    PROPFIND => ['/list', Depth => '1'],
    MOVE     => ['/moving', Destination => '/other/moved'],
    DELETE   => ['/deleting'],
);
my $agent = LWP::UserAgent->new(keep_alive => 1, timeout => $timeout || 180);

for my $name (@names) {
    my ($path, @headers) = @{ $steps{$name} };
    push @headers, Prefer => 'processing' if $ask;
    my $response = $agent->request(HTTP::Request->new($name, $base . $path, \@headers));
    my $body = $response->content;
    my $told = '';
    # LWP reports its own errors as responses with status 500.
    $told = $response->message if ($response->header('Client-Warning') // '') eq 'Internal response';
    $body =~ s/^\s+|\s+$//g;
    $told ||= $body if $name eq 'GET';
    $told ||= () = $body =~ /<(?:\w+:)?response[ >]/g if $name eq 'PROPFIND';
    print join(' ', grep { length } $name, $response->code, $told), "\n";
}
