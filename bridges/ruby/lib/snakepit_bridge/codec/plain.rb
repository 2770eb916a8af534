# frozen_string_literal: true

require_relative '../errors'
require_relative '../typed_array'

module Snakepit
  module Codec
    # @private Turns what commands return into the values that the wire knows: nil, true, false, Integer, Float, String (UTF-8 text or
    # binary), Time, TypedArray, Array, and Hash with keys of text.
    #
    # This is the slow path of both codecs: it runs only when a value does not encode as it is, converts what has an obvious plain
    # form, and names the path to what has none.
    class Plain
      INTEGERS = (-(2**63)..(2**64 - 1)).freeze
      # Classes that have a text of their own, by name: they are there only if somebody has loaded them.
      TEXTS = { 'BigDecimal' => ->(value) { value.to_s('F') }, 'Date' => :iso8601.to_proc, 'URI::Generic' => :to_s.to_proc, 'Pathname' => :to_s.to_proc }.freeze

      # `root` begins the path in messages. Raises UnencodableValue.
      def self.of(value, root, max_depth)
        new(root, max_depth).convert(value)
      end

      def initialize(root, max_depth)
        @root = root
        @max_depth = max_depth
        @path = []
        @open = {}.compare_by_identity
      end

      def convert(value)
        case value
        when nil, true, false, Float, TypedArray then value
        when Integer then integer(value)
        when String then text(value)
        when Symbol then text(value.name)
        when Array then inside(value) { list(value) }
        when Hash then inside(value) { map(value) }
        when Time then value
        else other(value)
        end
      end

      private

      def other(value)
        return value.to_time if defined?(::DateTime) && value.is_a?(::DateTime)

        TEXTS.each { |name, convert| return text(convert.call(value)) if value.class.ancestors.any? { |each| each.name == name } }
        fail_at("#{value.class}; convert it to a list, or declare the command as a stream") if value.is_a?(Enumerator)
        fail_at("#{value.class}; convert it to a list, by to_a") if value.is_a?(Enumerable) && !value.is_a?(Struct)
        fail_at("#{value.class}; convert it to a Float, or to a string") if value.is_a?(Numeric)
        return inside(value) { convert(value.to_h) } if value.respond_to?(:to_h)

        fail_at("#{value.class}; convert it to a Hash, an Array, a String or a number, or give its class a method to_h")
      end

      def inside(value)
        fail_at('the value contains itself; break the cycle') if @open.key?(value)
        fail_at(too_deep) if @open.size > 4 * @max_depth
        @open[value] = true
        yield.tap { @open.delete(value) }
      end

      def list(values)
        enter
        @path << nil
        result = values.each_with_index.map do |value, index|
          @path[-1] = index
          convert(value)
        end
        @path.pop
        result
      end

      def map(values)
        enter
        result = {}
        @path << nil
        values.each do |key, value|
          @path[-1] = key
          name = key_of(key)
          fail_at("two keys have the text '#{name}'; keep one") if result.key?(name)
          result[name] = convert(value)
        end
        @path.pop
        result
      end

      def enter
        fail_at(too_deep) if @path.size >= @max_depth
      end

      def too_deep
        "nested too deeply; at most #{@max_depth} levels are allowed"
      end

      # Keys of numbers, true, false and nil become the text that JSON has for them.
      def key_of(key)
        case key
        when Symbol then readable(key.name)
        when String then readable(key)
        when Integer, Float, true, false then key.to_s
        when nil then 'null'
        else fail_at("a key is a #{key.class}; make it a string")
        end
      end

      def integer(value)
        INTEGERS.cover?(value) ? value : fail_at('the integer does not fit 64 bits; convert it to a string')
      end

      # A string of encoding ASCII-8BIT is binary; all others are text.
      def text(value)
        value.encoding == Encoding::BINARY ? plain_string(value) : readable(value)
      end

      def readable(value)
        text = plain_string(value)
        text = text.dup.force_encoding(Encoding::UTF_8) if text.encoding == Encoding::BINARY
        text = text.encode(Encoding::UTF_8) unless text.encoding == Encoding::UTF_8
        return text if text.valid_encoding?

        fail_at('the string is not valid UTF-8; mark it as binary by .b, or clean it by .scrub')
      rescue EncodingError => error
        fail_at("the string cannot be converted to UTF-8 (#{error.message}); mark it as binary by .b")
      end

      def plain_string(value)
        value.instance_of?(String) ? value : String.new(value)
      end

      def fail_at(reason)
        raise UnencodableValue, "#{@root}#{@path.map { |key| step(key) }.join}: #{reason}"
      end

      def step(key)
        return "[#{key}]" if key.is_a?(Integer)

        text = key.to_s
        /\A[A-Za-z_]\w*\z/.match?(text) ? ".#{text}" : "[#{text.inspect[0, 60]}]"
      rescue StandardError
        '[?]'
      end
    end
  end
end
