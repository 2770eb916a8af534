export { SNAKEPIT_VERSION } from 'nestjs-snakepit/codec';
