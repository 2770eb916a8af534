# frozen_string_literal: true

module Snakepit
  # A row of numbers of one type, such as a Float64Array of the host's.
  #
  # `type` is its name on the wire: i1, u1c (clamped), i2, u2, i4, u4, i8, u8, f4, f8, or raw (a DataView); `bytes` are the
  # elements, little-endian, as a binary string.
  class TypedArray
    include Enumerable

    # Code of MessagePack, bytes of an element, and directive of String#unpack, by name.
    TYPES = {
      'i1' => [1, 1, 'c*'],
      'u1c' => [2, 1, 'C*'],
      'i2' => [3, 2, 's<*'],
      'u2' => [4, 2, 'S<*'],
      'i4' => [5, 4, 'l<*'],
      'u4' => [6, 4, 'L<*'],
      'i8' => [7, 8, 'q<*'],
      'u8' => [8, 8, 'Q<*'],
      'f4' => [9, 4, 'e*'],
      'f8' => [10, 8, 'E*'],
      'raw' => [11, 1, 'C*']
    }.freeze
    NAMES = TYPES.to_h { |name, (code, _)| [code, name] }.freeze

    attr_reader :type, :bytes

    # From numbers: `TypedArray.of('f8', [0.5, 1.5])`.
    def self.of(type, numbers)
      new(type, numbers.pack(directive(type)))
    end

    def self.directive(type)
      TYPES.fetch(type.to_s) { raise ArgumentError, "no element type #{type.inspect}; there are #{TYPES.keys.join(', ')}" }[2]
    end

    # From bytes; raises ArgumentError where they are no whole number of elements.
    def initialize(type, bytes)
      @type = type.to_s.freeze
      self.class.directive(@type)
      @bytes = bytes.b.freeze
      return if (@bytes.bytesize % element_bytes).zero?

      raise ArgumentError, "#{@bytes.bytesize} bytes are no whole number of elements of type #{@type}"
    end

    def element_bytes
      TYPES[@type][1]
    end

    # @private
    def code
      TYPES[@type][0]
    end

    def to_a
      @bytes.unpack(TYPES[@type][2])
    end

    def each(&block)
      to_a.each(&block)
    end

    def size
      @bytes.bytesize / element_bytes
    end

    def ==(other)
      other.is_a?(TypedArray) && type == other.type && bytes == other.bytes
    end
    alias eql? ==

    def hash
      [type, bytes].hash
    end

    def inspect
      "#<Snakepit::TypedArray #{type}[#{size}]>"
    end
  end
end
