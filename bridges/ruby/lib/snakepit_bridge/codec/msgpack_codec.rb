# frozen_string_literal: true

require 'msgpack'

require_relative '../errors'
require_relative '../typed_array'
require_relative 'plain'
require_relative 'received'

module Snakepit
  module Codec
    # @private Values as MessagePack, by the gem msgpack.
    class MsgpackCodec
      TYPED_ARRAY = 2
      BINARY = Encoding::BINARY
      UTF8 = Encoding::UTF_8
      ASCII = Encoding::US_ASCII

      def name
        'msgpack'
      end

      # `extensions`: whether typed arrays keep their type, as they do under v2.
      def initialize(max_depth, extensions: true)
        @max_depth = max_depth
        @factory = MessagePack::Factory.new
        @factory.register_type(-1, Time, packer: method(:pack_time), unpacker: method(:unpack_time))
        typed = extensions ? method(:pack_typed) : nil
        @factory.register_type(TYPED_ARRAY, TypedArray, packer: typed, unpacker: method(:unpack_typed)) if extensions
        @extensions = extensions
        @packer = @factory.packer
        @unpacker = @factory.unpacker
      end

      # A body, and the flags that go with it. Raises UnencodableValue. `envelope` levels of the value are the protocol's own.
      # For the main thread only, since it keeps a packer.
      def encode(value, root = 'result', envelope: 0)
        return [pack(@packer, value), 0] if plain?(value, @max_depth + envelope)

        [pack(@packer, plain(value, root, envelope)), 0]
      rescue RangeError
        raise UnencodableValue, "#{root}: an integer does not fit 64 bits; convert it to a string"
      end

      # Like `encode`, for any thread.
      def encode_apart(value, root = 'result', envelope: 0)
        value = plain(value, root, envelope) unless plain?(value, @max_depth + envelope)
        [pack(@factory.packer, value), 0]
      rescue RangeError
        raise UnencodableValue, "#{root}: an integer does not fit 64 bits; convert it to a string"
      end

      # The value of a body, which may be nested `envelope` deeper than a value. Raises ProtocolError if it is malformed, RefusedValue if
      # it is nested too deeply.
      def decode(body, _flags = 0, envelope: 0)
        return nil if body.empty?

        Received.check(unpack(@factory.unpacker, body), @max_depth + envelope, @max_depth)
      rescue MessagePack::StackError
        raise RefusedValue, "nested too deeply; at most #{@max_depth} levels are allowed"
      # Room is reserved for as many items as a list says that it has.
      rescue MessagePack::UnpackError, EOFError, TypeError, ArgumentError, RangeError, NoMemoryError => error
        raise ProtocolError, "malformed MessagePack from the host: #{error.message} (#{error.class})"
      end

      # Like `decode`, for the main thread and the small body of a call, and unchecked: see `received?`. Raises anything where there is
      # more to it.
      def decode_plain(body)
        return nil if body.empty?

        @unpacker.feed(body)
        @unpacker.full_unpack
      rescue StandardError, NoMemoryError
        @unpacker.reset
        raise
      end

      # Whether a decoded value is one that `decode` would return, `depth` levels below the top.
      def received?(value, depth = 0)
        received_within?(value, @max_depth - depth)
      end

      # Like `encode`, without flags; nil where there is more to it.
      def encode_plain(value)
        return nil unless Integer === value || plain?(value, @max_depth)

        @packer.write(value).full_pack
      rescue RangeError
        @packer.clear
        nil
      end

      private

      def pack(packer, value)
        packer.write(value)
        packer.full_pack
      rescue StandardError
        packer.clear
        raise
      end

      def unpack(unpacker, body)
        unpacker.feed(body)
        unpacker.full_unpack
      end

      def plain(value, root, envelope)
        Plain.of(value, root, @max_depth + envelope)
      end

      # Whether the packer may have it as it is.
      def plain?(value, levels)
        case value
        when Integer, nil, true, false, Float then true
        when String then text?(value) || (value.encoding.equal?(BINARY) && value.instance_of?(String))
        when Hash then levels.positive? && plain_map?(value, levels - 1)
        when Array
          return false unless levels.positive?

          levels -= 1
          value.all? { |item| plain?(item, levels) }
        when Time then true
        when TypedArray then @extensions
        else false
        end
      end

      def plain_map?(map, levels)
        strings = symbols = false
        map.each_pair do |key, value|
          case key
          when Symbol then symbols = true
          when String
            strings = true
            return false unless text?(key)
          else return false
          end
          return false unless plain?(value, levels)
        end
        # A symbol and a string may have the same text.
        !(strings && symbols)
      end

      def text?(value)
        encoding = value.encoding
        (encoding.equal?(UTF8) || encoding.equal?(ASCII)) && value.valid_encoding? && value.instance_of?(String)
      end

      def received_within?(value, levels)
        case value
        when Integer, nil, true, false, Float then true
        when String then value.valid_encoding?
        when Hash
          levels.positive? && value.all? { |key, item| received_key?(key) && received_within?(item, levels - 1) }
        when Array then levels.positive? && value.all? { |item| received_within?(item, levels - 1) }
        else !value.is_a?(MessagePack::ExtensionValue)
        end
      end

      def received_key?(key)
        String === key && key.encoding.equal?(UTF8) && key.valid_encoding?
      end

      def pack_time(time)
        MessagePack::Timestamp.to_msgpack_ext(time.to_i, time.nsec)
      end

      def unpack_time(data)
        stamp = MessagePack::Timestamp.from_msgpack_ext(data)
        raise ArgumentError, 'a timestamp of more than 999999999 nanoseconds' if stamp.nsec > 999_999_999
        raise ArgumentError, 'a timestamp past any date of the host' unless Received::SECONDS.cover?(stamp.sec)

        Time.at(stamp.sec, stamp.nsec, :nsec).utc
      end

      def pack_typed(array)
        array.code.chr << array.bytes
      end

      def unpack_typed(data)
        name = TypedArray::NAMES.fetch(data.getbyte(0)) { raise ArgumentError, "unknown element type #{data.getbyte(0).inspect}" }
        TypedArray.new(name, data.byteslice(1..))
      end
    end
  end
end
