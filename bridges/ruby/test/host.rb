# frozen_string_literal: true

require 'json'
require 'minitest/autorun'
require 'rbconfig'
require 'socket'
require 'tmpdir'
require 'timeout'

require_relative '../lib/snakepit_bridge'
require_relative '../lib/snakepit_bridge/codec/codec'
require_relative '../lib/snakepit_bridge/v2/frame'

F = Snakepit::V2::Frame
WORKER = File.expand_path('../exe/snakepit-ruby-worker', __dir__)
TIMEOUT_SECONDS = 20

# A frame that a worker sent; `body` is decoded.
Received = Struct.new(:kind, :flags, :aux, :id, :body)

# One real worker and the host's end of its connection.
class Host
  attr_reader :hello, :pid, :socket

  def initialize(file, codec: 'json', greets: true, **hello)
    @socket, worker_end = UNIXSocket.pair
    @out, out_end = IO.pipe
    @err, err_end = IO.pipe
    env = { 'SNAKEPIT_PROTOCOL' => 'v2', 'SNAKEPIT_FD' => worker_end.fileno.to_s }
    @pid = spawn(env, RbConfig.ruby, WORKER, '--module', file, worker_end => worker_end, in: File::NULL, out: out_end, err: err_end, pgroup: true)
    [worker_end, out_end, err_end].each(&:close)
    @codec = Snakepit::Codec.create(codec, 64)
    @index = {}
    greet(codecs: [codec], **hello) if greets
  end

  def greet(**members)
    says = { protocol: [2], codecs: ['json'], maxFrameBytes: 1 << 20, maxDepth: 64, streamCredit: 4, workerId: 'w-1', pool: 'w' }
    send_frame(F::HELLO, body: JSON.generate({ **says, **members }))
    @hello = JSON.parse(receive_raw.last)
    (@hello['commands'] || []).each_with_index { |command, index| @index[command['name']] = index }
  end

  # Frames sent within the block leave together, so that the worker reads them at once.
  def one_write
    @collected = String.new(encoding: Encoding::BINARY)
    yield
    frames, @collected = @collected, nil
    @socket.write(frames)
  end

  def send_frame(kind, id = 0, flags: 0, aux: 0, body: '')
    frame = F.pack(kind, id, flags, aux, body.b)
    @collected ? @collected << frame : @socket.write(frame)
  end

  def call(id, name, arguments = nil, stream: false, meta: nil, deadline_ms: nil)
    body, flags = @codec.encode(meta ? [meta, arguments] : arguments)
    flags |= F::STREAM if stream
    flags |= F::META if meta
    if deadline_ms
      flags |= F::DEADLINE
      body = [deadline_ms].pack('N') + body
    end
    send_frame(F::CALL, id, flags: flags, aux: @index.fetch(name, F::NAMED_COMMAND), body: body)
  end

  def cancel(id)
    send_frame(F::CANCEL, id, aux: 1)
  end

  def credit(id, chunks)
    send_frame(F::CREDIT, id, aux: chunks)
  end

  # Answers a question of the worker's.
  def answer(question, value, kind = F::HOST_RESULT)
    body, flags = @codec.encode(value)
    send_frame(kind, question.id, flags: flags, body: body)
  end

  def receive
    kind, flags, aux, id, body = receive_raw
    Received.new(kind, flags, aux, id, @codec.decode(body, flags, envelope: 4))
  end

  # The next frame of one kind; others before it are passed over.
  def receive_kind(kind, id = nil)
    loop do
      frame = receive
      return frame if frame.kind == kind && [nil, frame.id].include?(id)
    end
  end

  def result(id, name, arguments = nil, **options)
    call(id, name, arguments, **options)
    frame = receive
    raise "expected the result of #{id}, got #{frame}" unless frame.kind == F::RESULT && frame.id == id

    frame.body
  end

  def error(id, name, arguments = nil, **options)
    call(id, name, arguments, **options)
    receive_kind(F::ERROR, id).body
  end

  # What a stream sends, and its last frame.
  def drain(id)
    chunks = []
    loop do
      frame = receive
      next unless frame.id == id
      return [chunks, frame] unless frame.kind == F::CHUNK

      chunks << frame.body
      credit(id, 1)
    end
  end

  def wait
    Timeout.timeout(TIMEOUT_SECONDS) { Process.wait2(@pid).last.tap { @pid = nil } }
  end

  def error_line
    @err.gets
  end

  # What it has printed, after its end.
  def output
    [@out.read, @err.read]
  end

  def close
    if @pid
      Process.kill(:KILL, -@pid)
      Process.wait(@pid)
    end
    [@socket, @out, @err].each(&:close)
  end

  def receive_raw
    Timeout.timeout(TIMEOUT_SECONDS) do
      header = @socket.read(F::HEADER_BYTES)
      raise EOFError, "the worker closed the connection: #{@err.read}" if header.nil?

      length, head, id = header.unpack(F::HEADER)
      [head >> 24, F.flags_of(head), head & 0xFFFF, id, @socket.read(length)]
    end
  end
end

# Tests with workers whose files are written on the spot.
class WorkerTest < Minitest::Test
  def setup
    @folder = Dir.mktmpdir
    @hosts = []
  end

  def teardown
    @hosts.each(&:close)
    FileUtils.remove_entry(@folder)
  end

  def write(source, name = 'handlers.rb')
    File.join(File.realpath(@folder), name).tap { |path| File.write(path, source) }
  end

  # A host whose worker has these declarations.
  def host(declarations, **options)
    host_of("require 'snakepit_bridge'\nSnakepit.worker do\n#{declarations}\nend\n", **options)
  end

  def host_of(source, **options)
    Host.new(write(source), **options).tap { |host| @hosts << host }
  end
end
