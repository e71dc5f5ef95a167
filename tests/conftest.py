"""What all tests share: where the real data lies, and a browser that has no network."""

import base64
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from PIL import Image

# The same examples every time, however busy the machine.
hypothesis.settings.register_profile("planner", deadline=None, derandomize=True)
hypothesis.settings.load_profile("planner")


@pytest.fixture(scope="session")
def shared():
    """The folder of real data; tests that need it skip where it is absent."""
    root = Path(os.environ.get("PLANNER_SHARED", Path(__file__).parents[1] / ".." / "shared"))
    if not (root / "data").is_dir():
        pytest.skip("the shared real data is absent: set PLANNER_SHARED to its folder")
    return (root / "data").resolve()


class Browser:
    """Chromium with the network cut."""

    def __init__(self, driver):
        self.driver = driver

    def size(self, width, height, *, phone=False):
        """Pretend to be a screen of this size."""
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone},
        )

    def open(self, path, fragment="", *, maps=1):
        """Open a file and wait until all of it is painted."""
        self.driver.get_log("browser")
        self.driver.get_log("performance")
        self.driver.get("about:blank")
        self.driver.get(path.resolve().as_uri() + fragment)
        self.wait(
            "const pages = [...document.querySelectorAll('.pm')].map(n => n.planPage);"
            f"return pages.length === {maps} && pages.every(p => p && p.idle())"
        )

    def wait(self, script, seconds=20.0):
        """Wait until a script returns true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.driver.execute_script(script):
                return
            time.sleep(0.03)
        raise AssertionError(f"never became true: {script}")

    def run(self, script, *arguments):
        """Run a script that knows the page as `p`; wait until what it changed is painted."""
        found = self.driver.execute_script(
            f"const p = document.querySelector('.pm').planPage; {script}", *arguments
        )
        self.wait("return document.querySelector('.pm').planPage.idle()")
        return found

    def errors(self):
        """Return what the console says."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def picture(self, x=0, y=0, width=1440, height=900, *, scale=1.0):
        """Return a part of the screen as an array (height, width, 3)."""
        clip = {"x": x, "y": y, "width": width, "height": height, "scale": scale}
        shot = self.driver.execute_cdp_cmd(
            "Page.captureScreenshot", {"format": "png", "clip": clip}
        )
        png = BytesIO(base64.b64decode(shot["data"]))
        return np.asarray(Image.open(png).convert("RGB"))

    def colour(self, x, y):
        """Return the colour of one pixel as a tuple."""
        return tuple(int(v) for v in self.picture(x - 1, y - 1, 3, 3)[1, 1])


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Debian's Chromium, or a skip that says what is missing."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    from selenium.webdriver.chrome.service import Service

    chromium, chromedriver = (
        next((p for p in (f"/usr/bin/{n}", shutil.which(n)) if p and Path(p).exists()), None)
        for n in ("chromium", "chromedriver")
    )
    if chromium is None or chromedriver is None:
        pytest.skip("needs Debian's packages chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--no-first-run", "--hide-scrollbars", "--window-size=1440,900",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):  # fmt: skip
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(chromedriver))
    driver.set_script_timeout(30)
    yield Browser(driver)
    driver.quit()


def free_port():
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def postgres():
    """The URL of a PostgreSQL server, with its password: a given one, or one started here."""
    if given := os.environ.get("PLANNER_TEST_POSTGRES"):
        yield given
        return
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not binaries:
        pytest.skip("needs Debian's package postgresql, or a server in PLANNER_TEST_POSTGRES")
    with run_postgres(binaries[-1].parent) as url:
        yield url


@contextmanager
def run_postgres(binaries):
    """Run a server in a folder of its own; it refuses root, so root lends it another user."""
    as_user = []
    if os.geteuid() == 0:
        as_user = ["runuser", "-u", "postgres", "--"]
    password, port = secrets.token_hex(8), free_port()
    with tempfile.TemporaryDirectory(prefix="planner-postgres-") as folder:
        secret, data = Path(folder, "secret"), Path(folder, "data")
        secret.write_text(password)
        if as_user:
            shutil.chown(folder, "postgres")
            shutil.chown(secret, "postgres")

        def call(program, *arguments):
            command = [*as_user, binaries / program, "-D", data, *arguments]
            subprocess.run(command, check=True, cwd="/", capture_output=True, timeout=60)

        call("initdb", "-U", "planner", f"--pwfile={secret}", "-A", "scram-sha-256", "--no-sync",
             "--encoding=UTF8", "--locale=C.UTF-8")  # fmt: skip
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c fsync=off -k {folder}"
        options += " -c temp_file_limit=64MB -c statement_timeout=60s"
        call("pg_ctl", "start", "--wait", "-o", options, "-l", f"{folder}/log")
        try:
            yield f"postgresql://planner:{password}@127.0.0.1:{port}/postgres"
        finally:
            call("pg_ctl", "stop", "-m", "immediate")
