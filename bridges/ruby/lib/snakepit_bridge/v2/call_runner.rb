# frozen_string_literal: true

require_relative '../batches'
require_relative '../context'
require_relative '../error_map'
require_relative '../errors'
require_relative 'frame'

module Snakepit
  module V2
    # @private Runs calls of every kind but those that the fast path takes: with context, with meta, streaming, cancelled, malformed, or
    # of no known command.
    class CallRunner
      SLOW_SECONDS = 0.0001
      NO_META = {}.freeze

      def initialize(registry:, codec:, replies:, writer:, late_cancels:, streams:, open_calls:, runtime:, hooks:)
        @registry = registry
        @commands = registry.commands
        @codec = codec
        @replies = replies
        @writer = writer
        @late_cancels = late_cancels
        @streams = streams
        @open_calls = open_calls
        @runtime = runtime
        @hooks = hooks
      end

      # Begins a call on the main thread, and ends it unless it streams.
      def begin(call)
        id, head, body, = call
        return close_session(head, body) if id.zero?

        began = now
        command, outcome, flags = run(call, began)
        return if outcome == :streams

        finish(id, command, began)
        if flags
          @replies.encoded(id, outcome, flags, now - began)
        else
          @replies.error(id, outcome, now - began)
        end
      end

      # Answers a call of the fast path that failed.
      def fail(id, error, seconds)
        @replies.error(id, error, seconds)
      end

      private

      # The command; and body and flags of its result, or the exception, or `:streams`.
      def run(call, began)
        id, head, body, milliseconds = call
        command = nil
        if @late_cancels.key?(id)
          raise Refusal.new('CANCELLED', 'the call was cancelled before it began', started: false)
        end

        meta, arguments = open(body, Frame.flags_of(head))
        command = find(head & 0xFFFF, meta)
        refuse_plain_call_of_stream(command, head)
        @writer.flush if command.slow
        @hooks.open(meta['session'], id)
        context = context_of(command, id, meta, milliseconds, began)
        if Frame.flags_of(head) & Frame::STREAM != 0
          start_stream(command, id, arguments, context)
          return [command, :streams]
        end
        [command, *@replies.encode_result(result_of(command, arguments, context, meta))]
      rescue *ErrorMap::PASSING
        raise
      rescue Exception => error # rubocop:disable Lint/RescueException
        [command, error]
      end

      def finish(id, command, began)
        command.slow = now - began > SLOW_SECONDS if command
        @streams.forget(id)
        @runtime.metrics.flush if @runtime.metrics.due?
        @open_calls.close(id)
      end

      def result_of(command, arguments, context, meta)
        if meta['batch'] == true then Batches.run(command, arguments, context)
        elsif command.batch then Batches.run_single(command, arguments, context)
        else command.invoke(arguments, context)
        end
      end

      def start_stream(command, id, arguments, context)
        @streams.start(id) do |emit|
          if command.stream?
            run_stream(command, arguments, context, emit)
          else
            emit.call(result_of(command, arguments, context, NO_META))
          end
        end
      end

      # Values are what the command's block is called with, or else what it returns, one by one.
      def run_stream(command, arguments, context, emit)
        returned = command.invoke(arguments, context, &emit)
        return if command.takes_block? || (command.method? && !returned.is_a?(Enumerator))
        return returned.each(&emit) if returned.respond_to?(:each) && !returned.is_a?(Hash)

        raise Refusal.new('INVALID_RESULT', "'#{command.name}' is a stream, yet returned #{returned.class}; return an Enumerator, or take a block and call it with each value")
      end

      # Meta and arguments.
      def open(body, flags)
        return [NO_META, @codec.decode(body, flags)] if flags & Frame::META == 0

        value = @codec.decode(body, flags, envelope: 1)
        unless value.is_a?(Array) && value.size == 2 && (value.first.nil? || value.first.is_a?(Hash))
          raise ProtocolError, 'a call with meta is no [meta, arguments]'
        end

        [value.first || NO_META, value.last]
      rescue RefusedValue => error
        raise InvalidArguments, "the arguments are #{error.message}"
      end

      def find(index, meta)
        name = meta['command'] if index == Frame::NAMED_COMMAND
        command = name ? @registry.find(name) : @commands[index]
        command || raise(@registry.unknown(name ? "named '#{name}'" : "of index #{index}"))
      end

      def refuse_plain_call_of_stream(command, head)
        return if !command.stream? || Frame.flags_of(head) & Frame::STREAM != 0

        raise InvalidArguments, "#{command.name} is a stream; call it as one"
      end

      # A context for commands that take one, else nil.
      def context_of(command, id, meta, milliseconds, began)
        return nil unless command.takes_context?

        @open_calls.open(id)
        Context.new(@runtime, command.name, id, milliseconds && began + milliseconds / 1000.0, meta)
      end

      def close_session(head, body)
        raise ProtocolError, 'a CALL with the id 0' unless head >> 24 == Frame::SESSION_CLOSED

        @hooks.close(@codec.decode(body, Frame.flags_of(head)))
      end

      def now
        Process.clock_gettime(Process::CLOCK_MONOTONIC)
      end
    end
  end
end
