# frozen_string_literal: true

require 'open3'

require_relative 'host'
require_relative '../lib/snakepit_bridge/v1/channel'

class V1Test < WorkerTest
  DECLARATIONS = <<~RUBY
    require 'snakepit_bridge'
    Snakepit.worker do
      command(:add) { |a:, b:| puts 'stray'; a + b }
      command(:same) { |value:| value }
      command(:fail) { raise ArgumentError, 'no' }
      command(:ask) { |ctx:| ctx.globals[:a] }
      command(:odd) { { rows: [Float::NAN] } }
      command(:quiet) { |ctx:| ctx.progress(1); ctx.emit('x'); ctx.metrics.count('n'); ctx.log.info('said', rows: 3); ctx.cancelled? }
      stream(:count) { |n:| n.times }
    end
  RUBY

  def teardown
    unless @thread.nil?
      @input.close unless @input.closed?
      @thread.join
    end
    super
  end

  def open_worker(protocol)
    env = { 'SNAKEPIT_PROTOCOL' => 'v1' }
    @input, @output, @errors, @thread = Open3.popen3(env, RbConfig.ruby, WORKER, '--module', write(DECLARATIONS), '--protocol', protocol)
    [@input, @output].each(&:binmode)
    @channel = Snakepit::V1::Channel.new(@output, @input, protocol == 'auto' ? 'json' : protocol)
  end

  def call(id, command, args = {})
    @channel.write('id' => id, 'command' => command, 'args' => args, 'timestamp' => '')
    Timeout.timeout(TIMEOUT_SECONDS) { @channel.read }
  end

  %w[json msgpack].each do |codec|
    define_method("test_serves_one_call_after_the_other_over_#{codec}") do
      open_worker(codec)
      reply = call(1, 'add', { 'a' => 1, 'b' => 2 })
      assert_equal [1, true, 3, 'SIGUSR1'], reply.values_at('id', 'success', 'result', 'stackSignal')
      error = call(2, 'fail')
      assert_equal [2, false, 'no', 'ArgumentError'], [*error.values_at('id', 'success', 'error'), error['error_details']['type']]
      assert_equal 'ok', call(3, 'ping')['result']['status']
      assert_equal 'UNKNOWN_COMMAND', call(4, 'nothing')['error_details']['code']
      assert_equal 'INVALID_ARGUMENTS', call(5, 'count', { 'n' => 1 })['error_details']['code']
      assert_match(/session.read needs protocol v2/, call(6, 'ask')['error'])
      assert_equal false, call(7, 'quiet')['result']
      @input.close
      assert_equal 0, @thread.value.exitstatus
      assert_match(/\Astray\n(.*\n)*INFO quiet: said rows=3\n\z/, @errors.read)
    end
  end

  def test_negotiates_messagepack
    open_worker('auto')
    @channel.write('type' => 'protocol_negotiation', 'supported' => %w[msgpack json], 'preferred' => 'msgpack')
    assert_equal 'msgpack', @channel.read['protocol']
    @channel.use('msgpack')
    assert_equal 'bytes'.b, call(1, 'same', { 'value' => 'bytes'.b })['result']
  end

  def test_what_plain_json_cannot_carry_is_refused
    open_worker('json')
    error = call(1, 'odd')
    assert_equal 'INVALID_RESULT', error['error_details']['code']
    assert_match(/protocol v1 with JSON cannot carry/, error['error'])
    assert_equal 3, call(2, 'add', { 'a' => 1, 'b' => 2 })['result']
  end
end
