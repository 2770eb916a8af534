# frozen_string_literal: true

require_relative '../errors'
require_relative 'frame'

module Snakepit
  module V2
    # @private Splits what arrives into frames; the caller makes sure that one thread reads at a time.
    class FrameReader
      READ_BYTES = 64 * 1024
      LARGE_READ_BYTES = 1024 * 1024
      OPENING_BYTES = Frame::HEADER_BYTES + 4
      KIND_AND_STREAM = Frame.head(0xFF, Frame::STREAM)
      PLAIN_CALL = Frame.head(Frame::CALL)
      DEADLINE = Frame.head(0, Frame::DEADLINE)

      attr_accessor :max_frame_bytes

      def initialize(io, max_frame_bytes)
        @io = io
        @max_frame_bytes = max_frame_bytes
        @buffer = String.new(encoding: Encoding::BINARY)
        @chunk = String.new(encoding: Encoding::BINARY)
        # Bytes that are still missing of a frame that has begun.
        @missing = 0
      end

      # Takes in what the socket has; false if there was nothing. Raises HostGone at its end.
      def receive(blocking)
        @io.wait_readable if blocking
        size = @missing > READ_BYTES ? [@missing, LARGE_READ_BYTES].min : READ_BYTES
        case @io.read_nonblock(size, @chunk, exception: false)
        when :wait_readable then return false
        when nil then raise HostGone
        end
        if @buffer.empty?
          @buffer, @chunk = @chunk, @buffer
        else
          @buffer << @chunk
        end
        true
      rescue SystemCallError, IOError
        raise HostGone
      end

      # Hands over every complete frame in order of arrival: calls that take no stream go to `calls`, by `<<` as `[id, head, body,
      # milliseconds]`, all others to `on_other(kind, head, id, body)`. Raises ProtocolError.
      def parse(calls, on_other)
        buffer = @buffer
        start = 0
        size = buffer.bytesize
        @missing = 0
        while size - start >= Frame::HEADER_BYTES
          length, head, id, milliseconds = opening(buffer, start)
          raise ProtocolError, "a frame of #{length} bytes exceeds maxFrameBytes of #{@max_frame_bytes}" if length > @max_frame_bytes

          begins = start + Frame::HEADER_BYTES
          ends = begins + length
          if ends > size
            @missing = ends - size
            break
          end
          start = ends
          if head & KIND_AND_STREAM == PLAIN_CALL
            calls << call_of(buffer, begins, ends, head, id, milliseconds)
          else
            on_other.call(head >> 24, head, id, buffer.byteslice(begins, length))
          end
        end
      ensure
        rest(buffer, start, size)
      end

      private

      # Length, head and id of the frame that starts there, and the number after them, which may be missing.
      if RUBY_VERSION >= '3.1'
        def opening(buffer, start)
          buffer.unpack('N4', offset: start)
        end
      else
        def opening(buffer, start)
          buffer.byteslice(start, OPENING_BYTES).unpack('N4')
        end
      end

      def call_of(buffer, begins, ends, head, id, milliseconds)
        if head & DEADLINE != 0
          begins += 4
          raise ProtocolError, 'a call with a deadline has a body of less than 4 bytes' if begins > ends
        end
        [id, head, buffer.byteslice(begins, ends - begins), milliseconds]
      end

      def rest(buffer, start, size)
        if start == size
          buffer.clear
        elsif start.positive?
          @buffer = buffer.byteslice(start, size - start)
        end
      end
    end
  end
end
