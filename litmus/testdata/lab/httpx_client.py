"""The steps of the lab with httpx, in one client."""
import sys

import httpx

from steps import run

_, base, timeout, ask, *names = sys.argv
client = httpx.Client(timeout=float(timeout) or None, trust_env=False)


def request(method, path, headers):
    response = client.request(method, base + path, headers=headers)
    return response.status_code, response.content


run(base, ask, names, request)
