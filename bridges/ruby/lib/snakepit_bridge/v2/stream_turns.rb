# frozen_string_literal: true

require_relative 'stream'

module Snakepit
  module V2
    # @private The streams of this worker: the reading thread registers, credits and cancels them, the main thread lets them take turns.
    #
    # One without credit is parked: it is in `runnable` no more, until credit or a cancellation arrives.
    class StreamTurns
      TURNS_SECONDS = 0.0005

      attr_reader :runnable

      def initialize(replies, open_calls, intake, credit)
        @replies = replies
        @open_calls = open_calls
        @intake = intake
        @credit = credit
        @streams = {}
        @runnable = []
      end

      def empty?
        @streams.empty?
      end

      # Notes that this call will stream.
      def register(call_id, credit = @credit)
        wait = ->(&is_over) { @intake.read_until(&is_over) }
        @streams[call_id] = Stream.new(call_id, credit, @replies, wait)
      end

      # The call is answered, or goes another way.
      def forget(call_id)
        @streams.delete(call_id)
      end

      # Whether this stream was cancelled; nil if it is no stream.
      def cancelled?(call_id)
        @streams[call_id]&.cancelled?
      end

      # Has the block run from now on, as the command of a stream.
      def start(call_id, &block)
        stream = @streams.fetch(call_id)
        stream.start(&block)
        @runnable << stream
      end

      # Adds credit. By the reading thread.
      def grant(call_id, chunks)
        stream = @streams[call_id]
        return if stream.nil?

        stream.grant(chunks)
        unpark(stream)
      end

      # Marks a stream; false if the call is none of these. By the reading thread.
      def cancel(call_id)
        stream = @streams[call_id]
        return false if stream.nil?

        stream.mark_cancelled
        unpark(stream)
        true
      end

      # Lets the runnable streams take turns, for a bounded time.
      def run(metrics)
        turns_end = now + TURNS_SECONDS
        @runnable.size.times do
          stream = @runnable.shift
          @open_calls.running_id = stream.call_id
          stream.advance
          if stream.over?
            finish(stream, metrics)
          elsif stream.cancelled? || stream.credit? || !park?(stream)
            @runnable << stream
          end
          break if now > turns_end
        end
      end

      # Closes every stream, so that its clean-up code runs; nothing is answered.
      def close_all
        @streams.each_value(&:close)
      end

      private

      def finish(stream, metrics)
        @streams.delete(stream.call_id)
        metrics.flush if metrics.due?
        @open_calls.close(stream.call_id)
        stream.answer
      end

      # Sets a stream aside; false if credit or a cancellation came meanwhile.
      def park?(stream)
        @intake.reading.synchronize { stream.parked = !stream.credit? && !stream.cancelled? }
      end

      def unpark(stream)
        return unless stream.parked

        stream.parked = false
        @runnable << stream
      end

      def now
        Process.clock_gettime(Process::CLOCK_MONOTONIC)
      end
    end
  end
end
