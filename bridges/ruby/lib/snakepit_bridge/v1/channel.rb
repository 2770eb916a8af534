# frozen_string_literal: true

require_relative '../codec/codec'
require_relative '../errors'

module Snakepit
  module V1
    # @private Messages of v1: a length of four bytes, then JSON text or one MessagePack map.
    class Channel
      MAX_BYTES = 256 * 1024 * 1024
      MAX_DEPTH = 64
      # What surrounds arguments and results.
      ENVELOPE = 1
      BRACE = 0x7b

      attr_reader :codec

      # Reserves stdin and stdout for the protocol, as `[source, sink]`; whatever is printed goes to stderr from now on.
      def self.take_over_stdio
        source = $stdin.dup
        sink = $stdout.dup
        [source, sink].each(&:binmode)
        $stdout.flush
        $stdout.reopen($stderr)
        $stdout.sync = true
        $stdin.reopen(File::NULL)
        [source, sink]
      end

      def initialize(source, sink, codec_name)
        @source = source
        @sink = sink
        use(codec_name)
      end

      # Switches to another codec.
      def use(codec_name)
        @codec = Codec.create(codec_name, MAX_DEPTH, tagged: false)
      end

      # The next message, or nil at the end. Raises ProtocolError.
      def read
        header = @source.read(4)
        return nil if header.nil?

        length = header.bytesize == 4 ? header.unpack1('N') : 0
        raise ProtocolError, "a message of #{length} bytes exceeds #{MAX_BYTES}" if length > MAX_BYTES

        body = @source.read(length) || ''
        raise ProtocolError, 'the input ends within a message' if header.bytesize < 4 || body.bytesize < length

        message = decode(body)
        message.is_a?(Hash) ? message : raise(ProtocolError, 'a message that is not a map')
      end

      # Sends a message. Raises UnencodableValue, Refusal, and SystemCallError or IOError if the host is gone.
      def write(message)
        body, = @codec.encode(message, 'reply', envelope: ENVELOPE)
        if body.bytesize > MAX_BYTES
          raise Refusal.new('FRAME_TOO_LARGE', "the result takes #{body.bytesize} bytes, more than #{MAX_BYTES}")
        end

        @sink.write([body.bytesize].pack('N'), body)
        @sink.flush
      end

      private

      # A host that was not sure of us yet may have sent JSON; no MessagePack map begins with a brace.
      def decode(body)
        codec = body.getbyte(0) == BRACE ? Codec.create('json', MAX_DEPTH, tagged: false) : @codec
        codec.decode(body, 0, envelope: ENVELOPE)
      rescue RefusedValue => error
        raise ProtocolError, "a message #{error.message}"
      end
    end
  end
end
