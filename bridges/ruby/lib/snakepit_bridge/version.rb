# frozen_string_literal: true

module Snakepit
  VERSION = '0.1.0'
end
