# frozen_string_literal: true

require 'monitor'

require_relative 'frame'

module Snakepit
  module V2
    # @private Sees to it that nothing follows the answer of a call: the host may use its id again.
    class OpenCalls
      # The call that the main thread runs, 0 for none.
      attr_accessor :running_id

      def initialize(writer)
        @writer = writer
        @ids = {}
        @lock = Monitor.new
        @main = Thread.current
        @running_id = 0
      end

      # From here until `close`, records may name the call.
      def open(id)
        @lock.synchronize { @ids[id] = true }
      end

      def close(id)
        @lock.synchronize { @ids.delete(id) }
      end

      # Adds a record to what is sent; of a call that has ended, PROGRESS is dropped and others lose the id.
      def add_record(kind, id, flags, body)
        @lock.synchronize do
          unless @ids.key?(id) || (Thread.current.equal?(@main) && id == @running_id)
            return if kind == Frame::PROGRESS

            id = 0
          end
          @writer.add(kind, id, flags, 0, body)
        end
      end
    end
  end
end
