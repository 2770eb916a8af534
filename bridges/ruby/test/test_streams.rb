# frozen_string_literal: true

require_relative 'host'

class StreamsTest < WorkerTest
  COUNT = 'stream(:count) { |n:| (0...n).each }'

  {
    'an Enumerator' => COUNT,
    'a list' => 'stream(:count) { |n:| (0...n).to_a }',
    'a lazy Enumerator' => 'stream(:count) { |n:| (0..).lazy.take(n) }',
    'a block that is called' => 'stream(:count) { |n:, &emit| n.times(&emit) }',
    'a method that yields' => "stream def count(n:)\nn.times { |each| yield each }\nend",
    'a method that returns an Enumerator' => 'stream def count(n:) = n.times'
  }.each do |what, declaration|
    define_method("test_streams_the_values_of_#{what.tr(' ', '_')}") do
      worker = host(declaration)
      [0, 1, 10, 100].each_with_index do |n, index|
        worker.call(index + 1, 'count', { 'n' => n }, stream: true)
        chunks, last = worker.drain(index + 1)
        assert_equal [(0...n).to_a, F::ENDED], [chunks, last.kind]
      end
    end
  end

  def test_without_credit_a_stream_stands_still_and_calls_go_on
    worker = host("#{COUNT}; command(:add) { |a:, b:| a + b }")
    worker.call(1, 'count', { 'n' => 100 }, stream: true)
    4.times { |index| assert_equal index, worker.receive.body }
    assert_equal 3, worker.result(2, 'add', { 'a' => 1, 'b' => 2 })
    worker.credit(1, 2)
    assert_equal [4, 5], [worker.receive.body, worker.receive.body]
    assert_equal 3, worker.result(3, 'add', { 'a' => 1, 'b' => 2 })
  end

  def test_cancelling_runs_the_clean_up_code_where_the_stream_stands
    worker = host(<<~RUBY)
      stream(:endless) do |ctx:, &emit|
        index = 0
        loop { emit.call(index += 1) }
      ensure
        ctx.emit('closed', index)
      end
      command(:add) { |a:, b:| a + b }
    RUBY
    worker.call(1, 'endless', nil, stream: true)
    4.times { worker.receive }
    worker.cancel(1)
    event = worker.receive
    assert_equal [F::EVENT, 1, { 'name' => 'closed', 'data' => 4 }], [event.kind, event.id, event.body]
    error = worker.receive
    assert_equal [F::ERROR, 1, 'CANCELLED', true], [error.kind, error.id, error.body['code'], error.body['started']]
    assert_equal 3, worker.result(2, 'add', { 'a' => 1, 'b' => 2 })
  end

  def test_a_stream_that_waits_is_cancelled_before_it_begins
    worker = host("#{COUNT}; command(:wait) { sleep 0.1 }")
    worker.one_write do
      worker.call(1, 'wait')
      worker.call(2, 'count', { 'n' => 3 }, stream: true)
      worker.cancel(2)
    end
    frames = [worker.receive, worker.receive].to_h { |frame| [frame.id, frame] }
    assert_equal ['CANCELLED', false], frames[2].body.values_at('code', 'started')
  end

  def test_a_failure_after_some_values_comes_after_them
    worker = host('stream(:fail) { |&emit| emit.call(1); raise "so much" }')
    worker.call(1, 'fail', nil, stream: true)
    chunks, last = worker.drain(1)
    assert_equal [[1], F::ERROR, 'so much'], [chunks, last.kind, last.body['message']]
  end

  def test_a_value_that_cannot_be_sent_is_raised_where_it_was_emitted
    worker = host('stream(:odd) { |&emit| emit.call(Object.new) }')
    worker.call(1, 'odd', nil, stream: true)
    assert_equal 'INVALID_RESULT', worker.receive.body['code']
  end

  def test_what_is_no_stream_is_refused_and_a_call_may_be_streamed
    worker = host("#{COUNT}; stream(:one) { 1 }; command(:add) { |a:, b:| a + b }")
    assert_equal 'INVALID_ARGUMENTS', worker.error(1, 'count', { 'n' => 1 })['code']
    worker.call(2, 'one', nil, stream: true)
    assert_match(/'one' is a stream, yet returned Integer/, worker.receive.body['message'])
    worker.call(3, 'add', { 'a' => 1, 'b' => 2 }, stream: true)
    assert_equal [[3], F::ENDED], worker.drain(3).then { |chunks, last| [chunks, last.kind] }
    worker.call(4, 'count', { 'm' => 1 }, stream: true)
    assert_equal 'INVALID_ARGUMENTS', worker.receive.body['code']
  end

  def test_values_may_come_from_other_threads_and_fibers
    worker = host(<<~RUBY)
      stream(:threads) { |&emit| Thread.new { 20.times(&emit) }.join }
      stream(:fibers) { |&emit| Enumerator.new { |out| 20.times { |each| emit.call(each); out << each } }.then { |values| 20.times { values.next } } }
    RUBY
    %w[threads fibers].each_with_index do |name, index|
      worker.call(index + 1, name, nil, stream: true)
      assert_equal [(0...20).to_a, F::ENDED], worker.drain(index + 1).then { |chunks, last| [chunks, last.kind] }
    end
  end
end
