# frozen_string_literal: true

require_relative '../batches'
require_relative '../encoder'
require_relative '../error_map'
require_relative 'frame'

module Snakepit
  module V2
    # @private Adds answers to the writer; each ends its call, save `chunk`. Service times are in seconds.
    class Replies
      attr_reader :encoder

      def initialize(writer, encoder)
        @writer = writer
        @encoder = encoder
      end

      # Answers by RESULT with what `encode_result` gave.
      def encoded(id, body, flags, seconds)
        @writer.add(Frame::RESULT, id, flags, Frame.service_time(seconds), body)
      end

      # Body and flags of a result. Raises Refusal where it cannot be sent.
      def encode_result(value)
        value.is_a?(Batches::Answer) ? Batches.encode(value, @encoder) : @encoder.encode(value)
      end

      # Sends one value of a stream. Raises Refusal if it cannot be sent.
      def chunk(id, value)
        body, flags = @encoder.encode(value, 'chunk')
        @writer.add(Frame::CHUNK, id, flags, 0, body)
      end

      def ended(id, seconds)
        @writer.add(Frame::ENDED, id, 0, Frame.service_time(seconds))
      end

      # Answers by ERROR for an exception.
      def error(id, error, seconds = 0.0)
        map = @encoder.error_map(error)
        begin
          body, flags = @encoder.encode(map, 'error', envelope: 1)
        rescue Refusal
          body, flags = @encoder.encode(ErrorMap.shortened(map), 'error', envelope: 1)
        end
        @writer.add(Frame::ERROR, id, flags, Frame.service_time(seconds), body)
      end
    end
  end
end
