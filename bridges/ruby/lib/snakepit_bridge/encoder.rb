# frozen_string_literal: true

require_relative 'error_map'
require_relative 'errors'

module Snakepit
  # @private What commands made, as bodies within a connection's limits.
  class Encoder
    attr_reader :max_frame_bytes

    def initialize(codec, max_frame_bytes)
      @codec = codec
      @max_frame_bytes = max_frame_bytes
    end

    # Body and flags of a value, for any thread. Raises Refusal where that is impossible.
    def encode(value, root = 'result', envelope: 0)
      body, flags = @codec.encode_apart(value, root, envelope: envelope)
      check_size(body, root)
      [body, flags]
    rescue UnencodableValue => error
      raise Refusal.new('INVALID_RESULT', error.message), cause: nil
    end

    # The map of an exception with the data that it carries, as far as that can be sent: it is a courtesy.
    def error_map(error)
      map = ErrorMap.of(error)
      data = ErrorMap.data_of(error)
      map['data'] = data if !data.nil? && sendable?(data)
      map
    end

    # Raises Refusal where a body is too large.
    def check_size(body, root = 'result')
      return if body.bytesize <= @max_frame_bytes

      raise Refusal.new('FRAME_TOO_LARGE', "the #{root} takes #{body.bytesize} bytes, more than maxFrameBytes of #{@max_frame_bytes}; stream it in parts")
    end

    private

    def sendable?(data)
      body, = @codec.encode_apart(data, 'data')
      body.bytesize <= @max_frame_bytes / 2
    rescue StandardError
      false
    end
  end
end
