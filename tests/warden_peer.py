#!/usr/bin/python3
"""Stands in for neargated in the warden's tests: descriptor 3, the warden's
socket pair, is joined to whoever connects to the given socket."""
import os
import select
import socket
import sys

path = os.environ["WARDEN_PEER_SOCKET"]
warden = socket.socket(fileno=3)
listener = socket.socket(socket.AF_UNIX)
try:
    os.unlink(path)
except FileNotFoundError:
    pass
listener.bind(path)
listener.listen(1)
client, _ = listener.accept()
while True:
    for ready in select.select([warden, client], [], [])[0]:
        data = ready.recv(1 << 16)
        if not data:
            sys.exit(1)
        (client if ready is warden else warden).sendall(data)
