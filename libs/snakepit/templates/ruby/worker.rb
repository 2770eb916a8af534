# frozen_string_literal: true

# What is declared in the block is what the application can call.

require 'snakepit_bridge'

# The work itself, which knows nothing of workers.
module CONSTANT
  module_function

  def summarize(amounts)
    raise ArgumentError, 'no amounts' if amounts.empty?

    { count: amounts.size, total: amounts.sum, mean: amounts.sum.fdiv(amounts.size) }
  end

  def running_totals(amounts)
    return to_enum(:running_totals, amounts) unless block_given?

    amounts.inject(0) { |total, amount| (total + amount).tap { |sum| yield sum } }
  end
end

Snakepit.worker do
  command(:summarize, doc: 'Count, total and mean of a list of numbers.') { |amounts:| CONSTANT.summarize(amounts) }
  stream(:running_totals, doc: 'The total after each of the numbers.') { |amounts:| CONSTANT.running_totals(amounts) }
end
