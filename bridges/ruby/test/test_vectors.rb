# frozen_string_literal: true

require_relative 'host'
require_relative '../lib/snakepit_bridge/v1/channel'
require_relative '../lib/snakepit_bridge/v2/reader'

# The golden vectors that every implementation must read and write.
class VectorsTest < Minitest::Test
  FOLDER = File.expand_path('../../../proto/vectors', __dir__)
  MAX_DEPTH = 64
  REFUSALS = [Snakepit::ProtocolError, Snakepit::RefusedValue].freeze

  def load_vectors(name)
    JSON.parse(File.read(File.join(FOLDER, name), encoding: 'UTF-8'), max_nesting: 256)
  end

  # The Ruby value of a vector's notation.
  def value_of(notation)
    case notation
    when Array then notation.map { |item| value_of(item) }
    when Hash
      name, content = notation.first if notation.size == 1
      case name
      when '$int' then content.to_i
      when '$float' then { 'NaN' => Float::NAN, 'Infinity' => Float::INFINITY, '-Infinity' => -Float::INFINITY, '-0' => -0.0 }.fetch(content)
      when '$time' then time_of(content)
      when '$bin' then [content].pack('H*')
      when '$typed' then Snakepit::TypedArray.new(content[0], [content[1]].pack('H*'))
      when '$esc' then content.transform_values { |item| value_of(item) }
      else notation.transform_values { |item| value_of(item) }
      end
    else notation
    end
  end

  def time_of(text)
    parts = text.match(/\A([+-]?\d+)-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{3})Z\z/).captures.map { |part| part.to_i(10) }
    Time.utc(*parts[0, 6], parts[6] * 1000)
  end

  # A text that tells apart what `==` does not: encodings, -0.0, NaN.
  def exact(value)
    case value
    when Array then "[#{value.map { |item| exact(item) }.join(', ')}]"
    when Hash then "{#{value.map { |key, item| "#{key.inspect}: #{exact(item)}" }.join(', ')}}"
    when Float then value.finite? && value == value.to_i && !value.to_s.start_with?('-0') ? value.to_i.to_s : value.to_s
    when String then "#{value.encoding} #{value.b.inspect}"
    when Time then "time #{(value.to_r * 1000).to_i}"
    when Snakepit::TypedArray then "#{value.type} #{value.bytes.inspect}"
    else value.inspect
    end
  end

  %w[json msgpack].each do |name|
    define_method("test_#{name}_bodies_are_read_and_written_byte_for_byte") do
      codec = Snakepit::Codec.create(name, MAX_DEPTH)
      load_vectors('values.json')['cases'].each do |vector|
        next unless vector.key?(name)

        value = value_of(vector['value'])
        body = [vector[name]['hex']].pack('H*')
        flags = vector[name]['tagged'] ? 0x80 : 0
        assert_equal exact(value), exact(codec.decode(body, flags)), vector['name']
        next if vector['decodeOnly']

        [:encode, :encode_apart].each do |way|
          encoded, encoded_flags = codec.public_send(way, value)
          assert_equal [body.unpack1('H*'), flags], [encoded.unpack1('H*'), encoded_flags], vector['name']
        end
        next unless flags.zero?

        quick = codec.decode_plain(body)
        assert codec.received?(quick), vector['name']
        assert_equal exact(value), exact(quick), vector['name']
      end
    end

    define_method("test_malformed_#{name}_bodies_are_refused") do
      codec = Snakepit::Codec.create(name, MAX_DEPTH)
      load_vectors('values.json')['refused'].each do |vector|
        next unless vector['codec'] == name

        body = [vector['hex']].pack('H*')
        assert_raises(*REFUSALS, vector['name']) { codec.decode(body, vector['tagged'] ? 0x80 : 0) }
        refute takes?(codec, body), vector['name'] unless vector['tagged']
        # It reads on as if nothing had been.
        assert_equal({ 'a' => 1 }, codec.decode_plain(codec.encode({ 'a' => 1 }).first)) unless vector['tagged']
      end
    end
  end

  # Whether the fast way takes a body.
  def takes?(codec, body)
    codec.received?(codec.decode_plain(body))
  rescue StandardError, NoMemoryError
    false
  end

  def frames_of(data, max_frame_bytes)
    input, output = IO.pipe
    output.write(data)
    frames = []
    reader = Snakepit::V2::FrameReader.new(input, max_frame_bytes)
    reader.receive(true)
    calls = []
    reader.parse(calls, ->(kind, head, id, body) { frames << [kind, F.flags_of(head), head & 0xFFFF, id, body] })
    frames + calls.map do |id, head, body, milliseconds|
      deadline = F.flags_of(head) & F::DEADLINE == 0 ? '' : [milliseconds].pack('N')
      [head >> 24, F.flags_of(head), head & 0xFFFF, id, deadline + body]
    end
  ensure
    [input, output].each(&:close)
  end

  def test_frames_are_read_and_written_byte_for_byte
    load_vectors('frames.json')['cases'].each do |vector|
      kind, flags, aux, id = vector['frame'].values_at('kind', 'flags', 'aux', 'id')
      body = [vector['bodyHex']].pack('H*')
      data = [vector['hex']].pack('H*')
      assert_equal data, F.pack(kind, id, flags, aux, body), vector['name']
      assert_equal [[kind, flags, aux, id, body]], frames_of(data, 1 << 26), vector['name']
    end
  end

  def test_too_long_frames_are_refused_from_their_header
    load_vectors('frames.json')['refused'].each do |vector|
      assert_raises(Snakepit::ProtocolError, vector['name']) { frames_of([vector['hex']].pack('H*'), vector['maxFrameBytes']) }
    end
  end

  def test_messages_of_v1_are_read_and_written_byte_for_byte
    codecs = %w[json msgpack].to_h { |name| [name, Snakepit::Codec.create(name, MAX_DEPTH, tagged: false)] }
    load_vectors('v1.json')['cases'].each do |vector|
      codec = codecs.fetch(vector['codec'])
      data = [vector['hex']].pack('H*')
      message = value_of(vector['message'])
      assert_equal exact(message), exact(codec.decode(data.byteslice(4..), 0, envelope: 1)), vector['name']
      assert_equal data.byteslice(4..).unpack1('H*'), codec.encode(message, envelope: 1).first.unpack1('H*'), vector['name'] unless vector['decodeOnly']
    end
  end
end
