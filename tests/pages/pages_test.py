# SPDX-License-Identifier: MIT
"""pages_test.py ROOT - the cards are all there, what is wrong is told, pages are sound."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(sys.argv.pop())
PAGES = ROOT / "docs/pages/pages.py"

HEADER = """\
/* SPDX-License-Identifier: MIT */
/* weir/sample.h - what a test reads. */
#ifndef WEIR_SAMPLE_H
#define WEIR_SAMPLE_H

#include <weir/api.h>

WEIR_BEGIN_DECLS

typedef enum weir_status {
    WEIR_OK = 0,
    WEIR_CLOSED = -2
} weir_status;

%s
WEIR_API WEIR_MUST_USE weir_status weir_sample_open(void);

WEIR_END_DECLS

#endif /* WEIR_SAMPLE_H */
"""
VERSION = '/* weir/version.h - the version. */\n#define WEIR_VERSION_TEXT  "0.0.0"\n'
CARD = """\
/*
 * Opens it.  See weir_sample_open.
 *
 * Blocks:  never.
 * Owns:    nothing.
 * Returns: WEIR_OK, WEIR_CLOSED.
 * Threads: any; from
 *          a handler too.
 */"""


def run(*arguments, include=None):
    extra = ["--include", str(include)] if include else []
    return subprocess.run([sys.executable, str(PAGES), *map(str, arguments), *extra],
                          capture_output=True, text=True, check=False)


class Cards(unittest.TestCase):
    def check(self, card):
        with tempfile.TemporaryDirectory() as folder:
            include = pathlib.Path(folder)
            (include / "sample.h").write_text(HEADER % card)
            (include / "version.h").write_text(VERSION)
            return run("check", include=include)

    def assert_told(self, card, words):
        result = self.check(card)
        self.assertNotEqual(result.returncode, 0, card)
        self.assertRegex(result.stderr, r"sample\.h:\d+: ")
        self.assertIn(words, result.stderr)

    def test_a_card_in_order_passes(self):
        result = self.check(CARD)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_what_is_wrong_is_told_with_its_line(self):
        for old, new, words in [
                (CARD, "", "it has no card"),
                (CARD, CARD + "\n", "it has no card"),
                (" * Opens it.  See weir_sample_open.\n *\n", "", "does not say what"),
                ("Returns: WEIR_OK, WEIR_CLOSED.", "Owns:    more.", "'Owns:' stands there twice"),
                ("Blocks:  never.", "Threads: one.", "'Threads:' stands there twice"),
                ("Owns:    nothing", "Errors:  nothing", "'Errors:' is no key"),
                ("Blocks:  never", "Blocking: never", "'Blocking:' is no key"),
                (" * Returns: WEIR_OK, WEIR_CLOSED.\n", "", "'Returns:' is missing"),
                (" * Threads: any; from\n *          a handler too.\n", "",
                 "'Threads:' is missing"),
                (" *          a handler", " * a handler", "is not set in"),
                ("WEIR_CLOSED.", "WEIR_SHUT.", "WEIR_SHUT is not defined"),
                ("weir_sample_open.", "weir_sample_close.",
                 "weir_sample_close is neither a function nor a type")]:
            self.assertIn(old, CARD)
            with self.subTest(words):
                self.assert_told(CARD.replace(old, new), words)

    def test_keys_out_of_order_are_told(self):
        self.assert_told("/*\n * Opens it.\n *\n * Threads: any.\n * Returns: WEIR_OK.\n */",
                         "out of order")

    def test_an_empty_folder_is_told(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertIn("there are no headers", run("check", include=folder).stderr)

    def test_a_folder_to_write_to_is_needed(self):
        self.assertIn("needs a FOLDER", run("man").stderr)


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.place.name)
        command = cls.folder / "command"
        command.write_text("#!/bin/sh\ncat <<'END'\n"
                           "usage: weir run [options] [--] COMMAND [ARG...]\n\nDoes it.\n\n"
                           "Input:\n  -j, --jobs N   so many\n\n"
                           "It ends.  Exit status: 0 all done; 2 wrong usage.\nEND\n")
        command.chmod(0o755)
        what = "html" if shutil.which("mandoc") else "man"
        result = run(what, cls.folder, "--command", command)
        assert result.returncode == 0, result.stderr

    @classmethod
    def tearDownClass(cls):
        cls.place.cleanup()

    def test_the_headers_have_all_their_cards(self):
        result = run("check")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_each_exported_function_has_a_page(self):
        names = (ROOT / "tests/abi/symbols.txt").read_text().split("\n")
        for name in (name for name in names if name and not name.startswith("#")):
            page = (self.folder / f"man3/{name}.3").read_text()
            self.assertIn(f".Fo {name}\n", page)

    def test_types_lead_to_their_header(self):
        self.assertEqual((self.folder / "man3/weir_pool_options.3").read_text(),
                         ".so man7/weir-pool.7\n")

    def test_the_command_has_a_page(self):
        page = (self.folder / "man1/weir.1").read_text()
        for line in (".Cm run", ".Op Fl \\-", ".It Fl j , Fl -jobs Ar N", ".It 2"):
            self.assertIn(line + "\n", page)

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not here")
    def test_mandoc_finds_nothing(self):
        pages = [page for page in sorted(self.folder.glob("man*/*"))
                 if not page.read_text().startswith(".so ")]
        told = subprocess.run(["mandoc", "-T", "lint", "-W", "style", *map(str, pages)],
                              capture_output=True, text=True, check=False)
        self.assertEqual([line for line in (told.stdout + told.stderr).split("\n")
                          if line and "referenced manual not found" not in line], [])

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not here")
    def test_no_link_is_broken(self):
        links = 0
        for page in self.folder.glob("*.html"):
            for file, anchor in re.findall(r'href="([^"#:]*)(?:#([^"]*))?"', page.read_text()):
                other = self.folder / (file or page.name)
                self.assertTrue(other.exists(), f"{page.name}: {file}")
                if anchor and file:
                    self.assertIn(f'id="{anchor}"', other.read_text(), f"{page.name}: {anchor}")
                links += 1
        self.assertGreater(links, 1000)


if __name__ == "__main__":
    unittest.main()
