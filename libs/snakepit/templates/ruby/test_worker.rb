# frozen_string_literal: true

require 'minitest/autorun'
require_relative 'NAME'

class CONSTANTTest < Minitest::Test
  def test_summarize_adds_up_and_averages
    assert_equal({ count: 3, total: 9, mean: 3.0 }, CONSTANT.summarize([1, 2, 6]))
  end

  def test_summarize_refuses_no_amounts
    assert_raises(ArgumentError) { CONSTANT.summarize([]) }
  end

  def test_running_totals_yields_a_total_after_each_amount
    assert_equal [1, 3, 9], CONSTANT.running_totals([1, 2, 6]).to_a
  end
end
