# frozen_string_literal: true

require_relative '../errors'
require_relative '../process_end'

module Snakepit
  module V2
    # @private Takes frames in. One thread at a time reads, whoever holds `reading`:
    #
    # - the main thread between commands (`look`),
    # - the watchdog, while a command has kept the main thread from reading (`read_for_main`),
    # - a command on the main thread that wants to know of its cancellation, or waits.
    #
    # A reader never runs commands; it queues them.
    class Intake
      attr_reader :reading, :last_look

      def initialize(io, reader, writer, waiting)
        @io = io
        @reader = reader
        @writer = writer
        @waiting = waiting
        @reading = Mutex.new
        @idle = false
        @last_look = 0.0
      end

      # Hands frames to this switchboard, and never waits while there are streams in `runnable`.
      def connect(switchboard, runnable)
        @switchboard = switchboard
        @runnable = runnable
        @on_other = switchboard.method(:on_other)
        @between = switchboard.between
        @on_other_between = switchboard.method(:on_other_between)
      end

      # Whether the main thread waits for frames, since there is nothing to do.
      def idle?
        @idle
      end

      # Between commands: takes in what arrived, and waits for it if there is nothing else to do.
      def look
        @reading.synchronize do
          @switchboard.forget_late_cancels
          # Under the lock: the watchdog may just have read.
          blocking = @waiting.empty? && @runnable.empty?
          @writer.flush if blocking
          @idle = blocking
          has_data = @reader.receive(blocking)
          @idle = false
          @last_look = now
          @reader.parse(@waiting, @on_other) if has_data
        end
      end

      # Within a command of the main thread's: takes in what arrived.
      def look_in_between
        @reading.synchronize { take_in_between(false) }
        @writer.flush
      end

      # Within a command of the main thread's: takes frames in until the block says so, or so many seconds are over.
      def read_until(seconds = nil)
        ends = seconds && now + seconds
        until yield
          left = ends && ends - now
          return if left && left <= 0

          @writer.flush
          @reading.synchronize do
            next if yield

            take_in_between(false) if @io.wait_readable(left)
          end
        end
        @writer.flush
      end

      # On the watchdog's thread: takes in what arrived; false if the main thread is reading itself.
      def read_for_main
        return false unless @reading.try_lock

        begin
          take_in_between(false)
        rescue HostGone
          ProcessEnd.with_host
        rescue ProtocolError => error
          ProcessEnd.by_protocol_error(error)
        ensure
          @reading.unlock
        end
        flush_for_main
        true
      end

      # On the watchdog's thread: sends the answers that were made before the main thread went into a long command.
      def flush_for_main
        @writer.flush
      rescue HostGone
        ProcessEnd.with_host
      end

      private

      def take_in_between(blocking)
        return unless @reader.receive(blocking)

        @last_look = now
        @reader.parse(@between, @on_other_between)
      end

      def now
        Process.clock_gettime(Process::CLOCK_MONOTONIC)
      end
    end
  end
end
