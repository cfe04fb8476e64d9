"""What the client scripts share: named steps that run in order, and the sandbox's desk."""

import contextlib
import os
import sys
import traceback

import requests

FOLDER = os.environ["YARDSTICK_FOLDER"]  # keys and certificate
CERTIFICATE = os.environ["REQUESTS_CA_BUNDLE"]
PROXY = os.environ["HTTPS_PROXY"]
SANDBOX = os.environ["YARDSTICK_SANDBOX"]

_steps = []


def step(function):
    """A test; its name is what is printed. Steps run in the order they are written and may build on each other."""
    _steps.append(function)
    return function


def run():
    failed = 0
    only = sys.argv[1:]
    for function in _steps:
        if only and function.__name__ not in only and not function.__name__.startswith("log_in"):
            continue
        try:
            function()
            print(f"ok      {function.__name__}", flush=True)
        except Exception:
            failed += 1
            print(f"FAILED  {function.__name__}\n{traceback.format_exc()}", flush=True)
    print(f"{len(_steps) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


def equal(actual, expected):
    assert actual == expected, f"{actual!r} is not {expected!r}"


@contextlib.contextmanager
def raises(kind, **attributes):
    """The library's own exception, with these attributes."""
    try:
        yield
    except kind as raised:
        for name, value in attributes.items():
            equal(getattr(raised, name), value)
        return
    raise AssertionError(f"no {kind.__name__} was raised")


def desk(method, page, body=None):
    answer = requests.request(method, f"{SANDBOX}/_sandbox/{page}", json=body, timeout=30)
    assert answer.ok, answer.text
    return answer.json()


def fault(name, rate=1, times=1):
    desk("POST", "faults", {name: {"rate": rate, "times": times}})
