"""The launcher with its real servers and a stand-in for the platform's own processes.

`python -m tests.house.stub_platform run` is what the launcher's tests start, stop and kill.
"""

import sys
from pathlib import Path
from typing import Final

from paysite.launcher import preparing
from paysite.launcher.command import main
from paysite.launcher.environment import given
from paysite.launcher.places import CHECKOUT
from paysite.launcher.running import check_port, start_platform, workshop
from paysite.launcher.supervisor import Service

WEB: Final = """
import http.server, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"ready")
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
"""
# A worker with a child that ignores being asked to end, as a hanging task would.
WORKER: Final = """
import signal, subprocess, sys
subprocess.Popen([sys.executable, "-c",
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()"])
print("worker is up", flush=True)
signal.pause()
"""
BROKEN: Final = "import sys; sys.exit('the stub is broken on purpose')"


def run() -> int:
    """As the real `run`, with other processes."""
    environ = given(CHECKOUT)
    port = int(environ["PORT"])
    web = BROKEN if environ.get("STUB") == "broken" else WEB
    with workshop(environ, Path(environ["DATA_DIR"]), host="127.0.0.1", port=port) as shop:
        check_port("127.0.0.1", port)
        preparing.start_servers(shop, durable=environ.get("STUB") != "quick")
        commands = {
            "web": (sys.executable, "-c", web, str(port)),
            "worker": (sys.executable, "-c", WORKER),
        }
        services = [
            Service(name=name, command=words, env=shop.env, cwd=shop.places.data)
            for name, words in commands.items()
        ]
        start_platform(shop, services, host="127.0.0.1", port=port)
        shop.progress.say("ready")
        shop.supervisor.watch()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], {"run": run}))
