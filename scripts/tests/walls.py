#!/usr/bin/env python3
"""Tests .ci/walls on a small workspace: walls that hold, walls that are broken, and walls that cannot be checked."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
WALLS = "scripts/dev/walls.toml"
FILES = {
    "Cargo.toml": '[workspace]\nresolver = "3"\nmembers = ["crates/*"]\n',
    "crates/low/Cargo.toml": '[package]\nname = "low"\nversion = "0.1.0"\nedition = "2024"\n[features]\nfiles = []\n',
    "crates/low/src/lib.rs": "",
    "crates/pure/Cargo.toml": '[package]\nname = "pure"\nversion = "0.1.0"\nedition = "2024"\n'
                              '[dependencies]\nlow = { path = "../low", default-features = false }\n',
    "crates/pure/src/lib.rs": "/// Like std::fs.\npub fn f() {}\n#[cfg(test)]\nmod tests { use std::fs; }\n",
    "crates/app/Cargo.toml": '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2024"\n'
                             '[dependencies]\npure = { path = "../pure" }\nlow = { path = "../low", features = ["files"] }\n',
    "crates/app/src/lib.rs": "",
    WALLS: """
        [groups]
        "program" = ["app*"]
        "pure part" = ["pure"]
        [crates.low]
        no_dependencies = true
        [crates.pure]
        forbids = ["program"]
        features_off = { low = ["files"] }
        [crates.app]
        [crates.later]
        planned = true
        [[pure]]
        alternatives = [["crates/pure/src"]]
        [impure]
        paths = ["std::fs", "std::thread"]
        words = ["Instant"]
        [names]
        forbidden = ["utils"]
    """,
}


class Walls(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for name, text in FILES.items():
            self.write(name, text)
        self.lock()
        (self.root / ".ci").mkdir()
        shutil.copy(ROOT / ".ci/walls", self.root / ".ci/walls")
        for script in ("walls.py", "rust_source.py"):
            shutil.copy(ROOT / "scripts/dev" / script, self.root / "scripts/dev" / script)

    def lock(self):
        subprocess.run(["cargo", "generate-lockfile", "--offline", "--quiet"], cwd=self.root, check=True)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def change(self, name, old, new):
        text = (self.root / name).read_text(encoding="utf-8")
        self.assertIn(old, text)
        self.write(name, text.replace(old, new))

    def check(self, status, text, path=None):
        environment = os.environ | ({"PATH": path} if path else {})
        run = subprocess.run(["bash", self.root / ".ci/walls"], env=environment, capture_output=True, text=True, check=False)
        output = run.stdout + run.stderr
        self.assertEqual(run.returncode, status, output)
        self.assertIn(text, output)

    def cargo_that(self, script):
        """Returns a PATH whose cargo is the script; $CARGO is the real one."""
        folder = self.root / "bin"
        folder.mkdir()
        cargo = folder / "cargo"
        cargo.write_text(f"#!/bin/sh\nCARGO='{shutil.which('cargo')}'\n{script}\n", encoding="utf-8")
        cargo.chmod(0o755)
        return f"{folder}:{os.environ['PATH']}"

    def test_walls_that_hold(self):
        self.check(0, "all walls hold")

    # Walls that cannot be checked must not pass.

    def test_a_renamed_crate(self):
        self.change("crates/app/Cargo.toml", 'name = "app"', 'name = "application"')
        self.lock()
        self.check(2, "lists the crate app, which is not in the workspace")

    def test_a_renamed_crate_that_others_depend_on(self):
        self.change("crates/pure/Cargo.toml", 'name = "pure"', 'name = "core"')
        self.check(2, "lists the crate pure, which is not in the workspace")

    def test_a_crate_without_a_wall(self):
        self.write("crates/new/Cargo.toml", '[package]\nname = "new"\nversion = "0.1.0"\nedition = "2024"\n')
        self.write("crates/new/src/lib.rs", "")
        self.lock()
        self.check(2, "no wall for: new")

    def test_a_missing_path(self):
        self.change(WALLS, '[["crates/pure/src"]]', '[["crates/pure/src/engine"]]')
        self.check(2, "lists paths that do not exist: crates/pure/src/engine")

    def test_a_path_that_is_missing_in_part(self):
        self.change(WALLS, '[["crates/pure/src"]]', '[["crates/pure/src", "crates/pure/engine"], ["crates/low/src"]]')
        self.check(2, "lists paths that do not exist: crates/pure/engine")

    def test_a_cargo_that_fails(self):
        self.check(2, "failed", self.cargo_that("exit 1"))

    def test_a_cargo_that_fails_at_the_tree(self):
        self.check(2, "cargo tree", self.cargo_that('[ "$1" != tree ] || exit 1; exec "$CARGO" "$@"'))

    def test_a_tree_that_is_empty(self):
        self.check(2, "does not know the crate", self.cargo_that('[ "$1" != tree ] || exit 0; exec "$CARGO" "$@"'))

    def test_a_lock_file_that_is_out_of_date(self):
        (self.root / "Cargo.lock").unlink()
        self.check(2, "--locked` failed")

    def test_a_feature_that_does_not_exist(self):
        self.change("crates/low/Cargo.toml", "files = []", "disk = []")
        self.change("crates/app/Cargo.toml", '["files"]', '["disk"]')
        self.check(2, "low declares no feature files")

    def test_a_group_that_does_not_exist(self):
        self.change(WALLS, 'forbids = ["program"]', 'forbids = ["programs"]')
        self.check(2, "there is no group 'programs'")

    def test_no_list_of_walls(self):
        (self.root / WALLS).unlink()
        self.check(2, "walls.toml")

    # Walls that are broken.

    def test_a_dependency_behind_another_one(self):
        self.change(WALLS, "[crates.app]", '[crates.app]\nforbids = ["pure part"]')
        self.check(1, "app depends on pure (pure part)")

    def test_a_dependency_of_a_crate_without_any(self):
        self.change(WALLS, "[crates.app]", "[crates.app]\nno_dependencies = true")
        self.check(1, "app has dependencies: low, pure")

    def test_a_feature_that_must_be_off(self):
        self.change("crates/pure/Cargo.toml", "default-features = false", 'features = ["files"]')
        self.check(1, "pure switches on the feature files of low")

    def test_a_planned_crate_that_has_come(self):
        self.write("crates/later/Cargo.toml", '[package]\nname = "later"\nversion = "0.1.0"\nedition = "2024"\n'
                                              '[dependencies]\nlow = { path = "../low" }\n')
        self.write("crates/later/src/lib.rs", "")
        self.change(WALLS, "planned = true", "planned = true\nno_dependencies = true")
        self.lock()
        self.check(1, "later has dependencies: low")

    def test_pure_code_that_reads_files(self):
        self.write("crates/pure/src/lib.rs", "use std::{\n    io,\n    fs::{self, File},\n};\n")
        self.check(1, "crates/pure/src/lib.rs:3: pure code mentions std::fs")

    def test_pure_code_that_starts_threads(self):
        self.write("crates/pure/src/lib.rs", "pub fn f() { std :: thread :: spawn(|| ()); }\n")
        self.check(1, "pure code mentions std::thread::spawn")

    def test_pure_code_that_reads_a_clock(self):
        self.write("crates/pure/src/lib.rs", "pub fn f(at: Instant) {}\n")
        self.check(1, "pure code mentions Instant")

    def test_unfinished_code(self):
        self.write("crates/app/src/lib.rs", "fn f() {\n    todo!()\n}\n// todo!()\n")
        self.check(1, "crates/app/src/lib.rs:2: todo!(")

    def test_a_test_that_is_ignored(self):
        self.write("crates/app/tests/it.rs", "#[test]\n#[ignore]\nfn f() {}\n")
        self.check(1, "crates/app/tests/it.rs:2: #[ignore")

    def test_a_module_called_utils(self):
        self.write("crates/app/src/utils.rs", "")
        self.check(1, "crates/app/src/utils.rs: a module of this name")

    def test_two_examples_of_one_name(self):
        for crate in ("app", "low"):
            self.write(f"crates/{crate}/examples/work.rs", "fn main() {}\n")
        self.check(1, "an example called work.rs")


if __name__ == "__main__":
    unittest.main()
