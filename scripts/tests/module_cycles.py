#!/usr/bin/env python3
"""Tests scripts/dev/module_cycles.py on small projects: what it must report, must accept, and must refuse to check."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "dev" / "module_cycles.py"
ORDER = "scripts/dev/module_order.toml"


class Project(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def write(self, files, order=""):
        for name, text in {**files, ORDER: order}.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def crate(self, files, order=""):
        self.write({f"crates/one/src/{name}": text for name, text in files.items()}, order)

    def check(self, status, *texts):
        run = subprocess.run([sys.executable, SCRIPT, self.root], capture_output=True, text=True, check=False)
        output = run.stdout + run.stderr
        self.assertEqual(run.returncode, status, output)
        for text in texts:
            self.assertIn(text, output)
        return output


class Cycles(Project):
    def test_a_cycle_is_printed_with_its_imports(self):
        self.crate({"lib.rs": "mod a;\nmod b;\n", "a.rs": "use crate::b::B;\n", "b.rs": "\n\nuse super::a;\n"})
        self.check(1, "one: a cycle of 2 modules: a b", "a imports b at crates/one/src/a.rs:1",
                   "b imports a at crates/one/src/b.rs:3", "1 cycle,")

    def test_imports_in_one_direction_pass(self):
        self.crate({"lib.rs": "mod a;\nmod b;\n", "a.rs": "use crate::b::B;\n", "b.rs": "pub struct B;\n"})
        self.check(0, "1 crate, 0 cycles")

    def test_a_parent_and_its_child_may_use_each_other(self):
        self.crate({"lib.rs": "mod a;\n", "a.rs": "mod c;\nuse c::C;\npub struct A;\n",
                    "a/c.rs": "use super::A;\npub struct C;\n"})
        self.check(0, "0 cycles")

    def test_a_path_in_an_expression_counts(self):
        self.crate({"lib.rs": "mod a;\nmod b;\n", "a.rs": "fn f() { crate::b::g() }\n",
                    "b.rs": "pub fn g() {\n    crate :: a :: f()\n}\n"})
        self.check(1, "b imports a at crates/one/src/b.rs:2")

    def test_a_path_through_an_imported_module_counts(self):
        self.crate({"lib.rs": "mod a;\nmod b;\nmod c;\n", "a.rs": "pub mod d;\n", "a/d.rs": "use crate::b::B;\n",
                    "b.rs": "use crate::a as other;\npub struct B(other::d::D);\n", "c.rs": ""})
        self.check(1, "b imports a::d at crates/one/src/b.rs:2")

    def test_nested_trees_are_expanded(self):
        self.crate({"lib.rs": "mod a;\nmod b;\nmod c;\n", "b.rs": "pub mod d;\n", "b/d.rs": "use crate::a::A;\n",
                    "a.rs": "use crate::{\n    b::{d::{D, E as F}, self},\n    c,\n};\n", "c.rs": ""})
        self.check(1, "a imports b::d at crates/one/src/a.rs:2", "a cycle of 2 modules: a b::d")

    def test_a_longer_cycle_through_three_modules_is_one(self):
        self.crate({"lib.rs": "mod a;\nmod b;\nmod c;\n", "a.rs": "use crate::b::B;", "b.rs": "use crate::c::C;",
                    "c.rs": "use crate::a::A;"})
        self.check(1, "a cycle of 3 modules: a b c", "1 cycle,")

    def test_inline_modules_and_paths_of_files_are_followed(self):
        self.crate({"lib.rs": "mod a { use crate::b::B; }\n#[path = \"odd.rs\"]\nmod b;\n", "odd.rs": "use super::a;\n"})
        self.check(1, "b imports a at crates/one/src/odd.rs:1")

    def test_alternatives_by_cfg_are_both_read(self):
        self.crate({"lib.rs": "mod a;\n#[cfg(unix)]\nmod b { use crate::a::A; }\n#[cfg(not(unix))]\nmod b {}\n",
                    "a.rs": "use crate::b;\n"})
        self.check(1, "a cycle of 2 modules: a b")

    def test_tests_comments_and_strings_do_not_count(self):
        self.crate({"lib.rs": "mod a;\nmod b;\n", "a.rs": "use crate::b::B;\n", "b.rs": '''
            // use crate::a::A;
            /* crate::a /* nested */ crate::a::A */
            /// See [`crate::a::A`].
            const TEXT: &str = "crate::a::A \\" use crate::a;";
            const RAW: &str = r#"crate::a::A " "#;
            const QUOTE: char = '"';
            fn lifetime<'a>(text: &'a str) -> &'a str { text }
            #[cfg(test)]
            use crate::a::A;
            #[cfg(all(test, unix))]
            #[expect(unused)]
            mod tests { use crate::a::A; }
            #[cfg(test)]
            mod more;
        '''})
        self.check(0, "0 cycles")

    def test_code_that_is_not_only_for_tests_counts(self):
        self.crate({"lib.rs": "mod a;\nmod b;\n", "a.rs": "use crate::b::B;\n",
                    "b.rs": "#[cfg(any(test, feature = \"x\"))]\nuse crate::a::A;\n"})
        self.check(1, "b imports a at crates/one/src/b.rs:2")


class Order(Project):
    FILES = {"lib.rs": "mod a;\nmod b;\n", "a.rs": "use crate::b::B;\n", "b.rs": ""}

    def test_an_import_from_a_lower_layer_passes(self):
        self.crate(self.FILES, '[one]\nenforce = true\nlayers = [["a"], ["b"]]\n')
        self.check(0, "0 violations")

    def test_an_import_from_a_higher_layer_fails(self):
        self.crate(self.FILES, '[one]\nenforce = true\nlayers = [["b"], ["a"]]\n')
        self.check(1, "crates/one/src/a.rs:1: one: a imports b, which is not below it")

    def test_an_import_from_the_same_layer_fails(self):
        self.crate(self.FILES, '[one]\nenforce = true\nlayers = [["a", "b"]]\n')
        self.check(1, "a imports b")

    def test_a_module_without_a_place_fails(self):
        self.crate(self.FILES, '[one]\nenforce = true\nlayers = [["a"]]\n')
        self.check(1, "module b has no place in the order; add it to")

    def test_a_listed_module_that_does_not_exist_fails(self):
        self.crate(self.FILES, '[one]\nenforce = true\nlayers = [["a"], ["b"], ["c"]]\n')
        self.check(1, "lists module c, which does not exist")

    def test_a_plan_is_not_enforced(self):
        self.crate(self.FILES, '[one]\nenforce = false\nlayers = [["b"], ["a"]]\n')
        self.check(0, "not enforced in: one")


class Refusals(Project):
    """Projects that cannot be checked must not pass."""

    def test_no_crates(self):
        self.write({})
        self.check(2, "no crates")

    def test_a_crate_without_sources(self):
        self.write({"crates/one/Cargo.toml": ""})
        self.check(2, "neither src/lib.rs nor src/main.rs")

    def test_a_module_without_a_file(self):
        self.crate({"lib.rs": "mod missing;\n"})
        self.check(2, "module missing has no file")

    def test_a_file_that_is_not_text(self):
        self.crate({"lib.rs": "mod a;\n"})
        (self.root / "crates/one/src/a.rs").write_bytes(b"\xff\xfe")
        self.check(2, "cannot be read")

    def test_a_file_that_cannot_be_parsed(self):
        self.crate({"lib.rs": "mod a {\n"})
        self.check(2, "line 1: { is never closed")

    def test_no_table_of_the_order(self):
        self.crate({"lib.rs": ""})
        (self.root / ORDER).unlink()
        self.check(2, "module_order.toml: missing")

    def test_a_table_that_is_not_toml(self):
        self.crate({"lib.rs": ""}, "[one\n")
        self.check(2, "module_order.toml")

    def test_a_table_without_its_keys(self):
        self.crate({"lib.rs": ""}, "[one]\nlayers = []\n")
        self.check(2, "needs the keys")

    def test_an_enforced_table_of_an_unknown_crate(self):
        self.crate({"lib.rs": ""}, "[two]\nenforce = true\nlayers = []\n")
        self.check(2, "there is no crate two")


if __name__ == "__main__":
    unittest.main()
