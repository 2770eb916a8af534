"""What other threads tell an event loop."""

import asyncio
import threading
import unittest

from snakepit_bridge.doorbell import Doorbell


class TheDoorbell(unittest.TestCase):
    def setUp(self):
        self.loop = asyncio.new_event_loop()
        self.addCleanup(self.loop.close)

    def test_brings_what_another_thread_rings_for_in_its_order(self):
        seen = []

        def on_ring(thing):
            seen.append((thing, threading.get_ident()))
            if thing == 99:
                self.loop.stop()

        doorbell = Doorbell(self.loop, on_ring)
        threading.Thread(target=lambda: [doorbell.ring(n) for n in range(100)]).start()
        self.loop.run_forever()
        self.assertEqual(seen, [(n, threading.get_ident()) for n in range(100)])

    def test_leaves_the_loop_time_for_others_when_each_ring_is_followed_by_another(self):
        rings = []

        def on_ring(thing):
            if not rings:
                self.loop.call_soon(self.loop.stop)
            rings.append(thing)
            self.assertLess(len(rings), 1000)
            doorbell.ring(thing)

        doorbell = Doorbell(self.loop, on_ring)
        doorbell.ring("again")
        self.loop.run_forever()
        self.assertLess(len(rings), 1000)
