module sieve

go 1.21

require nestjs-snakepit/snakepit v0.0.0

// In an application: ../../node_modules/nestjs-snakepit/bridges/go, seen from workers/sieve.
replace nestjs-snakepit/snakepit => ../../../bridges/go
