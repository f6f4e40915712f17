"""The steps of the lab with aiohttp, in one session."""
import asyncio
import sys

import aiohttp

from steps import run

_, base, timeout, ask, *names = sys.argv
loop = asyncio.new_event_loop()


async def open_session():
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None, sock_read=float(timeout) or None))


async def send(method, path, headers):
    async with session.request(method, base + path, headers=headers) as response:
        return response.status, await response.read()


session = loop.run_until_complete(open_session())
run(base, ask, names, lambda *request: loop.run_until_complete(send(*request)))
loop.run_until_complete(session.close())
