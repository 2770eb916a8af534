# frozen_string_literal: true

# Stock of a shop: a set of sizes is planned by dynamic programming, and a session keeps what was taken.

require 'snakepit_bridge'

Snakepit.worker do
  # The fewest packs that hold exactly `count` pieces.
  command(:packs) do |count:, sizes:|
    fewest = [[]]
    (1..count).each do |pieces|
      fewest[pieces] = sizes.filter_map { |size| [*fewest[pieces - size], size] if size <= pieces && fewest[pieces - size] }.min_by(&:size)
    end
    fewest[count] or raise ArgumentError, "#{count} pieces cannot be packed by #{sizes.join(', ')}"
  end

  command(:take) do |item:, ctx:|
    ctx.session.update('taken', []) { |items| [*items, item] }.tally
  end

  stream(:split) { |text:| text.each_line(chomp: true).lazy.reject(&:empty?).map(&:strip) }
end
