module nestjs-snakepit/snakepit

go 1.21
