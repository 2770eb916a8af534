export { openAncestorChannel } from './ancestor-handshake.js';
export { STREAM_CREDIT } from './channel.js';
export type {
  CallId,
  CallKind,
  CallMeta,
  Channel,
  ChannelCall,
  ChannelFailure,
  ChannelOwner,
  CommandManifest,
  HostCall,
  InputStream,
  TraceContext,
  WorkerManifest,
} from './channel.js';
export { FdChannel } from './fd-channel.js';
export { openFdChannel, type ArenaGrant } from './fd-handshake.js';
export type { GrpcClientTls, GrpcTarget } from './grpc-connection.js';
export { openGrpcChannel } from './grpc-handshake.js';
export { loadGrpcLibrary } from './grpc-library.js';
export { offerOnLifeline, type GrpcOffer } from './grpc-lifeline.js';
export { HandshakeRefused } from './handshake-refused.js';
export { PendingCalls } from './pending-calls.js';
export { HostCallFailure, toCallerError, toErrorBody, type ChannelName } from './remote-failure.js';
export { StdioChannel } from './stdio-channel.js';
export { openStdioChannel } from './stdio-handshake.js';
export { Traffic } from './traffic.js';
