# frozen_string_literal: true

module Snakepit
  # @private Values as bodies of frames. Both codecs have the same methods; `max_depth` bounds nesting.
  module Codec
    # What both sides have, from the host's list in order of preference. Raises StartupError.
    def self.choose(offered)
      offered.find { |name| name == 'json' || (name == 'msgpack' && msgpack?) } ||
        raise(StartupError, "the host offers the codecs #{offered.join(', ')}; this worker has #{names.join(', ')} (for msgpack: gem install msgpack)")
    end

    def self.names
      msgpack? ? %w[msgpack json] : %w[json]
    end

    def self.create(name, max_depth, tagged: true)
      if name == 'msgpack'
        raise StartupError, 'MessagePack needs the gem msgpack: gem install msgpack' unless msgpack?

        MsgpackCodec.new(max_depth, extensions: tagged)
      else
        require_relative 'json_codec'
        JsonCodec.new(max_depth, tagged: tagged)
      end
    end

    # Whether the gem is there; it is loaded with the first question.
    def self.msgpack?
      return @msgpack if defined?(@msgpack)

      require_relative 'msgpack_codec'
      @msgpack = true
    rescue LoadError
      @msgpack = false
    end
  end
end
