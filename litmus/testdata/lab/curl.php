<?php
// The steps of the lab with PHP's curl extension, on one connection.
require __DIR__ . '/steps.php';

$curl = curl_init();
run($argv, function (string $method, string $url, array $headers, float $timeout) use ($curl): array {
    curl_setopt_array($curl, [
        CURLOPT_URL => $url, CURLOPT_CUSTOMREQUEST => $method, CURLOPT_HTTPHEADER => $headers,
        CURLOPT_RETURNTRANSFER => true, CURLOPT_PROXY => '', CURLOPT_TIMEOUT_MS => (int) (1000 * $timeout),
    ]);
    $body = curl_exec($curl);
    if ($body === false) {
        throw new Exception(curl_strerror(curl_errno($curl)));
    }
    return [curl_getinfo($curl, CURLINFO_RESPONSE_CODE), $body];
});
