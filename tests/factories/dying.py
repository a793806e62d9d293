"""A service that kills itself at a moment of its work: `python -m tests.factories.dying MODULE:FUNCTION SERVICE …`."""

import importlib
import os
import runpy
import signal
import sys


def _die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Run the service; where it calls that function, it is gone, with whatever it was at."""
    module, _, function = sys.argv[1].partition(":")
    if not callable(getattr(importlib.import_module(module), function)):
        raise TypeError(f"{sys.argv[1]} is no function")
    setattr(sys.modules[module], function, _die)
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
