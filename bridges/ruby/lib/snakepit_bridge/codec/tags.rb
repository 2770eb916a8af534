# frozen_string_literal: true

require_relative '../errors'
require_relative '../typed_array'
require_relative 'received'

module Snakepit
  module Codec
    # @private The tagged form of JSON: what plain text cannot carry stands in it as an object with one `$` key.
    module Tags
      SAFE_INTEGERS = (-(2**53 - 1)..(2**53 - 1)).freeze
      INTEGERS = (-(2**63)..(2**64 - 1)).freeze
      FLOATS = { 'NaN' => Float::NAN, 'Infinity' => Float::INFINITY, '-Infinity' => -Float::INFINITY, '-0' => -0.0 }.freeze
      TIME = /\A([+-]\d{6}|\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{3})Z\z/.freeze

      # A plain value (see Plain) as the length of its text, the text, and the attachments; the block makes text of what JSON knows.
      def self.encode(value)
        tagger = Tagger.new
        text = yield tagger.tag(value)
        [[text.bytesize].pack('N'), text, *tagger.attachments].join
      end

      # The value of a body; the block parses text. Raises ProtocolError and RefusedValue.
      def self.decode(body, levels, max_depth)
        raise ProtocolError, 'malformed tagged JSON from the host: it ends within the length' if body.bytesize < 4

        ending = 4 + body.unpack1('N')
        raise ProtocolError, 'malformed tagged JSON from the host: the text is longer than the body' if ending > body.bytesize

        Untagger.new(body.byteslice(ending..), max_depth).untag(yield(body.byteslice(4...ending)), levels)
      end

      def self.tag?(map)
        map.size == 1 && map.first.first.start_with?('$')
      end

      # @private
      class Tagger
        attr_reader :attachments

        def initialize
          @attachments = []
          @offset = 0
        end

        def tag(value)
          case value
          when Array then value.map { |item| tag(item) }
          when Hash then map(value)
          when Integer then SAFE_INTEGERS.cover?(value) ? value : { '$int' => value.to_s }
          when Float then float(value)
          when String then value.encoding == Encoding::BINARY ? { '$bin' => attach(value) } : value
          when Time then { '$time' => time(value) }
          when TypedArray then { '$typed' => [value.type, { '$bin' => attach(value.bytes) }] }
          else value
          end
        end

        private

        def map(value)
          tagged = value.transform_values { |item| tag(item) }
          Tags.tag?(tagged) ? { '$esc' => tagged } : tagged
        end

        def float(value)
          return { '$float' => 'NaN' } if value.nan?
          return { '$float' => value.positive? ? 'Infinity' : '-Infinity' } if value.infinite?

          value.zero? && (1 / value).negative? ? { '$float' => '-0' } : value
        end

        def time(value)
          utc = value.getutc
          year = utc.year
          head = year.between?(0, 9999) ? format('%04d', year) : format('%+07d', year)
          head + utc.strftime('-%m-%dT%H:%M:%S.%LZ')
        end

        def attach(bytes)
          place = [@offset, bytes.bytesize]
          @attachments << bytes
          @offset += bytes.bytesize
          place
        end
      end

      # @private
      class Untagger
        def initialize(attachments, max_depth)
          @attachments = attachments
          # A reference takes far fewer bytes than what it refers to: each byte is copied once.
          @unread = attachments.bytesize
          @max_depth = max_depth
        end

        def untag(value, levels)
          case value
          when Array
            Received.deepen(levels, @max_depth)
            value.map { |item| untag(item, levels - 1) }
          when Hash then Tags.tag?(value) ? tagged(*value.first, levels) : members(value, levels)
          when String then Received.check(value, levels, @max_depth)
          else value
          end
        end

        private

        def members(map, levels)
          Received.deepen(levels, @max_depth)
          map.to_h do |key, item|
            Received.check_key(key)
            [key, untag(item, levels - 1)]
          end
        end

        def tagged(name, content, levels)
          case name
          when '$esc' then content.is_a?(Hash) ? members(content, levels) : bad(name, content)
          when '$bin' then bytes(content)
          when '$typed' then typed(content)
          when '$int' then integer(content)
          when '$float' then FLOATS.fetch(content) { bad(name, content) }
          when '$time' then time(content)
          else bad(name, content)
          end
        end

        def bytes(content)
          bad('$bin', content) unless content.is_a?(Array) && content.size == 2 && content.all? { |part| part.is_a?(Integer) && part >= 0 }
          offset, length = content
          bad('$bin', content) if offset + length > @attachments.bytesize || length > @unread
          @unread -= length
          @attachments.byteslice(offset, length)
        end

        def typed(content)
          type, place = content if content.is_a?(Array) && content.size == 2
          is_known = TypedArray::TYPES.key?(type) && place.is_a?(Hash) && place.size == 1 && place.key?('$bin')
          bad('$typed', content) unless is_known
          TypedArray.new(type, bytes(place['$bin']))
        rescue ArgumentError => error
          raise ProtocolError, "malformed tagged JSON from the host: #{error.message}"
        end

        def integer(content)
          bad('$int', content) unless content.is_a?(String) && /\A-?(?:0|[1-9]\d{0,19})\z/.match?(content)
          value = content.to_i
          INTEGERS.cover?(value) ? value : bad('$int', content)
        end

        def time(content)
          match = content.is_a?(String) && TIME.match(content)
          bad('$time', content) unless match
          year, month, day, hour, minute, second, milliseconds = match.captures.map { |part| part.to_i(10) }
          value = Time.utc(year, month, day, hour, minute, second, milliseconds * 1000)
          is_exact = value.day == day && value.hour == hour && value.sec == second
          is_exact && Received::SECONDS.cover?(value.to_r) ? value : bad('$time', content)
        rescue ArgumentError
          bad('$time', content)
        end

        def bad(name, content)
          raise ProtocolError, "malformed tagged JSON from the host: bad tag {#{name}: #{content.inspect[0, 80]}}"
        end
      end
    end
  end
end
