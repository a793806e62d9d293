"""`python -m deploy.local.demo`: play every scene; exit code 0 only if all went as expected."""

import signal
import sys
import time

from deploy.local.demo.cases import Cases
from deploy.local.demo.commands import Unexpected
from deploy.local.demo.narration import Narration
from deploy.local.demo.scenes import advisories, deploying, scanning, signing, start
from deploy.local.demo.stage import set_stage

SCENES = (start, scanning, signing, deploying, advisories)


def main() -> int:
    """Play, and tell what was expected and what happened."""
    # So that a demonstration that is ended from outside tears down too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    began = time.monotonic()
    narration = Narration()
    cases = Cases(tuple(title for scene in SCENES for title in scene.TITLES))
    try:
        with set_stage(narration, cases) as stage:
            for scene in SCENES:
                narration.chapter(scene.TITLE)
                scene.play(stage)
    except Unexpected as problem:
        narration.say(f"The demonstration cannot go on. {problem}")
    except KeyboardInterrupt:
        narration.say("Interrupted.")
    narration.chapter(f"What was expected, and what happened, in {time.monotonic() - began:.0f} s")
    narration.table(("CASE", "EXPECTED", "HAPPENED", ""), cases.rows())
    return 0 if cases.all_agree else 1


if __name__ == "__main__":
    sys.exit(main())
