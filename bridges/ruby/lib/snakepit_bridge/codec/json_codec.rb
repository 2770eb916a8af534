# frozen_string_literal: true

require 'json'

require_relative '../errors'
require_relative '../text'
require_relative '../typed_array'
require_relative 'plain'
require_relative 'received'

module Snakepit
  module Codec
    # @private Values as JSON: plain text where that loses nothing, else the protocol's tagged form.
    class JsonCodec
      TAGGED = 0x80
      SAFE = 2**53 - 1
      SAFE_INTEGERS = (-SAFE..SAFE).freeze
      # What the protocol wraps around a value is never deeper.
      SPARE_LEVELS = 4

      def name
        'json'
      end

      # `tagged`: whether there is the extended form, as there is under v2.
      def initialize(max_depth, tagged: true)
        @max_depth = max_depth
        @tagged = tagged
      end

      # A body, and the flags that go with it. Raises UnencodableValue. `envelope` levels of the value are the protocol's own.
      def encode(value, root = 'result', envelope: 0)
        levels = @max_depth + envelope
        return [generate(value), 0] if plain?(value, levels)

        plain = Plain.of(value, root, levels)
        return [generate(shortest(plain)), 0] if plain?(plain, levels, true)
        return encode_untagged(plain, root, levels) unless @tagged

        require_relative 'tags'
        [Tags.encode(plain) { |tagged| generate(shortest(tagged)) }, TAGGED]
      end
      alias encode_apart encode

      # The value of a body, which may be nested `envelope` deeper than a value. Raises ProtocolError if it is malformed, RefusedValue if
      # it is nested too deeply.
      def decode(body, flags = 0, envelope: 0)
        levels = @max_depth + envelope
        if (flags & TAGGED).zero?
          return nil if body.empty?

          Received.check(parse(body), levels, @max_depth)
        else
          require_relative 'tags'
          Tags.decode(body, levels, @max_depth) { |text| parse(text) }
        end
      end

      # Like `decode`, for a body without tags.
      def decode_plain(body)
        decode(body)
      end

      # Whether a decoded value is one that `decode` would return: it was `decode` that returned it.
      def received?(*)
        true
      end

      # Like `encode`, without flags; nil where there is more to it.
      def encode_plain(value)
        generate(value) if plain?(value, @max_depth)
      end

      private

      def generate(value)
        JSON.generate(value, max_nesting: 0).force_encoding(Encoding::BINARY)
      end

      def parse(bytes)
        text = bytes.dup.force_encoding(Encoding::UTF_8)
        raise ProtocolError, 'malformed JSON from the host: it is not valid UTF-8' unless text.valid_encoding?

        JSON.parse(text, max_nesting: 2 * (@max_depth + SPARE_LEVELS), create_additions: false)
      rescue JSON::NestingError
        raise RefusedValue, "nested too deeply; at most #{@max_depth} levels are allowed"
      rescue JSON::ParserError, EncodingError => error
        raise ProtocolError, "malformed JSON from the host: #{Text.clipped(error.message, 200)}"
      end

      # A number with an exponent, which JSON.generate writes with a `.0` too many.
      Exponential = Struct.new(:text) do
        def to_json(*)
          text
        end
      end

      def shortest(value)
        case value
        when Array then value.map { |item| shortest(item) }
        when Hash then value.transform_values { |item| shortest(item) }
        when Float then exponential?(value) ? Exponential.new(value.to_s.sub('.0e', 'e')) : value
        else value
        end
      end

      def exponential?(float)
        magnitude = float.abs
        magnitude >= 1e16 || (magnitude < 1e-4 && magnitude.positive?)
      end

      # Whether plain text carries it as it is; with `shortened`, as `shortest` makes it.
      def plain?(value, levels, shortened = false)
        case value
        when Integer then SAFE_INTEGERS.cover?(value)
        when nil, true, false then true
        when Float then value.finite? && !(value.zero? && (1 / value).negative?) && (shortened || !exponential?(value))
        when String then text?(value)
        when Hash then levels.positive? && plain_map?(value, levels - 1, shortened)
        when Array then levels.positive? && value.all? { |item| plain?(item, levels - 1, shortened) }
        else false
        end
      end

      def plain_map?(map, levels, shortened)
        strings = symbols = false
        map.each_pair do |key, value|
          case key
          when Symbol then symbols = true
          when String
            strings = true
            return false unless text?(key)
          else return false
          end
          return false unless plain?(value, levels, shortened)
        end
        !(strings && symbols)
      end

      def text?(value)
        [Encoding::UTF_8, Encoding::US_ASCII].include?(value.encoding) && value.valid_encoding? && value.instance_of?(String)
      end

      # The sign of -0.0 alone is no reason to refuse a result.
      def encode_untagged(plain, root, levels)
        unsigned = unsigned_zeros(plain)
        return [generate(shortest(unsigned)), 0] if plain?(unsigned, levels, true)

        raise UnencodableValue, "#{root}: protocol v1 with JSON cannot carry binary, times, integers beyond 53 bits, NaN and infinities; use MessagePack or protocol v2"
      end

      def unsigned_zeros(value)
        case value
        when Array then value.map { |item| unsigned_zeros(item) }
        when Hash then value.transform_values { |item| unsigned_zeros(item) }
        when Float then value + 0.0
        else value
        end
      end
    end
  end
end
