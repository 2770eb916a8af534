# frozen_string_literal: true

module Snakepit
  module V2
    # @private Numbers of the wire, as proto/PROTOCOL.md has them. A head is kind, flags and aux in one number, as the header has it.
    module Frame
      HELLO = 0x01
      CALL = 0x10
      CANCEL = 0x11
      CREDIT = 0x12
      SHUTDOWN = 0x13
      SESSION_CLOSED = 0x14
      RELEASE = 0x15
      RESULT = 0x20
      ERROR = 0x21
      CHUNK = 0x22
      ENDED = 0x23
      PROGRESS = 0x24
      LOG = 0x25
      EVENT = 0x26
      PING = 0x30
      PONG = 0x31
      HOST_CALL = 0x40
      HOST_RESULT = 0x41
      HOST_ERROR = 0x42

      STREAM = 0x01
      DEADLINE = 0x02
      META = 0x04

      NAMED_COMMAND = 0xFFFF
      HEADER_BYTES = 12
      HEADER = 'N3'
      MAX_SERVICE_TIME = 65_535

      module_function

      def head(kind, flags = 0, aux = 0)
        kind << 24 | flags << 16 | aux
      end

      def flags_of(head)
        head >> 16 & 0xFF
      end

      def pack(kind, id, flags, aux, body)
        [body.bytesize, head(kind, flags, aux), id].pack(HEADER) << body
      end

      # Seconds as the header carries them: microseconds, 65535 for that or more.
      def service_time(seconds)
        [(seconds * 1e6).to_i, MAX_SERVICE_TIME].min
      end
    end
  end
end
