"""Make `maps/sample.html` and the README's picture from the sample city: `make map`.

Needs Debian's chromium and chromium-driver for the picture.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from planner import run_study, write_outputs

ROOT = Path(__file__).parents[1]
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip


def main() -> None:
    """Run the sample study, keep its map, and take its picture."""
    out = Path(tempfile.mkdtemp())
    try:
        paths = write_outputs(run_study(ROOT / "data" / "sample"), out)
        shutil.copyfile(paths["map"], ROOT / "maps" / "sample.html")
    finally:
        shutil.rmtree(out)
    take_picture(ROOT / "maps" / "sample.html", ROOT / "docs" / "sample.png")


def take_picture(page: Path, png: Path, width: int = 1440, height: int = 900) -> None:
    """Open a map with the network cut and save what is seen."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium"
    for flag in (*FLAGS, f"--window-size={width},{height}"):
        options.add_argument(flag)
    browser = webdriver.Chrome(options, Service(shutil.which("chromedriver") or "chromedriver"))
    try:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.get(page.resolve().as_uri())
        time.sleep(4)
        browser.save_screenshot(str(png))
    finally:
        browser.quit()


if __name__ == "__main__":
    sys.exit(main())
