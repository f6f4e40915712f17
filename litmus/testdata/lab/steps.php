<?php
// The common code of the lab's PHP programs: the steps, and the lines for their results.
const STEPS = [
    'COPY' => ['/src', 'Destination: /copied'],
    'GET' => ['/src/file%20007.txt'],
    'PROPFIND' => ['/list', 'Depth: 1'],
    'MOVE' => ['/moving', 'Destination: /other/moved'],
    'DELETE' => ['/deleting'],
];

// run prints a line for each step. request returns the status and the body; what it throws is the
// result.
function run(array $arguments, callable $request): void
{
    [, $base, $timeout, $ask] = $arguments;
    foreach (array_slice($arguments, 4) as $name) {
        $headers = STEPS[$name];
        $path = array_shift($headers);
        if ($ask) {
            $headers[] = 'Prefer: processing';
        }
        try {
            [$status, $body] = $request($name, $base . $path, $headers, (float) $timeout);
            echo rtrim("$name $status " . told($name, $body)), "\n";
        } catch (Exception $error) {
            echo "$name ", $error->getMessage(), "\n";
        }
    }
}

function told(string $name, string $body): string
{
    return match ($name) {
        'GET' => trim($body),
        'PROPFIND' => (string) preg_match_all('/<(?:\w+:)?response[ >]/', $body),
        default => '',
    };
}
