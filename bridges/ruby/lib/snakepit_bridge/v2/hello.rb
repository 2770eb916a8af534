# frozen_string_literal: true

require 'json'

require_relative '../codec/codec'
require_relative '../errors'
require_relative '../version'
require_relative 'frame'

module Snakepit
  module V2
    # @private What the host said of itself.
    class HostHello
      MAX_BYTES = 1024 * 1024
      MAX_NESTING = 256

      attr_reader :max_frame_bytes, :max_depth, :stream_credit

      # Waits for it. Raises ProtocolError and HostGone.
      def self.read(reader)
        reader.max_frame_bytes = MAX_BYTES
        frames = []
        refuse = ->(_) { raise ProtocolError, 'the host sent CALL before HELLO' }
        calls = Object.new.tap { |sink| sink.define_singleton_method(:<<, &refuse) }
        until frames.any?
          reader.receive(true)
          reader.parse(calls, ->(kind, _, _, body) { frames << [kind, body] })
        end
        kind, body = frames.first
        raise ProtocolError, format('the host must begin with HELLO alone, not with kind 0x%02x', frames.last.first) if kind != Frame::HELLO || frames.size > 1

        new(JSON.parse(body.force_encoding(Encoding::UTF_8), max_nesting: MAX_NESTING)).tap { |hello| reader.max_frame_bytes = hello.max_frame_bytes }
      rescue JSON::ParserError, TypeError, NoMethodError => error
        raise ProtocolError, "malformed HELLO from the host: #{error.message}"
      end

      def initialize(members)
        raise ProtocolError, 'malformed HELLO from the host: it is no map' unless members.is_a?(Hash)

        @protocols = list(members, 'protocol', [2])
        @codecs = list(members, 'codecs', ['json'])
        @max_frame_bytes = count(members, 'maxFrameBytes', 64 * 1024 * 1024)
        @max_depth = count(members, 'maxDepth', 64)
        @stream_credit = count(members, 'streamCredit', 64)
      end

      # The name of the codec that both sides have. Raises StartupError.
      def codec
        raise StartupError, "the host speaks protocol #{@protocols.join(', ')}, this worker 2" unless @protocols.include?(2)

        Codec.choose(@codecs)
      end

      private

      def list(members, name, default)
        value = members.fetch(name, default)
        value.is_a?(Array) ? value : raise(ProtocolError, "malformed HELLO from the host: #{name} is no list")
      end

      def count(members, name, default)
        value = members.fetch(name, default)
        value.is_a?(Integer) && value >= 1 ? value : raise(ProtocolError, "malformed HELLO from the host: #{name} is #{value.inspect}")
      end
    end

    # @private The frames by which a worker says that it is ready, or why it cannot start.
    module WorkerHello
      module_function

      def ready(codec_name, registry, stack_signal)
        hello = {
          'protocol' => 2,
          'codec' => codec_name,
          'language' => 'ruby',
          'runtime' => { 'name' => RUBY_ENGINE, 'version' => RUBY_VERSION },
          'sdk' => { 'name' => 'snakepit_bridge', 'version' => VERSION },
          'pid' => Process.pid,
          'typedArrays' => true,
          'batches' => true,
          'commands' => registry.manifest
        }
        hello['stackSignal'] = stack_signal if stack_signal
        frame(hello)
      end

      def failed(error)
        frame('error' => error)
      end

      def frame(members)
        Frame.pack(Frame::HELLO, 0, 0, 0, JSON.generate(members).b)
      end
    end
  end
end
