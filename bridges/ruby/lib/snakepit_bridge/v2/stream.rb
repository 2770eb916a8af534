# frozen_string_literal: true

require 'fiber'

require_relative '../error_map'
require_relative '../errors'

module Snakepit
  module V2
    # @private One stream. Its command runs in a Fiber, which is left whenever there is no credit or others shall have their turn.
    #
    # The reading thread adds to `granted`, and registers it before the command starts, so that credit and cancellation always find it.
    class Stream
      SLICE_CHUNKS = 32
      SLICE_SECONDS = 0.0001

      attr_reader :call_id, :seconds
      attr_accessor :parked, :failure

      def initialize(call_id, credit, replies, wait)
        @call_id = call_id
        @granted = credit
        @sent = 0
        @replies = replies
        @wait = wait
        @parked = false
        @is_cancelled = false
        @is_over = false
        @seconds = 0.0
        @lock = Mutex.new
        @changed = ConditionVariable.new
      end

      def grant(chunks)
        @lock.synchronize do
          @granted += chunks
          @changed.broadcast
        end
      end

      def mark_cancelled
        @lock.synchronize do
          @is_cancelled = true
          @changed.broadcast
        end
      end

      def cancelled?
        @is_cancelled
      end

      def credit?
        @granted > @sent
      end

      def over?
        @is_over
      end

      # Has the block run by the following turns; it is given what takes values.
      def start
        @fiber = Fiber.new do
          yield method(:emit)
        rescue *ErrorMap::PASSING
          raise
        rescue Exception => error # rubocop:disable Lint/RescueException
          @failure = error
        ensure
          @is_over = true
        end
      end

      # Lets it run until it is over, or it gives up its turn.
      def advance
        @left = SLICE_CHUNKS
        began = now
        @slice_end = began + SLICE_SECONDS
        @fiber.resume
      ensure
        @seconds += now - began
      end

      # Ends it where it stands, so that its clean-up code runs.
      def close
        mark_cancelled
        advance if @fiber&.alive? && !@is_over
      end

      # Answers the call: it ended, failed, or was cancelled.
      def answer
        if @is_cancelled && !@failure.nil?
          @replies.error(@call_id, Cancelled.new("the stream was cancelled#{clean_up_note}"), @seconds)
        elsif @failure
          @replies.error(@call_id, @failure, @seconds)
        else
          @replies.ended(@call_id, @seconds)
        end
      end

      private

      # Sends a value; called by the command. Raises Cancelled.
      def emit(value)
        wait_for_credit
        raise Cancelled, 'the stream was cancelled' if @is_cancelled

        @replies.chunk(@call_id, value)
        @sent += 1
        @left -= 1
        give_up_turn if own_fiber? && (@left <= 0 || @sent >= @granted || now > @slice_end)
        raise Cancelled, 'the stream was cancelled' if @is_cancelled

        nil
      end

      def wait_for_credit
        until credit? || @is_cancelled
          if own_fiber? then give_up_turn
          elsif Thread.current.equal?(Thread.main) then @wait.call { credit? || @is_cancelled }
          else @lock.synchronize { @changed.wait(@lock) unless credit? || @is_cancelled }
          end
        end
      end

      def give_up_turn
        Fiber.yield
      end

      def own_fiber?
        Fiber.current.equal?(@fiber)
      end

      # Cancelled itself says nothing that is not known.
      def clean_up_note
        @failure.is_a?(Cancelled) ? '' : "; its clean-up failed: #{@failure.class}: #{@failure.message}"
      end

      def now
        Process.clock_gettime(Process::CLOCK_MONOTONIC)
      end
    end
  end
end
