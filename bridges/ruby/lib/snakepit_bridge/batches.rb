# frozen_string_literal: true

require_relative 'error_map'
require_relative 'errors'

module Snakepit
  # @private Calls of commands that take what several callers sent at once.
  module Batches
    # What surrounds one result, or one error, at most.
    ENTRY_BYTES = 16

    # What a command made of a batch.
    Answer = Struct.new(:entries)

    module_function

    # Runs a batch. Raises Refusal unless there is one result for each call.
    def run(command, items, context)
      raise InvalidArguments, "#{command.name}: the arguments of a batch are no list" unless items.is_a?(Array)

      Answer.new(listed(command, command.invoke_batch(items, context), items.size))
    end

    # Runs one call of a command that takes batches; raises what its entry is, if that is an exception.
    def run_single(command, arguments, context)
      result, = listed(command, command.invoke_batch([arguments], context), 1)
      result.is_a?(Exception) ? raise(result) : result
    end

    # Body and flags of an answer. A result that cannot be sent becomes the error of its own call.
    def encode(answer, encoder)
      entries = answer.entries
      errors = entries.each_with_index.select { |entry, _| entry.is_a?(Exception) }
      results = entries.map { |entry| entry.is_a?(Exception) ? nil : entry }
      failures = errors.map { |error, index| [index, encoder.error_map(error)] }
      encoder.encode([results, failures.empty? ? nil : failures], envelope: 3)
    rescue Refusal
      encode_fitting(results, failures, encoder)
    end

    def listed(command, returned, count)
      return returned if returned.is_a?(Array) && returned.size == count

      made = returned.is_a?(Array) ? "#{returned.size} results" : returned.class.to_s
      raise Refusal.new('INVALID_RESULT', "'#{command.name}' returned #{made} for a batch of #{count} calls; it has to return an Array of one for each call, in order")
    end

    # The largest results give way until the others fit.
    def encode_fitting(results, failures, encoder)
      failures = failures.map { |index, map| [index, ErrorMap.shortened(map)] }
      sizes = {}
      results.each_with_index do |result, index|
        sizes[index] = encoder.encode(result).first.bytesize + ENTRY_BYTES
      rescue Refusal => refusal
        results[index] = nil
        failures << [index, ErrorMap.of(refusal)]
      end
      total = sizes.values.sum + failures.sum { |entry| measure(entry, encoder) }
      sizes.sort_by { |_, size| -size }.each do |index, size|
        break if total <= encoder.max_frame_bytes

        results[index] = nil
        failures << [index, ErrorMap.refusal('FRAME_TOO_LARGE', "the result takes #{size} bytes; there is no room for it beside the others of its batch")]
        total += measure(failures.last, encoder) - size
      end
      encoder.encode([results, failures.empty? ? nil : failures], envelope: 3)
    end

    def measure(entry, encoder)
      encoder.encode(entry, envelope: 3).first.bytesize + ENTRY_BYTES
    end
  end
end
