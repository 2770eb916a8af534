# frozen_string_literal: true

require_relative 'errors'

module Snakepit
  # The host's tools: any method is one, with keywords or one value: `tools.price_of(sku: 'x')`. Raises ToolError for what the tool
  # threw, or when it cannot be called; Cancelled if the call ends before the answer.
  class Tools < BasicObject
    def initialize(runtime, call_id)
      @runtime = runtime
      @call_id = call_id
    end

    # Calls a tool by a name that is no method's, such as one with a dot in it.
    def call(name, args = nil)
      @runtime.ask(@call_id, 'tool.call', { 'name' => name.to_s, 'args' => args })
    rescue ::Snakepit::HostError => error
      ::Kernel.raise(::Snakepit::ToolError.new(name.to_s, error), cause: nil)
    rescue ::Snakepit::Refusal => error
      ::Kernel.raise(::Snakepit::ToolError.new(name.to_s, ::Snakepit::HostError.new('INVALID_ARGUMENTS', error.message)), cause: nil)
    end

    def inspect
      '#<Snakepit::Tools>'
    end

    def respond_to?(*)
      true
    end

    private

    def respond_to_missing?(*)
      true
    end

    def method_missing(name, *args, **named)
      if args.size + (named.empty? ? 0 : 1) > 1
        ::Kernel.raise ::ArgumentError, "tools take keywords or one value; '#{name}' got #{args.size} positional arguments"
      end
      call(name, args.empty? ? named : args.first)
    end
  end
end
