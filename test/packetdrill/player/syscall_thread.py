"""The second thread, for system calls that are expected to block: one at a time."""
import os
import sys
import threading
import time

from . import compare
from .errors import Failure, ScriptError

IDLE, STARTED, IN_CALL, DONE = range(4)

# How long packetdrill waits, in real time, for a call to end that another one has to follow.
PATIENCE_S = 1


class SyscallThread:
    """A call is known to block when the thread sleeps in the kernel; to see that it does not sleep for
    the interpreter's sake only, threads are not switched but when one of them waits."""

    def __init__(self, runner):
        self.runner = runner
        self.state = IDLE
        self.changed = threading.Condition()
        self.event = None
        self.stopping = False
        sys.setswitchinterval(1000)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    # ---- The main thread's ----

    def start(self, event):
        if not self.wait_until_idle():
            raise Failure('blocking system call while another blocking system call is already in '
                          'progress')
        with self.changed:
            self.event = event
            self.state = STARTED
            self.changed.notify_all()
        while not (self.state == IDLE or (self.state == IN_CALL and self.sleeps())):
            time.sleep(0)

    def sleeps(self):
        with open(f'/proc/self/task/{self.thread.native_id}/stat', encoding='ascii') as f:
            return f.read().rpartition(')')[2].split()[0] == 'S'

    def wait_until_idle(self):
        with self.changed:
            return self.changed.wait_for(lambda: self.state == IDLE, PATIENCE_S)

    def stop(self):
        if not self.wait_until_idle():
            raise Failure(f'{self.runner.name}:{self.event.line}: exiting while a blocking system '
                          'call is in progress')
        with self.changed:
            self.stopping = True
            self.changed.notify_all()
        self.thread.join()

    # ---- Its own ----

    def make(self, call):
        """The call proper. The clock is asked at once when it is over: that is what it waits for."""
        self.state = IN_CALL
        result = call()
        self.end_us = self.runner.script_now_us()
        self.state = DONE
        return result

    def run(self):
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.state == STARTED or self.stopping)
                if self.stopping:
                    return
            try:
                self.play(self.event)
            except (Failure, ScriptError) as e:
                print(f'{self.runner.name}:{self.event.line}: {e}', file=sys.stderr, flush=True)
                os._exit(1)
            with self.changed:
                self.state = IDLE
                self.changed.notify_all()

    def play(self, event):
        self.runner.make_call(event)
        compare.check_time(event, event.time_us, self.end_us, self.runner.config,
                           'system call return', end_us=event.action.end_us)
