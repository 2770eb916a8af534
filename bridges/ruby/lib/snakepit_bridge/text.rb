# frozen_string_literal: true

module Snakepit
  # @private Texts within bounds, which the wire can carry.
  module Text
    MAX_MESSAGE = 32 * 1024
    MAX_FIELDS = 50
    MAX_FIELD = 1000

    module_function

    # The text in UTF-8, with what cannot be read as such escaped.
    def printable(text)
      text = text.encode(Encoding::UTF_8) unless [Encoding::UTF_8, Encoding::BINARY].include?(text.encoding)
      text = text.dup.force_encoding(Encoding::UTF_8) if text.encoding == Encoding::BINARY
      text.valid_encoding? ? text : text.scrub { |bytes| bytes.unpack('C*').map { |byte| format('\\x%02x', byte) }.join }
    rescue EncodingError
      printable(text.b)
    end

    # The beginning and the end of a text that is too long: the end of a traceback says what happened.
    def clipped(text, limit = MAX_MESSAGE)
      return text if text.size <= limit

      half = limit / 2
      "#{text[0, half]} … #{text.size - 2 * half} characters are left out … #{text[-half, half]}"
    end

    # Fields of a log record that cannot be sent as they are, because they cannot be encoded or are too large.
    def fields(fields)
      fields.first(MAX_FIELDS).to_h { |key, value| [printable(key.to_s), printable(clipped(text_of(value), MAX_FIELD))] }
    end

    def text_of(value)
      value.is_a?(String) ? printable(value) : value.inspect
    rescue StandardError => error
      "<a #{value.class} whose inspect failed: #{error.class}>"
    end
  end
end
