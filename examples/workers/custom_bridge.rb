# A bridge in plain Ruby, without any SDK: protocol v1 of proto/PROTOCOL.md is frames of JSON on stdin and stdout, each after its length.
require 'json'

COMMANDS = {
  'ping' => ->(_) { { status: 'ok', bridge: 'ruby' } },
  # The line of least squares through points.
  'fit_line' => lambda do |args|
    points = args.fetch('points')
    mean_x, mean_y = points.transpose.map { |values| values.sum.fdiv(values.size) }
    slope = points.sum { |x, y| (x - mean_x) * (y - mean_y) } / points.sum { |x, _| (x - mean_x)**2 }
    { slope: slope, offset: mean_y - slope * mean_x }
  end
}.freeze

def answer(request)
  command = COMMANDS.fetch(request['command']) { |name| raise ArgumentError, "unknown command #{name}" }
  { id: request['id'], success: true, result: command.call(request['args'] || {}) }
rescue StandardError => e
  { id: request['id'], success: false, error: e.message }
end

$stdin.binmode
$stdout.binmode
$stdout.sync = true
while (head = $stdin.read(4))
  request = JSON.parse($stdin.read(head.unpack1('N')))
  # Whoever does not know how to negotiate answers what it is asked first with an error, and is spoken to in JSON.
  reply = JSON.generate(answer(request).merge(timestamp: Time.now.to_f))
  $stdout.write([reply.bytesize].pack('N'), reply)
end
