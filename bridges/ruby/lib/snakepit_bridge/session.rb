# frozen_string_literal: true

require_relative 'errors'

module Snakepit
  # A map that lives in the host, so that it survives this worker; every verb asks the host. All raise HostError if it refuses.
  class SharedData
    MAX_ATTEMPTS = 1000

    def initialize(runtime, call_id, map)
      @runtime = runtime
      @call_id = call_id
      @map = map
    end

    # The value of a key, or `default`.
    def get(key, default = nil)
      found(ask('session.read', 'key' => key.to_s), default)
    end
    alias [] get

    # Stores a value.
    def set(key, value)
      ask('session.write', 'key' => key.to_s, 'value' => value)
      value
    end
    alias []= set

    # Removes a key; tells whether it existed.
    def delete(key)
      ask('session.delete', 'key' => key.to_s)['written']
    end

    # The keys, as a list.
    def keys
      ask('session.keys')
    end

    # Replaces the value by what the block makes of it, atomically, and returns that; the block may run more than once.
    def update(key, default = nil)
      MAX_ATTEMPTS.times do
        read = ask('session.read', 'key' => key.to_s)
        value = yield found(read, default)
        return value if ask('session.write', 'key' => key.to_s, 'value' => value, 'revision' => read['revision'])['written']
      end
      raise Error, "update of '#{key}' lost #{MAX_ATTEMPTS} races against other writers; write it less often"
    end

    private

    def ask(method, args = {})
      @runtime.ask(@call_id, method, { 'map' => @map, **args })
    end

    def found(read, default)
      read['found'] ? read['value'] : default
    end
  end

  # A session: its `id`, its values, and its stored `programs`.
  class Session < SharedData
    attr_reader :id, :programs

    def initialize(runtime, call_id, id)
      super(runtime, call_id, 'metadata')
      @id = id
      @programs = SharedData.new(runtime, call_id, 'programs')
    end
  end

  # @private Stands in for the host where a session's data is gone.
  module ClosedSession
    def self.ask(*)
      raise Error, 'the session is over; its data is gone'
    end
  end
end
