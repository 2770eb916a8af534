# frozen_string_literal: true

require_relative 'errors'
require_relative 'params'

module Snakepit
  # @private A command ready to be called.
  #
  # `plain?` marks the fast path: it takes no context and returns one value. `slow` is what the worker has learned: its last run
  # took long, so replies that wait are sent before it starts.
  class Command
    CALL = 'call'
    STREAM = 'stream'
    CONTEXT = :ctx

    attr_reader :name, :kind, :function, :batch
    attr_accessor :slow

    # A block as a method of `receiver`: `return` ends it, and surplus arguments are refused.
    def self.bound(receiver, block)
      Module.new { define_method(:call, &block) }.instance_method(:call).bind(receiver)
    end

    def initialize(name, function, kind:, is_method: false, doc: nil, params: nil, batch: nil)
      @name = name
      @function = function
      @is_method = is_method
      @kind = kind
      @doc = doc
      @slow = true
      read_parameters
      @params = params && Params.new(name, params, required: @required, names: @names, is_open: @takes_any_name)
      @batch = batch && batch_settings(batch)
    end

    def stream?
      @kind == STREAM
    end

    def plain?
      @kind == CALL && !@takes_context && @batch.nil?
    end

    def takes_context?
      @takes_context
    end

    # Whether it was declared by `def`, so that it may `yield`.
    def method?
      @is_method
    end

    # Whether its block takes a block, to be called with each value of a stream.
    def takes_block?
      @takes_block
    end

    # Where it was declared, such as `report.rb:3`.
    def place
      (@function.source_location || ['?']).join(':')
    end

    def manifest
      described = { 'name' => @name, 'kind' => @kind }
      described['doc'] = @doc.to_s if @doc
      described['schema'] = @params.schema if @params
      described['positional'] = @names.map(&:to_s) if @params && @most.zero? && !@names.empty?
      described['batch'] = @batch if @batch
      described
    end

    # Calls the function with arguments as they arrived; raises Refusal where they do not fit, and whatever the function raises.
    def invoke(arguments, context = nil, &block)
      case arguments
      when Hash then invoke_with_map(arguments, context, &block)
      when Array then invoke_with_list(arguments, context, &block)
      when nil then call_function([], context_keywords(context), &block)
      else invoke_with_list([arguments], context, &block)
      end
    end

    # The members of a map as keywords: those that it knows become symbols. For commands with `known_names?`.
    def keywords_of(map)
      map.transform_keys(@symbols)
    end

    # Whether a map arrives as keywords, all of which are known, and no context beside them.
    def known_names?
      @known_names
    end

    # Calls the function by what `keywords_of` has made; raises as `invoke` does.
    def invoke_named(named)
      @params&.check(named)
      @function.call(**named)
    rescue ArgumentError
      check_fit(0, named)
      raise
    end

    # Calls a function that takes batches with a list of arguments.
    def invoke_batch(items, context)
      call_function([items], context_keywords(context))
    end

    private

    NONE = {}.freeze
    private_constant :NONE

    def read_parameters
      parameters = @function.parameters
      kinds = parameters.map(&:first)
      keywords = parameters.select { |kind, _| %i[key keyreq].include?(kind) }
      @takes_context = keywords.any? { |_, name| name == CONTEXT }
      @names = keywords.map(&:last) - [CONTEXT]
      @required = keywords.select { |kind, _| kind == :keyreq }.map(&:last) - [CONTEXT]
      @takes_any_name = kinds.include?(:keyrest)
      @takes_block = kinds.include?(:block)
      @least = kinds.count(:req)
      @most = kinds.include?(:rest) ? Float::INFINITY : @least + kinds.count(:opt)
      # Where nothing is positional, a map that does not fit is told by its names.
      @takes_names = @takes_any_name || !@names.empty? || @most.zero?
      @known_names = @takes_names && !@takes_any_name && !@takes_context
      # Names come as strings; none but these become symbols.
      @symbols = @names.to_h { |name| [name.to_s, name] }
    end

    def context_keywords(context)
      context.nil? ? NONE : { CONTEXT => context }
    end

    def invoke_with_map(map, context, &block)
      unless @takes_names
        positional = map.empty? && @least.zero? ? [] : [map]
        return call_function(positional, context_keywords(context), &block)
      end
      named = map.transform_keys(@symbols)
      named.transform_keys!(&:to_sym) if @takes_any_name
      if @takes_context
        raise InvalidArguments.new("#{@name}: '#{CONTEXT}' is reserved for the context", path: "args.#{CONTEXT}") if map.key?('ctx')

        named[CONTEXT] = context
      end
      @params&.check(named)
      begin
        @function.call(**named, &block)
      rescue ArgumentError
        check_fit(0, named)
        raise
      end
    end

    # The items of a list stand for the names in their order, where there are only names.
    def invoke_with_list(list, context, &block)
      return call_function(list, context_keywords(context), &block) if @names.empty? || !@most.zero?

      misfit("#{list.size} arguments, and it takes #{@names.size}; #{what_it_takes}") if list.size > @names.size
      invoke_with_map(@names.take(list.size).map(&:to_s).zip(list).to_h, context, &block)
    end

    def call_function(positional, keywords, &block)
      @function.call(*positional, **keywords, &block)
    rescue ArgumentError
      check_fit(positional.size, keywords)
      raise
    end

    # Raises InvalidArguments unless the function takes these arguments.
    def check_fit(count, named)
      unknown = @takes_any_name ? [] : named.keys - @names - [CONTEXT]
      misfit("unknown argument '#{unknown.first}'; #{what_it_takes}", unknown.first) unless unknown.empty?
      missing = @required - named.keys
      misfit("missing argument '#{missing.first}'; #{what_it_takes}", missing.first) unless missing.empty?
      return if count.between?(@least, @most)

      misfit("#{count} positional arguments, and it takes #{counted}; #{what_it_takes}")
    end

    def misfit(message, name = nil)
      raise InvalidArguments.new("#{@name}: #{message}", path: name && "args.#{name}")
    end

    def what_it_takes
      return 'call it with a list' unless @takes_names || @most.zero?
      return 'it takes none' if @names.empty? && !@takes_any_name

      "it takes #{[*@names, *(@takes_any_name ? ['any other'] : [])].join(', ')}"
    end

    def counted
      return "at least #{@least}" if @most == Float::INFINITY

      @least == @most ? @least.to_s : "#{@least} to #{@most}"
    end

    BATCH = { max_size: ['maxSize', 1..10_000], max_wait_ms: ['maxWaitMs', 0..60_000] }.freeze
    private_constant :BATCH

    def batch_settings(given)
      return {} if given == true
      raise StartupError, "#{@name}: batch is #{given.inspect}; give true, or a Hash with max_size, max_wait_ms, adaptive" unless given.is_a?(Hash)

      given.to_h do |option, value|
        next ['adaptive', value] if option == :adaptive && [true, false].include?(value)

        wire, range = BATCH.fetch(option) { raise StartupError, "#{@name}: batch has no #{option}: #{value.inspect}" }
        next [wire, value] if value.is_a?(Integer) && range.cover?(value)

        raise StartupError, "#{@name}: batch #{option} is #{value.inspect}; allowed is an Integer from #{range.min} to #{range.max}"
      end
    end
  end
end
