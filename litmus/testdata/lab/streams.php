<?php
// The steps of the lab with PHP's http streams, each on its own connection.
require __DIR__ . '/steps.php';

run($argv, function (string $method, string $url, array $headers, float $timeout): array {
    $http = ['method' => $method, 'header' => $headers, 'protocol_version' => 1.1, 'ignore_errors' => true];
    if ($timeout > 0) {
        $http['timeout'] = $timeout;
    }
    $body = @file_get_contents($url, false, stream_context_create(['http' => $http]));
    if ($body === false) {
        throw new Exception(preg_replace('/.*: /', '', error_get_last()['message']));
    }
    return [explode(' ', $http_response_header[0])[1], $body];
});
