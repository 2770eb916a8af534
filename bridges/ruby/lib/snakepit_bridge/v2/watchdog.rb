# frozen_string_literal: true

module Snakepit
  module V2
    # @private A thread that reads the socket when the main loop has not looked at it for a tick (20 ms).
    #
    # The main loop pays one check a turn, `asleep?`; while it is idle, the thread sleeps until it is woken.
    class Watchdog
      TICK_SECONDS = 0.02
      QUIET_TICKS = 5

      def initialize(loop, intake, io)
        @loop = loop
        @intake = intake
        @io = io
        @is_asleep = false
        @wakes = Thread::Queue.new
      end

      def asleep?
        @is_asleep
      end

      # Starts the thread, which lasts as long as the process.
      def start
        Thread.new { run }.name = 'snakepit-watchdog'
      end

      # Tells the thread that the main loop has work.
      def wake
        @is_asleep = false
        @wakes << true
      end

      private

      def run
        loop do
          watch
          @is_asleep = true
          # The main loop may have gone to work in between and missed the flag.
          wake unless @intake.idle?
          @wakes.pop
          @wakes.clear
        end
      end

      # Ticks until the main loop has been idle for some ticks.
      def watch
        quiet = 0
        while quiet < QUIET_TICKS
          if stuck?
            quiet = 0
            read_instead
            next
          end
          @seen_turn = @loop.turn
          quiet = @intake.idle? ? quiet + 1 : 0
          sleep TICK_SECONDS
        end
      end

      def stuck?
        !@intake.idle? && @loop.turn == @seen_turn
      end

      def read_instead
        @intake.flush_for_main
        return unless @io.wait_readable(TICK_SECONDS) && stuck?

        # Otherwise the main thread is reading after all.
        sleep 0.001 unless @intake.read_for_main
      end
    end
  end
end
