# frozen_string_literal: true

require_relative '../errors'

module Snakepit
  module Codec
    # @private What a received value must be: nested no deeper than allowed, its texts valid, its keys texts.
    module Received
      # The instants that a Date of JavaScript can be, in seconds since the epoch.
      SECONDS = (-8_640_000_000_000..8_640_000_000_000).freeze

      module_function

      # The value. Raises ProtocolError, and RefusedValue where it is nested too deeply.
      def check(value, levels, max_depth)
        case value
        when String
          raise ProtocolError, 'a text from the host is not valid UTF-8' unless value.valid_encoding?
        when Hash
          deepen(levels, max_depth)
          value.each_pair do |key, item|
            check_key(key)
            check(item, levels - 1, max_depth)
          end
        when Array
          deepen(levels, max_depth)
          value.each { |item| check(item, levels - 1, max_depth) }
        end
        value
      end

      def deepen(levels, max_depth)
        raise RefusedValue, "nested too deeply; at most #{max_depth} levels are allowed" unless levels.positive?
      end

      def check_key(key)
        return if key.is_a?(String) && key.encoding != Encoding::BINARY && key.valid_encoding?

        raise ProtocolError, 'a key of a map from the host is no text'
      end
    end
  end
end
