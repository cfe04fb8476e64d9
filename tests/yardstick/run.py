#!/usr/bin/env python3
"""Runs one client library against eddy-sandbox: run.py --sandbox PROGRAM --environment FOLDER [--node] SERVICE.

The libraries are installed once into FOLDER. Those of Python reach the sandbox by its HTTPS proxy, so they address
the services' real host names and need no configuration; those of Node.js (--node) are told the sandbox's address.
Exit code 77: the libraries cannot be had here.
"""

import argparse
import fcntl
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77
UNREACHABLE = (
    "NewConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "NameResolutionError", "ProxyError",
    "Temporary failure in name resolution", "Name or service not known", "Connection refused",
    "Network is unreachable", "Could not fetch URL",
)
NPM_UNREACHABLE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "network")
# What a service is started with beside the common flags.
FLAGS = {"zendesk": ["--zendesk-bulk"]}


def skip(reason):
    print(f"SKIPPED: {reason}")
    sys.exit(SKIPPED)


def environment(folder):
    """The Python of a virtualenv with the pinned libraries; made when it is missing or other pins were in it."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = (HERE / "requirements.txt").read_text()
    done = folder / "installed.txt"
    python = folder / "venv" / "bin" / "python"
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the tests of the services may start at the same time
        if done.exists() and done.read_text() == wanted and python.exists():
            return python
        made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder / "venv")],
                              capture_output=True, text=True)
        if made.returncode != 0:
            skip(f"Python cannot make a virtualenv here: {(made.stderr or made.stdout).strip()[-400:]}")
        install = subprocess.run(
            [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--retries", "1", "-q", "-r",
             str(HERE / "requirements.txt")], capture_output=True, text=True)
        if install.returncode != 0:
            said = install.stdout + install.stderr
            if any(word in said for word in UNREACHABLE):
                skip("the client libraries cannot be installed: the Python package index is not reachable")
            sys.exit(f"pip refuses requirements.txt:\n{said}")
        done.write_text(wanted)
    return python


def node_environment(folder):
    """A folder with the pinned packages and the client scripts; installed when missing or other pins were in it."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        skip("Node.js with npm is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    wanted = (HERE / "node" / "package.json").read_text()
    done = folder / "installed.json"
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for script in (HERE / "node").iterdir():
            shutil.copy(script, folder)
        if done.exists() and done.read_text() == wanted:
            return
        install = subprocess.run(
            [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--fetch-retries=1"],
            cwd=folder, capture_output=True, text=True)
        if install.returncode != 0:
            said = install.stdout + install.stderr
            if any(word in said for word in NPM_UNREACHABLE):
                skip("the client libraries cannot be installed: the npm registry is not reachable")
            sys.exit(f"npm refuses package.json:\n{said}")
        done.write_text(wanted)


def start_sandbox(program, service, folder, keys):
    """The process and what it announced: service name, or proxy, to address."""
    key = ["--salesforce-jwt-public-key", str(keys / "jwt.pub")] if keys else []
    process = subprocess.Popen(
        [program, "--port-base", "0", "--tls", str(folder / "sandbox.pem"), "--proxy-port", "0", *key,
         *FLAGS.get(service, [])],
        stdout=subprocess.PIPE, text=True)
    addresses = {}
    for line in process.stdout:
        if line.strip() == "ready":
            return process, addresses
        name, address = line.split()
        addresses[name] = address
    sys.exit("eddy-sandbox ended before it was ready")


def make_keys(python, folder):
    subprocess.run([str(python), "-c", """
import pathlib, sys
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric import rsa
for name in ("jwt", "stranger"):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pathlib.Path(sys.argv[1], name + ".key").write_bytes(
        key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()))
    pathlib.Path(sys.argv[1], name + ".pub").write_bytes(
        key.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo))
""", str(folder)], check=True)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--sandbox", required=True)
    arguments.add_argument("--environment", required=True, type=pathlib.Path)
    arguments.add_argument("--node", action="store_true")
    arguments.add_argument("service", choices=["salesforce", "hubspot", "marketo", "zendesk"])
    given = arguments.parse_args()
    python = None if given.node else environment(given.environment)
    if given.node:
        node_environment(given.environment)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        if python:
            make_keys(python, folder)
        process, addresses = start_sandbox(given.sandbox, given.service, folder, folder if python else None)
        try:
            known = {**os.environ, "YARDSTICK_FOLDER": name, "YARDSTICK_SANDBOX": addresses[given.service]}
            for other in ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
                known.pop(other, None)
            known["NO_PROXY"] = "127.0.0.1"
            if given.node:
                known["NODE_EXTRA_CA_CERTS"] = str(folder / "sandbox.pem")
                command = ["node", str(given.environment / f"{given.service}_client.mjs")]
            else:
                known.update({"HTTPS_PROXY": addresses["proxy"], "REQUESTS_CA_BUNDLE": str(folder / "sandbox.pem"),
                              "PYTHONDONTWRITEBYTECODE": "1"})
                command = [str(python), str(HERE / f"{given.service}_client.py")]
            result = subprocess.run(command, env=known)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)
    sys.exit(result.returncode)


if __name__ == "__main__":
    main()
