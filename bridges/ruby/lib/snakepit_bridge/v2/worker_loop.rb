# frozen_string_literal: true

require_relative '../encoder'
require_relative '../process_end'
require_relative 'call_runner'
require_relative 'fast_path'
require_relative 'host_calls'
require_relative 'intake'
require_relative 'open_calls'
require_relative 'replies'
require_relative 'runtime'
require_relative 'session_hooks'
require_relative 'stream_turns'
require_relative 'switchboard'
require_relative 'watchdog'

module Snakepit
  module V2
    # @private The main loop of a v2 worker: takes calls in, runs them, sends answers out. The main thread runs commands in order, and
    # lets streams take turns between them.
    class WorkerLoop
      attr_reader :turn, :runtime

      def initialize(io:, reader:, writer:, codec:, registry:, hello:)
        @turn = 0
        @is_stopping = false
        @writer = writer
        @waiting = []
        encoder = Encoder.new(codec, hello.max_frame_bytes)
        build(io, reader, codec, registry, hello, encoder)
      end

      def start
        @watchdog.start
      end

      # Serves until the host asks for the end, and the calls at hand are answered. Raises HostGone, ProtocolError, and SystemExit of
      # commands.
      def serve
        until @is_stopping && drained?
          ProcessEnd.exit_if_terminated
          @intake.look
          @turn += 1
          @watchdog.wake if @watchdog.asleep?
          @fast_path.run unless @waiting.empty?
          @streams.run(@runtime.metrics) unless @streams.runnable.empty?
          @open_calls.running_id = 0
          @writer.flush if @waiting.empty?
        end
      end

      # Closes what is open, so that clean-up code runs.
      def wind_down
        @streams.close_all
      end

      private

      def build(io, reader, codec, registry, hello, encoder)
        late_cancels = {}
        replies = Replies.new(@writer, encoder)
        @open_calls = OpenCalls.new(@writer)
        host_calls = HostCalls.new(@writer, codec, encoder)
        @intake = Intake.new(io, reader, @writer, @waiting)
        @streams = StreamTurns.new(replies, @open_calls, @intake, hello.stream_credit)
        @runtime = Runtime.new(
          encoder: encoder, writer: @writer, host_calls: host_calls, late_cancels: late_cancels, intake: @intake,
          streams: @streams, open_calls: @open_calls
        )
        hooks = SessionHooks.new(registry, @runtime)
        runner = CallRunner.new(
          registry: registry, codec: codec, replies: replies, writer: @writer, late_cancels: late_cancels,
          streams: @streams, open_calls: @open_calls, runtime: @runtime, hooks: hooks
        )
        @fast_path = FastPath.new(
          registry: registry, waiting: @waiting, codec: codec, writer: @writer, replies: replies, call_runner: runner,
          open_calls: @open_calls, max_frame_bytes: hello.max_frame_bytes, skips_meta: !hooks.any?
        )
        switchboard = Switchboard.new(
          waiting: @waiting, late_cancels: late_cancels, streams: @streams, host_calls: host_calls, replies: replies,
          writer: @writer, stop: -> { @is_stopping = true }
        )
        @intake.connect(switchboard, @streams.runnable)
        @watchdog = Watchdog.new(self, @intake, io)
      end

      def drained?
        @waiting.empty? && @streams.empty?
      end
    end
  end
end
