# frozen_string_literal: true

require_relative '../error_map'
require_relative 'frame'

module Snakepit
  module V2
    # @private The way of the commonest call, which most of a worker's time goes into: no context, one small result.
    #
    # Nothing is done differently here than by the call runner, only in fewer steps; whatever turns out to be uncommon is left to that.
    # `quick` has the plain commands whose last run was short, by the head of a call. To find one tells all at once: it is a call that
    # wants no stream, its command is known and need not see the meta, and the answers before it need not leave first.
    class FastPath
      FLUSH_REPLIES = 32
      FLUSH_NS = 100_000
      FLUSH_BYTES = 64 * 1024
      SLOW_NS = 100_000
      RESULT = Frame.head(Frame::RESULT)
      META = Frame.head(0, Frame::META)

      # `skips_meta`: nobody needs to know a call's session.
      def initialize(registry:, waiting:, codec:, writer:, replies:, call_runner:, open_calls:, max_frame_bytes:, skips_meta:)
        @plain = plain_commands(registry, skips_meta)
        @quick = {}
        @waiting = waiting
        @codec = codec
        @writer = writer
        @replies = replies
        @call_runner = call_runner
        @open_calls = open_calls
        @small_bytes = [max_frame_bytes, FLUSH_BYTES / FLUSH_REPLIES].min
      end

      # Runs the calls that wait now, and sends answers every so often.
      def run
        most = @waiting.size
        while most.positive?
          run_some([most, FLUSH_REPLIES].min)
          most -= FLUSH_REPLIES
          @writer.flush
        end
      end

      private

      # Runs so many calls, or as many until answers should be sent.
      def run_some(most)
        waiting = @waiting
        out = @writer.out
        now = clock
        flush_at = now + FLUSH_NS
        # The watchdog may have taken cancelled calls out.
        while most.positive? && (call = waiting.shift)
          most -= 1
          id, head, body, = call
          @open_calls.running_id = id
          command = @quick[head]
          began = now
          reply = command && run_quick(command, id, head, body, began)
          begin_otherwise(call) if reply.nil?
          now = clock
          elapsed = now - began
          # A single step: other threads add frames, too.
          [reply.bytesize, RESULT | service_time(elapsed), id, reply].pack('N3a*', buffer: out) if reply
          forget(head) if elapsed > SLOW_NS && command
          return if now > flush_at || out.bytesize > FLUSH_BYTES
        end
      end

      # The body that answers a call; false if it is answered already, nil if it has not begun, since there is more to it.
      def run_quick(command, id, head, body, began)
        has_arguments = false
        arguments = @codec.decode_plain(body)
        arguments = without_meta(arguments) if head & META != 0
        if Hash === arguments && command.known_names?
          # A name that is malformed is not known: to check the values is enough.
          arguments = command.keywords_of(arguments)
          arguments.each_value { |value| Integer === value || @codec.received?(value, 1) || (return nil) }
          has_arguments = true
          result = command.invoke_named(arguments)
        else
          return nil unless @codec.received?(arguments)

          has_arguments = true
          result = command.invoke(arguments)
        end
        reply = @codec.encode_plain(result)
        return reply if reply && reply.bytesize < @small_bytes

        @replies.encoded(id, *@replies.encode_result(result), (clock - began) / 1e9)
        false
      rescue *ErrorMap::PASSING
        raise
      rescue Exception => error # rubocop:disable Lint/RescueException
        # The call runner finds the words for what is wrong with them.
        return nil unless has_arguments

        @replies.error(id, error, (clock - began) / 1e9)
        false
      end

      def without_meta(value)
        meta, arguments = value if value.is_a?(Array) && value.size == 2
        meta.is_a?(Hash) && !meta.key?('batch') ? arguments : raise(RefusedValue)
      end

      # Lets the call runner do it, and learns from it.
      def begin_otherwise(call)
        @call_runner.begin(call)
        head = call[1]
        command = @plain[head]
        @quick[head] = command if command && !command.slow
      end

      # Answers are sent before the next run of a command that has become slow.
      def forget(head)
        @plain[head].slow = true
        @quick.delete(head)
      end

      def plain_commands(registry, skips_meta)
        flags = [0, Frame::DEADLINE]
        flags += flags.map { |each| each | Frame::META } if skips_meta
        registry.commands.each_with_index.select { |command, _| command.plain? }.each_with_object({}) do |(command, index), heads|
          flags.each { |each| heads[Frame.head(Frame::CALL, each, index)] = command }
        end
      end

      def service_time(nanoseconds)
        microseconds = nanoseconds / 1000
        microseconds < Frame::MAX_SERVICE_TIME ? microseconds : Frame::MAX_SERVICE_TIME
      end

      def clock
        Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
      end
    end
  end
end
