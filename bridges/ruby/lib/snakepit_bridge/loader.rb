# frozen_string_literal: true

require_relative '../snakepit_bridge'

module Snakepit
  # @private Loads the user's file.
  module Loader
    module_function

    # Loads a file and returns the Registry of what it declares. Raises StartupError, and whatever the file raises, such as SyntaxError.
    def load_file(path)
      path = File.expand_path(path)
      raise StartupError, "the file #{path} does not exist; check the option `module`" unless File.file?(path)

      path.end_with?('.rb') ? require(path) : load(path)
      return Snakepit.registry unless Snakepit.registry.commands.empty?

      raise StartupError, "#{path} declares no command; declare some by `Snakepit.worker do command(:add) { |a:, b:| a + b } end`"
    end
  end
end
