"""The common code of the lab's Python programs: the steps, and the lines for their results."""
import re

STEPS = {
    "COPY": ("COPY", "/src", {"Destination": "/copied"}),
    "GET": ("GET", "/src/file%20007.txt", {}),
    "PROPFIND": ("PROPFIND", "/list", {"Depth": "1"}),
    "MOVE": ("MOVE", "/moving", {"Destination": "/other/moved"}),
    "DELETE": ("DELETE", "/deleting", {}),
}


def run(base, ask, names, request):
    """Prints a line for each step: its name, the status and the result."""
    for name in names:
        method, path, headers = STEPS[name]
        if ask:
            headers = headers | {"Prefer": "processing"}
        try:
            status, body = request(method, path, headers)
        except Exception as error:  # whatever it is, it is the result
            print(name, type(error).__name__, str(error)[:200])
            continue
        if name == "GET":
            print(name, status, body.decode(errors="replace").strip())
        elif name == "PROPFIND":
            print(name, status, len(re.findall(rb"<(?:\w+:)?response[ >]", body)))
        else:
            print(name, status)
