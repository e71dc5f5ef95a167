"""What `import planner` offers, and what it costs."""

import ast
import subprocess
import sys
from pathlib import Path

import planner


def test_every_public_name_exists_and_is_sorted():
    assert planner.__all__ == sorted(planner.__all__)
    assert all(getattr(planner, name) is not None for name in planner.__all__)
    assert dir(planner) == planner.__all__


def test_types_and_lazy_names_agree():
    tree = ast.parse(Path(planner.__file__).read_text(encoding="utf-8"))
    typed = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("planner.")
        for alias in node.names
    }
    assert typed == set(planner.__all__) == set(planner._HOME_OF)


def test_import_loads_nothing_heavy():
    code = (
        "import sys, planner; heavy = {'numpy', 'pandas', 'geopandas', 'numba', 'osmnx', "
        "'sklearn', 'folium', 'scipy'}; print(sorted(heavy & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
