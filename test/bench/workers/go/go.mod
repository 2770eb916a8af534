module bench

go 1.21

require nestjs-snakepit/snakepit v0.0.0

replace nestjs-snakepit/snakepit => ../../../../bridges/go
