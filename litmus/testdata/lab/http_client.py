"""The steps of the lab with Python's http.client, on one connection."""
import http.client
import sys
import urllib.parse

from steps import run

_, base, timeout, ask, *names = sys.argv
conn = http.client.HTTPConnection(urllib.parse.urlsplit(base).netloc, timeout=float(timeout) or None)


def request(method, path, headers):
    conn.request(method, path, headers=headers)
    response = conn.getresponse()
    return response.status, response.read()


run(base, ask, names, request)
