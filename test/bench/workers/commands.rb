# frozen_string_literal: true

# The commands that the bench calls.

require 'snakepit_bridge'

Snakepit.worker do
  command(:add) { |a:, b:| a + b }
end
