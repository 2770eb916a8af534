# frozen_string_literal: true

require_relative 'command'
require_relative 'errors'
require_relative 'params'

module Snakepit
  # What the blocks of a worker's file see as their self: the words that declare commands and hooks, and whatever methods and
  # instance variables the file adds.
  class Worker
    # Declares a command, and returns its name: `command(:add) { |a:, b:| a + b }`, or `command def add(a:, b:) = a + b`.
    #
    # Members of a map arrive as keywords, or as one Hash where the block takes no keywords; a list arrives as positional
    # arguments, anything else as the only one. A keyword `ctx:` gets the call's Context.
    #
    # `doc` is a sentence for the manifest. `params` declares keywords: `{ a: Integer, unit: [String, nil], tags: Array }`, or a
    # JSON Schema in place of a class; what does not fit is answered by INVALID_ARGUMENTS. `batch` lets the host gather calls:
    # `true`, or `{ max_size: 64, max_wait_ms: 5, adaptive: true }`; the block then gets a list with the arguments of several
    # calls, and returns a list with a result, or an exception, for each. Raises StartupError for what cannot be.
    def command(name, doc: nil, params: nil, batch: nil, &block)
      declare(name, block, kind: 'call', doc: doc, params: params, batch: batch)
    end

    # Declares a stream. Its block returns an Enumerator, or anything with `each`, or takes a block and calls it with each value:
    # `stream(:count) { |n:, &emit| n.times(&emit) }`, `stream def count(n:)` with `yield`.
    #
    # It is suspended while the caller does not take, and Cancelled is raised where it stands when the caller leaves.
    def stream(name, doc: nil, params: nil, &block)
      declare(name, block, kind: 'stream', doc: doc, params: params, batch: nil)
    end

    # Runs before the worker says that it is ready; what it raises keeps the worker from starting.
    def on_start(&block)
      hook(:start, block)
    end

    # Runs when the worker is told to end, after its calls are done, or by SIGTERM.
    def on_shutdown(&block)
      hook(:shutdown, block)
    end

    # Runs with the Session before its first call in this worker.
    def on_session_open(&block)
      hook(:session_open, block)
    end

    # Runs with the Session when it is over: its `id` is known, its data is gone.
    def on_session_close(&block)
      hook(:session_close, block)
    end

    def inspect
      '#<Snakepit::Worker>'
    end

    private

    def declare(name, block, **options)
      text = name.to_s
      raise StartupError, "a command's name is a Symbol or a String, not #{name.inspect}" unless /\A\S.*\z/m.match?(text)

      function = block ? Command.bound(self, block) : method_named(name)
      Snakepit.registry.add(Command.new(text, function, is_method: block.nil?, **options))
      name
    end

    def method_named(name)
      method(name)
    rescue NameError
      raise StartupError, "the command '#{name}' has no block, and there is no method of that name"
    end

    def hook(kind, block)
      raise StartupError, "on_#{kind} takes a block" if block.nil?

      Snakepit.registry.add_hook(kind, Command.bound(self, block))
      nil
    end
  end
end
