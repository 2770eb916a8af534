# frozen_string_literal: true

require_relative 'errors'

module Snakepit
  # @private Declared parameters: their JSON Schema, and the check of what arrives.
  class Params
    TYPES = {
      Integer => 'integer',
      Float => 'number',
      Numeric => 'number',
      String => 'string',
      Symbol => 'string',
      Array => 'array',
      Hash => 'object',
      true => 'boolean',
      TrueClass => 'boolean',
      FalseClass => 'boolean',
      nil => 'null',
      NilClass => 'null'
    }.freeze
    # What each type of JSON Schema is in Ruby.
    CLASSES = {
      'integer' => [Integer],
      'number' => [Integer, Float],
      'string' => [String],
      'array' => [Array],
      'object' => [Hash],
      'boolean' => [TrueClass, FalseClass],
      'null' => [NilClass]
    }.freeze

    attr_reader :schema

    # `declared` has a class, a list of classes, or a JSON Schema for each name. Raises StartupError.
    def initialize(command, declared, required:, names:, is_open:)
      @command = command
      raise StartupError, "#{command}: params is #{declared.inspect}; give a Hash of names and classes" unless declared.is_a?(Hash)

      unknown = declared.keys.map(&:to_sym) - names
      raise StartupError, "#{command}: params declares #{unknown.join(', ')}, which its block does not take" unless unknown.empty? || is_open

      properties = declared.to_h { |name, type| [name.to_s, schema_of(name, type)] }
      @classes = properties.to_h { |name, each| [name.to_sym, classes_of(each)] }.compact
      @schema = {
        'type' => 'object',
        'properties' => properties,
        'required' => required.map(&:to_s),
        'additionalProperties' => is_open || names.size > declared.size
      }
    end

    # Raises InvalidArguments unless the named arguments are of their types.
    def check(named)
      @classes.each do |name, classes|
        next unless named.key?(name)

        value = named[name]
        next if classes.any? { |each| each === value }

        expected = @schema['properties'][name.to_s]['type']
        expected = Array(expected).join(' or ')
        raise InvalidArguments.new("#{@command}: '#{name}' is #{kind_of(value)}, and has to be #{expected}", path: "args.#{name}")
      end
    end

    private

    def schema_of(name, type)
      return type.transform_keys(&:to_s) if type.is_a?(Hash)

      types = (type.is_a?(Array) ? type : [type]).map do |each|
        TYPES.fetch(each) do
          raise StartupError, "#{@command}: the type of '#{name}' is #{each.inspect}; allowed are #{TYPES.keys.map(&:inspect).join(', ')}, a list of these, and a JSON Schema"
        end
      end
      { 'type' => types.uniq.size == 1 ? types.first : types.uniq }
    end

    # nil where the schema says nothing of types.
    def classes_of(schema)
      types = Array(schema['type'])
      types.empty? ? nil : types.flat_map { |type| CLASSES.fetch(type.to_s, [Object]) }
    end

    def kind_of(value)
      value.nil? ? 'null' : "a #{value.class}"
    end
  end
end
