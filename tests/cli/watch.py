# SPDX-License-Identifier: MIT
"""watch.py - weir run --watch on a terminal, as a terminal sees it.

  watch.py [LAUNCHER...] WEIR

Each check runs weir below a small shell on a terminal of its own, whose screen
is kept here: what is not understood, or goes beyond an edge, fails the check.
A check is a function whose name is a sentence that is true.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unicodedata

COMMAND = sys.argv[1:-1] + [os.path.abspath(sys.argv[-1])]
PATIENCE = 20 * int(os.environ.get("WEIR_TEST_SLOW", "1"))  # a hang detector


class Screen:
    """A terminal's two screens: the user's, which only prints, and the other."""

    def __init__(self, rows, columns):
        self.resize(rows, columns)
        self.main = [""]
        self.in_picture = False
        self.cursor_hidden = False
        self.synchronised = False
        self.frames = 0
        self.colours = 0
        self.rest = b""

    def resize(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.picture = [""] * rows
        self.row = self.column = 0

    def text(self):
        return "\n".join(self.picture).rstrip()

    def printed(self):
        return "\n".join(self.main)

    def feed(self, data):
        data = self.rest + data
        # A sequence, or a character, may come in two parts.
        cut = len(data)
        match = re.search(rb"(\x1b\[?[0-9;?]*|[\xc0-\xff][\x80-\xbf]{0,2})$", data)
        if match:
            cut = match.start()
        self.rest = data[cut:]
        text = data[:cut].decode()
        for piece in re.finditer(r"\x1b\[([0-9;?]*)([A-Za-z])|([^\x1b])", text, re.S):
            if piece.group(3):
                self.put(piece.group(3))
            else:
                self.obey(piece.group(1), piece.group(2))
        assert "\x1b" not in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text), repr(text)

    def put(self, one):
        if not self.in_picture:
            if one == "\n":
                self.main.append("")
            elif one != "\r":
                self.main[-1] += one
            return
        if one == "\r":
            self.column = 0
        elif one == "\n":
            self.row += 1
            assert self.row < self.rows, "it scrolls"
        else:
            assert one.isprintable(), repr(one)
            wide = 2 if unicodedata.east_asian_width(one) in "WF" else 1
            wide = 0 if unicodedata.combining(one) else wide
            assert self.column + wide <= self.columns, "a line is too long"
            line = self.picture[self.row]
            # Pictures are drawn from the left: columns are not looked up.
            self.picture[self.row] = (line if self.column else "") + one
            self.column += wide

    def obey(self, numbers, what):
        if what == "m":
            self.colours += 1
        elif what == "K":
            assert self.column < self.columns, "the last column is erased"
            if self.column == 0:
                self.picture[self.row] = ""
        elif what == "H" and not numbers:
            self.row = self.column = 0
            self.frames += 1
        elif what == "J" and not numbers:
            assert self.in_picture, "the user's screen is erased"
            for row in range(self.row, self.rows):
                self.picture[row] = ""
        elif (numbers, what) in (("?1049", "h"), ("?1049", "l")):
            self.in_picture = what == "h"
            self.picture = [""] * self.rows
        elif (numbers, what) in (("?25", "h"), ("?25", "l")):
            self.cursor_hidden = what == "l"
        elif (numbers, what) in (("?2026", "h"), ("?2026", "l")):
            self.synchronised = what == "h"
        else:
            raise AssertionError("unknown: %r %s" % (numbers, what))


class Run:
    """weir run on a terminal, as the foreground job of a shell."""

    def __init__(self, *arguments, rows=24, columns=80, records="", stdin=None,
                 stdout=None, background=False, **environment):
        self.folder = tempfile.mkdtemp(prefix="weir-watch-")
        self.records = os.path.join(self.folder, "records")
        with open(self.records, "w", encoding="utf-8") as file:
            file.write(records)
        self.screen = Screen(rows, columns)
        self.said, say = os.pipe()
        self.state = b""
        env = dict(os.environ, TERM="xterm", LC_ALL="C.UTF-8")
        env.pop("NO_COLOR", None)
        env.update(environment)
        self.shell, self.terminal = pty.fork()
        if self.shell == 0:
            try:
                os.close(self.said)
                shell(list(arguments), env, self.folder, stdin, stdout, background, say)
            finally:
                os._exit(99)
        os.close(say)
        self.resize(rows, columns)
        open(os.path.join(self.folder, "begin"), "w", encoding="utf-8").close()

    def resize(self, rows, columns):
        self.screen.resize(rows, columns)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def take(self, seconds=0.02):
        """What has come since; whether there may be more."""
        if not select.select([self.terminal], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.terminal, 65536)
        except OSError:
            return False
        self.screen.feed(data)
        return bool(data)

    def until(self, what, is_so):
        end = time.monotonic() + PATIENCE
        while not is_so():
            assert time.monotonic() < end, "in vain until %s; the screen is:\n%s\nand\n%s" % (
                what, self.screen.text(), self.screen.printed())
            if not self.take():
                assert is_so(), "it has ended, and never %s; there is:\n%s" % (
                    what, self.screen.printed())

    def until_shows(self, pattern):
        self.until("it shows %r" % pattern,
                   lambda: self.screen.in_picture and re.search(pattern, self.screen.text())
                   and not self.screen.synchronised)

    def let_go(self, name="go"):
        """The commands wait for this."""
        open(os.path.join(self.folder, name), "w", encoding="utf-8").close()

    def until_said(self, word):
        """The shell says what becomes of its job: pid N, stopped, ended N."""
        def is_said():
            if select.select([self.said], [], [], 0)[0]:
                self.state += os.read(self.said, 4096)
            return re.search(word.encode() + rb" ?(-?\d*)\n", self.state)
        self.until("the shell says " + word, is_said)
        return int(is_said().group(1) or 0)

    def signal(self, number):
        os.kill(self.until_said("pid"), number)

    def end(self):
        """Returns the exit status, or less than 0 a signal."""
        status = self.until_said("ended")
        while self.take(0.2):
            pass
        os.waitpid(self.shell, 0)
        os.close(self.terminal)
        os.close(self.said)
        subprocess.run(["rm", "-rf", self.folder], check=True)
        return status

    def is_given_back(self):
        s = self.screen
        return not s.in_picture and not s.cursor_hidden and not s.synchronised


def shell(arguments, env, folder, stdin, stdout, background, say):
    """Runs the job in the foreground, tells of it, continues it when asked."""
    os.chdir(folder)
    while not os.path.exists("begin"):
        time.sleep(0.005)
    # As an interactive shell, which is not stopped by what it does here.
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    job = os.fork()
    if job == 0:
        os.setpgid(0, 0)
        if not background:
            os.tcsetpgrp(2, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        if stdin != "terminal":
            os.dup2(os.open("records", os.O_RDONLY), 0)
        if stdout:
            os.dup2(os.open(stdout, os.O_WRONLY | os.O_CREAT, 0o600), 1)
        os.execvpe(COMMAND[0], COMMAND + ["run"] + arguments, env)
    os.write(say, b"pid %d\n" % job)
    while True:
        _, status = os.waitpid(job, os.WUNTRACED)
        if os.WIFSTOPPED(status):
            os.tcsetpgrp(2, os.getpid())
            os.write(say, b"stopped\n")
            while not os.path.exists("continue"):
                time.sleep(0.005)
            os.unlink("continue")
            os.tcsetpgrp(2, job)
            os.kill(job, signal.SIGCONT)
        else:
            code = os.waitstatus_to_exitcode(status)
            os.write(say, b"ended %d\n" % code)
            # What is on its way to the terminal is lost if the shell goes first.
            termios.tcdrain(2)
            os._exit(0)


# What a crash leaves behind ends by itself, two minutes later at most.
WAITS = ["sh", "-c", 'n=0; while [ ! -e go ] && [ $n -lt 6000 ]; do n=$((n + 1)); sleep 0.02; '
                     'done; echo "out $0"']


def numbers(count):
    return "".join("%d\n" % i for i in range(1, count + 1))


# ------------------------------------------------------------------- checks


def figures_and_what_each_worker_runs_are_shown():
    run = Run("--watch", "-j2", "--", *WAITS, records=numbers(30))
    run.until_shows(r"waiting +p50 \S+ +p90 \S+ +p99 \S+ +max \S+")
    shown = run.screen.text()
    for pattern in (r"^weir +\S+ elapsed +0\.0/s now +0\.0/s on average$", r"^done 0 +running 2$",
                    r"^queue +\[#{20}\] +16 of 16 +producer blocked \d+%, average \d+%$",
                    r"^workers +\[#{20}\] +2 of 2 busy$", r"^running +none yet$",
                    r"^ +0 +\S+s +task [12] +[12]$", r"^ +1 +\S+s +task [12] +[12]$"):
        assert re.search(pattern, shown, re.M), "%s is not in\n%s" % (pattern, shown)
    assert run.screen.cursor_hidden
    run.let_go()
    assert run.end() == 0
    assert re.search(r"^done 30$", run.screen.printed(), re.M)
    # The last ones end between two pictures.
    assert sorted(run.screen.main[:30]) == sorted("out %d" % i for i in range(1, 31))


def the_log_is_below_the_picture():
    run = Run("--watch", "-j2", "--log=warning", "--attempts=2", "--backoff=0", "--",
              "sh", "-c", "sleep 0.01; exit 3", records=numbers(10))
    assert run.end() == 1
    assert run.is_given_back()
    for i in range(1, 11):
        line = "weir: warning: task %d: a task has used up its attempts: exit status 3, attempt 2" % i
        assert run.screen.main.count(line) == 1, "\n".join(run.screen.main)


def what_is_printed_on_the_same_terminal_is_all_there_afterwards():
    run = Run("--watch", "-k", "-j3", "--", "sh", "-c", "echo out $0; echo err $0 >&2; sleep 0.01",
              records=numbers(150))
    assert run.end() == 0
    assert run.is_given_back()
    lines = run.screen.main
    wanted = [line for i in range(1, 151) for line in ("out %d" % i, "err %d" % i)]
    assert lines[:300] == wanted, "\n".join(lines)
    assert lines[300].startswith("weir  "), lines[300]
    assert lines[301] == "done 150", lines[301]
    assert len(lines) == 305 and lines[304] == "", lines[302:]


def what_goes_elsewhere_does_not_take_the_picture_away():
    run = Run("--watch", "-j1", "--", *WAITS, records=numbers(2), stdout="out")
    run.until_shows(r"task 1 ")
    run.let_go()
    out = os.path.join(run.folder, "out")
    run.until("both have printed", lambda: open(out, encoding="utf-8").read() == "out 1\nout 2\n")
    assert run.end() == 0
    assert run.screen.main[0].startswith("weir  "), run.screen.main


def the_picture_follows_the_size():
    run = Run("--watch", "-j12", "--", *WAITS, records=numbers(12))
    run.until_shows(r"(?s)( \S+s  task \d+ .*){12}")
    assert "more" not in run.screen.text()
    run.resize(10, 30)
    run.until_shows(r"and 10 more")
    assert run.screen.text().count(" task ") == 2, run.screen.text()
    run.resize(4, 9)
    run.until_shows(r"^weir ")
    run.resize(1, 1)
    run.until_shows(r"^w$")
    run.resize(40, 200)
    run.until_shows(r"(?s)( \S+s  task \d+ .*){12}")
    run.let_go()
    assert run.end() == 0


def records_are_cut_by_the_columns_they_take():
    records = "plain \x1b[2Jtail\n" + "宽" * 60 + "\n" + "e\u0301" * 80 + "\n"
    run = Run("--watch", "-j3", "--", *WAITS, records=records, columns=42, stdout="out")
    run.until_shows(r"(?s)( \S+s  task \d+ .*){3}")
    shown = run.screen.text()
    assert re.search(r"task 1  plain \?\[2Jtail$", shown, re.M), shown
    assert re.search(r"task 2  宽{9}$", shown, re.M), shown
    assert re.search("task 3  (e\u0301){19}$", shown, re.M), shown
    run.let_go()
    assert run.end() == 0


def without_utf8_what_is_not_ascii_is_a_question_mark():
    run = Run("--watch", "-j1", "--", *WAITS, records="a宽b\n", LC_ALL="C")
    run.until_shows(r"task 1  a\?\?\?b$")
    run.let_go()
    assert run.end() == 0


def colours_are_used_and_not_with_no_color():
    for no_color, wanted in (("", True), ("1", False)):
        run = Run("--watch", "-j1", "--", *WAITS, records=numbers(3), NO_COLOR=no_color)
        run.until_shows(r"task 1 ")
        assert (run.screen.colours > 0) == wanted, run.screen.colours
        run.let_go()
        assert run.end() == 0


def a_terminal_that_only_prints_gets_a_line():
    run = Run("--watch", "-j1", "--", *WAITS, records=numbers(3), TERM="dumb")
    run.until("the line", lambda: "weir: 0 done, 0 failed, 1 running" in run.screen.printed())
    run.let_go()
    assert run.end() == 0
    assert run.screen.frames == 0 and run.screen.colours == 0


def an_interrupt_is_shown_and_gives_the_screen_back():
    run = Run("--watch", "-j2", "--", *WAITS, records=numbers(30))
    run.until_shows(r"task 2 ")
    os.write(run.terminal, b"\x03")  # ^C, to the foreground
    run.until_shows(r"stopping: finishing what runs; again to end it")
    run.let_go()
    assert run.end() == 128 + signal.SIGINT
    assert run.is_given_back()
    assert re.search(r"^weir: finishing 2 running; again to end them$", run.screen.printed(), re.M)
    assert re.search(r"^done 2 +cancelled \d+$", run.screen.printed(), re.M)


def two_terms_end_it_and_give_the_screen_back():
    run = Run("--watch", "-j2", "--grace=0", "--", *WAITS, records=numbers(30))
    run.until_shows(r"task 2 ")
    run.signal(signal.SIGTERM)
    run.until_shows(r"stopping: ")
    run.signal(signal.SIGTERM)
    assert run.end() == 128 + signal.SIGTERM
    assert run.is_given_back()


def a_stop_gives_the_screen_back_and_then_it_goes_on():
    run = Run("--watch", "-j2", "--", *WAITS, records=numbers(4))
    for _ in range(2):
        run.until_shows(r"task 2 ")
        run.state = run.state.replace(b"stopped\n", b"")
        os.write(run.terminal, b"\x1a")  # ^Z
        run.until_said("stopped")
        run.until("the screen is given back", run.is_given_back)
        run.let_go("continue")
    run.until_shows(r"task 2 ")
    run.let_go()
    assert run.end() == 0
    assert run.is_given_back()


def a_crash_gives_the_screen_back():
    for number in (signal.SIGABRT, signal.SIGSEGV, signal.SIGQUIT, signal.SIGUSR1):
        run = Run("--watch", "-j1", "--", *WAITS, records=numbers(3))
        run.until_shows(r"task 1 ")
        run.signal(number)
        run.until_said("ended")
        run.let_go()  # the command has outlived it
        assert run.end() == -number
        assert run.is_given_back(), number


def in_the_background_nothing_is_drawn():
    run = Run("--watch", "-j1", "--", *WAITS, records=numbers(3), stdout="out", background=True)
    run.until_said("pid")
    for _ in range(15):
        run.take(0.02)
    run.let_go()
    assert run.end() == 0
    assert run.screen.frames == 0
    assert run.screen.main[0].startswith("weir  "), run.screen.main


def there_are_ten_pictures_a_second_at_most():
    begun = time.monotonic()
    run = Run("--watch", "-j2", "--", "sh", "-c", "sleep 0.01", records=numbers(100))
    assert run.end() == 0
    # Each may be wiped out once, for what is printed.
    most = 10 * (time.monotonic() - begun) + 1
    assert 0 < run.screen.frames - 1 <= most, (run.screen.frames, most)


def a_run_that_is_over_at_once_only_sums_up():
    run = Run("--watch", "-j1", "--", "true", records="")
    assert run.end() == 0
    assert run.screen.main[1] == "done 0", run.screen.main


def without_a_terminal_it_is_refused():
    done = subprocess.run(COMMAND + ["run", "--watch", "--", "true"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, start_new_session=True, check=False,
                          env=dict(os.environ, TERM="xterm"))
    assert done.returncode == 2, done
    assert done.stdout == "" and done.stderr == (
        "weir run: --watch: there is no terminal to show it on; --progress=always writes lines "
        "to a log\n"), done


def records_that_are_typed_are_refused():
    run = Run("--watch", "--", "true", stdin="terminal")
    assert run.end() == 2
    assert "--watch: the picture would hide the records" in run.screen.printed()


CHECKS = [
    figures_and_what_each_worker_runs_are_shown,
    the_log_is_below_the_picture,
    what_is_printed_on_the_same_terminal_is_all_there_afterwards,
    what_goes_elsewhere_does_not_take_the_picture_away,
    the_picture_follows_the_size,
    records_are_cut_by_the_columns_they_take,
    without_utf8_what_is_not_ascii_is_a_question_mark,
    colours_are_used_and_not_with_no_color,
    a_terminal_that_only_prints_gets_a_line,
    an_interrupt_is_shown_and_gives_the_screen_back,
    two_terms_end_it_and_give_the_screen_back,
    a_stop_gives_the_screen_back_and_then_it_goes_on,
    a_crash_gives_the_screen_back,
    in_the_background_nothing_is_drawn,
    there_are_ten_pictures_a_second_at_most,
    a_run_that_is_over_at_once_only_sums_up,
    without_a_terminal_it_is_refused,
    records_that_are_typed_are_refused,
]


def main():
    chosen = os.environ.get("WEIR_WATCH_CHECK", "")
    failures = 0
    for check in CHECKS:
        if chosen and check.__name__ != chosen:
            continue
        name = check.__name__.replace("_", " ")
        try:
            check()
            print("ok:", name, flush=True)
        except Exception as problem:  # pylint: disable=broad-exception-caught
            failures += 1
            print("FAILED: %s: %s: %s" % (name, type(problem).__name__, problem), flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
