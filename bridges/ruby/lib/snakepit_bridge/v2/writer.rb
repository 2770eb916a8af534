# frozen_string_literal: true

require 'monitor'

require_relative '../errors'
require_relative 'frame'

module Snakepit
  module V2
    # @private Collects frames of any thread and sends them in the order in which they were added.
    #
    # Adding one whole frame to `out` is a single step under the interpreter's lock, so that the hot path needs no lock of its own.
    # Only sending takes one.
    class FrameWriter
      LARGE_BYTES = 64 * 1024
      EMPTY = String.new(encoding: Encoding::BINARY).freeze

      attr_reader :out

      def initialize(io)
        @io = io
        @out = String.new(capacity: LARGE_BYTES, encoding: Encoding::BINARY)
        @lock = Monitor.new
        @is_ready = false
        @is_closed = false
        @is_sending = false
      end

      # Sends the hello, and after it what was added before. Raises HostGone.
      def open(hello)
        @out.insert(0, hello)
        @is_ready = true
        flush
      end

      # Adds a frame, to be sent by the next flush; a large one is sent at once. Raises HostGone.
      def add(kind, id, flags = 0, aux = 0, body = EMPTY)
        header = [body.bytesize, Frame.head(kind, flags, aux), id].pack(Frame::HEADER)
        return @out.concat(header, body) if body.bytesize < LARGE_BYTES || !@is_ready

        @lock.synchronize do
          # A finalizer may run while this thread sends.
          return @out.concat(header, body) if @is_sending

          send_collected
          send_now(header, body)
        end
      end

      # Sends what was added. Raises HostGone.
      def flush
        @lock.synchronize { send_collected } if @is_ready && !@out.empty?
      end

      # Drops whatever is still added from now on.
      def close
        @is_closed = true
      end

      # Sends what was added, if the host is still there.
      def flush_at_exit
        flush
      rescue HostGone
        nil
      end

      private

      def send_collected
        send_now(@out.slice!(0, @out.bytesize)) unless @is_sending || @out.empty?
      end

      def send_now(*parts)
        return if @is_closed

        is_sent = false
        @is_sending = true
        @io.write(*parts)
        is_sent = true
      rescue SystemCallError, IOError
        raise HostGone
      ensure
        @is_sending = false
        # Interrupted within a frame: nothing sensible can follow.
        @is_closed = true unless is_sent
      end
    end
  end
end
