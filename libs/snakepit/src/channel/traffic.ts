/** What has gone over channels, in bytes of messages with all that is around the values; counted as it is written and read. */
export class Traffic {
  sentBytes = 0;
  receivedBytes = 0;
}
