"""A clock that a test can set while programs run (libfaketime): as an administrator or a time server does to a real one. What measures how
long something takes (CLOCK_MONOTONIC) goes on as always."""
import glob


class Clock:
    """environment: for the programs that go by it; Httpd.clock gives it to httpd and icpadmin."""

    def __init__(self, folder):
        library = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)
        assert library, "libfaketime is missing: make deps installs it"
        self._file = folder / "clock"
        self.set(0)
        self.environment = {"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": str(self._file), "FAKETIME_NO_CACHE": "1",
                            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}

    def set(self, seconds):
        """So many seconds after the true time, or before it."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        new.rename(self._file)
