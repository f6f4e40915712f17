"""The steps of the lab with requests, in one session."""
import sys

import requests

from steps import run

_, base, timeout, ask, *names = sys.argv
session = requests.Session()
session.trust_env = False


def request(method, path, headers):
    response = session.request(method, base + path, headers=headers, timeout=float(timeout) or None)
    return response.status_code, response.content


run(base, ask, names, request)
