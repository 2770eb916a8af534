# frozen_string_literal: true

require_relative 'command'
require_relative 'errors'

module Snakepit
  # @private What a worker offers: commands in the order of their index, and hooks by kind.
  class Registry
    MAX_COMMANDS = 65_535
    HOOKS = %i[start shutdown session_open session_close].freeze

    attr_reader :commands

    def initialize
      @commands = []
      @by_name = {}
      @hooks = HOOKS.to_h { |kind| [kind, []] }
    end

    # Raises StartupError where the name is taken.
    def add(command)
      other = @by_name[command.name]
      raise StartupError, "two commands named '#{command.name}': #{other.place} and #{command.place}; rename one" if other
      raise StartupError, "more than #{MAX_COMMANDS} commands; put some into another worker" if @commands.size == MAX_COMMANDS

      @by_name[command.name] = command
      @commands << command
    end

    def add_hook(kind, function)
      @hooks.fetch(kind) << function
    end

    def hooks(kind)
      @hooks.fetch(kind)
    end

    # The command of that name, or nil.
    def find(name)
      @by_name[name]
    end

    # As the hello carries it.
    def manifest
      @commands.map(&:manifest)
    end

    # What answers a call of a command that is not there.
    def unknown(wanted)
      Refusal.new('UNKNOWN_COMMAND', "no command #{wanted}; this worker has: #{@by_name.keys.sort.first(20).join(', ')}")
    end
  end
end
