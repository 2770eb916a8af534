# frozen_string_literal: true

require 'io/wait'

require_relative '../codec/codec'
require_relative '../error_map'
require_relative '../process_end'
require_relative 'hello'
require_relative 'reader'
require_relative 'startup_guard'
require_relative 'worker_loop'
require_relative 'writer'

module Snakepit
  module V2
    # @private Serves protocol v2 from the hello to the end of the process.
    class Server
      def initialize(descriptor)
        # Two objects for one socket: what is read must not get mixed up with what is written.
        @input = IO.for_fd(descriptor, 'rb', autoclose: false)
        @output = IO.for_fd(descriptor, 'wb', autoclose: false)
        @input.close_on_exec = true
        @output.sync = true
        @reader = FrameReader.new(@input, 0)
        @writer = FrameWriter.new(@output)
        @owner = Process.pid
        ForkGuard.after_fork { leave_to_parent }
      end

      # Serves the commands of the Registry that the block returns, until the host asks for the end. Raises SystemExit if the worker
      # cannot start. If the host goes away or breaks the protocol, the process ends here.
      def serve(&load)
        registry, loop = start(&load)
        ProcessEnd.die_with_host
        serve_until_end(registry, loop)
      rescue HostGone
        ProcessEnd.with_host
      rescue ProtocolError => error
        ProcessEnd.by_protocol_error(error.message)
      ensure
        @writer.flush_at_exit
      end

      private

      def start
        hello = HostHello.read(@reader)
        registry, loop, codec = StartupGuard.during(@input) { prepare(hello) { yield } }
        @writer.open(WorkerHello.ready(codec.name, registry, ProcessEnd.stack_signal))
        [registry, loop]
      end

      def prepare(hello)
        codec = Codec.create(hello.codec, hello.max_depth)
        registry = yield
        loop = WorkerLoop.new(io: @input, reader: @reader, writer: @writer, codec: codec, registry: registry, hello: hello)
        Snakepit.runtime = loop.runtime
        registry.hooks(:start).each(&:call)
        loop.start
        [registry, loop, codec]
      rescue Exception => error # rubocop:disable Lint/RescueException
        raise if error.is_a?(SystemExit) && ProcessEnd.terminated?

        refuse(error)
      end

      def refuse(error)
        @writer.open(WorkerHello.failed(ErrorMap.of(error)))
        ProcessEnd.complain("the worker cannot start: #{error.class}: #{error.message}")
        raise SystemExit.new(error.is_a?(SystemExit) ? error.status : 1), cause: nil
      end

      def serve_until_end(registry, loop)
        loop.serve
      ensure
        # A child that a command has forked, and that it lets end by `exit`, passes by here.
        if Process.pid == @owner
          ProcessEnd.ignore_termination
          loop.wind_down
          registry.hooks(:shutdown).each { |hook| run_last(hook) }
        end
      end

      def run_last(hook)
        hook.call
      rescue StandardError => error
        ProcessEnd.complain("on_shutdown failed: #{error.class}: #{error.message}")
      end

      # In a forked child: the connection is the parent's alone.
      def leave_to_parent
        @writer.close
        Snakepit.runtime = nil
        @input.autoclose = true
        @input.close
      end
    end
  end
end
